/** The same verdicts as the Rust verifier, on the same files. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { concat, utf8 } from '../src/bytes';
import { readNoteKey } from '../src/note';
import { CAUTION, digestOf, factRows, whereDigest } from '../src/report';
import { STEPS, verify, type Trust } from '../src/verify';

interface Vector {
  name: string;
  bundle: string;
  fingerprint: string | null;
  failed: string | null;
  witnesses?: string[];
}
const file = fileURLToPath(new URL('../../../../crates/proof/vectors/proofs.json', import.meta.url));
const vectors = JSON.parse(readFileSync(file, 'utf8')) as Vector[];
const trustOf = ({ fingerprint, witnesses = [] }: Vector): Trust => ({
  ...(fingerprint === null ? {} : { chain: fingerprint }),
  witnesses: witnesses.map(readNoteKey),
});
const named = (name: string): Vector => vectors.find((vector) => vector.name === name)!;

describe('proof vectors', () => {
  it.each(vectors)('$name', (vector) => {
    const verdict = verify(vector.bundle, trustOf(vector));
    expect(verdict.steps.find((step) => !step.ok)?.id ?? null, verdict.conclusion).toBe(vector.failed);
    expect(verdict.ok).toBe(vector.failed === null);
    // Its bytes are the same file.
    expect(verify(utf8(vector.bundle), trustOf(vector))).toEqual(verdict);
  });

  it.each(['in part, log of 2', 'witnessed and anchored, log of 7', 'validators changed'])('every changed byte is noticed: %s', (name) => {
    const vector = named(name);
    const step = Math.ceil(vector.bundle.length / 300);
    for (let at = 0; at < vector.bundle.length; at += step) {
      const changed = vector.bundle.slice(0, at) + String.fromCharCode(vector.bundle.charCodeAt(at) ^ 1) + vector.bundle.slice(at + 1);
      expect(verify(changed, trustOf(vector)).ok, `byte ${at}`).toBe(false);
    }
  });

  it('says what stands, and never that something is genuine', () => {
    const verdict = verify(named('witnessed and anchored, log of 7').bundle);
    expect(verdict.steps.map(({ id }) => id)).toEqual(Object.keys(STEPS));
    expect(verdict.conclusion).toMatch(/^该记录自 .+（北京时间） 存证以来未被改动（区块 \d+，.+签名，\d+ 项的检查点由 .+ 见证）$/);
    const rows = factRows(verdict.facts!);
    expect(rows.map(([label]) => label)).toEqual(expect.arrayContaining(['存证时间', '签名', '检查点', '见证', '外部锚定', '链']));
    expect(JSON.stringify([verdict.conclusion, rows, verdict.steps])).not.toMatch(/真品|正品|为真|属真/);
    expect(CAUTION).toContain('不说明产品真伪');
    const bare = factRows(verify(named('whole, log of 2').bundle).facts!);
    expect(bare).toEqual(
      expect.arrayContaining([
        ['见证', '无见证'],
        ['外部锚定', '无外部锚定'],
      ]),
    );
  });

  it('a digest noted down elsewhere is told by its name', () => {
    const verdict = verify(named('witnessed and anchored, log of 7').bundle);
    const results = [{ name: 'a', verdict }];
    for (const [name, hex] of verdict.facts!.digests.slice(0, 3)) expect(whereDigest(hex, results)).toBe(`此摘要是“a”的${name}`);
    expect(whereDigest('00'.repeat(32), results)).toContain('不在所选的证明之中');
    expect(digestOf(' AB:'.repeat(32))).toBe('ab'.repeat(32));
    expect(digestOf('F1-A')).toBeUndefined();
  });

  it('a mark before the file, a byte that is no text, a member too many: no proof', () => {
    const { bundle } = named('whole, log of 2');
    const bytes = utf8(bundle);
    const spoiled = bytes.slice();
    spoiled[bundle.indexOf('"format"') + 2] = 0xff;
    const others = [concat(Uint8Array.of(0xef, 0xbb, 0xbf), bytes), spoiled, utf8(`${bundle.slice(0, -1)},"z":1}`), utf8(`${bundle}\n`)];
    for (const other of others) expect(verify(other).steps).toMatchObject([{ id: 'format', ok: false }]);
  });
});
