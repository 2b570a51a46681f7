/**
 * Builds the mini-program into a folder that WeChat's own tool opens: `dist-mini`, or the one named.
 * YJ_PLATFORM: the address of the platform, without a slash at its end; YJ_FINGERPRINT: of its chain.
 */
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));
const SOURCE = path('../apps/mini/src/');
const PARTS = ['pages/verify', 'pages/story', 'pages/record', 'components/story'];

const target = process.argv[2] ?? path('../dist-mini');
const { YJ_PLATFORM: platform = '', YJ_FINGERPRINT: fingerprint = '' } = process.env;
if (platform !== '' && !/^https?:\/\/[^/]+$/.test(platform)) throw new Error('YJ_PLATFORM 应形如 https://平台域名，末尾不带斜线');
if (fingerprint !== '' && !/^[0-9a-f]{64}$/.test(fingerprint)) throw new Error('YJ_FINGERPRINT 应为 64 位小写十六进制');

rmSync(target, { recursive: true, force: true });
mkdirSync(target, { recursive: true });
cpSync(SOURCE, target, { recursive: true, filter: (name) => !name.endsWith('.ts') });
await build({
  entryPoints: ['app', ...PARTS.map((name) => `${name}/index`)].map((name) => `${SOURCE}${name}.ts`),
  outdir: target,
  outbase: SOURCE,
  bundle: true,
  minify: true,
  format: 'cjs',
  target: 'es2018',
  supported: { bigint: true },
  define: { YJ_PLATFORM: JSON.stringify(platform), YJ_FINGERPRINT: JSON.stringify(fingerprint) },
  logLevel: 'warning',
});
// The colours are those of the console.
const tokens = readFileSync(path('../apps/console/src/styles/tokens.css'), 'utf8');
const own = [...tokens.matchAll(/^\s*(--(?:brand|seal|bad|good|ink|line|paper|canvas|font)[\w-]*:[^;]+;)/gm)].map(([, line]) => line);
const colours = own.join(' ');
writeFileSync(`${target}/app.wxss`, `page { ${colours} background: var(--canvas); font-variant-numeric: tabular-nums; }\n`);
// What others copy into mini-programs of their own brings its colours along.
const story = `${target}/components/story/index.wxss`;
writeFileSync(story, `.story { ${colours} font-variant-numeric: tabular-nums; }\n${readFileSync(story, 'utf8')}`);
console.log(`小程序已构建于 ${target}`);
