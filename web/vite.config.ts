import { fileURLToPath } from 'node:url';
import vue from '@vitejs/plugin-vue';
import { defineConfig } from 'vite';

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

/** The kernels of older domestic browsers on government intranets. */
const OLDEST = 'chrome86';

export default defineConfig({
  root: path('./apps/console'),
  base: '/console/',
  plugins: [vue()],
  resolve: {
    alias: {
      '@': path('./apps/console/src'),
      '@proof': path('./packages/proof/src'),
      '@api': path('./packages/api'),
      '@scan': path('./packages/scan/src'),
      '@portal': path('./apps/portal/src'),
      '@field': path('./apps/field/src'),
    },
  },
  build: {
    outDir: path('./dist/console'),
    emptyOutDir: true,
    target: OLDEST,
    cssTarget: OLDEST,
    reportCompressedSize: false,
    chunkSizeWarningLimit: 1200,
    rollupOptions: {
      output: {
        chunkFileNames: ({ facadeModuleId }) =>
          facadeModuleId?.includes('china-maps') ? 'assets/map-[name]-[hash].js' : 'assets/[name]-[hash].js',
      },
    },
  },
  server: { proxy: { '/api': 'http://127.0.0.1:8080', '/openapi.json': 'http://127.0.0.1:8080' } },
});
