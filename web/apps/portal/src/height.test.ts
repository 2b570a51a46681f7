import { expect, test } from 'vitest';
import { heightIn, saying } from './height';

test('the page around takes heights and nothing else', () => {
  expect(heightIn(saying(612.4))).toBe(613);
  for (const message of [
    null,
    'height',
    600,
    {},
    { height: 600 },
    saying(0),
    saying(-1),
    saying(NaN),
    saying(1e9),
    { yuanjian: 'height', height: '600px' },
  ])
    expect(heightIn(message)).toBeUndefined();
});
