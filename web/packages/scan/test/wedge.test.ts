import { describe, expect, it } from 'vitest';
import { Debounce } from '../src/debounce';
import { GS } from '../src/parse';
import { Wedge, type Meaning, type Stroke } from '../src/wedge';

const stroke = (key: string, code: string, more: Partial<Stroke> = {}): Stroke => ({
  key,
  code,
  shiftKey: false,
  ctrlKey: false,
  altKey: false,
  metaKey: false,
  isComposing: false,
  ...more,
});

describe('a scanner that types', () => {
  it('ends a scan with Enter or Tab, and hands over what the field holds', () => {
    const wedge = new Wedge();
    expect(wedge.take(stroke('F', 'KeyF', { shiftKey: true }))).toBe('other');
    expect(wedge.take(stroke('Enter', 'Enter'))).toBe('end');
    expect(wedge.finish('F')).toBe('F');
    expect(wedge.take(stroke('Tab', 'Tab'))).toBe('end');
    expect(wedge.take(stroke('Tab', 'Tab', { shiftKey: true }))).toBe('other');
    expect(wedge.take(stroke('Enter', 'NumpadEnter'))).toBe('end');
  });

  it('is read from its keys where an input method eats them', () => {
    const wedge = new Wedge();
    const eaten = (code: string, shiftKey = false): Meaning => wedge.take(stroke('Process', code, { shiftKey, isComposing: true }));
    for (const code of ['KeyW', 'Digit2', 'Minus', 'Numpad1', 'Period', 'Slash']) eaten(code);
    eaten('KeyX', true);
    eaten('Digit9', true);
    expect(eaten('Enter')).toBe('end');
    expect(wedge.finish('我2')).toBe('w2-1./X(');
    // The next scan begins anew.
    expect(wedge.finish('F1-A')).toBe('F1-A');
  });

  it('sends FNC1 as Ctrl+] or as itself', () => {
    const wedge = new Wedge();
    expect(wedge.take(stroke(']', 'BracketRight', { ctrlKey: true }))).toBe('separator');
    expect(wedge.take(stroke(GS, ''))).toBe('separator');
    expect(wedge.take(stroke('v', 'KeyV', { ctrlKey: true }))).toBe('other');
  });
});

describe('a camera', () => {
  it('counts a label once until it was out of sight', () => {
    const debounce = new Debounce(1500);
    const fresh = (text: string, now: number): number => debounce.fresh(text ? [text] : [], now).length;
    expect([fresh('A', 0), fresh('A', 100), fresh('A', 1500)]).toEqual([1, 0, 0]);
    // No frames for a while is no absence.
    expect(fresh('A', 9_000)).toBe(0);
    // A frame that could not be read is too short an absence.
    expect([fresh('', 9_100), fresh('A', 9_200)]).toEqual([0, 0]);
    expect([fresh('', 9_300), fresh('', 10_900), fresh('A', 11_000)]).toEqual([0, 0, 1]);
    expect([fresh('B', 11_100), fresh('A', 11_200)]).toEqual([1, 1]);
  });
});
