/** 上报情况: the lists of that page, and what they lead to. */
import { BEIJING_MS, beijing } from '../../domain/format';
import type { MonthReport, Party, QuietReporter, UnusualPrice } from '../../domain/types';
import { filled } from '../analysis/periods';

export interface Tab {
  /** What it is called in the address. */
  name: 'reporters' | 'months' | 'prices';
  title: string;
  /** Who or what is listed. */
  says: string;
}
const FIRST: Tab = {
  name: 'reporters',
  title: '停报与停业',
  says: '停报：此前一周多数日子都有事件，已满三天没有上报的主体。停业：在营而已满三十天没有任何事件的商户。节假日与休市平台并不知道，请先询问。',
};
export const TABS: Tab[] = [
  FIRST,
  {
    name: 'months',
    title: '按月报送',
    says: '突击报送：当月事件满十条，且半数以上在截止前一小时内报来。有逾期：有事件在截止之后报来。期限由各领域包规定。',
  },
  { name: 'prices', title: '异常单价', says: '单价与近 30 天同类产品的中位数相差悬殊的事件，多因计量单位有误，请核对。' },
];
/** The one that is asked for; the first where none is. */
export const tabOf = (asked: unknown): Tab => TABS.find(({ name }) => name === asked) ?? FIRST;
export const addressOf = ({ name }: Tab): { path: string; query: Record<string, string> } => ({
  path: '/reporting',
  query: name === FIRST.name ? {} : { tab: name },
});

/** How far back months are offered: as long as records are commonly kept. */
const YEARS = 3;
/** Months that may be asked for, this one first. */
export function months(now: number): [string, string][] {
  const month = new Date(now + BEIJING_MS).toISOString().slice(0, 'YYYY-MM'.length);
  const first = `${Number(month.slice(0, 4)) - YEARS}${month.slice(4)}`;
  return filled([first, month], 'month')
    .reverse()
    .map((one): [string, string] => [one, one]);
}

/** How far a price is from what the same goods cost, as far as the reader may know. */
export function farOff({ side, times, compared }: UnusualPrice): string {
  const of = `近 30 天同类产品的中位数（比较 ${compared} 笔）`;
  if (times === null) return `单价明显${side === 'above' ? '高' : '低'}于${of}`;
  return `单价为${of}的 ${times} 倍`;
}

/** Where the events of a report are listed. */
export function eventsOf({ subject, domain, month }: MonthReport): { path: string; query: Record<string, string> } {
  const [year, number] = month.split('-').map(Number) as [number, number];
  const last = new Date(Date.UTC(year, number, 0)).toISOString().slice(0, 10);
  const span = { 'event_time.from': beijing(`${month}-01`), 'event_time.to': beijing(last, true) };
  return { path: '/events', query: { subject_id: subject.id, domain, ...span } };
}

/** Who is quiet: the merchant, where it is one of several places of a subject. */
export const quietOne = ({ merchant, subject }: QuietReporter): Party | null => merchant ?? subject;
