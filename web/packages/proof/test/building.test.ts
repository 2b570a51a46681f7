/** The parts of the verifier, each against what defines it. */
import { weierstrass } from '@noble/curves/abstract/weierstrass.js';
import { describe, expect, it } from 'vitest';
import { concat, fromBase64, fromHex, fromUtf8, toBase64, toHex, u64, Unreadable, utf8 } from '../src/bytes';
import { canonical, isShallow } from '../src/canonical';
import { A, B, G, hasX, N, P, sumOfMultiples } from '../src/curve';
import { isConsistent, leaf, node } from '../src/merkle';
import { isBy, noteKeyText, readNote, readNoteKey } from '../src/note';
import { isPublicKey, verifySm2 } from '../src/sm2';
import { sm3 } from '../src/sm3';
import { readTrust } from '../src/trust';
import { beijing } from '../src/verdict';
import { verify } from '../src/verify';

/** A stream of numbers that is the same each time. */
function chance(seed: string): () => bigint {
  let state = sm3(utf8(seed));
  return () => {
    state = sm3(state);
    return BigInt(`0x${toHex(state)}`) % N;
  };
}
/** The curve by somebody else. */
const Other = weierstrass({ p: P, n: N, h: 1n, a: A, b: B, Gx: G.x, Gy: G.y });
const bytes32 = (value: bigint): Uint8Array => fromHex(value.toString(16).padStart(64, '0'));
const keyOf = (secret: bigint): Uint8Array => Other.BASE.multiply(secret).toBytes(false);

/** Signs as GB/T 32918.2 §6.1 says; for the tests alone. */
function sign(secret: bigint, message: Uint8Array, k: bigint): Uint8Array {
  const identity = utf8('1234567812345678');
  const z = sm3(Uint8Array.of(0, 128), identity, ...[A, B, G.x, G.y].map(bytes32), keyOf(secret).slice(1));
  const e = BigInt(`0x${toHex(sm3(z, message))}`);
  const r = (e + Other.BASE.multiply(k).toAffine().x) % N;
  const inverse = Other.Fn.inv((1n + secret) % N);
  return concat(bytes32(r), bytes32((((inverse * (k - r * secret)) % N) + N) % N));
}

describe('bytes and texts', () => {
  it('UTF-8 is what the platform makes of it', () => {
    for (const text of ['', 'abc', '鉴', 'é', '𠮷𝄞', '\u07ff\u0800\uffff\u{10000}\u{10ffff}', '\ufeffx']) {
      expect(utf8(text)).toEqual(new TextEncoder().encode(text));
      expect(fromUtf8(utf8(text))).toBe(text);
    }
    expect(() => utf8('\ud800')).toThrow(Unreadable);
  });

  it.each(['80', 'c0af', 'e08080', 'eda080', 'f4908080', 'f5808080', 'e9', 'e989', 'ff', 'c3c3'])('bytes %s are no text', (hex) => {
    expect(() => fromUtf8(fromHex(hex))).toThrow(Unreadable);
  });

  it('base64 has one form', () => {
    for (let length = 0; length < 70; length += 1) {
      const bytes = Uint8Array.from({ length }, (_, at) => (at * 37 + length) & 255);
      expect(toBase64(bytes)).toBe(Buffer.from(bytes).toString('base64'));
      expect(fromBase64(toBase64(bytes))).toEqual(bytes);
    }
    for (const text of ['AB==', 'A', 'AA', 'AA=', 'AAA', 'AAAA=', 'AA==AA==', 'A A=', 'AA-_', '====', 'AAB=']) {
      expect(() => fromBase64(text), text).toThrow(Unreadable);
    }
  });

  it('SM3 follows GB/T 32905', () => {
    expect(toHex(sm3(utf8('abc')))).toBe('66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0');
    expect(toHex(sm3(utf8('abcd'.repeat(16))))).toBe('debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732');
  });

  it('canonical JSON follows RFC 8785', () => {
    const value = { '\u20ac': 'e', '\r': 'r', a: [56, { d: true, b: null }] };
    expect(canonical(value)).toBe('{"\\r":"r","a":[56,{"b":null,"d":true}],"\u20ac":"e"}');
    expect(() => canonical({ a: JSON.parse('"\\ud800"') as string })).toThrow(Unreadable);
  });

  it('a file that is only brackets ends in a verdict', () => {
    expect(isShallow('['.repeat(127) + ']'.repeat(127))).toBe(true);
    expect(isShallow(`{"a":"${'['.repeat(500)}\\"[["}`)).toBe(true);
    for (const bomb of ['['.repeat(1 << 20), '{"a":'.repeat(200_000), '[]'.repeat(600_000)]) {
      expect(verify(bomb).steps).toMatchObject([{ id: 'format', ok: false }]);
    }
  });
});

describe('SM2', () => {
  const next = chance('points');

  it('sums of multiples are those of another implementation', () => {
    const [q, one] = [Other.BASE.multiply(12_345n), { x: 0n, y: 0n, z: 1n }];
    Object.assign(one, q.toAffine());
    const cases = [
      ...Array.from({ length: 20 }, () => [next(), next()]),
      [1n, 0n],
      [0n, 1n],
      [N - 1n, 2n],
      [N - 12_345n, 2n],
      [3n, N - 1n],
    ];
    for (const [s, t] of cases as [bigint, bigint][]) {
      const [base, point] = [s === 0n ? Other.ZERO : Other.BASE.multiply(s), t === 0n ? Other.ZERO : q.multiply(t)];
      expect(hasX(sumOfMultiples(s, t, one), base.add(point).toAffine().x % N), `${s} ${t}`).toBe(true);
    }
    // s·G + t·Q is the point at infinity: no coordinate.
    expect(hasX(sumOfMultiples(N - 12_345n, 1n, one), 0n)).toBe(false);
  });

  it('takes what the owner signed, and nothing else', () => {
    for (let round = 0; round < 8; round += 1) {
      const [secret, message] = [next(), utf8(`消息 ${round}`)];
      const [key, signature] = [keyOf(secret), sign(secret, message, next())];
      expect(verifySm2(key, message, signature)).toBe(true);
      expect(verifySm2(keyOf(secret + 1n), message, signature)).toBe(false);
      expect(verifySm2(key, utf8('别的'), signature)).toBe(false);
      for (const at of [0, 31, 32, 63]) {
        expect(
          verifySm2(
            key,
            message,
            Uint8Array.from(signature, (byte, here) => (here === at ? byte ^ 1 : byte)),
          ),
        ).toBe(false);
      }
    }
  });

  it('refuses numbers out of range and points off the curve', () => {
    const [secret, message] = [next(), utf8('m')];
    const [key, signature] = [keyOf(secret), sign(secret, message, next())];
    const [r, s] = [signature.slice(0, 32), signature.slice(32)];
    const zero = new Uint8Array(32);
    for (const wrong of [
      concat(zero, s),
      concat(r, zero),
      concat(bytes32(N), s),
      concat(r, bytes32(N)),
      concat(r, bytes32(N - BigInt(`0x${toHex(r)}`))),
    ]) {
      expect(verifySm2(key, message, wrong)).toBe(false);
    }
    expect(verifySm2(key, message, concat(signature, zero))).toBe(false);
    expect(isPublicKey(key)).toBe(true);
    expect(isPublicKey(concat(Uint8Array.of(2), key.slice(1)))).toBe(false);
    expect(isPublicKey(concat(Uint8Array.of(4), bytes32(1n), bytes32(1n)))).toBe(false);
    expect(isPublicKey(key.slice(0, 64))).toBe(false);
    // The same point with a coordinate beyond the field.
    expect(isPublicKey(concat(Uint8Array.of(4), bytes32(0n), bytes32(P)))).toBe(false);
  });
});

/** All leaves of a small log, and its root. */
function tree(size: number): { size: bigint; root: Uint8Array; leaves: Uint8Array[] } {
  const leaves = Array.from({ length: size }, (_, at) => leaf(Uint8Array.of(at)));
  return { size: BigInt(size), root: rootOf(leaves), leaves };
}
const split = (size: number): number => 2 ** Math.floor(Math.log2(size - 1));
function rootOf(leaves: Uint8Array[]): Uint8Array {
  if (leaves.length === 1) return leaves[0]!;
  const middle = split(leaves.length);
  return node(rootOf(leaves.slice(0, middle)), rootOf(leaves.slice(middle)));
}
/** RFC 9162 §2.1.4.1, as it is written there. */
function proof(old: number, leaves: Uint8Array[], whole = true): Uint8Array[] {
  if (old === leaves.length) return whole ? [] : [rootOf(leaves)];
  const middle = split(leaves.length);
  if (old <= middle) return [...proof(old, leaves.slice(0, middle), whole), rootOf(leaves.slice(middle))];
  return [...proof(old - middle, leaves.slice(middle), false), rootOf(leaves.slice(0, middle))];
}

describe('the log', () => {
  it('consistency is proved for every pair of sizes and for no other root', () => {
    for (let size = 1; size <= 20; size += 1) {
      const later = tree(size);
      for (let old = 1; old <= size; old += 1) {
        const [before, path] = [tree(old), proof(old, later.leaves)];
        expect(isConsistent(before, later, path), `${old} ${size}`).toBe(true);
        expect(isConsistent({ ...before, root: leaf(utf8('x')) }, later, path), `${old} ${size}`).toBe(false);
        expect(isConsistent(before, { ...later, root: leaf(utf8('x')) }, path), `${old} ${size}`).toBe(false);
        expect(isConsistent(before, later, [...path, later.root]), `${old} ${size}`).toBe(false);
        if (path.length > 0) expect(isConsistent(before, later, path.slice(1)), `${old} ${size}`).toBe(false);
        if (old < size) expect(isConsistent(later, before, path)).toBe(false);
      }
    }
  });
});

describe('checkpoints', () => {
  const next = chance('notes');
  const [logSecret, secret] = [next(), next()];
  const origin = `yuanjian/${'07'.repeat(32)}`;
  const body = `${origin}\n20\n${toBase64(new Uint8Array(32))}\nblock 3 ${'02'.repeat(32)}\n`;
  const vkey = (name: string, algorithm: string, own: bigint): string => {
    const typed = concat(Uint8Array.of(0xff), utf8(algorithm), keyOf(own));
    return `${name}+${toHex(sm3(utf8(`${name}\n`), typed).slice(0, 4))}+${toBase64(typed)}`;
  };
  const [log, witness] = [
    readNoteKey(vkey(origin, 'sm2-log/v1', logSecret)),
    readNoteKey(vkey('示例检测中心', 'sm2-cosignature/v1', secret)),
  ];
  const line = (name: string, ...blob: Uint8Array[]): string => `— ${name} ${toBase64(concat(...blob))}\n`;
  const signed = sign(secret, utf8(`cosignature/v1\ntime 1763500000\n${body}`), next());
  const ofLog = line(origin, log.id, sign(logSecret, utf8(body), next()));
  const note = `${body}\n${ofLog}${line('示例检测中心', witness.id, u64(1_763_500_000n), signed)}`;

  it('are read, and their signatures count for their keys alone', () => {
    const { checkpoint, lines } = readNote(note);
    expect(checkpoint).toMatchObject({ origin, size: 20n, height: 3n });
    expect(lines.map(({ time }) => time)).toEqual([undefined, 1_763_500_000n]);
    expect(isBy(lines[0]!, checkpoint, log)).toBe(true);
    expect(isBy(lines[1]!, checkpoint, witness)).toBe(true);
    expect(isBy(lines[1]!, checkpoint, log)).toBe(false);
    expect(isBy({ ...lines[1]!, time: 1_763_500_001n }, checkpoint, witness)).toBe(false);
    const renamed = readNoteKey(vkey('另一方', 'sm2-cosignature/v1', secret));
    expect(isBy(lines[1]!, checkpoint, renamed)).toBe(false);
    expect(noteKeyText(witness)).toBe(vkey('示例检测中心', 'sm2-cosignature/v1', secret));
  });

  it.each([
    ['a leading zero', '\n20\n', '\n020\n'],
    ['a sign', 'block 3', 'block +3'],
    ['a blank line more', '\n\n', '\n\n\n'],
    ['another word', 'block', 'bloc'],
    ['a line more', 'block', 'x\nblock'],
    ['two blanks', 'block 3', 'block  3'],
    ['a size beyond 64 bits', '\n20\n', '\n18446744073709551616\n'],
    ['hyphens for dashes', '—', '-'],
    ['unpadded base64', '=\nblock', '\nblock'],
  ])('%s is no checkpoint', (_, from, to) => {
    expect(note.includes(from)).toBe(true);
    expect(() => readNote(note.replace(from, to))).toThrow(Unreadable);
  });

  it('keys have one text', () => {
    const text = noteKeyText(witness);
    for (const wrong of [
      `${text}=`,
      text.replace('示例', '示 例'),
      text.replace('+', '++'),
      text.slice(0, -4),
      text.replace(/\+.{8}\+/, '+00000000+'),
      '',
    ]) {
      expect(() => readNoteKey(wrong), wrong).toThrow(Unreadable);
    }
  });

  it('what people type is read kindly and refused in words', () => {
    const spaced = 'AB:'.repeat(32);
    expect(readTrust(spaced, `\n ${noteKeyText(witness)} \n`).trust).toMatchObject({
      chain: 'ab'.repeat(32),
      witnesses: [{ name: '示例检测中心' }],
    });
    expect(readTrust('', '').trust).toEqual({ witnesses: [] });
    expect(readTrust('abc', '').problem).toBe('链指纹应为 64 位十六进制，现为 3 位');
    expect(readTrust('', 'x').problem).toContain('第 1 行');
    expect(readTrust('', noteKeyText(log)).problem).toContain('日志自己');
  });
});

it('moments are told in Beijing time', () => {
  expect(beijing(951_753_600_000n)).toBe('2000-02-29 00:00:00（北京时间）');
  expect(beijing(2n ** 64n - 1n)).toBe('第 18446744073709551615 毫秒');
});
