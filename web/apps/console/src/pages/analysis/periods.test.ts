import { expect, test } from 'vitest';
import { filled } from './periods';

test('periods without records are part of a trend', () => {
  expect(filled(['2026-12-30', '2027-01-02'], 'day')).toEqual(['2026-12-30', '2026-12-31', '2027-01-01', '2027-01-02']);
  expect(filled(['2027-02', '2026-11'], 'month')).toEqual(['2026-11', '2026-12', '2027-01', '2027-02']);
  expect(filled(['2026-Q3', '2027-Q1'], 'quarter')).toEqual(['2026-Q3', '2026-Q4', '2027-Q1']);
  expect(filled(['2024', '2026'], 'year')).toEqual(['2024', '2025', '2026']);
  expect(filled([], 'day')).toEqual([]);
});

test('2026 has a week 53, 2027 begins with its first', () => {
  expect(filled(['2026-W52', '2027-W02'], 'week')).toEqual(['2026-W52', '2026-W53', '2027-W01', '2027-W02']);
  expect(filled(['2024-W52', '2025-W01'], 'week')).toEqual(['2024-W52', '2025-W01']);
});
