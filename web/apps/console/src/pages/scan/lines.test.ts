import { describe, expect, it } from 'vitest';
import type { PackEvent } from '../../domain/types';
import { directionOf, type Kind } from './kinds';
import { codeOf, decimal, eventOf, isPart, judge, scaled, settle, signalOf, sums, take, type Found, type Line } from './lines';

const event = (more: Partial<PackEvent>): PackEvent => ({
  code: 'wholesale',
  name: '批发',
  movement: '201',
  fields: [],
  inputs: { min: 1, max: 200, mode: 'consume' },
  outputs: { min: 1, max: 200 },
  ...more,
});
const kind = (direction: Kind['direction'], more: Partial<PackEvent> = {}): Kind => ({
  domain: 'agri',
  stage: 'distribution',
  event: event(more),
  direction,
});
const out = kind('out');
const into = kind('in', { code: 'receive', movement: '102' });

const known = (more: Partial<Found> = {}): Found => ({
  scanned: 'A-1',
  known: true,
  code: 'A-1',
  holding: 'own',
  product_name: '示例韭菜',
  product_state: 'active',
  unit: 'KGM',
  balance: '100',
  state: 'held',
  recalled: false,
  ...more,
});
function scanned(found: Found): Line {
  const lines: Line[] = [];
  take(lines, found.scanned, 1);
  return settle(lines, found)!;
}
const word = (found: Found, of: Kind, change: Partial<Line> = {}): string => judge({ ...scanned(found), ...change }, of).word;

describe('what is recorded by scanning', () => {
  it('is what comes, goes or is looked at, not what is made', () => {
    expect(directionOf('distribution', event({}))).toBe('out');
    expect(directionOf('distribution', event({ movement: '102' }))).toBe('in');
    expect(directionOf('distribution', event({ inputs: { min: 1, max: 50, mode: 'observe' }, outputs: { min: 0, max: 0 } }))).toBe(
      'observe',
    );
    expect(directionOf('processing', event({ movement: '208' }))).toBeUndefined();
    expect(directionOf('primary_production', event({ inputs: { min: 0, max: 0, mode: 'none' } }))).toBeUndefined();
  });
});

describe('a scan', () => {
  it('counts a code again instead of doubling it', () => {
    const lines: Line[] = [];
    expect(take(lines, 'A-1', 1).again).toBe(false);
    expect(take(lines, 'https://zs.example.cn/t/A-1', 2)).toMatchObject({ again: true, line: { times: 2 } });
    expect(lines).toHaveLength(1);
    // Two labels of one unit become one line when the server knows them as one.
    take(lines, '(01)06901234567892(10)L1', 2);
    settle(lines, known());
    settle(lines, known({ scanned: '/01/06901234567892/10/L1' }));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({ key: 'A-1', times: 3, quantity: '100' });
  });

  it('says what is the matter with each code', () => {
    expect(word(known(), out)).toBe('可出库');
    expect(word(known(), into)).toBe('已入库');
    expect(word(known({ holding: 'handed' }), into)).toBe('可入库');
    expect(word(known({ state: 'sold' }), out)).toBe('已售出');
    expect(word(known({ balance: '0' }), out)).toBe('无结存');
    expect(word(known({ recalled: true }), out)).toBe('召回中');
    expect(word(known({ product_state: 'recalling' }), into)).toBe('召回中');
    expect(word(known({ recalled: true }), kind('out', { movement: '202' }))).toBe('可出库');
    expect(word(known({ holding: 'other', balance: null }), out)).toBe('不是本主体的');
    expect(word(known({ holding: 'other', balance: null }), out, { insist: true, quantity: '5' })).toBe('待核实');
    expect(word(known(), out, { quantity: '101' })).toBe('超过结存');
    expect(word(known(), out, { quantity: '1e3' })).toBe('数量有误');
    expect(word(known(), out, { quantity: '30' })).toBe('部分');
    expect(word(known(), kind('observe'), { quantity: '' })).toBe('可登记');
    expect(judge({ ...scanned(known()), refusal: '主体已暂停' }, out)).toMatchObject({ tone: 'bad', advice: '主体已暂停' });
    const unreadable = take([], '韭菜', 1).line;
    expect(judge(unreadable, out).advice).toContain('不能含有');
    expect(signalOf(judge(unreadable, out), true)).toBe('bad');
    expect(signalOf(judge(scanned(known()), out), true)).toBe('again');
  });

  it('takes goods from outside only where they come in, and with their product', () => {
    const unknown: Found = { scanned: 'A-1', known: false };
    expect(judge(scanned(unknown), out)).toMatchObject({ word: '查不到', tone: 'bad' });
    expect(judge(scanned(unknown), out).way).toBeUndefined();
    expect(judge(scanned(unknown), into).way).toBe('external');
    expect(word(unknown, into, { external: true })).toBe('缺产品');
    const line = { ...scanned(unknown), external: true, product: 'YJ-JC-01', quantity: '7' };
    expect(judge(line, into).word).toBe('平台外');
    const common = { subject: 'S', time: 'T', counterparty: '', document: '', attributes: {}, batch: 'b' };
    expect(eventOf(line, into, common)).toMatchObject({
      inputs: [{ code: 'A-1', quantity: '7', unit: 'KGM', external: true }],
      outputs: [{ code: 'A-1', quantity: '7', unit: 'KGM', product: 'YJ-JC-01' }],
    });
    expect(codeOf({ ...line, key: '/01/06901234567892/10/A%2F1' })).toBe('(01)06901234567892(10)A/1');
  });

  it('makes one event of each line, a part under a code of its own', () => {
    const line = { ...scanned(known()), quantity: '30', part: 'NEW-1' };
    expect(isPart(line, out)).toBe(true);
    expect(isPart({ ...line, quantity: '100' }, out)).toBe(false);
    expect(isPart({ ...line, quantity: '100.0' }, out)).toBe(false);
    const common = { subject: 'S', time: 'T', counterparty: 'C', document: 'V-1', attributes: { stall: '1' }, batch: 'b' };
    expect(eventOf(line, out, common)).toEqual({
      domain: 'agri',
      type: 'wholesale',
      subject: 'S',
      event_time: 'T',
      inputs: [{ code: 'A-1', quantity: '30', unit: 'KGM' }],
      outputs: [{ code: 'NEW-1', quantity: '30', unit: 'KGM' }],
      attributes: { stall: '1' },
      counterparty: 'C',
      documents: [{ type: 'voucher', no: 'V-1' }],
      external_id: 'scan-b-1',
    });
  });

  it('adds up exactly, by product and unit, what may be submitted', () => {
    const one = { ...scanned(known({ scanned: 'A-1' })), quantity: '0.1' };
    const two = { ...scanned(known({ scanned: 'A-2', code: 'A-2' })), quantity: '0.2' };
    const refused = scanned(known({ scanned: 'A-3', code: 'A-3', state: 'sold' }));
    expect(sums([one, two, refused], out)).toEqual([{ name: '示例韭菜', quantity: '0.3', unit: 'KGM', count: 2 }]);
    expect(decimal(scaled('12345678901.2345'))).toBe('12345678901.2345');
  });
});
