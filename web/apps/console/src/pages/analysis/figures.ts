/** Figures of registers: what can be asked, what is answered, and how it is called. */
import { call } from '../../api';
import type { Entity } from '../../domain/types';
import { pairsOf } from '../../ui/address';

export interface Dimension {
  name: string;
  label: string;
  grain: string;
  codes: [string, string][];
  /** A record may count in several groups. */
  overlapping: boolean;
}
export interface Group {
  key: (string | number | boolean | null)[];
  count: number;
  /** Percent of all, with one decimal. */
  share: string;
  /** The conditions of the list that this figure counts. */
  query: string;
  part?: number;
  ratio?: string;
}
export interface Figures {
  dimensions: Dimension[];
  groups: Group[];
  count: number;
  part: number | null;
  overlapping: boolean;
  names: Record<string, string>;
  at: string;
}

/** `by`: `kind,region:city`; `part`: conditions of the numerator, as a query. */
export interface Question {
  by: string;
  part: string;
}
export const CHARTS = [
  ['bar', '条形图'],
  ['line', '趋势图'],
  ['table', '表格'],
] as const;
export type ChartKind = (typeof CHARTS)[number][0];

export function figuresOf(table: string, query: string, { by, part }: Question = { by: '', part: '' }): Promise<Figures> {
  const asked = new URLSearchParams([...(by ? [['by', by]] : []), ...(part ? [['part', part]] : []), ...pairsOf(query)]);
  return call('GET', `/api/v1/${table}/figures?${asked.toString()}`);
}

export const GRAINS: Record<'region' | 'time', [string, string][]> = {
  region: [
    ['province', '省'],
    ['city', '市'],
    ['county', '县'],
  ],
  time: [
    ['day', '日'],
    ['week', '周'],
    ['month', '月'],
    ['quarter', '季'],
    ['year', '年'],
  ],
};
const PERIODS = GRAINS.time.map(([grain]) => grain);
export const isTime = (dimension: Dimension | undefined): boolean => PERIODS.includes(dimension?.grain ?? '');

/** A field that records can be told apart by, with how finely where that is a choice. */
export interface Choice {
  name: string;
  label: string;
  grains: [string, string][];
}
export function choicesOf(entity: Entity): Choice[] {
  const fields = entity.fields.filter((field) => field.filter !== 'none' && field.class !== 'personal');
  const own = fields.flatMap(({ name, label, kind, filter }): Choice[] => {
    if (kind === 'region') return [{ name, label, grains: GRAINS.region }];
    if (kind === 'date' || kind === 'time') return [{ name, label, grains: GRAINS.time }];
    // Codes of open lists: the most frequent are told apart.
    if (kind === 'text' && name.endsWith('_code') && (filter === 'exact' || filter === 'prefix')) return [{ name, label, grains: [] }];
    return kind === 'code' || kind === 'codes' || kind === 'bool' || kind === 'id' ? [{ name, label, grains: [] }] : [];
  });
  // Roles say at which stages somebody works.
  const staged = entity.fields.some((field) => field.name === 'roles' && field.kind === 'codes');
  const stage = staged ? [{ name: 'stage', label: '追溯环节', grains: [] }] : [];
  return [...own, ...stage, { name: 'created_at', label: '登记时间', grains: GRAINS.time }];
}

/** What a group is called along one of its dimensions. */
export function called(figures: Figures, group: Group, at: number): string {
  const [key, dimension] = [group.key[at], figures.dimensions[at]];
  if (key === null || key === undefined || !dimension) return '未填写';
  const text = String(key);
  const week = /^(\d{4})-W(\d{2})$/.exec(text);
  if (week && dimension.grain === 'week') return `${week[1]} 年第 ${Number(week[2])} 周`;
  const name = dimension.codes.find(([code]) => code === text)?.[1] ?? figures.names[text] ?? text;
  // Only regions have parts: a code that others begin with is written the same way and means itself.
  const own = dimension.grain !== '' && `&${group.query}`.includes(`&${dimension.name}.is=`);
  return own ? `${name}本级` : name;
}

const grainLabel = (grain: string): string => [...GRAINS.region, ...GRAINS.time].find(([code]) => code === grain)?.[1] ?? '';
export const titleOf = (dimension: Dimension): string =>
  dimension.grain ? `${dimension.label}（${grainLabel(dimension.grain)}）` : dimension.label;
export const listOf = (table: string, query: string): string => `/register/${table}${query ? `?${query}` : ''}`;
