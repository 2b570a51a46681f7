/** What is shown of an answer: the words of the page, whole or not at all. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ANSWER_CHARS_MAX, read, TEXT_CHARS_MAX } from '../src/components/story/answer';
import { addressOf } from '../src/components/story/ask';
import { heard, LOTS_MAX, ORDERS_MAX, spoken, STEPS_MAX, TOO_LONG, unheard, type Told } from '../src/components/story/told';
import { addressed, asked } from '../src/scanned';
import { FINGERPRINT, found, madeVoid, ofClass, recalled, step, unknown } from './answers';

function told(answer: object, status = 200, lot = ''): Told {
  const outcome = heard(status, JSON.stringify(answer), lot);
  if ('problem' in outcome) throw new Error(outcome.problem);
  return outcome.told;
}
const problem = (status: number, source: unknown): string => {
  const outcome = heard(status, source, '');
  return 'problem' in outcome ? outcome.problem : '';
};
const words = ({ states }: { states: { words: string }[] }): string[] => states.map(({ words }) => words);
const order = { kind: 'freeze', kind_name: '冻结', authority: '示例监管局', date: '2026-11-20' };

describe('the story of a unit', () => {
  it('tells product, facts, stages in order and what stands behind them', () => {
    const story = told(found());
    expect(story).toMatchObject({ found: true, unit: 'R1-sold', records: 2, title: '示例韭菜', label: '追溯码', code: 'R1-sold' });
    expect(story.states).toEqual([{ tone: 'good', mark: '✓', words: '已查到追溯信息' }]);
    expect(story.facts.map(({ label, value }) => `${label} ${value}`)).toEqual(['品牌 示例牌', '执行标准 NY/T 744', '批次号 R1-sold']);
    expect(story.steps.map(({ when, stage, kind, corrects, confirmed }) => [when, stage, kind, corrects, confirmed])).toEqual([
      ['2026 年 11 月 2 日', '初级生产', '采收', false, true],
      ['2026 年 11 月 14 日', '产品流通', '零售', true, false],
    ]);
    expect(story.seal).toEqual({
      words: '2 条记录中 1 条已写入存证链。存证说明记录自写入以来未被改动，不代表产品真伪。',
      fingerprint: FINGERPRINT,
      queries: '本码第 3 次查询，首次查询 2026-11-28 11:44。首次查询时间与您的购买时间明显不符时，请留意。',
    });
  });

  it('of a code of a lot leads to the proofs of the lot, and tells its own days', () => {
    const story = told(found({ code: 'ONE', unit: 'LOT', produced_on: '2026-11-02', expires_on: '2026-12-02' }));
    expect([story.code, story.unit]).toEqual(['ONE', 'LOT']);
    expect(story.facts.slice(-2)).toEqual([
      { label: '生产日期', value: '2026-11-02' },
      { label: '有效期至', value: '2026-12-02' },
    ]);
  });

  it('without records says so; a location has but a name', () => {
    const story = told(found({ steps: [], product: { name: '示例市场' }, lot: null, first_scanned_at: '' }));
    expect(story).toMatchObject({ records: 0, title: '示例市场', facts: [] });
    expect(story.states).toEqual([{ tone: 'none', mark: '—', words: '编码有效，尚无公开的环节记录' }]);
    expect(story.seal?.words).toBe('此码尚无公开的环节记录。');
    expect(story.seal?.queries).toMatch(/^本码第 3 次查询。/);
    expect(told(found({ product: null })).title).toBe('产品');
    expect(told(found({ product: null, code: '/00/106141412345678908' })).title).toBe('物流单元');
  });

  it('a recall, an order and a failed test are told first, and nothing reassures beside them', () => {
    const back = told(recalled());
    expect(words(back)).toEqual(['该产品已被召回']);
    expect([back.advice, back.notes]).toEqual([['请停止食用，退回购买处'], ['召回原因：示例检测不合格']]);
    const ordered = told(found({ state: 'recalled', orders: [{ ...order, kind: 'recall', kind_name: '责令召回' }] }));
    expect(words(ordered)).toEqual(['责令召回：示例监管局，2026 年 11 月 20 日 起']);
    expect(ordered.advice).toEqual(['该产品正在召回，请停止食用或使用，并联系销售者退回']);
    const frozen = told(found({ state: 'warning', orders: [order] }));
    expect([words(frozen), frozen.advice]).toEqual([
      ['冻结：示例监管局，2026 年 11 月 20 日 起'],
      ['该产品已被管控，请勿购买、食用或使用，并联系销售者'],
    ]);
    const failed = told(found({ state: 'warning', steps: [step({ verdict: '不合格' })] }));
    expect(words(failed)).toEqual(['有检测结论为不合格，请勿食用或使用，并联系销售者']);
    expect(failed.steps[0]!.failed).toBe(true);
    for (const story of [back, ordered, frozen, failed]) expect(story.states.filter(({ tone }) => tone !== 'bad')).toEqual([]);
  });

  it('a failed test that lies further back than the steps still warns', () => {
    expect(words(told(found({ state: 'warning' })))).toEqual(['有检测结论为不合格，请勿食用或使用，并联系销售者']);
  });
});

describe('what is no story of a unit', () => {
  it('an unknown code, and one that was made void', () => {
    const nothing = told(unknown, 404);
    expect(nothing).toMatchObject({ found: false, title: '未查到追溯信息', code: 'NOTHING', seal: null, steps: [] });
    expect(words(nothing)).toEqual(['没有与此码对应的公开信息']);
    const gone = told(madeVoid, 410);
    expect(gone).toMatchObject({ found: false, title: '此码已作废', code: 'VOID', seal: null });
    expect(gone.states).toMatchObject([{ tone: 'bad', words: '此码已由赋码主体作废' }]);
  });

  it('a product tells of all its lots, and warns of those that are stopped', () => {
    const plain = told(ofClass());
    expect(plain).toMatchObject({ found: true, records: 0, label: '商品条码', code: '06901234567892', seal: null });
    expect(plain.states).toMatchObject([{ tone: 'none', words: '这是商品条码，同一产品各批次相同，不能说明您手中是哪一批' }]);
    expect(plain.facts.at(-2)).toEqual({ label: '责任主体', value: '示例蔬菜加工厂' });
    const lots = ['召回', '不合格', '冻结', '销毁', '待检'].map((quality, at) => ({ lot: `L${at}`, quality_name: quality }));
    const warned = told(ofClass({ warned_lots: [...lots, { lot: null, quality_name: '冻结' }], warned_lots_total: 9 }));
    expect(words(warned)).toEqual(['该产品有批次被召回、停止销售或检测不合格']);
    expect(warned.advice).toEqual(['请核对包装上的批次号；属于下列批次的，请勿购买、食用或使用，并联系销售者']);
    expect(warned.lots.map(({ number, why }) => `${number} ${why}`.trim())).toEqual([
      'L0 已召回',
      'L1 检测不合格',
      'L2 停止销售',
      'L3 责令销毁',
      'L4 待检，暂停流通',
      '另有未标批次号的产品被管控，请向销售者询问',
      '另有 3 个批次未列出，请按批次号查询',
    ]);
    const back = told(ofClass({ state: 'recalled' }));
    expect([words(back), back.advice]).toEqual([['该产品正在召回'], ['请停止食用或使用，并联系销售者退回']]);
  });

  it('a lot that was looked for and is not there', () => {
    expect(told(ofClass()).sought).toEqual({ states: [], notes: [] });
    expect(words(told(ofClass(), 404, 'L9').sought!)).toEqual(['未查到批次 L9 的公开信息']);
    expect(words(told(ofClass(), 422, '\n').sought!)).toEqual(['批次号应为 1 至 50 个字，不含控制字符']);
  });
});

describe('an answer that is not understood', () => {
  it('is not shown in part', () => {
    const wrong: unknown[] = [
      undefined,
      {},
      '',
      '<html>',
      'null',
      '[]',
      '7',
      '{}',
      '{"code":"not-found","status":404}',
      ...[
        { state: 'new' },
        { state: 'toString' },
        { code: '' },
        { code: 7 },
        { steps: {} },
        { steps: [null] },
        { steps: [step({ subject: 1 })] },
        { steps: 'x' },
        { orders: ['x'] },
        { orders: [{ authority: [] }] },
        { product: [] },
        { recall: '召回' },
        { recall: { reason: 'x', advice: 1 } },
        { scans: -1 },
        { scans: '3' },
        { scans: 0.5 },
        { gtin: 1 },
        { gtin: '1', warned_lots: [1] },
      ].map((more) => JSON.stringify(found(more))),
    ];
    for (const source of wrong) expect(problem(200, source), String(source)).toContain('无法识别');
    expect(problem(404, '<html>')).toContain('无法识别');
  });

  it('is refused by its status or by its length', () => {
    expect(problem(429, '')).toBe('查询过于频繁，请稍后重试');
    for (const status of [302, 500, 503])
      expect(problem(status, JSON.stringify(found()))).toBe(`平台没有正常应答（${status}），请稍后重试`);
    const long = JSON.stringify(found({ lot: 'x'.repeat(ANSWER_CHARS_MAX) }));
    expect(problem(200, long)).toBe(TOO_LONG);
    expect(read(long)).toBeUndefined();
    expect(unheard('request:fail timeout')).toEqual({ problem: '平台迟迟没有应答，请稍后重试' });
    expect(unheard('request:fail')).toMatchObject({ problem: expect.stringContaining('网络不通') as string });
  });
});

describe('bounds', () => {
  it('long texts are cut at whole characters, codes of proofs never', () => {
    const story = told(found({ code: '鉴'.repeat(TEXT_CHARS_MAX + 1), unit: 'U'.repeat(2000), product: { name: '𠮷'.repeat(3000) } }));
    expect(story.title).toBe(`${'𠮷'.repeat(TEXT_CHARS_MAX)}…`);
    expect(story.code).toHaveLength(TEXT_CHARS_MAX + 1);
    expect(story.unit).toHaveLength(2000);
    expect(told(found({ lot: '𠮷'.repeat(TEXT_CHARS_MAX) })).facts.at(-1)!.value).toHaveLength(2 * TEXT_CHARS_MAX);
  });

  it('long lists are counted whole and shown in part', () => {
    const steps = Array.from({ length: STEPS_MAX + 7 }, (_, at) => step({ id: `${at}`, verdict: at === 0 ? '不合格' : null }));
    const orders = Array.from({ length: ORDERS_MAX + 2 }, () => order);
    const story = told(found({ steps, orders }));
    expect(story.steps).toHaveLength(STEPS_MAX);
    expect(story.steps[0]!.id).toBe('7');
    expect([story.earlier, story.records]).toEqual([7, STEPS_MAX + 7]);
    expect(story.seal!.words).toContain(`${STEPS_MAX + 7} 条记录中`);
    expect(story.states).toHaveLength(ORDERS_MAX + 1);
    expect(words(story).at(-1)).toContain('有检测结论为不合格');
    expect(story.notes).toEqual(['另有 2 项管控未列出']);
    const lots = Array.from({ length: LOTS_MAX + 5 }, (_, at) => ({ lot: `${at}`, quality_name: '召回' }));
    const warned = told(ofClass({ warned_lots: lots, warned_lots_total: 0 }));
    expect(warned.lots).toHaveLength(LOTS_MAX + 1);
    expect(warned.lots.at(-1)!.why).toBe('另有 5 个批次未列出，请按批次号查询');
  });
});

it('every word of the page is said here too', () => {
  const source = (name: string): string => readFileSync(join(import.meta.dirname, '../src/components/story', name), 'utf8');
  const said = source('told.ts') + source('index.wxml');
  const template = (name: string): string =>
    readFileSync(join(import.meta.dirname, `../../../../crates/web/templates/${name}.html`), 'utf8');
  // Of the window's title, and of what the page of a mini-program has a button for.
  const others = ['追溯信息', '产品信息', '在本机校验存证', '到存证校验页逐条核验'];
  for (const name of ['story', 'class', 'void']) {
    const runs = template(name)
      .split(/\{%.*?%\}|\{\{.*?\}\}|<[^>]*>|\n/)
      .map((run) => run.trim())
      .filter((run) => /\p{Script=Han}/u.test(run) && !others.includes(run));
    expect(runs.length).toBeGreaterThan(3);
    for (const run of runs) expect(said, `${name}.html`).toContain(run);
  }
});

it('days are said as people say them', () => {
  expect(spoken('2026-01-05')).toBe('2026 年 1 月 5 日');
  for (const other of ['', '2026', '十一月']) expect(spoken(other)).toBe(other);
});

it('a question leads to the platform that was named, or nowhere', () => {
  const at = (platform: string, code = 'A/B', lot = ''): unknown => addressOf({ platform, code, lot });
  expect(at('https://a.example')).toEqual({ url: 'https://a.example/t/A%2FB' });
  expect(at('https://a.example/', 'A', 'L 1')).toEqual({ url: 'https://a.example/t/A?lot=L%201' });
  for (const platform of ['', 'a.example', 'https://a.example/x', 'https://me@a.example', 'https://a.example?x', 'javascript:1'])
    expect(at(platform), platform).toHaveProperty('problem');
  expect(at('https://a.example', 'x'.repeat(201))).toHaveProperty('problem');
  expect(at('https://a.example', '\ud800')).toHaveProperty('problem');
});

it('an address is read whether WeChat hands it on escaped or not', () => {
  const text = 'https://a.example/t/A%2FB';
  expect(addressed({ q: text })).toBe(text);
  expect(addressed({ q: encodeURIComponent(text) })).toBe(text);
  expect([addressed({}), addressed({ q: '%' })]).toEqual(['', '']);
  expect(asked(text, 'https://a.example')).toMatchObject({ name: 'A/B', label: true });
  expect(asked('https://a.example/verify?code=A', 'https://a.example')).toMatchObject({ label: false });
});
