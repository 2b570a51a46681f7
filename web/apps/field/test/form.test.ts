import { describe, expect, it } from 'vitest';
import type { Pack, PackEvent } from '../../console/src/domain/types';
import { blank, eventOf, findings, formOf, moment, titleOf } from '../src/form';
import { usualOf } from '../src/server';

const spec: PackEvent = {
  code: 'harvest',
  name: '采收',
  fields: [
    { name: 'plot', label: '地块编号', kind: 'text', required: true },
    { name: 'days', label: '天数', kind: 'int', required: false },
    { name: 'dry', label: '是否晾干', kind: 'bool', required: false },
  ],
  inputs: { min: 0, max: 0, mode: 'none' },
  outputs: { min: 1, max: 200 },
};
const pack = { code: 'agri', name: '食用农产品', version: '1.2.0' } as Pack;
const context = { id: 'field-1', at: Date.UTC(2026, 10, 26, 16, 5, 9), subject: { code: 'S', region: '610525' } };

describe('a form', () => {
  it('becomes an event of the moment it was recorded', () => {
    const form = blank(spec);
    Object.assign(form.outputs[0]!, { code: ' A-1 ', quantity: '12', product: 'YJ-JC-01' });
    Object.assign(form, { attributes: { plot: ' 一号 ', days: '7', dry: 'false' }, lon: '109.000000', lat: '34.500000' });
    expect(findings(form, spec)).toEqual([]);
    const event = eventOf(form, pack, spec, context);
    expect(event).toEqual({
      domain: 'agri',
      type: 'harvest',
      subject: 'S',
      event_time: '2026-11-27T00:05:09+08:00',
      inputs: [],
      outputs: [{ code: 'A-1', quantity: '12', unit: 'KGM', product: 'YJ-JC-01' }],
      attributes: { plot: '一号', days: 7, dry: false },
      place: { region: '610525', lon: '109.000000', lat: '34.500000' },
      external_id: 'field-1',
    });
    expect(titleOf(spec, event)).toBe('采收 A-1');
    // Mending begins with what was written.
    const again = eventOf(formOf(event), pack, spec, { ...context, at: 0 });
    expect(again).toEqual({ ...event, event_time: '2026-11-27T00:05:00+08:00' });
  });

  it('is not kept where it cannot be right', () => {
    const form = blank(spec);
    expect(findings(form, spec).map((one) => one.detail)).toEqual(['产出至少 1 行', '地块编号：必填']);
    Object.assign(form.outputs[0]!, { quantity: '1e3' });
    form.counterparty = '123';
    expect(findings(form, spec).map((one) => one.detail)).toEqual([
      '产出追溯码：必填',
      '产出数量：应为大于 0 的数，至多 4 位小数',
      '地块编号：必填',
      '交易对方：应为 18 位主体代码，现为 3 位',
    ]);
  });

  it('tells time as people in China do', () => {
    expect(moment(Date.UTC(2026, 0, 1, 0, 0, 0))).toBe('2026-01-01T08:00:00+08:00');
  });

  it('comes first where it is used most', () => {
    const event = (type: string, by: string) => ({ domain: 'agri', type, counterparty: null, recorded_by: by });
    expect(usualOf([event('a', 'x'), event('b', 'x'), event('b', 'x'), event('c', 'me'), event('c', 'me')], 'me')).toEqual([
      'agri/c',
      'agri/b',
      'agri/a',
    ]);
  });
});
