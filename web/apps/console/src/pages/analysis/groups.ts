/** Groups of figures as rows and series. */
import { amount } from '../../domain/format';
import { OTHERS, SERIES } from '../../ui/series';
import { called, isTime, type Figures, type Group } from './figures';

export interface Cell {
  group: Group;
  series: string;
}
export interface Row {
  label: string;
  key: string;
  count: number;
  cells: Cell[];
}
export interface Series {
  label: string;
  count: number;
  /** The token of its colour. */
  colour: string;
}

/** Which dimension goes along the axis: time if there is one, else the first. */
const axisOf = (figures: Figures): number => Math.max(0, figures.dimensions.findIndex(isTime));

/** Groups along the axis, divided by the other dimension; largest first unless it is time. */
export function rowsOf(figures: Figures): { rows: Row[]; series: Series[] } {
  const axis = axisOf(figures);
  const other = figures.dimensions.length > 1 ? 1 - axis : undefined;
  const rows = new Map<string, Row>();
  const sums = new Map<string, number>();
  for (const group of figures.groups) {
    const label = called(figures, group, axis);
    const series = other === undefined ? '' : called(figures, group, other);
    const row = rows.get(label) ?? { label, key: String(group.key[axis] ?? ''), count: 0, cells: [] };
    row.count += group.count;
    row.cells.push({ group, series });
    rows.set(label, row);
    sums.set(series, (sums.get(series) ?? 0) + group.count);
  }
  const order = [...sums].sort((a, b) => b[1] - a[1]);
  const series = order.map(([label, count], at) => ({ label, count, colour: SERIES[at] ?? OTHERS }));
  const rank = new Map(order.map(([label], at) => [label, at]));
  for (const row of rows.values()) row.cells.sort((a, b) => (rank.get(a.series) ?? 0) - (rank.get(b.series) ?? 0));
  const all = [...rows.values()];
  return { rows: isTime(figures.dimensions[axis]) ? all : all.sort((a, b) => b.count - a.count), series };
}

/** 18 条，占 44.4% ；比率 11.1%（2 / 18） */
export function sentence(group: Group): string {
  const own = `${amount(group.count)} 条，占 ${group.share}%`;
  return group.ratio === undefined ? own : `${own}；比率 ${group.ratio}%（${amount(group.part)} / ${amount(group.count)}）`;
}
