import { describe, expect, it } from 'vitest';
import { BEGINNING, backward, forward, numberOf } from './pages';

describe('pages by cursor', () => {
  it('come back to where they began', () => {
    const second = forward(BEGINNING, 'c1');
    const third = forward(second, 'c2');
    expect([numberOf(BEGINNING), numberOf(second), numberOf(third)]).toEqual([1, 2, 3]);
    expect(backward(third)).toEqual(second);
    expect(backward(second)).toEqual(BEGINNING);
  });
  it('have no number in the middle of nowhere', () => {
    const linked = { before: [], after: 'c7' };
    expect(numberOf(linked)).toBeUndefined();
    expect(numberOf(forward(linked, 'c8'))).toBeUndefined();
    expect(backward(linked)).toEqual(BEGINNING);
  });
});
