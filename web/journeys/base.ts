/** What every journey needs: log in, look for faults, look at the page. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { expect, test as base, type Page } from '@playwright/test';
import { start } from './platform';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

export const url = (path: string): string => `${process.env.YJ_URL}${path}`;

export function password(user: string): string {
  const { accounts } = JSON.parse(process.env.YJ_ACCOUNTS ?? '{"accounts":[]}') as { accounts: { user: string; password: string }[] };
  return accounts.find((account) => account.user === user)!.password;
}

/**
 * A page on which any script error, refused policy or missing file fails the journey. Every worker has a platform of
 * its own, so that journeys of different files may run beside each other.
 */
export const test = base.extend<{ faults: string[] }, { platform: void }>({
  platform: [
    async ({}, use) => {
      const stop = await start();
      await use();
      stop();
    },
    { scope: 'worker', auto: true, timeout: 120_000 },
  ],
  faults: [
    async ({ page }, use) => {
      const faults: string[] = [];
      page.on('pageerror', (error) => faults.push(String(error)));
      page.on('console', (message) => {
        // Refusals and a network that a journey cut are answers, not faults.
        if (message.type() === 'error' && !/status of (4\d\d)|ERR_INTERNET_DISCONNECTED/.test(message.text())) faults.push(message.text());
      });
      await use(faults);
      expect(faults).toEqual([]);
    },
    { auto: true },
  ],
});

export async function logIn(page: Page, user: string, to = '/console/'): Promise<void> {
  await page.goto(url(to));
  await page.getByLabel('用户名').fill(user);
  await page.getByLabel('口令').fill(password(user));
  await page.getByRole('button', { name: '登录' }).click();
  await expect(page.locator('#menu')).toBeAttached();
}

/** WCAG 2.2 A and AA, by axe; plus nothing that makes the page wider than the screen, or the console longer. */
export async function inspect(page: Page, name: string): Promise<void> {
  const width = await page.evaluate(() => [document.documentElement.scrollWidth, window.innerWidth]);
  expect(width[0], `${name} is wider than the screen`).toBeLessThanOrEqual(width[1]!);
  // The console scrolls inside itself: a document that is longer scrolls the whole of it away.
  const beyond = await page.evaluate(() =>
    document.getElementById('menu') ? document.documentElement.scrollHeight - window.innerHeight : 0,
  );
  expect(beyond, `${name} scrolls out of sight`).toBeLessThanOrEqual(0);
  // A moment that tells a row is told in one piece.
  const broken = await page
    .locator('td:first-child > .cell')
    .evaluateAll((cells) =>
      cells
        .filter((one) => /^\d{4}-\d\d-\d\d \d\d:\d\d$/.test(one.textContent!.trim()) && one.getBoundingClientRect().height > 30)
        .map((one) => one.textContent),
    );
  expect(broken, `${name} breaks moments`).toEqual([]);
  // Half-faded text has half its contrast.
  await page.evaluate(() => Promise.all(document.getAnimations().map((animation) => animation.finished.catch(() => undefined))));
  // The page's policy allows no foreign script; the debugger may still bring one.
  await page.evaluate(axe);
  const found = await page.evaluate(async () => {
    const { axe } = window as unknown as {
      axe: { run: (options: object) => Promise<{ violations: { id: string; nodes: { html: string; failureSummary: string }[] }[] }> };
    };
    const { violations } = await axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] });
    return violations.map(
      (one) =>
        `${one.id}: ${one.nodes
          .slice(0, 2)
          .map((node) => `${node.html.slice(0, 160)} ${node.failureSummary}`)
          .join(' | ')}`,
    );
  });
  expect(found, name).toEqual([]);
  if (process.env.YJ_SCREENSHOTS) {
    const size = page.viewportSize();
    await page.screenshot({ path: `${process.env.YJ_SCREENSHOTS}/${name}-${size?.width}.png`, fullPage: true });
  }
}

/** Calls the interface as whoever is signed in on the page. */
export async function ask<T>(page: Page, method: string, path: string, data?: unknown): Promise<T> {
  const me = (await (await page.request.get(url('/api/v1/me'))).json()) as { csrf: string };
  const answer = await page.request.fetch(url(path), { method, data, headers: { 'x-csrf': me.csrf } });
  expect(answer.ok(), `${method} ${path}: ${await answer.text()}`).toBe(true);
  return (await answer.json()) as T;
}

export { expect };
