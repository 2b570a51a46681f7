/** Every single byte of a proof matters, and each change fails at the step at which it fails in Rust. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { toHex, utf8 } from '../src/bytes';
import { sm3 } from '../src/sm3';
import { verify } from '../src/verify';

interface Proof {
  name: string;
  bundle: string;
  fingerprint: string | null;
}
interface Mutations {
  name: string;
  /** Every so manieth byte: all of them take minutes here. */
  sampled: { every: number; count: number; sm3: string };
}
const read = (name: string): unknown =>
  JSON.parse(readFileSync(fileURLToPath(new URL(`../../../../crates/proof/vectors/${name}`, import.meta.url)), 'utf8'));
const proofs = read('proofs.json') as Proof[];

/** See crates/proof/tests/mutations.rs. */
function changes(byte: number): number[] {
  const letter = String.fromCharCode(byte);
  const next = letter === '9' ? 0x30 : letter === 'f' ? 0x61 : /[0-8a-e]/.test(letter) ? byte + 1 : byte ^ 0x20;
  return [byte ^ 1, byte ^ 0x80, (byte + 1) & 0xff, next];
}

describe('mutations', () => {
  it.each(read('mutations.json') as Mutations[])(
    '$name',
    ({ name, sampled }) => {
      const { bundle, fingerprint } = proofs.find((proof) => proof.name === name)!;
      const bytes = utf8(bundle);
      const steps: string[] = [];
      for (let at = 0; at < bytes.length; at += sampled.every) {
        for (const other of changes(bytes[at]!)) {
          const changed = bytes.slice();
          changed[at] = other;
          const failed = verify(changed, { chain: fingerprint! }).steps.find((step) => !step.ok);
          expect(failed, `byte ${at} changed into ${other} is not noticed`).toBeDefined();
          steps.push(`${failed!.id}\n`);
        }
      }
      expect({ count: steps.length, sm3: toHex(sm3(utf8(steps.join('')))) }).toEqual({
        count: sampled.count,
        sm3: sampled.sm3,
      });
    },
    60_000,
  );
});
