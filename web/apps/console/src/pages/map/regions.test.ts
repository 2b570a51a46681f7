import { expect, test } from 'vitest';
import type { Figures } from '../analysis/figures';
import { bandOf, bandsOf, bandText, grainOf, outlineNames, valuesOf } from './regions';

const COUNT = { code: 'count', label: '数量', query: '', part: '' };

test('classes hold about as many regions each and reach over the whole ramp', () => {
  const bands = bandsOf([1, 2, 3, 4, 5, 6, 7, 8, 9, 100]);
  expect(bands.map((band) => [band.least, band.most, band.count])).toEqual([
    [1, 2, 2],
    [3, 4, 2],
    [5, 6, 2],
    [7, 8, 2],
    [9, 100, 2],
  ]);
  expect(bands.map((band) => band.colour)).toEqual(['ramp-1', 'ramp-2', 'ramp-3', 'ramp-4', 'ramp-5']);
  expect(bandOf(100, bands)?.colour).toBe('ramp-5');
});

test('equal values are one class, and nothing is no class', () => {
  expect(bandsOf([])).toEqual([]);
  expect(bandsOf([7, 7, 7]).map((band) => [band.colour, band.count])).toEqual([['ramp-3', 3]]);
  const two = bandsOf([0, 0, 0, 0, 9]);
  expect(two.map((band) => band.colour)).toEqual(['ramp-1', 'ramp-5']);
  expect(bandText(two[1]!, COUNT)).toBe('9 条');
});

test('figures become values with the list behind them', () => {
  const figures: Figures = {
    dimensions: [{ name: 'region', label: '所属区域', grain: 'city', codes: [], overlapping: false }],
    groups: [
      { key: ['610000'], count: 1, share: '10.0', query: 'region.is=610000', part: 1, ratio: '100.0' },
      { key: ['610100'], count: 9, share: '90.0', query: 'region=610100', part: 3, ratio: '33.3' },
      { key: [null], count: 2, share: '0.0', query: 'region.none=true' },
    ],
    count: 10,
    part: null,
    overlapping: false,
    names: { 610000: '陕西省', 610100: '西安市' },
    at: '',
  };
  const [first, own] = valuesOf(figures, COUNT);
  expect(first).toMatchObject({ name: '西安市', value: 9, text: '9 条', own: false });
  expect(own).toMatchObject({ name: '陕西省本级', own: true });
  const shares = valuesOf(figures, { ...COUNT, share: true });
  expect(shares.map((one) => one.text)).toEqual(['90.0%', '10.0%']);
  const ratio = valuesOf(figures, { ...COUNT, part: 'state=online' });
  expect(ratio.map((one) => one.text)).toEqual(['100.0%（1 / 1）', '33.3%（3 / 9）']);
});

test('outlines know provinces by their short names, and municipalities by their counties', () => {
  expect(outlineNames('新疆维吾尔自治区')).toContain('新疆');
  expect(outlineNames('陕西省')).toContain('陕西');
  expect([grainOf(''), grainOf('61'), grainOf('11')]).toEqual(['province', 'city', 'county']);
});
