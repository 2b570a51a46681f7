import { fileURLToPath } from 'node:url';
import vue from '@vitejs/plugin-vue';
import { defineConfig } from 'vite';

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));
const OLDEST = 'chrome86';

/** The field page is an application of its own: small enough for a slow network, whole without one. */
export default defineConfig({
  root: path('.'),
  base: '/field/',
  plugins: [vue()],
  resolve: {
    alias: { '@': path('../console/src'), '@proof': path('../../packages/proof/src'), '@scan': path('../../packages/scan/src') },
  },
  build: { outDir: path('../../dist/field'), emptyOutDir: true, target: OLDEST, cssTarget: OLDEST, reportCompressedSize: false },
});
