/** The same verdicts as the Rust verifier, on the same files. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { utf8 } from '../src/bytes';
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
    const verdict = verify(bundle, { chain: fingerprint ?? undefined });
    expect(verdict.steps.find((step) => !step.ok)?.id ?? null, verdict.conclusion).toBe(failed);
    expect(verdict.ok).toBe(failed === null);
    // Its bytes are the same file.
    expect(verify(utf8(bundle), { chain: fingerprint ?? undefined })).toEqual(verdict);
  });

  it('notices every changed byte of a proof', () => {
    const { bundle, fingerprint } = vectors.find((vector) => vector.name === 'in part, log of 2')!;
    for (let at = 0; at < bundle.length; at += 23) {
      const changed = bundle.slice(0, at) + String.fromCharCode(bundle.charCodeAt(at) ^ 1) + bundle.slice(at + 1);
      expect(verify(changed, { chain: fingerprint! }).ok, `byte ${at}`).toBe(false);
    }
  });
});
