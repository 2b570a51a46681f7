import { expect, it } from 'vitest';
import { nearest } from './fields';

it('finds the field of a form that an error is about', () => {
  const known = ['subject', 'place.region', 'place.address', 'documents[0].no', 'inputs[0].code', 'inputs[0].quantity', 'attributes.plot'];
  const found = (path: string): string | undefined => nearest(path, known);
  expect(found('subject')).toBe('subject');
  expect(found('inputs[0].quantity')).toBe('inputs[0].quantity');
  // Where it has no field of its own, the nearest.
  expect(found('inputs[0].unit')).toBe('inputs[0].code');
  expect(found('inputs[3].code')).toBe('inputs[0].code');
  expect(found('inputs')).toBe('inputs[0].code');
  expect(found('place')).toBe('place.region');
  expect(found('documents')).toBe('documents[0].no');
  expect(found('documents[0].no')).toBe('documents[0].no');
  expect(found('plot')).toBe('attributes.plot');
  expect(found('attributes.plot')).toBe('attributes.plot');
  expect(found('surprise')).toBeUndefined();
  expect(found('sub')).toBeUndefined();
});
