import { expect, test } from 'vitest';
import { packs } from './packs';

test('a packing list is read as it is pasted', () => {
  expect(packs('C1,T1,T12\r\nC2\tT13\n\n C3，T14；T20 ')).toEqual([
    { parent: 'C1', first: 'T1', last: 'T12' },
    { parent: 'C2', first: 'T13', last: null },
    { parent: 'C3', first: 'T14', last: 'T20' },
  ]);
  expect(packs('')).toEqual([]);
});
