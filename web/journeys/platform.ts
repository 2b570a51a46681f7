/** A platform for the journeys of one worker: the real binary, its golden chains, a folder that goes with it. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const BINARY = process.env.YJ_BINARY ?? fileURLToPath(new URL('../../target/debug/yuanjian', import.meta.url));

export async function start(): Promise<() => void> {
  const folder = mkdtempSync(join(tmpdir(), 'yuanjian-journeys-'));
  const data = join(folder, 'data');
  const server = spawn(BINARY, ['demo', '--data', data, '--listen', '127.0.0.1:0', '--size', process.env.YJ_SIZE ?? 'golden'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: server.stdout });
  process.env.YJ_URL = await new Promise<string>((resolve, reject) => {
    server.once('exit', (code) => reject(new Error(`the platform ended with ${code}`)));
    lines.on('line', (line) => {
      const found = /^源鉴已启动：(.+)$/.exec(line);
      if (found) resolve(found[1]!);
    });
  });
  process.env.YJ_ACCOUNTS = readFileSync(join(data, 'demo-accounts.json'), 'utf8');
  return () => {
    server.removeAllListeners('exit');
    server.kill();
    rmSync(folder, { recursive: true, force: true });
  };
}
