import { expect, test } from 'vitest';
import { held, placeOf, verbsOf } from './base-maps';

test('who uploaded a base map does not activate it', () => {
  expect(verbsOf({ state: 'draft', own: true }, true, true)).toEqual(['discard']);
  expect(verbsOf({ state: 'draft', own: false }, false, true)).toEqual(['activate']);
  expect(verbsOf({ state: 'active', own: true }, true, false)).toEqual([]);
  expect(verbsOf({ state: 'active', own: true }, false, true)).toEqual(['withdraw']);
  expect(verbsOf({ state: 'withdrawn', own: false }, true, true)).toEqual([]);
});

test('mistakes are placed in the form or in the file', () => {
  expect(placeOf('approval_number')).toBe('审图号');
  expect(placeOf('outline.features[3].properties.code')).toBe('features[3].properties.code');
  expect(placeOf('')).toBe('整个文件');
  expect(held({ provinces: 34, prefectures: 0, counties: 2 })).toBe('34 个省级、2 个县级');
});
