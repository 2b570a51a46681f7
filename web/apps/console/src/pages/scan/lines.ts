/** The lines of a scan: what became of each code, whether it may go on, and the event it makes. */
import { parseScan } from '@scan/parse';
import type { Signal } from '@scan/signal';
import { takesRecalled, type Kind } from './kinds';

/** What the server tells of a code. */
export interface Found {
  scanned: string;
  known: boolean;
  problem?: string;
  code?: string;
  holding?: 'own' | 'handed' | 'other';
  product_code?: string | null;
  product_name?: string | null;
  product_state?: string | null;
  lot?: string | null;
  unit?: string;
  balance?: string | null;
  state?: string | null;
  holder?: string | null;
  recalled?: boolean;
}

export interface Line {
  /** Distinguishes lines, and names them to the server. */
  no: number;
  /** What is looked up: a code, or the path of a link. */
  key: string;
  times: number;
  /** Why it was never looked up. */
  wrong?: string;
  hint?: string;
  found?: Found;
  quantity: string;
  unit: string;
  /** Goods from outside the platform: what they are must be said. */
  external: boolean;
  product: string;
  /** Somebody else's goods: recorded all the same, for review. */
  insist: boolean;
  /** A code of its own for a part of a batch. */
  part?: string;
  /** Why the server did not take it. */
  refusal?: string;
}

/** What is said of a line: `bad` is not submitted. */
export interface Verdict {
  tone: 'good' | 'warn' | 'bad' | 'info';
  word: string;
  /** What would be right. */
  advice: string;
  /** Which of the two ways out is offered. */
  way?: 'external' | 'insist';
}

const DECIMAL = /^\d{1,11}(?:\.\d{1,4})?$/;
const GONE: Record<string, string> = { sold: '已售出', used: '已使用' };

/** A decimal as a number of ten-thousandths, exactly. */
export function scaled(text: string): bigint {
  const [whole = '0', fraction = ''] = text.split('.');
  return BigInt(whole || '0') * 10000n + BigInt(fraction.padEnd(4, '0').slice(0, 4));
}

export function decimal(value: bigint): string {
  const fraction = String(value % 10000n)
    .padStart(4, '0')
    .replace(/0+$/, '');
  return `${value / 10000n}${fraction ? `.${fraction}` : ''}`;
}

const fresh = (no: number, key: string): Line => ({
  no,
  key,
  times: 1,
  quantity: '',
  unit: 'KGM',
  external: false,
  product: '',
  insist: false,
});

/** Takes a scanned text in: a new line, or one more count of a known one. */
export function take(lines: Line[], text: string, no: number): { line: Line; again: boolean } {
  const read = parseScan(text);
  const known = lines.find((one) => one.key === read.key || (one.found?.code !== undefined && one.found.code === read.key));
  if (known) {
    known.times += 1;
    return { line: known, again: true };
  }
  const line = fresh(no, read.key);
  if (read.kind === 'wrong') line.wrong = read.detail;
  if (read.kind === 'code' && read.hint) line.hint = read.hint;
  lines.unshift(line);
  return { line, again: false };
}

/** Writes what the server tells into a line. The same unit under two labels is one line. */
export function settle(lines: Line[], found: Found): Line | undefined {
  const line = lines.find((one) => one.key === found.scanned && !one.found);
  if (!line) return undefined;
  const twin = found.code && lines.find((one) => one !== line && one.found?.code === found.code);
  if (twin) {
    twin.times += line.times;
    lines.splice(lines.indexOf(line), 1);
    return twin;
  }
  line.found = found;
  if (found.unit) line.unit = found.unit;
  if (found.balance && !line.quantity) line.quantity = found.balance;
  return line;
}

const verdict = (tone: Verdict['tone'], word: string, advice = '', way?: Verdict['way']): Verdict => ({ tone, word, advice, way });

function judgeUnknown(line: Line, kind: Kind): Verdict {
  if (kind.direction !== 'in')
    return verdict('bad', '查不到', line.hint ?? '没有这个追溯码，或不在您的数据权限内；请核对标签，或先登记入库');
  if (!line.external)
    return verdict('bad', '查不到', line.hint ?? '请核对标签；供方不在本平台的，选“来自平台之外”并填产品与数量', 'external');
  if (!line.product) return verdict('bad', '缺产品', '来自平台之外的货物须选明产品', 'external');
  return judgeQuantity(line, undefined) ?? verdict('warn', '平台外', '按来自平台之外登记', 'external');
}

function judgeQuantity(line: Line, most: string | null | undefined): Verdict | undefined {
  if (!DECIMAL.test(line.quantity) || scaled(line.quantity) === 0n)
    return verdict('bad', '数量有误', '数量应大于 0，至多 11 位整数、4 位小数');
  if (most && scaled(line.quantity) > scaled(most)) return verdict('bad', '超过结存', `数量应不超过结存 ${most}`);
  return undefined;
}

function judgeHolding(line: Line, found: Found, kind: Kind): Verdict | undefined {
  if (found.holding === 'other' && !line.insist) {
    const holder = found.holder ? `由${found.holder}持有` : '由其他主体持有';
    return verdict('bad', '不是本主体的', `${holder}；请对方先登记出库并写明交给本主体，或选“仍提交”由审核人核实`, 'insist');
  }
  if (kind.direction === 'in' && found.holding === 'own') return verdict('bad', '已入库', '已在本主体名下，不必再入库；要发货请改选出库');
  return undefined;
}

/** Says what is the matter with a line, and what would be right. */
export function judge(line: Line, kind: Kind | undefined): Verdict {
  if (line.refusal) return verdict('bad', '未接收', line.refusal);
  if (line.wrong) return verdict('bad', '不能识别', line.wrong);
  const { found } = line;
  if (!found || !kind) return verdict('info', '查询中');
  if (found.problem) return verdict('bad', '不能识别', found.problem);
  if (!found.known) return judgeUnknown(line, kind);
  if ((found.recalled || found.product_state === 'recalling') && !takesRecalled(kind))
    return verdict(
      'bad',
      '召回中',
      kind.direction === 'in' ? '正在召回，请拒收并告知供方' : '正在召回，请就地隔离，不得出库；可登记退回供方或处置',
    );
  if (kind.direction === 'observe') return verdict('good', '可登记');
  const gone = GONE[found.state ?? ''];
  if (gone) return verdict('bad', gone, `这一批${gone}，不能再${kind.direction === 'in' ? '入库' : '出库'}；请核对是否扫错`);
  const held = judgeHolding(line, found, kind);
  if (held) return held;
  if (found.balance && scaled(found.balance) === 0n) return verdict('bad', '无结存', '结存为 0，已全部发出；请核对是否扫错');
  const amount = judgeQuantity(line, found.balance);
  if (amount) return amount;
  if (found.holding === 'other') return verdict('warn', '待核实', '提交后由审核人核实交接', 'insist');
  if (found.product_state === 'suspended') return verdict('warn', '产品暂停', '该产品已暂停生产，已有的批次可以流通');
  if (isPart(line, kind))
    return verdict('warn', '部分', `余 ${decimal(scaled(found.balance!) - scaled(line.quantity))}，将为这一部分申领新码`);
  return verdict('good', kind.direction === 'in' ? '可入库' : '可出库');
}

/** Whether a line is a part of its batch: it then goes on under a code of its own. */
export function isPart(line: Line, { direction, event }: Kind): boolean {
  const { balance } = line.found ?? {};
  if (direction === 'observe' || event.outputs.max === 0 || !balance || line.external) return false;
  return DECIMAL.test(line.quantity) && scaled(line.quantity) < scaled(balance);
}

export const signalOf = (one: Verdict, again: boolean): Signal => (one.tone === 'bad' ? 'bad' : again ? 'again' : 'good');

/** Sums of what may be submitted, one for each product and unit. */
export function sums(lines: Line[], kind: Kind | undefined): { name: string; quantity: string; unit: string; count: number }[] {
  const found = new Map<string, { name: string; total: bigint; unit: string; count: number }>();
  for (const line of lines) {
    if (judge(line, kind).tone === 'bad' || !line.found || !DECIMAL.test(line.quantity)) continue;
    const name = line.found.product_name ?? (line.external ? line.product : '未写产品');
    const sum = found.get(`${name}\n${line.unit}`) ?? { name, total: 0n, unit: line.unit, count: 0 };
    found.set(`${name}\n${line.unit}`, { ...sum, total: sum.total + scaled(line.quantity), count: sum.count + 1 });
  }
  return [...found.values()].map(({ total, ...rest }) => ({ ...rest, quantity: decimal(total) }));
}

/** The code of goods from outside: as printed; of a GS1 label the elements, readable. */
export const codeOf = (line: Line): string => {
  if (line.found?.code) return line.found.code;
  const parts = line.key.split('/').filter((part) => part !== '');
  if (!line.key.startsWith('/')) return line.key;
  if (parts[0] === '00') return parts[1]!;
  const pairs = parts.flatMap((name, at) => (at % 2 === 0 ? [`(${name})${decodeURIComponent(parts[at + 1] ?? '')}`] : []));
  return pairs.join('');
};

/** What all lines have in common. */
export interface Common {
  subject: string;
  time: string;
  counterparty: string;
  document: string;
  attributes: Record<string, unknown>;
  /** Names this scan; with the line's number it names the event. */
  batch: string;
}

/** The event that a line makes. */
export function eventOf(line: Line, { domain, event, direction }: Kind, common: Common): Record<string, unknown> {
  const amount = { quantity: line.quantity, unit: line.unit };
  const counted = direction !== 'observe' || DECIMAL.test(line.quantity);
  const code = codeOf(line);
  const input = { code, ...(counted ? amount : {}), ...(line.external ? { external: true } : {}) };
  const output = { code: line.part ?? code, ...amount, ...(line.external && line.product ? { product: line.product } : {}) };
  return {
    domain,
    type: event.code,
    subject: common.subject,
    event_time: common.time,
    inputs: [input],
    outputs: event.outputs.max > 0 ? [output] : [],
    attributes: common.attributes,
    ...(common.counterparty ? { counterparty: common.counterparty } : {}),
    ...(common.document ? { documents: [{ type: 'voucher', no: common.document }] } : {}),
    external_id: `scan-${common.batch}-${line.no}`,
  };
}
