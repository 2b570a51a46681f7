import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 as known } from 'node:zlib';
import { expect, it } from 'vitest';
import { crc32, zip } from './zip';

it('an archive is read by other programs', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'yuanjian-zip-'));
  const files = ['示例.yjproof', 'b.yjproof', 'empty'].map((name, at) => ({
    name,
    bytes: Uint8Array.from({ length: at === 2 ? 0 : 1_000 + at }, (_, here) => (here * 7 + at) & 255),
  }));
  writeFileSync(join(folder, 'a.zip'), new Uint8Array(await zip(files).arrayBuffer()));
  const script = 'import zipfile,sys,os; z=zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None; z.extractall(sys.argv[2])';
  execFileSync('python3', ['-c', script, join(folder, 'a.zip'), folder]);
  for (const { name, bytes } of files) {
    expect(new Uint8Array(readFileSync(join(folder, name)))).toEqual(bytes);
    expect(crc32(bytes)).toBe(known(bytes));
  }
  rmSync(folder, { recursive: true });
});
