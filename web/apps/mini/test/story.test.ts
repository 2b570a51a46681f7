// @vitest-environment jsdom
/** The component of 追溯信息, by itself and in the page of our own mini-program. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { found, madeVoid, ofClass, recalled, step, unknown } from './answers';
import { component, open, phone, PLATFORM, queryOf, reset, settled, start, stop, type Rendered } from './harness';

beforeAll(() => start({ YJ_PLATFORM: PLATFORM }), 60_000);
beforeEach(reset);
afterAll(stop);

function answers(code: string, data: unknown, statusCode = 200, header = {}): void {
  const text = typeof data === 'string' ? data : JSON.stringify(data);
  phone.answers[`${PLATFORM}/t/${code}`] = { statusCode, data: text, header };
}

/** A component in a host, and what the host was told. */
async function hosted(properties: {
  platform?: string;
  code: string;
  lot?: string;
}): Promise<{ made: Rendered; loaded: unknown[]; text: () => string }> {
  const made = component('story', { platform: PLATFORM, ...properties });
  const loaded: unknown[] = [];
  made.addEventListener('loaded', ({ detail }) => loaded.push(detail));
  made.attach(document.createElement('div'));
  await settled();
  return { made, loaded, text: () => made.dom.textContent ?? '' };
}

describe('the component', () => {
  it('shows a story and tells its host', async () => {
    answers('R1-sold', found());
    const { made, loaded, text } = await hosted({ code: 'R1-sold' });
    for (const said of [
      '示例韭菜',
      '追溯码',
      'NY/T 744',
      '经过的环节',
      '采收',
      '（已更正）',
      '鉴',
      '已存证',
      '存证处理中',
      '本码第 3 次查询',
    ])
      expect(text()).toContain(said);
    expect(text().indexOf('初级生产')).toBeLessThan(text().indexOf('产品流通'));
    expect(made.dom.querySelectorAll('[class*="good"]')).toHaveLength(1);
    expect(loaded).toEqual([{ found: true, unit: 'R1-sold', records: 2 }]);
    expect(phone.asked).toEqual([`${PLATFORM}/t/R1-sold`]);
  });

  it('shows a recall', async () => {
    answers('R1-sold', recalled());
    const { text, loaded } = await hosted({ code: 'R1-sold' });
    for (const said of ['!', '该产品已被召回', '请停止食用，退回购买处', '召回原因：示例检测不合格']) expect(text()).toContain(said);
    expect(text()).not.toContain('已查到追溯信息');
    expect(loaded).toMatchObject([{ found: true }]);
  });

  it('shows a failed test where it is and above all', async () => {
    answers('R1-sold', found({ state: 'warning', steps: [step({ verdict: '不合格' }), step({ verdict: '合格' })] }));
    const { made, text } = await hosted({ code: 'R1-sold' });
    expect(text()).toContain('有检测结论为不合格，请勿食用或使用，并联系销售者');
    expect(made.dom.querySelector('[class*="fail"]')?.textContent).toBe('不合格');
    expect(made.dom.querySelector('[class*="pass"]')?.textContent).toBe('合格');
  });

  it('says what is unknown and what was made void', async () => {
    answers('NOTHING', unknown, 404);
    answers('VOID', madeVoid, 410);
    const { made, loaded, text } = await hosted({ code: 'NOTHING' });
    expect(text()).toContain('未查到追溯信息');
    expect(text()).toContain('没有与此码对应的公开信息');
    expect(made.data.problem).toBe('');
    made.instance.setData({ code: 'VOID' });
    await settled();
    expect(text()).toContain('此码已由赋码主体作废');
    expect(loaded).toMatchObject([{ found: false }, { found: false }]);
  });

  it('offline says so, and shows the story once asked again', async () => {
    const { made, loaded, text } = await hosted({ code: 'R1-sold' });
    expect(text()).toContain('网络不通或平台暂不可用');
    expect(loaded).toEqual([]);
    answers('R1-sold', found());
    made.querySelector('.retry').dispatchEvent('tap');
    await settled();
    expect(text()).toContain('已查到追溯信息');
    expect(text()).not.toContain('网络不通');
    expect(loaded).toHaveLength(1);
    expect(phone.asked).toHaveLength(2);
    phone.failure = 'request:fail timeout';
    phone.answers = {};
    expect((await hosted({ code: 'R1-sold' })).text()).toContain('迟迟没有应答');
  });

  it('says that it is asking; a question that was replaced or left is called off', async () => {
    phone.isSlow = true;
    answers('A', found({ product: { name: '先问的' } }));
    answers('B', found({ product: { name: '后问的' } }));
    const { made, loaded, text } = await hosted({ code: 'A' });
    expect(text()).toBe('正在查询 A');
    made.instance.setData({ code: 'B' });
    expect(phone.aborted).toBe(1);
    // The first one comes after all, and late.
    const [first, second] = phone.waiting;
    second!();
    first!();
    expect(text()).toContain('后问的');
    expect(text()).not.toContain('先问的');
    expect(loaded).toHaveLength(1);
    made.instance.setData({ code: 'A' });
    made.detach();
    expect(phone.aborted).toBe(2);
    phone.waiting[2]!();
    expect(loaded).toHaveLength(1);
  });

  it('asks once for one question: every answer counts as a scan', async () => {
    answers('R1-sold', found());
    const { made } = await hosted({ code: 'R1-sold' });
    made.instance.setData({ code: 'R1-sold', lot: '' });
    await settled();
    expect(phone.asked).toHaveLength(1);
    made.instance.setData({ code: '' });
    expect(made.dom.textContent).toBe('');
    expect(phone.asked).toHaveLength(1);
  });

  it('an answer that is not understood is not shown', async () => {
    for (const wrong of ['<html>登录</html>', '{"state":"found"}', JSON.stringify(found({ steps: [7] }))]) {
      answers('R1-sold', wrong);
      const { made, loaded, text } = await hosted({ code: 'R1-sold' });
      expect(text()).toContain('平台的应答无法识别');
      expect(made.dom.querySelectorAll('[class*="retry"]')).toHaveLength(1);
      expect(text()).not.toContain('示例韭菜');
      expect(loaded).toEqual([]);
    }
  });

  it('an answer too long is not even fetched, where its length is announced', async () => {
    answers('R1-sold', found(), 200, { 'content-length': '9000000' });
    phone.isSlow = true;
    const { text } = await hosted({ code: 'R1-sold' });
    phone.waiting[0]!();
    expect(text()).toContain('平台的应答过长');
    expect(phone.aborted).toBe(1);
  });

  it('long texts and long lists stay within bounds', async () => {
    const steps = Array.from({ length: 150 }, () => step({ subject: '长'.repeat(300) }));
    answers('R1-sold', found({ product: { name: '韭'.repeat(5000) }, steps }));
    const { made, text } = await hosted({ code: 'R1-sold' });
    expect(text()).toContain(`${'韭'.repeat(1000)}…`);
    expect(text()).not.toContain('韭'.repeat(1001));
    expect(text()).toContain('更早的 50 条未列出');
    expect(text()).toContain('150 条记录中 150 条已写入存证链');
    expect(made.dom.querySelectorAll('[class*="anchor"]')).toHaveLength(100);
  });

  it('a product asks for the lot, and tells of the one that is looked for', async () => {
    answers('06901234567892', ofClass({ warned_lots: [{ lot: 'L1', quality_name: '召回' }], warned_lots_total: 1 }));
    answers('06901234567892?lot=L9', ofClass(), 404);
    answers('06901234567892?lot=L1', recalled());
    const { made, loaded, text } = await hosted({ code: '06901234567892' });
    for (const said of ['商品条码', 'L1', '已召回', '责任主体', '查询您手中的批次']) expect(text()).toContain(said);
    await made.instance.seekLot!();
    await settled();
    expect(phone.asked).toHaveLength(1);
    await made.instance.typedLot!({ detail: { value: 'L9' } });
    await made.instance.seekLot!();
    await settled();
    expect(text()).toContain('未查到批次 L9 的公开信息');
    await made.instance.typedLot!({ detail: { value: 'L1' } });
    made.querySelector('.seek').dispatchEvent('tap');
    await settled();
    expect(text()).toContain('该产品已被召回');
    expect(loaded).toHaveLength(3);
    expect((await hosted({ code: '06901234567892', lot: 'L1' })).text()).toContain('该产品已被召回');
  });

  it('a host’s mistake is said, and nothing is asked', async () => {
    const { made, text } = await hosted({ platform: 'yuanjian.example', code: 'A' });
    expect(text()).toContain('平台地址应形如');
    expect(made.dom.querySelectorAll('[class*="retry"]')).toHaveLength(0);
    expect((await hosted({ code: 'A'.repeat(201) })).text()).toContain('追溯码不超过 200 个字');
    expect(phone.asked).toEqual([]);
  });

  it('large type is the reader’s', async () => {
    phone.scale = 1.5;
    answers('R1-sold', found());
    expect((await hosted({ code: 'R1-sold' })).made.data).toMatchObject({ size: 'font-size: 24px' });
  });
});

describe('the page of 追溯信息', () => {
  it('tells the story of a label and leads to its proofs', async () => {
    answers('ONE%2FA', found({ code: 'ONE/A', unit: 'LOT/A' }));
    const page = open('story');
    await page.instance.onLoad!({ q: encodeURIComponent(`${PLATFORM}/t/ONE%2FA`) });
    await expect.poll(() => page.dom.textContent).toContain('示例韭菜');
    expect(page.dom.textContent).toContain('校验存证');
    page.querySelector('.act').dispatchEvent('tap');
    await settled();
    expect(phone.went).toContain('/pages/verify/index?q=');
    expect(decodeURIComponent(queryOf(phone.went).q!)).toBe(`${PLATFORM}/verify?code=LOT%2FA`);
  });

  it('where there is no record there is nothing to check', async () => {
    answers('NOTHING', unknown, 404);
    const page = open('story');
    await page.instance.onLoad!({ q: `${PLATFORM}/t/NOTHING` });
    await expect.poll(() => page.dom.textContent).toContain('未查到追溯信息');
    expect(page.dom.textContent).not.toContain('校验存证');
  });

  it('a code of others is not asked for', async () => {
    for (const q of [undefined, '%', 'https://elsewhere.example/t/A', `${PLATFORM}/c/1`]) {
      const page = open('story');
      await page.instance.onLoad!({ q });
      expect(page.data.words).toContain('没有向任何地方查询');
    }
    expect(phone.asked).toEqual([]);
  });
});
