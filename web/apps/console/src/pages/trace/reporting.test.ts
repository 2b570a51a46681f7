import { describe, expect, it } from 'vitest';
import { called } from '../../domain/format';
import type { MonthReport, QuietReporter } from '../../domain/types';
import { farOff, addressOf, eventsOf, months, quietOne, TABS, tabOf } from './reporting';

describe('the lists of 上报情况', () => {
  it('are told apart by the address, the first by nothing', () => {
    for (const tab of TABS) expect(tabOf(addressOf(tab).query.tab)).toBe(tab);
    expect(addressOf(TABS[0]!)).toEqual({ path: '/reporting', query: {} });
    expect([undefined, 'nothing', ['prices']].map((asked) => tabOf(asked).name)).toEqual(['reporters', 'reporters', 'reporters']);
  });
});

describe('months', () => {
  it('are those of China, this one first', () => {
    const all = months(Date.parse('2026-10-31T16:00:00Z')).map(([code]) => code);
    expect([all[0], all[1], all.at(-1), all.length]).toEqual(['2026-11', '2026-10', '2023-11', 37]);
  });

  it('lead to their events, to the last second', () => {
    const report = (month: string) => ({ subject: { id: 's1', code: null, name: null }, domain: 'rare_earth', month }) as MonthReport;
    expect(eventsOf(report('2026-10'))).toEqual({
      path: '/events',
      query: {
        subject_id: 's1',
        domain: 'rare_earth',
        'event_time.from': '2026-10-01T00:00:00+08:00',
        'event_time.to': '2026-10-31T23:59:59+08:00',
      },
    });
    const last = (month: string) => eventsOf(report(month)).query['event_time.to']?.slice(0, 10);
    expect(['2026-02', '2028-02', '2026-12'].map(last)).toEqual(['2026-02-28', '2028-02-29', '2026-12-31']);
  });
});

describe('who is quiet', () => {
  const [subject, merchant] = [
    { id: '1', code: '91350100M000100Y43', name: null },
    { id: '2', code: '610104901001', name: '示例档口' },
  ];
  const told = (one: Partial<QuietReporter>) => called(quietOne({ subject: null, merchant: null, ...one } as QuietReporter));

  it('is the merchant, else the subject, by its code where it has no name', () => {
    expect(told({ subject, merchant })).toBe('示例档口');
    expect(told({ subject })).toBe('91350100M000100Y43');
    expect(told({})).toBe('');
  });
});

describe('how far a price is off', () => {
  it('is told in times only to who may know the market', () => {
    expect(farOff({ side: 'above', times: '10', compared: 7 })).toBe('单价为近 30 天同类产品的中位数（比较 7 笔）的 10 倍');
    expect(farOff({ side: 'below', times: null, compared: 7 })).toBe('单价明显低于近 30 天同类产品的中位数（比较 7 笔）');
  });
});
