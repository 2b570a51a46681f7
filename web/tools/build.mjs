/** Builds the console, the field page and the islands of the public pages into `dist/`. */
import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { build as bundle } from 'esbuild';
import { build } from 'vite';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));

await build({ configFile: path('../vite.config.ts') });
await build({ configFile: path('../apps/field/vite.config.ts') });
await bundle({
  entryPoints: Object.fromEntries(
    ['story', 'verify', 'check', 'certificate', 'embedded'].map((name) => [name, path(`../apps/portal/src/${name}.ts`)]),
  ),
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

// Others put this into their pages, of whatever age, as a plain script.
await bundle({
  entryPoints: { embed: path('../apps/portal/src/embed.ts') },
  outdir: path('../dist/portal'),
  bundle: true,
  minify: true,
  format: 'iife',
  target: 'chrome70',
  logLevel: 'warning',
});

// What keeps the page of 存证校验 for times without a network is new where its script or style is.
const kept = createHash('sha256');
for (const name of ['../dist/portal/check.js', '../../crates/web/assets/portal.css', '../../crates/web/templates/verify.html']) {
  kept.update(readFileSync(path(name)));
}
await bundle({
  entryPoints: { 'verify-sw': path('../apps/portal/src/sw.ts') },
  outdir: path('../dist/portal'),
  bundle: true,
  minify: true,
  format: 'iife',
  target: 'chrome70',
  define: { DIGEST: JSON.stringify(kept.digest('hex').slice(0, 16)) },
  logLevel: 'warning',
});

// The service worker knows the files of its shell by name, and itself by their content.
const field = path('../dist/field/');
const shell = readdirSync(field, { recursive: true })
  .map(String)
  .filter((name) => /\.(js|css|svg|png|webmanifest)$/.test(name))
  .sort();
const digest = createHash('sha256');
for (const name of ['index.html', ...shell]) digest.update(name).update(readFileSync(field + name));
await bundle({
  entryPoints: { sw: path('../apps/field/src/sw.ts') },
  outdir: field,
  bundle: true,
  minify: true,
  format: 'iife',
  target: 'chrome86',
  define: { SHELL: JSON.stringify(shell.map((name) => `/field/${name}`)), DIGEST: JSON.stringify(digest.digest('hex').slice(0, 16)) },
  logLevel: 'warning',
});

// Packed once here, so that the server never has to.
const dist = path('../dist/');
for (const name of readdirSync(dist, { recursive: true }).map(String)) {
  if (/\.(js|css|html|svg|json|webmanifest)$/.test(name))
    writeFileSync(`${dist}${name}.gz`, gzipSync(readFileSync(dist + name), { level: 9 }));
}
