/** What the built files must keep: budgets, old browsers, no foreign addresses. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const dist = fileURLToPath(new URL('../dist/', import.meta.url));
const files = readdirSync(dist, { recursive: true })
  .map(String)
  .filter((name) => /\.(js|css|html)$/.test(name));
const problems = [];
const size = (name) => gzipSync(readFileSync(dist + name)).length;

const entry = readFileSync(`${dist}console/index.html`, 'utf8');
const first = [...entry.matchAll(/(?:src|href)="\/console\/(assets\/[^"]+\.(?:js|css))"/g)].map(([, name]) => `console/${name}`);
const budget = (what, bytes, max) => {
  console.log(`${what}: ${(bytes / 1024).toFixed(1)} KiB gzip (budget ${max} KiB)`);
  if (bytes > max * 1024) problems.push(`${what} exceeds ${max} KiB`);
};
budget(
  'console entry',
  first.reduce((sum, name) => sum + size(name), 0),
  240,
);
for (const name of files.filter((name) => name.startsWith('console/assets') && !first.includes(name))) {
  const max = /charts|sankey|map/.test(name) ? 260 : 80;
  if (size(name) > max * 1024) problems.push(`${name} exceeds ${max} KiB`);
}
const field = readFileSync(`${dist}field/index.html`, 'utf8');
const shell = [...field.matchAll(/(?:src|href)="\/field\/(assets\/[^"]+\.(?:js|css))"/g)].map(([, name]) => `field/${name}`);
budget(
  'field page',
  shell.reduce((sum, name) => sum + size(name), 0),
  70,
);
const worker = readFileSync(`${dist}field/sw.js`, 'utf8');
for (const name of files.filter((name) => /^field\/assets\/.*\.(js|css)$/.test(name))) {
  if (!worker.includes(`/${name}`)) problems.push(`${name}: not in the shell that the service worker keeps`);
}
if (/<script(?![^>]*src=)/.test(field)) problems.push('inline script in the field page');
budget('story island', size('portal/story.js'), 2);
budget('proof verifier', size('portal/verify.js'), 12);
budget('proof page', size('portal/check.js') + size('portal/verify-sw.js'), 16);
for (const name of files) {
  const text = readFileSync(dist + name, 'utf8');
  if (name.endsWith('.css') && /[;{]inset:|:has\(|color-mix\(/.test(text)) problems.push(`${name}: not for old browsers`);
  if (/https?:\/\/[^"'\s]*\b(cdn|unpkg|jsdelivr|googleapis)\b/.test(text)) problems.push(`${name}: loads from elsewhere`);
}
if (/<script(?![^>]*src=)/.test(entry)) problems.push('inline script in index.html');
if (problems.length > 0) {
  console.error(problems.join('\n'));
  process.exit(1);
}
