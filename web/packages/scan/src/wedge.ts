/** A scanner that types: what its keystrokes mean, also where an input method stands in the way. */
import { GS } from './parse';

/** What is needed of a `KeyboardEvent`. */
export interface Stroke {
  key: string;
  code: string;
  shiftKey: boolean;
  ctrlKey: boolean;
  altKey: boolean;
  metaKey: boolean;
  isComposing: boolean;
}

/** Keys whose letter an input method keeps to itself, plain and with Shift, as on a US keyboard. */
const MARKS: Record<string, [string, string]> = {
  Minus: ['-', '_'],
  Equal: ['=', '+'],
  BracketLeft: ['[', '{'],
  BracketRight: [']', '}'],
  Semicolon: [';', ':'],
  Quote: ["'", '"'],
  Comma: [',', '<'],
  Period: ['.', '>'],
  Slash: ['/', '?'],
  Backslash: ['\\', '|'],
  Space: [' ', ' '],
};
const SHIFTED = ')!@#$%^&*(';

/** The letter on a key. */
function letterOf({ code, shiftKey }: Stroke): string {
  const letter = /^Key([A-Z])$/.exec(code)?.[1];
  if (letter) return shiftKey ? letter : letter.toLowerCase();
  const digit = /^(?:Digit|Numpad)(\d)$/.exec(code)?.[1];
  if (digit) return shiftKey && code.startsWith('Digit') ? SHIFTED[Number(digit)]! : digit;
  return MARKS[code]?.[shiftKey ? 1 : 0] ?? '';
}

/** What a keystroke is to whoever reads the scan field. */
export type Meaning = 'end' | 'separator' | 'other';

/**
 * Follows the keystrokes of one scan. Where an input method has eaten some of them, the field does
 * not hold what was scanned; the keys do.
 */
export class Wedge {
  private typed = '';
  private eaten = false;

  take(stroke: Stroke): Meaning {
    // Inside an input method Enter and Tab are reported as being processed, under their own codes.
    const ends = ['Enter', 'NumpadEnter', 'Tab'].includes(stroke.code) || stroke.key === 'Enter' || stroke.key === 'Tab';
    if (ends && !stroke.shiftKey) return 'end';
    // A scanner sends FNC1 as Ctrl+], the control character 29.
    if ((stroke.ctrlKey && stroke.code === 'BracketRight') || stroke.key === GS) {
      this.typed += GS;
      return 'separator';
    }
    if (stroke.ctrlKey || stroke.altKey || stroke.metaKey) return 'other';
    if (stroke.key === 'Process' || stroke.isComposing) {
      this.eaten = true;
      this.typed += letterOf(stroke);
    } else if (stroke.key === 'Backspace') {
      this.typed = this.typed.slice(0, -1);
    } else if ([...stroke.key].length === 1) {
      this.typed += stroke.key;
    }
    return 'other';
  }

  /** What was scanned, given what the field holds; begins anew. */
  finish(held: string): string {
    const text = this.eaten ? this.typed : held;
    this.typed = '';
    this.eaten = false;
    return text;
  }
}
