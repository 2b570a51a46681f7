import { expect, it } from 'vitest';
import { arranged } from './columns';

it('puts what a row is told by first on a phone, and nowhere else', () => {
  const columns = [
    { key: 'state', label: '状态', lead: true },
    { key: 'giver', label: '发货方' },
    { key: 'batch', label: '批次号', lead: true },
    { key: 'given', label: '发货' },
  ];
  const keys = (narrow: boolean): string[] => arranged(columns, narrow).map((one) => one.key);
  expect(keys(false)).toEqual(['state', 'giver', 'batch', 'given']);
  expect(keys(true)).toEqual(['state', 'batch', 'giver', 'given']);
});
