import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

export default defineConfig({
  resolve: { alias: { '@': path('./apps/console/src'), '@scan': path('./packages/scan/src'), '@proof': path('./packages/proof/src') } },
  test: { include: ['packages/**/*.test.ts', 'apps/**/*.test.ts'], testTimeout: 60_000 },
});
