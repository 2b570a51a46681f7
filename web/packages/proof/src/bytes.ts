/** Bytes, texts and hexadecimal. */

export const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

export const toHex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

/** Lower-case hexadecimal only; `length` in bytes where it is fixed. */
export function fromHex(text: unknown, length?: number): Uint8Array {
  const fits = typeof text === 'string' && /^(?:[0-9a-f]{2})*$/.test(text);
  if (!fits || (length !== undefined && text.length !== 2 * length)) throw new Unreadable();
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

export function compare(left: Uint8Array, right: Uint8Array): number {
  for (let at = 0; at < Math.min(left.length, right.length); at += 1) {
    if (left[at] !== right[at]) return left[at]! - right[at]!;
  }
  return left.length - right.length;
}

export const equal = (left: Uint8Array, right: Uint8Array): boolean => compare(left, right) === 0;

export function concat(...parts: Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

export function u64(value: bigint): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, value);
  return bytes;
}

export function u32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}

/** The bytes are not what the format says. */
export class Unreadable extends Error {}

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
  u64 = (): bigint => this.view(8).getBigUint64(0);
  hash = (): Uint8Array => this.raw(32);

  text(): string {
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(this.raw(this.u16()));
    } catch {
      throw new Unreadable();
    }
  }

  magic(expected: string): void {
    if (!equal(this.raw(expected.length), utf8(expected))) throw new Unreadable();
  }

  end(): void {
    if (this.at !== this.bytes.length) throw new Unreadable();
  }
}
