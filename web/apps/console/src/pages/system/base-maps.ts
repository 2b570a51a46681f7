/** 地图底图 as the administrators see them. */
import type { FieldError } from '../../api';
import type { PackOutline } from '../map/pack';

/** What a boundary file holds. */
export interface PackFacts {
  name: string;
  approval_number: string;
  source: string;
  issued_year: number;
  datum: string;
  valid_until: string | null;
  coverage: string;
  coverage_name: string;
  provinces: number;
  prefectures: number;
  counties: number;
  lines: number;
  points: number;
  /** Worth a look, and no mistakes. */
  notices: string[];
}
export interface Uploaded extends PackFacts {
  id: string;
  version: number;
  digest: string;
  state: string;
  /** Whether maps are drawn from it today. */
  in_force: boolean;
  /** Uploaded by the signed-in user. */
  own: boolean;
  uploaded_by: string;
  uploaded_at: string | null;
  activated_by: string | null;
  activated_at: string | null;
  closed_by: string | null;
  closed_at: string | null;
  reason: string | null;
}
export interface Checked {
  sound: boolean;
  errors: FieldError[];
  pack: PackFacts | null;
  outline?: PackOutline;
}
export type Verb = 'activate' | 'withdraw' | 'discard';

export const DATUMS: [string, string][] = [
  ['cgcs2000', 'CGCS2000（天地图）'],
  ['wgs84', 'WGS-84'],
  ['gcj02', 'GCJ-02（高德、腾讯）'],
];
/** As the file is sent: with what is said about it. */
export const BYTES_MAX = 16 << 20;

/** What one may do with an upload. */
export function verbsOf(one: Pick<Uploaded, 'state' | 'own'>, writes: boolean, approves: boolean): Verb[] {
  if (one.state === 'active') return approves ? ['withdraw'] : [];
  if (one.state !== 'draft') return [];
  return [...(approves && !one.own ? (['activate'] as const) : []), ...(writes ? (['discard'] as const) : [])];
}

/** `34 个省级、10 个地级`, without those that are not there. */
export function held({ provinces, prefectures, counties }: Pick<PackFacts, 'provinces' | 'prefectures' | 'counties'>): string {
  const parts: [number, string][] = [
    [provinces, '省级'],
    [prefectures, '地级'],
    [counties, '县级'],
  ];
  return parts.flatMap(([count, level]) => (count > 0 ? [`${count} 个${level}`] : [])).join('、');
}

const FIELDS: Record<string, string> = {
  name: '名称',
  approval_number: '审图号',
  source: '来源',
  issued_year: '编制年份',
  datum: '坐标系',
  valid_until: '有效期至',
  outline: '边界文件',
};
/** Where a mistake is: a field of the form, or a place in the file. */
export const placeOf = (field: string): string => FIELDS[field] ?? (field ? field.replace(/^outline\./, '') : '整个文件');

export function factsOf(pack: PackFacts): [string, string][] {
  return [
    ['审图号', pack.approval_number],
    ['范围', pack.coverage_name],
    ['内容', [held(pack), ...(pack.lines > 0 ? [`${pack.lines} 条界线`] : []), `${pack.points} 个坐标`].join('，')],
    ['来源', `${pack.source}，${pack.issued_year} 年`],
    ['有效期至', pack.valid_until ?? '不限'],
    ['请核对', pack.notices.join('；') || '无'],
  ];
}
