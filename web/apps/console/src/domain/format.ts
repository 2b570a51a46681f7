/** How numbers and times are written (front rules 31–34), and what parties are called. */
import type { Party } from './types';

/** How far China is ahead of UTC. */
export const BEIJING_MS = 8 * 3_600_000;

/** `2026-11-01 08:00` of Beijing, whatever the offset is that it was sent with. */
export function moment(time: string | null | undefined): string {
  if (!time) return '—';
  const elsewhere = /(?:Z|[+-]\d{2}:?\d{2})$/i.test(time.slice(11)) && !/\+08:?00$/.test(time);
  const there = elsewhere ? new Date(new Date(time).getTime() + BEIJING_MS).toISOString() : time;
  return there.slice(0, 16).replace('T', ' ');
}

/** Thousands separators; decimals as they are. */
export function amount(value: string | number | null | undefined): string {
  if (value === null || value === undefined || value === '') return '—';
  const [whole = '', fraction] = String(value).split('.');
  const grouped = whole.replace(/\B(?=(\d{3})+(?!\d))/g, ',');
  return fraction ? `${grouped}.${fraction}` : grouped;
}

/** A ratio as a percentage with one decimal. */
export function percent(ratio: string | null | undefined): string {
  return ratio === null || ratio === undefined ? '—' : `${(Number(ratio) * 100).toFixed(1)}%`;
}

/** A code in so many letters: codes of one lot differ at their ends. */
export function shortCode(code: string, length: number): string {
  if (code.length <= length) return code;
  const head = Math.floor((length - 1) / 3);
  return `${code.slice(0, head)}…${code.slice(code.length - (length - 1 - head))}`;
}

export const orDash = (value: unknown): string => (value === null || value === undefined || value === '' ? '—' : String(value));

/** What people type into a date field becomes a moment of Beijing. */
export const beijing = (day: string, end = false): string => `${day}T${end ? '23:59:59' : '00:00:00'}+08:00`;

/** A party that is known by its code alone is told by that. */
export const called = (party: Party | null): string => party?.name ?? party?.code ?? '';
