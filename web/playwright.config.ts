import { defineConfig } from '@playwright/test';

/** Journeys through a real browser; every worker has a platform of its own (journeys/platform.ts). */
export default defineConfig({
  testDir: 'journeys',
  workers: 2,
  timeout: 60_000,
  // Where this many fail, the platform is broken, not the pages; waiting for the rest tells nothing.
  maxFailures: 6,
  expect: { timeout: 10_000 },
  reporter: [['list'], ['./tools/count-journeys.mjs']],
  use: {
    launchOptions: { executablePath: process.env.YJ_CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] },
    locale: 'zh-CN',
    timezoneId: 'Asia/Shanghai',
    trace: 'off',
  },
});
