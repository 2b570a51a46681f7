import { expect, test } from 'vitest';
import { squareOf, withinBox } from './clusters';
import { circleText, outlineOf, polygonText } from './area';

test('an area that is written is the area that was drawn', () => {
  const corners: [number, number][] = [
    [108.8, 34],
    [109, 34],
    [109, 34.2],
  ];
  expect(polygonText(corners)).toBe('108.80000,34.00000 109.00000,34.00000 109.00000,34.20000');
  expect(outlineOf('within', polygonText(corners))).toEqual(corners);
  expect(circleText([108.9, 34.1], 2.5)).toBe('108.90000,34.10000,2500');
});

test('a circle reaches as far north as its radius', () => {
  const circle = outlineOf('near', '108.9,34,11113.2');
  expect(circle).toHaveLength(64);
  expect(Math.max(...circle.map(([, lat]) => lat))).toBeCloseTo(34.1, 6);
  expect(Math.max(...circle.map(([lon]) => lon))).toBeGreaterThan(109.01);
  expect(outlineOf('near', '108.9,x,1')).toEqual([]);
});

test('a cluster lies in the square that its list is limited to', () => {
  const square = squareOf({ lon: '108.93', lat: '34.27', count: 2 }, 0.25);
  expect(square).toEqual([108.75, 34.25, 109, 34.5]);
  expect(withinBox(square).split(' ')).toHaveLength(4);
});
