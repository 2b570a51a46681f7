import { describe, expect, it } from 'vitest';
import type { Field } from '../../domain/types';
import { drafted, isTyped, meant } from './draft';
import { columnsOf, show, stateOf } from './values';

const field = (name: string, kind: Field['kind']): Field => ({ name, kind, label: name, codes: [], computed: false }) as unknown as Field;

describe('fields of a record', () => {
  it('say yes and no, and moments of Beijing, as the interface reads them', () => {
    const active = field('active', 'bool');
    expect([drafted(active, true), drafted(active, false), drafted(active, null)]).toEqual(['true', 'false', '']);
    expect([meant(active, 'true'), meant(active, 'false'), meant(active, '')]).toEqual([true, false, null]);
    const from = field('starts_at', 'time');
    expect(drafted(from, '2026-11-01T08:05:00+08:00')).toBe('2026-11-01T08:05');
    expect(meant(from, '2026-11-01T08:05')).toBe('2026-11-01T08:05:00+08:00');
    expect(meant(field('size', 'int'), '12')).toBe(12);
    expect(meant(field('roles', 'codes'), [])).toBeNull();
  });

  it('name the batches that a document goes with, one a line', () => {
    const units = field('units', 'json');
    expect(isTyped(units)).toBe(true);
    expect(isTyped(field('domain_path', 'json'))).toBe(false);
    const said = [{ code: 'F1-A' }, { code: 'F1-B', quantity: '12.5' }];
    expect(meant(units, ' F1-A\n\nF1-B 12.5 ')).toEqual(said);
    expect(drafted(units, said)).toBe('F1-A\nF1-B 12.5');
    expect(meant(field('origins', 'json'), 'C-1；C-2')).toEqual(['C-1', 'C-2']);
    expect(meant(units, '')).toBeNull();
  });

  it('say of a valid document that its day is past', () => {
    const at = new Date('2026-11-21T16:30:00Z');
    expect(stateOf({ state: 'valid', valid_until: '2026-11-21' }, '有效', at)).toBe('已过有效期');
    expect(stateOf({ state: 'valid', valid_until: '2026-11-22' }, '有效', at)).toBe('有效');
    expect(stateOf({ state: 'void', valid_until: '2026-11-21' }, '作废', at)).toBe('作废');
    expect(stateOf({ state: 'valid' }, '有效', at)).toBe('有效');
  });

  it('stand in a list after what tells the record, and its state', () => {
    const order = (...names: string[]) => columnsOf(names.map((name) => field(name, 'text'))).map((one) => one.name);
    expect(order('code', 'name', 'region', 'status')).toEqual(['name', 'status', 'code', 'region']);
    expect(order('kind', 'number', 'issuer', 'state')).toEqual(['number', 'state', 'kind', 'issuer']);
    expect(order('mac', 'kind', 'state')).toEqual(['mac', 'state', 'kind']);
    expect(order('redirect_uris', 'organization_path')).toEqual(['redirect_uris']);
  });

  it('are shown in words, whatever they hold', () => {
    const name = (code: string) => code;
    expect(
      show(
        field('units', 'json'),
        [
          { code: 'F1-A', quantity: null },
          { code: 'F1-B', quantity: '1200' },
        ],
        name,
      ),
    ).toBe('F1-A；F1-B 1,200');
    expect(show(field('origins', 'json'), ['C-1', 'C-2'], name)).toBe('C-1；C-2');
    expect(show(field('unit', 'text'), 'KGM', name)).toBe('千克');
    expect(show(field('quantity', 'decimal'), '1200', name)).toBe('1,200');
    const tails = ['letters', 'chance9', 'running13', 'checked9', 'other'].map((tail) => show(field('tail', 'text'), tail, name));
    expect(tails).toEqual(['随机字母与数字', '9 位随机数字', '13 位顺序号', '9 位顺序号与校验位', 'other']);
    expect(show(field('lon', 'decimal'), '109.87576', name)).toBe('109.87576');
    expect(show(field('product_id', 'id'), '01a21cfa-d0cf-7fb3-99c3-b34aaa8329e1', name)).toBe('（不在数据权限范围内）');
  });

  it('say of a batch of codes whether all of them are in use', () => {
    const batch = (activated: number, voided: number, state = 'active') => stateOf({ state, size: 10, activated, voided }, '已激活');
    expect([batch(3, 0), batch(10, 0), batch(3, 7), batch(3, 6)]).toEqual(['部分激活', '已激活', '已激活', '部分激活']);
    expect(stateOf({ state: 'planned', size: 10, activated: 0, voided: 0 }, '未激活')).toBe('未激活');
    // A record of another register, which counts nothing.
    expect(stateOf({ state: 'active' }, '正常')).toBe('正常');
  });

  it('say where a record came from', () => {
    const told = (value: string): string => show(field('source_system', 'text'), value, (code) => code);
    expect([told('direct'), told('示例省平台')]).toEqual(['本平台', '示例省平台']);
  });
});
