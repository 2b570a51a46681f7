/** The same verdicts as the Rust verifier, on the same files. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { toHex, utf8 } from '../src/bytes';
import { canonical } from '../src/canonical';
import { sm3 } from '../src/sm3';
import { verify } from '../src/verify';

interface Vector {
  name: string;
  bundle: string;
  fingerprint: string | null;
  failed: string | null;
}
const file = fileURLToPath(new URL('../../../../crates/proof/vectors/proofs.json', import.meta.url));
const vectors = JSON.parse(readFileSync(file, 'utf8')) as Vector[];

describe('proof vectors', () => {
  it.each(vectors)('$name', ({ bundle, fingerprint, failed }) => {
    const verdict = verify(bundle, fingerprint ?? undefined);
    expect(verdict.steps.find((step) => !step.ok)?.id ?? null, verdict.conclusion).toBe(failed);
    expect(verdict.ok).toBe(failed === null);
  });

  it('notices every changed byte of a proof', () => {
    const { bundle, fingerprint } = vectors.find((vector) => vector.name === 'in part, log of 2')!;
    for (let at = 0; at < bundle.length; at += 23) {
      const changed = bundle.slice(0, at) + String.fromCharCode(bundle.charCodeAt(at) ^ 1) + bundle.slice(at + 1);
      expect(verify(changed, fingerprint!).ok, `byte ${at}`).toBe(false);
    }
  });
});

describe('building blocks', () => {
  it('SM3 follows GB/T 32905', () => {
    expect(toHex(sm3(utf8('abc')))).toBe('66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0');
    expect(toHex(sm3(utf8('abcd'.repeat(16))))).toBe('debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732');
  });

  it('canonical JSON follows RFC 8785', () => {
    expect(canonical({ '\u20ac': 'e', '\r': 'r', a: [56, { d: true, b: null }] })).toBe(
      '{"\\r":"r","a":[56,{"b":null,"d":true}],"\u20ac":"e"}',
    );
  });
});
