import { describe, expect, it } from 'vitest';
import type { LedgerStatus } from '../../domain/types';
import { parts, type WitnessesSeen } from './health';

const status: LedgerStatus = {
  chain_id: 'ab'.repeat(32),
  organization: '示例平台',
  height: 12,
  tree_size: 340,
  tree_root: 'cd'.repeat(32),
  latest_block_at: '2026-11-19T12:00:00+08:00',
  pending: 0,
  packed: 0,
  confirmed: 900,
  unsigned: 0,
  late: 0,
  oldest_pending_at: null,
  failing: null,
  witnessed_size: 300,
  witnessed_height: 10,
  keys: 3,
  latency_ms_p50: 1_200,
  latency_ms_p99: null,
};
const word = (found: Parameters<typeof parts>[0], title: string): string | undefined =>
  parts(found).find((part) => part.title === title)?.word;
const witness = (over: Partial<WitnessesSeen['items'][number]>): WitnessesSeen['items'][number] => ({
  organization: '示例检测中心',
  active: true,
  state: 'current',
  size: 340,
  signed_at: '2026-11-19T12:00:00+08:00',
  ...over,
});

describe('链健康', () => {
  it('the worst is said first', () => {
    expect(word({ status }, '上链')).toBe('正常');
    expect(word({ status: { ...status, pending: 3 } }, '上链')).toBe('正在上链');
    expect(word({ status: { ...status, pending: 3, late: 2 } }, '上链')).toBe('2 条等待超过 1 分钟');
    const failing = { since: '2026-11-19T11:00:00+08:00', why: '磁盘已满' };
    const [found] = parts({ status: { ...status, late: 2, failing } });
    expect(found).toMatchObject({ word: '出块失败', tone: 'bad' });
    expect(found!.facts).toContainEqual(['失败', '自 2026-11-19 11:00：磁盘已满']);
    expect(found!.facts).toContainEqual(['上链用时（99%）', '—']);
  });

  it('witnesses are told by how far they are behind', () => {
    const of = (items: WitnessesSeen['items'], alarm_count = 0) => ({ status, witnesses: { items, alarm_count } });
    expect(word(of([]), '见证')).toBe('没有见证方');
    expect(word(of([witness({})]), '见证')).toBe('都已跟上');
    const behind = of([witness({ size: 300, state: 'lagging' }), witness({ active: false, state: 'inactive' })]);
    expect(word(behind, '见证')).toBe('1 个见证方未跟上');
    expect(parts(behind)[2]!.facts).toContainEqual(['示例检测中心', '落后 40 项，上次 2026-11-19 12:00']);
    expect(word(of([witness({})], 1), '见证')).toBe('1 条未处置的见证告警');
  });

  it('what is kept elsewhere and what was found', () => {
    const anchor = { state: 'failed', tree_size: 340, confirmed_at: null, last_error: '节点没有应答' };
    expect(word({ status, anchors: { configured: false, items: [] } }, '外部锚定')).toBe('未启用');
    expect(word({ status, anchors: { configured: true, items: [anchor] } }, '外部锚定')).toBe('最近一次失败');
    const tamper = { open: 0, acknowledged: 0, last_full: null, next_full_at: null };
    expect(word({ status, tamper }, '防篡改检查')).toBe('尚未全面检查');
    expect(word({ status, tamper: { ...tamper, open: 2, acknowledged: 1 } }, '防篡改检查')).toBe('2 项发现未处理');
    expect(word({ status, tamper: { ...tamper, acknowledged: 1 } }, '防篡改检查')).toBe('1 项已知悉，未解决');
  });

  it('parts that are not there are left out', () => {
    expect(parts({ status }).map(({ title }) => title)).toEqual(['上链', '日志与密钥']);
  });
});
