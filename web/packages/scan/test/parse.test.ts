import { describe, expect, it } from 'vitest';
import { GS, parseScan } from '../src/parse';

const keyOf = (text: string): string => {
  const found = parseScan(text);
  expect(found.kind, text).not.toBe('wrong');
  return found.key;
};
const refusal = (text: string): string => {
  const found = parseScan(text);
  return found.kind === 'wrong' ? found.detail : `taken as ${found.key}`;
};

describe('what a scanner reads', () => {
  it('is a plain code', () => {
    expect(parseScan('F1-A')).toEqual({ kind: 'code', key: 'F1-A' });
    expect(keyOf(' 1A2B3CDEFGHJKMNPQRST\r\n')).toBe('1A2B3CDEFGHJKMNPQRST');
    expect(keyOf('61010000000012345678')).toBe('61010000000012345678');
  });

  it('is the address printed on the label', () => {
    expect(keyOf('https://zs.example.cn/t/F1-A')).toBe('F1-A');
    expect(keyOf('HTTPS://ZS.EXAMPLE.CN/T/F1-A')).toBe('F1-A');
    expect(keyOf('http://127.0.0.1:8080/t/W2%2F1?from=label#top')).toBe('W2/1');
  });

  it('is a Digital Link, wherever in the path it begins', () => {
    const path = '/01/06901234567892/10/L20261101A/21/000123';
    expect(keyOf('https://id.example.cn/01/06901234567892/10/L20261101A/21/000123?17=270501')).toBe(path);
    expect(keyOf('https://id.example.cn/x/gtin/6901234567892/lot/L20261101A/ser/000123')).toBe(path);
    expect(keyOf('https://id.example.cn/00/106141412345678908')).toBe('/00/106141412345678908');
  });

  it('is a GS1 element string, with FNC1 however the scanner writes it', () => {
    const path = '/01/06901234567892/10/L1/21/S-7';
    for (const separator of [GS, '{GS}', '<GS>', '[GS]', '\u241d']) {
      expect(keyOf(`]C10106901234567892172705011${'0L1'}${separator}21S-7`)).toBe(path);
      expect(keyOf(`010690123456789210L1${separator}21S-7`)).toBe(path);
    }
    expect(keyOf(`]d2${GS}010690123456789210L1${GS}21S-7`)).toBe(path);
    expect(keyOf(`]Q3010690123456789221S-7${GS}10L1`)).toBe(path);
    // Weight (3103) has six digits after its identifier, whatever follows.
    expect(keyOf('01069012345678923103001250' + '10L1')).toBe('/01/06901234567892/10/L1');
    expect(keyOf('(01)06901234567892(17)270501(10)L1(21)S-7')).toBe(path);
    expect(keyOf('00106141412345678908')).toBe('/00/106141412345678908');
    expect(keyOf('(00)106141412345678908')).toBe('/00/106141412345678908');
  });

  it('is escaped where a lot holds marks', () => {
    expect(keyOf('(01)06901234567892(10)A/B%1')).toBe('/01/06901234567892/10/A%2FB%251');
  });

  it('is what an input method made of it', () => {
    expect(keyOf('ｈｔｔｐｓ：、、zs。example。cn、t、F1-A')).toBe('F1-A');
    expect(keyOf('Ｆ１－Ａ')).toBe('F1-A');
  });

  it('is refused with what would be right', () => {
    expect(refusal('(01)06901234567893(10)L1')).toBe('商品条码校验位应为 2，现为 3');
    expect(refusal('(01)06901234567892')).toContain('只有商品条码');
    expect(refusal('https://example.cn/01/06901234567892')).toContain('只有商品条码');
    expect(refusal('(00)106141412345678907')).toBe('物流单元代码校验位应为 8，现为 7');
    expect(refusal('https://example.cn/about')).toContain('/t/追溯码');
    expect(refusal('https://')).toContain('网址不完整');
    expect(refusal(']C1(broken')).toContain('不完整的 GS1 标签');
    expect(refusal(`${GS}21S-7`)).toContain('没有商品条码');
    expect(refusal('韭菜')).toContain('不能含有“韭”');
    expect(refusal('  ')).toContain('没有扫到内容');
    expect(refusal('A'.repeat(65))).toBe('追溯码应为 1 至 64 位，现为 65 位');
    expect(refusal('-A')).toContain('以字母或数字开头');
  });

  it('says that a product number is none of a batch', () => {
    const found = parseScan('6901234567892');
    expect(found.kind === 'code' && found.hint).toContain('商品条码');
    expect(parseScan('6901234567893')).toEqual({ kind: 'code', key: '6901234567893' });
  });
});
