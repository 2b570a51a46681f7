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
budget('story island', size('portal/story.js'), 2);
budget('proof verifier', size('portal/verify.js'), 24);
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
