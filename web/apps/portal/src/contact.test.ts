import { afterEach, describe, expect, it, vi } from 'vitest';
import { contactFor, handContact } from './contact';

afterEach(() => vi.useRealTimers());

describe('the contact of a certificate', () => {
  it('reaches the page that is opened, once', async () => {
    handContact('示例-1', ' 13800000001 ');
    expect(await contactFor('示例-1')).toBe('13800000001');
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const again = contactFor('示例-1');
    await vi.advanceTimersByTimeAsync(3_000);
    expect(await again).toBe('');
  });

  it('is not told to the page of another certificate, and is gone after a minute', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    handContact('示例-2', '13800000001');
    const other = contactFor('示例-3');
    await vi.advanceTimersByTimeAsync(3_000);
    expect(await other).toBe('');
    await vi.advanceTimersByTimeAsync(60_000);
    const late = contactFor('示例-2');
    await vi.advanceTimersByTimeAsync(3_000);
    expect(await late).toBe('');
  });

  it('is kept in no store', () => {
    const written: string[] = [];
    vi.stubGlobal('localStorage', { setItem: (key: string) => written.push(key) });
    vi.stubGlobal('sessionStorage', { setItem: (key: string) => written.push(key) });
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    handContact('示例-4', '13800000001');
    expect(written).toEqual([]);
    vi.advanceTimersByTime(60_000);
    vi.unstubAllGlobals();
  });
});
