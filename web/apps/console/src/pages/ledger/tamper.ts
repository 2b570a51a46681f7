/** 防篡改检查: what the audit of the ledger answers. */
import type { Tone } from '../../domain/words';

export interface Pass {
  id: string;
  kind: 'sample' | 'full';
  state: 'waiting' | 'running' | 'done';
  began: string;
  ended: string | null;
  worked_ms: number;
  blocks: number;
  records: number;
  entries: number;
  facts: number;
  erased: number;
  findings: number;
  height: number;
}
export interface Difference {
  field: string;
  anchored: unknown;
  found: unknown;
}
export interface Finding {
  id: string;
  record: string;
  what: string;
  kind: string;
  name: string;
  height: number | null;
  at: string | null;
  detail: string;
  fields: Difference[];
  first_seen: string;
  last_seen: string;
  state: 'open' | 'acknowledged' | 'resolved';
  settled_by: string | null;
  reason: string | null;
}
export interface Summary {
  open: number;
  acknowledged: number;
  last_full: Pass | null;
  last_sample: Pass | null;
  next_full_at: string;
}
export interface Passes extends Summary {
  items: Pass[];
  samples: Pass[];
}
export interface Findings {
  items: Finding[];
  next: string | null;
  titles: Record<string, string>;
}

export const PASS_STATES: Record<string, [string, Tone]> = {
  waiting: ['等待', 'info'],
  running: ['进行中', 'warn'],
  done: ['完成', 'good'],
};
export const FINDING_STATES: Record<string, [string, Tone]> = {
  open: ['待处置', 'bad'],
  acknowledged: ['已知悉', 'warn'],
  resolved: ['已办结', 'good'],
};

const show = (value: unknown): string =>
  value === null || value === undefined ? '（无）' : typeof value === 'string' ? value : JSON.stringify(value);

/** Every field that differs: what was anchored, and what stands there now. */
export const differing = (finding: Finding): string =>
  finding.fields.map(({ field, anchored, found }) => `${field}：存证 ${show(anchored)}，现为 ${show(found)}`).join('；');

/** What a pass looked at, in one sentence. */
export const lookedAt = (pass: Pass): string =>
  `${pass.blocks} 个区块、${pass.records} 条记录、${pass.entries} 项已确认存证、${pass.facts} 条业务记录`;
