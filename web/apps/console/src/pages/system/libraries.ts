/** What the platform says of its 信息资源库. */

export interface Measured {
  rows: number;
  rows_approximate: boolean;
  bytes: number;
  bytes_estimated: boolean;
  last_update: string | null;
}
export interface Part extends Measured {
  kind: 'register' | 'events' | 'rollup' | 'log';
  table: string;
  title: string;
  export: string | null;
  export_permission: string | null;
}
export interface Library extends Measured {
  number: number;
  name: string;
  clause: string;
  state: 'ready' | 'partial' | 'absent';
  missing: string;
  parts: Part[];
  owner: string;
  partition: string;
  class: string | null;
  retention: { rule: string; source: string };
}

/** One part that the events of all libraries are kept in. */
export interface EventPartition {
  /** `2026-11`, or `before` and `after` all months. */
  name: string;
  rows: number;
  rows_approximate: boolean;
  bytes: number;
}
export interface Libraries {
  items: Library[];
  event_partitions: EventPartition[];
}

/** How a partition is called. */
export function partitionName({ name }: EventPartition): string {
  return { before: '更早', after: '以后' }[name] ?? name.replace(/^(\d+)-0?(\d+)$/, '$1 年 $2 月');
}

const UNITS = ['字节', 'KiB', 'MiB', 'GiB', 'TiB'];

/** `12.3 MiB`, or `约 12.3 MiB` where it was only estimated: said as it is of rows. */
export function bytes({
  bytes: size,
  bytes_estimated: estimated,
}: Pick<Measured, 'bytes'> & Partial<Pick<Measured, 'bytes_estimated'>>): string {
  let [value, unit] = [size, 0];
  while (value >= 1024 && unit < UNITS.length - 1) [value, unit] = [value / 1024, unit + 1];
  const text = `${unit === 0 ? value : value.toFixed(1)} ${UNITS[unit]!}`;
  return estimated ? `约 ${text}` : text;
}
