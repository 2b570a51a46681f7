import { expect, it } from 'vitest';
import { amount, moment, shortCode } from './format';

it('shows every moment by the clock of Beijing', () => {
  expect(moment('2026-11-24T07:00:00+08:00')).toBe('2026-11-24 07:00');
  expect(moment('2026-11-24T20:00:00Z')).toBe('2026-11-25 04:00');
  expect(moment('2026-11-24T20:00:00.500+00:00')).toBe('2026-11-25 04:00');
  expect(moment('2026-11-24T20:00:00-05:00')).toBe('2026-11-25 09:00');
  expect(moment('2026-11-24 07:00')).toBe('2026-11-24 07:00');
  expect(moment('2026-11-24')).toBe('2026-11-24');
  expect(moment(null)).toBe('—');
});

it('separates thousands and leaves decimals alone', () => {
  expect(amount('1234567.8900')).toBe('1,234,567.8900');
  expect(amount('-1200')).toBe('-1,200');
});

it('shortens codes in their middle, so that those of one lot stay apart', () => {
  expect(shortCode('W2-1', 18)).toBe('W2-1');
  expect(shortCode('LONG-BATCH-CODE-2026-11-22-194-3', 18)).toBe('LONG-…-11-22-194-3');
  expect(shortCode('LONG-BATCH-CODE-2026-11-22-194-3', 18)).toHaveLength(18);
});
