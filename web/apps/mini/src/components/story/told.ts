/** An answer of the public page as what is shown of it, in the words of the page itself. */
import { ANSWER_CHARS_MAX, read, type Answer, type Lot, type Step, type Wares } from './answer';

/** Shown of each list; what is beyond is counted. The platform names 40, 20 and 50. */
export const STEPS_MAX = 100;
export const ORDERS_MAX = 20;
export const LOTS_MAX = 50;

/** Told by word and by the shape of its mark; the colour only agrees. */
export interface State {
  tone: 'bad' | 'good' | 'none';
  mark: string;
  words: string;
}
export interface Told {
  /** Whether there is anything public behind the code. */
  found: boolean;
  /** Whose proofs may be checked, and how many records there are. */
  unit: string;
  records: number;
  title: string;
  label: string;
  code: string;
  states: State[];
  /** What to do, and what else is to be said. */
  advice: string[];
  notes: string[];
  lots: { number: string; why: string }[];
  facts: { label: string; value: string }[];
  /** Steps that are not shown, before those that are. */
  earlier: number;
  steps: (Step & { when: string; failed: boolean })[];
  seal: Seal | null;
  /** Of a product without a lot: what became of the lot that was asked for. */
  sought: Sought | null;
}
interface Seal {
  words: string;
  fingerprint: string;
  queries: string;
}
interface Sought {
  states: State[];
  notes: string[];
}

/** What came of asking: something to show, or what went wrong. */
export type Outcome = { told: Told } | { problem: string };

const UNREADABLE = '平台的应答无法识别，没有显示其中任何内容；请稍后重试';
export const TOO_LONG = '平台的应答过长，没有显示其中任何内容；请稍后重试';
const FAILED = '不合格';

const bad = (words: string): State => ({ tone: 'bad', mark: '!', words });
const good = (words: string): State => ({ tone: 'good', mark: '✓', words });
const none = (words: string): State => ({ tone: 'none', mark: '—', words });

/** `2026-11-02` as people say it. */
export function spoken(date: string): string {
  const [year, month, day] = date.split('-').map((part) => part.replace(/^0+/, ''));
  return year !== undefined && month !== undefined && day !== undefined ? `${year} 年 ${month} 月 ${day} 日` : date;
}

const rows = (all: [string, string][]): Told['facts'] =>
  all.filter(([, value]) => value !== '').map(([label, value]) => ({ label, value }));

const BLANK = {
  records: 0,
  label: '追溯码',
  states: [],
  advice: [],
  notes: [],
  lots: [],
  facts: [],
  earlier: 0,
  steps: [],
  seal: null,
  sought: null,
};

function missing({ code, unit }: Answer): Told {
  return {
    ...BLANK,
    found: false,
    unit,
    title: '未查到追溯信息',
    code,
    states: [none('没有与此码对应的公开信息')],
    notes: ['请核对包装上的追溯码是否完整；如仍查不到，可能尚未上传，或不是本平台的追溯码。请向销售者询问，必要时向市场监管部门反映。'],
  };
}

function madeVoid({ code, unit }: Answer): Told {
  return {
    ...BLANK,
    found: false,
    unit,
    title: '此码已作废',
    code,
    states: [bad('此码已由赋码主体作废')],
    notes: ['作废的码不应再出现在在售产品上。如在所购产品上见到此码，请向销售者询问，必要时向市场监管部门反映。'],
  };
}

/** The one thing to know of a unit besides the orders over it. */
function warning({ state, recall, orders, steps }: Answer): Pick<Told, 'states' | 'advice' | 'notes'> {
  if (recall) {
    const advice = recall.advice === '' ? [] : [recall.advice];
    return { states: [bad('该产品已被召回')], advice, notes: [`召回原因：${recall.reason}`] };
  }
  if (state === 'recalled') return { states: [], advice: ['该产品正在召回，请停止食用或使用，并联系销售者退回'], notes: [] };
  // The failed test may lie further back than the steps that are told.
  if (steps.some(({ verdict }) => verdict === FAILED) || (state === 'warning' && orders.length === 0))
    return { states: [bad('有检测结论为不合格，请勿食用或使用，并联系销售者')], advice: [], notes: [] };
  if (orders.length > 0) return { states: [], advice: ['该产品已被管控，请勿购买、食用或使用，并联系销售者'], notes: [] };
  if (steps.length === 0) return { states: [none('编码有效，尚无公开的环节记录')], advice: [], notes: [] };
  return { states: [good('已查到追溯信息')], advice: [], notes: [] };
}

function seal({ steps, fingerprint, scans, firstScan }: Answer): Seal {
  const anchored = steps.filter(({ confirmed }) => confirmed).length;
  const first = firstScan.length < 16 ? '' : `，首次查询 ${firstScan.slice(0, 16).replace('T', ' ')}`;
  return {
    words:
      steps.length === 0
        ? '此码尚无公开的环节记录。'
        : `${steps.length} 条记录中 ${anchored} 条已写入存证链。存证说明记录自写入以来未被改动，不代表产品真伪。`,
    fingerprint,
    queries: `本码第 ${scans} 次查询${first}。首次查询时间与您的购买时间明显不符时，请留意。`,
  };
}

/** What stands where no product is known: a logistic unit may hold many. */
const nameless = (code: string): string => (/^(\/00\/|\(00\)|00)?\d{18}$/.test(code) ? '物流单元' : '产品');

function story(answer: Answer): Told {
  const { product, steps, orders } = answer;
  const { states, advice, notes } = warning(answer);
  const shown = steps.slice(-STEPS_MAX);
  const inForce = orders.slice(0, ORDERS_MAX).map(({ kind, authority, date }) => bad(`${kind}：${authority}，${spoken(date)} 起`));
  return {
    ...BLANK,
    found: true,
    unit: answer.unit,
    records: steps.length,
    title: product.name || nameless(answer.code),
    code: answer.code,
    states: [...inForce, ...states],
    advice,
    notes: orders.length > ORDERS_MAX ? [...notes, `另有 ${orders.length - ORDERS_MAX} 项管控未列出`] : notes,
    facts: rows([
      ['品牌', product.brand],
      ['规格', product.spec],
      ['执行标准', product.standard],
      ['批次号', answer.lot],
      ['生产日期', answer.producedOn],
      ['有效期至', answer.expiresOn],
    ]),
    earlier: steps.length - shown.length,
    steps: shown.map((step) => ({ ...step, when: spoken(step.date), failed: step.verdict === FAILED })),
    seal: seal(answer),
  };
}

/** A 质量状态 as people say it of what they hold. */
const WHY: Record<string, string | undefined> = {
  召回: '已召回',
  不合格: '检测不合格',
  冻结: '停止销售',
  销毁: '责令销毁',
};

function warnedLots(wares: Wares): Told['lots'] {
  const named = (one: Lot): boolean => one.number !== '';
  const shown = wares.lots.slice(0, LOTS_MAX);
  const lines = shown.filter(named).map(({ number, quality }) => ({ number, why: WHY[quality] ?? '待检，暂停流通' }));
  const more = wares.lotsTotal - shown.length;
  const unnamed = wares.lots.every(named) ? [] : [{ number: '', why: '另有未标批次号的产品被管控，请向销售者询问' }];
  const rest = more > 0 ? [{ number: '', why: `另有 ${more} 个批次未列出，请按批次号查询` }] : [];
  return [...lines, ...unnamed, ...rest];
}

function soughtLot(status: number, lot: string): Sought {
  if (status === 422) return { states: [bad('批次号应为 1 至 50 个字，不含控制字符')], notes: [] };
  if (status !== 404) return { states: [], notes: [] };
  return {
    states: [none(`未查到批次 ${lot} 的公开信息`)],
    notes: ['请核对包装上的批次号（大小写有别）；如仍查不到，可能尚未上传，请向销售者询问。'],
  };
}

function ware(answer: Answer, wares: Wares, sought: Sought): Told {
  const { product } = answer;
  const lots = warnedLots(wares);
  const plain = none('这是商品条码，同一产品各批次相同，不能说明您手中是哪一批');
  const warned = lots.length > 0;
  const recalled = answer.state === 'recalled';
  const stopped = '请核对包装上的批次号；属于下列批次的，请勿购买、食用或使用，并联系销售者';
  return {
    ...BLANK,
    found: true,
    unit: answer.unit,
    title: product.name || '产品',
    label: '商品条码',
    code: wares.gtin || answer.code,
    states: [recalled ? bad('该产品正在召回') : warned ? bad('该产品有批次被召回、停止销售或检测不合格') : plain],
    advice: recalled ? ['请停止食用或使用，并联系销售者退回'] : warned ? [stopped] : [],
    lots,
    facts: rows([
      ['品牌', product.brand],
      ['规格', product.spec],
      ['执行标准', product.standard],
      ['责任主体', wares.maker],
      ['所在地', wares.region],
    ]),
    sought,
  };
}

function tell(answer: Answer, status: number, lot: string): Told {
  if (answer.state === 'not_found') return missing(answer);
  if (answer.state === 'void') return madeVoid(answer);
  return answer.wares ? ware(answer, answer.wares, soughtLot(status, lot)) : story(answer);
}

/** What a platform answered: its status, its text, and the lot that was asked for. */
export function heard(status: number, source: unknown, lot: string): Outcome {
  if (status === 429) return { problem: '查询过于频繁，请稍后重试' };
  if (![200, 404, 410, 422].includes(status)) return { problem: `平台没有正常应答（${status}），请稍后重试` };
  if (typeof source === 'string' && source.length > ANSWER_CHARS_MAX) return { problem: TOO_LONG };
  const answer = read(source);
  return answer ? { told: tell(answer, status, lot) } : { problem: UNREADABLE };
}

/** What there is to say where no answer came. */
export function unheard(reason: string): Outcome {
  return { problem: /time\s*out/i.test(reason) ? '平台迟迟没有应答，请稍后重试' : '没有查到：网络不通或平台暂不可用，请检查网络后重试' };
}
