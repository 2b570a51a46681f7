/** Bytes, texts and hexadecimal. Nothing of a browser is used: a mini-program has no text decoder. */

/** The bytes are not what the format says. */
export class Unreadable extends Error {}

/** UTF-8; a text with half a surrogate pair has no UTF-8. */
export function utf8(text: string): Uint8Array<ArrayBuffer> {
  const bytes: number[] = [];
  for (const letter of text) {
    const code = letter.codePointAt(0)!;
    if (code >= 0xd800 && code <= 0xdfff) throw new Unreadable();
    if (code < 0x80) bytes.push(code);
    else if (code < 0x800) bytes.push(0xc0 | (code >> 6), 0x80 | (code & 63));
    else if (code < 0x10000) bytes.push(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63));
    else bytes.push(0xf0 | (code >> 18), 0x80 | ((code >> 12) & 63), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63));
  }
  return Uint8Array.from(bytes);
}

/** How many bytes follow a first byte of UTF-8, what it holds itself, and the least that needs so many. */
function lead(byte: number): [more: number, bits: number, least: number] {
  if (byte < 0x80) return [0, byte, 0];
  if (byte >= 0xc2 && byte < 0xe0) return [1, byte & 31, 0x80];
  if (byte >= 0xe0 && byte < 0xf0) return [2, byte & 15, 0x800];
  if (byte >= 0xf0 && byte < 0xf5) return [3, byte & 7, 0x10000];
  throw new Unreadable();
}

/** The text that the bytes are in UTF-8, strictly: nothing is mended, no mark is dropped. */
export function fromUtf8(bytes: Uint8Array): string {
  const letters: string[] = [];
  for (let at = 0; at < bytes.length;) {
    const [more, bits, least] = lead(bytes[at]!);
    let code = bits;
    for (let next = at + 1; next <= at + more; next += 1) {
      const byte = bytes[next];
      if (byte === undefined || (byte & 0xc0) !== 0x80) throw new Unreadable();
      code = (code << 6) | (byte & 63);
    }
    if (code < least || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) throw new Unreadable();
    letters.push(String.fromCodePoint(code));
    at += 1 + more;
  }
  return letters.join('');
}

export const toHex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

/** Lower-case hexadecimal only; `length` in bytes where it is fixed. */
export function fromHex(text: unknown, length?: number): Uint8Array {
  const fits = typeof text === 'string' && /^(?:[0-9a-f]{2})*$/.test(text);
  if (!fits || (length !== undefined && text.length !== 2 * length)) throw new Unreadable();
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

export function toBase64(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 3) {
    const [first, second, third] = [bytes[at]!, bytes[at + 1], bytes[at + 2]];
    text += BASE64[first >> 2]! + BASE64[((first & 3) << 4) | ((second ?? 0) >> 4)]!;
    text += second === undefined ? '=' : BASE64[((second & 15) << 2) | ((third ?? 0) >> 6)]!;
    text += third === undefined ? '=' : BASE64[third & 63]!;
  }
  return text;
}

/** Standard base64 in its one canonical form: padded, no other letters, no bits left over. */
export function fromBase64(text: string): Uint8Array {
  const digits = text.replace(/={1,2}$/, '');
  const bytes = new Uint8Array(Math.floor((digits.length * 3) / 4));
  let [held, bits, at] = [0, 0, 0];
  for (const letter of digits) {
    const value = BASE64.indexOf(letter);
    if (value < 0) throw new Unreadable();
    held = ((held << 6) | value) & 0xffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes[at] = held >> bits;
      at += 1;
    }
  }
  if (toBase64(bytes) !== text) throw new Unreadable();
  return bytes;
}

export function compare(left: Uint8Array, right: Uint8Array): number {
  for (let at = 0; at < Math.min(left.length, right.length); at += 1) {
    if (left[at] !== right[at]) return left[at]! - right[at]!;
  }
  return left.length - right.length;
}

export const equal = (left: Uint8Array, right: Uint8Array): boolean => compare(left, right) === 0;

export function concat(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** In two halves: views of 64 bits came to browsers years after whole numbers did. */
export function u64(value: bigint): Uint8Array {
  return concat(u32(Number(value >> 32n)), u32(Number(value & 0xffffffffn)));
}

export function u32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}

/** Reads the fixed encodings: big-endian numbers, texts after their length. */
export class Reader {
  private at = 0;

  constructor(private readonly bytes: Uint8Array) {}

  raw(count: number): Uint8Array {
    const end = this.at + count;
    if (end > this.bytes.length) throw new Unreadable();
    const part = this.bytes.slice(this.at, end);
    this.at = end;
    return part;
  }

  private view(count: number): DataView {
    return new DataView(this.raw(count).buffer);
  }

  u8 = (): number => this.view(1).getUint8(0);
  u16 = (): number => this.view(2).getUint16(0);
  u32 = (): number => this.view(4).getUint32(0);
  u64 = (): bigint => (BigInt(this.u32()) << 32n) | BigInt(this.u32());
  hash = (): Uint8Array => this.raw(32);
  text = (): string => fromUtf8(this.raw(this.u16()));
  rest = (): number => this.bytes.length - this.at;

  magic(expected: string): void {
    if (!equal(this.raw(expected.length), utf8(expected))) throw new Unreadable();
  }

  end(): void {
    if (this.at !== this.bytes.length) throw new Unreadable();
  }
}
