/** Builds the console and the islands of the public pages into `dist/`. */
import { fileURLToPath } from 'node:url';
import { build as bundle } from 'esbuild';
import { build } from 'vite';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));

await build({ configFile: path('../vite.config.ts') });
await bundle({
  entryPoints: { story: path('../apps/portal/src/story.ts'), verify: path('../apps/portal/src/verify.ts') },
  outdir: path('../dist/portal'),
  bundle: true,
  minify: true,
  format: 'esm',
  splitting: false,
  target: 'chrome70',
  supported: { bigint: true, 'dynamic-import': true },
  external: ['/portal/verify.js'],
  logLevel: 'warning',
});

// Packed once here, so that the server never has to.
const dist = path('../dist/');
for (const name of readdirSync(dist, { recursive: true }).map(String)) {
  if (/\.(js|css|html|svg|json)$/.test(name)) writeFileSync(`${dist}${name}.gz`, gzipSync(readFileSync(dist + name), { level: 9 }));
}
