/** 链健康: what the parts of 存证 say of themselves, each as one state with its facts. */
import { amount, moment } from '../../domain/format';
import type { LedgerStatus } from '../../domain/types';
import type { Tone } from '../../domain/words';

/** As much of the answers of other parts as is told here. */
export interface WitnessesSeen {
  items: { organization: string; active: boolean; state: string; size: number | null; signed_at: string | null }[];
  alarm_count?: number | null;
}
export interface AnchorsSeen {
  configured: boolean;
  network?: string | null;
  items: { state: string; tree_size: number; confirmed_at: string | null; last_error: string | null }[];
}
export interface TamperSeen {
  open: number;
  acknowledged: number;
  last_full: { began: string; ended: string | null; records: number } | null;
  next_full_at: string | null;
}

export interface Part {
  title: string;
  /** Where more of it is. */
  to?: string;
  word: string;
  tone: Tone;
  facts: [label: string, value: string][];
}

const ms = (value: number | null): string => (value === null ? '—' : `${amount(value)} 毫秒`);

function blocks(status: LedgerStatus): Part {
  const { failing, late = 0, unsigned = 0 } = status;
  const state: [string, Tone] = failing
    ? ['出块失败', 'bad']
    : late > 0
      ? [`${amount(late)} 条等待超过 1 分钟`, 'warn']
      : status.pending > 0
        ? ['正在上链', 'brand']
        : ['正常', 'good'];
  return {
    title: '上链',
    to: '/ledger/blocks',
    word: state[0],
    tone: state[1],
    facts: [
      ['链高度', amount(status.height)],
      ['最新区块', moment(status.latest_block_at)],
      ['待上链', amount(status.pending)],
      ['已打包', amount(status.packed)],
      ['已确认', amount(status.confirmed)],
      ['失败', failing ? `自 ${moment(failing.since)}：${failing.why}` : '无'],
      ['待企业签名', amount(unsigned)],
      ['最早的待上链', moment(status.oldest_pending_at)],
      ['上链用时（中位）', ms(status.latency_ms_p50)],
      ['上链用时（99%）', ms(status.latency_ms_p99)],
    ],
  };
}

function log(status: LedgerStatus): Part {
  return {
    title: '日志与密钥',
    to: '/ledger/keys',
    word: '只增不改',
    tone: 'info',
    facts: [
      ['日志总长', amount(status.tree_size)],
      ['日志根', status.tree_root ?? '—'],
      ['登记的密钥', amount(status.keys)],
    ],
  };
}

function witnesses(status: LedgerStatus, found: WitnessesSeen): Part {
  const active = found.items.filter((one) => one.active);
  const behind = active.filter((one) => one.state !== 'current');
  const state: [string, Tone] =
    (found.alarm_count ?? 0) > 0
      ? [`${amount(found.alarm_count)} 条未处置的见证告警`, 'bad']
      : active.length === 0
        ? ['没有见证方', 'warn']
        : behind.length > 0
          ? [`${behind.length} 个见证方未跟上`, 'warn']
          : ['都已跟上', 'good'];
  const lag = (one: WitnessesSeen['items'][number]): string => {
    if (one.size === null) return '尚未见证';
    const entries = Math.max(status.tree_size - one.size, 0);
    return entries === 0 ? `已见证到最新，${moment(one.signed_at)}` : `落后 ${amount(entries)} 项，上次 ${moment(one.signed_at)}`;
  };
  return {
    title: '见证',
    to: '/witnesses',
    word: state[0],
    tone: state[1],
    facts: [
      [
        '最近的见证检查点',
        status.witnessed_size == null ? '—' : `${amount(status.witnessed_size)} 项（区块 ${amount(status.witnessed_height)}）`,
      ],
      ...active.map((one): [string, string] => [one.organization, lag(one)]),
    ],
  };
}

function anchors(found: AnchorsSeen): Part {
  const newest = found.items[0];
  const confirmed = found.items.find(({ state }) => state === 'confirmed');
  const words: Record<string, [string, Tone]> = {
    waiting: ['等待发送', 'brand'],
    sent: ['等待确认', 'brand'],
    confirmed: ['已确认', 'good'],
    failed: ['最近一次失败', 'bad'],
  };
  const [word, tone]: [string, Tone] = !found.configured ? ['未启用', 'info'] : (words[newest?.state ?? ''] ?? ['尚未锚定', 'info']);
  return {
    title: '外部锚定',
    to: '/anchors',
    word,
    tone,
    facts: [
      ['网络', found.network ?? '—'],
      ['最近确认', confirmed ? `${amount(confirmed.tree_size)} 项，${moment(confirmed.confirmed_at)}` : '—'],
      ...(newest?.last_error ? [['最近的错误', newest.last_error] as [string, string]] : []),
    ],
  };
}

function tamper(found: TamperSeen): Part {
  const [open, known] = [found.open, found.acknowledged];
  const state: [string, Tone] =
    open > 0
      ? [`${amount(open)} 项发现未处理`, 'bad']
      : known > 0
        ? [`${amount(known)} 项已知悉，未解决`, 'warn']
        : found.last_full
          ? ['没有发现', 'good']
          : ['尚未全面检查', 'info'];
  const last = found.last_full;
  return {
    title: '防篡改检查',
    to: '/ledger/tamper',
    word: state[0],
    tone: state[1],
    facts: [
      ['未处理的发现', amount(open)],
      ['最近一次全面检查', last ? `${moment(last.ended ?? last.began)}，${amount(last.records)} 条记录` : '—'],
      ['下一次', moment(found.next_full_at)],
    ],
  };
}

export interface Found {
  status: LedgerStatus;
  witnesses?: WitnessesSeen | undefined;
  anchors?: AnchorsSeen | undefined;
  tamper?: TamperSeen | undefined;
}

/** Parts that this platform does not have, or this user may not see, are left out. */
export function parts(found: Found): Part[] {
  return [
    blocks(found.status),
    log(found.status),
    ...(found.witnesses ? [witnesses(found.status, found.witnesses)] : []),
    ...(found.anchors ? [anchors(found.anchors)] : []),
    ...(found.tamper ? [tamper(found.tamper)] : []),
  ];
}
