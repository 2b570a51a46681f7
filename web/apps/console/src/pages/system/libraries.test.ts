import { expect, test } from 'vitest';
import { bytes, partitionName } from './libraries';

const size = (value: number, estimated = false): string => bytes({ bytes: value, bytes_estimated: estimated });

test('a size is short, and says when it is estimated', () => {
  expect(size(0)).toBe('0 字节');
  expect(size(1023)).toBe('1023 字节');
  expect(size(1024)).toBe('1.0 KiB');
  expect(size(5 * 1024 * 1024 + 512 * 1024)).toBe('5.5 MiB');
  expect(size(3 * 1024 ** 4, true)).toBe('约 3.0 TiB');
});

test('a partition is called by its month', () => {
  const named = (name: string): string => partitionName({ name, rows: 0, rows_approximate: false, bytes: 0 });
  expect(named('2026-03')).toBe('2026 年 3 月');
  expect(named('2026-11')).toBe('2026 年 11 月');
  expect([named('before'), named('after')]).toEqual(['更早', '以后']);
});
