import { describe, expect, it } from 'vitest';
import type { TraceEvent } from '../../domain/types';
import { changes, unseen } from './correction';

const event = {
  type: 'harvest',
  type_name: '采收',
  event_time: '2026-11-01T00:00:00Z',
  subject: { name: '示例合作社' },
  inputs: [],
  outputs: [{ code: 'B-1', quantity: '1200', unit: 'KGM' }],
  attributes: { area: '2' },
  documents: [{ type: 'waybill', no: 'YD-1' }],
  evidence: [],
  place: { region: '610112', address: '示例路一号' },
  counterparty: null,
  counterparty_name: null,
} as unknown as TraceEvent;
const spec = { fields: [{ name: 'area', label: '面积', kind: 'decimal' as const, required: true }] };
const compare = (changed: Partial<TraceEvent>) => changes(event, { ...event, ...changed }, spec, () => '示例区');

describe('what a correction changes', () => {
  it('is said old and new, each under its label', () => {
    expect(
      compare({
        outputs: [{ code: 'B-1', quantity: '1100', unit: 'KGM' }],
        attributes: { area: '3' },
        documents: [...event.documents, { type: '收据', no: 'SJ-2' }],
      }),
    ).toEqual([
      { label: '产出 B-1', before: '1,200 千克', now: '1,100 千克' },
      { label: '面积', before: '2', now: '3' },
      { label: '凭证', before: '—', now: 'SJ-2' },
    ]);
  });

  it('is nothing where only the offset of the time is another, and the seconds where they are', () => {
    expect(compare({ event_time: '2026-11-01T08:00:00+08:00' })).toEqual([]);
    expect(compare({ event_time: '2026-11-01T08:00:09+08:00' })).toEqual([
      { label: '发生时间', before: '2026-11-01 08:00', now: '2026-11-01 08:00:09' },
    ]);
  });

  it('names a line that is gone and one that is new', () => {
    expect(compare({ outputs: [{ code: 'B-2', quantity: '1200', unit: 'KGM' }] })).toEqual([
      { label: '产出 B-1', before: '1,200 千克', now: '—' },
      { label: '产出 B-2', before: '—', now: '1,200 千克' },
    ]);
  });

  it('says that something unseen is gone or new, and of which nobody can tell', () => {
    const sealed = { ...event, personal: ['driver'], sensitive: ['unit_price'] };
    const fields = { fields: [...spec.fields, { name: 'unit_price', label: '单价（元）', kind: 'decimal' as const, required: false }] };
    const compared = (changed: Partial<TraceEvent>) => changes(sealed, { ...sealed, ...changed }, fields, () => '');
    expect(compared({})).toEqual([]);
    expect(unseen(sealed, sealed, fields)).toEqual(['driver', '单价（元）']);
    expect(compared({ sensitive: [] })).toEqual([{ label: '单价（元）', before: '（商业秘密）', now: '—' }]);
    expect(unseen(sealed, { ...sealed, sensitive: [] }, fields)).toEqual(['driver']);
    expect(changes(event, sealed, fields, () => '').map((one) => one.label)).toEqual(['driver', '单价（元）']);
  });
});
