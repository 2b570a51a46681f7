import { describe, expect, it } from 'vitest';
import type { PackEvent, TraceEvent } from '../../domain/types';
import { offset, picked } from '../../domain/attributes';
import { paperKinds } from '../../domain/papers';
import { bodyOf, copied, empty, fieldsFor, linesFor, texts } from './draft';
import { blank, written } from './line';

const spec = {
  code: 'harvest',
  name: '采收',
  inputs: { min: 0, max: 3, mode: 'consume' },
  outputs: { min: 1, max: 3 },
  fields: [
    { name: 'area', label: '面积', kind: 'decimal', required: true },
    { name: 'workers', label: '人数', kind: 'int', required: false },
    { name: 'begun_at', label: '开始时间', kind: 'time', required: false },
  ],
} as unknown as PackEvent;
const event = {
  id: '01a21cfa-d0cf-7fb3-99c3-b34aaa8329e1',
  domain: 'agri',
  type: 'harvest',
  event_time: '2026-11-01T00:00:30Z',
  subject: { id: '1', code: '91350100M000100Y43', name: '示例' },
  inputs: [{ code: 'A-1', quantity: '3', unit: 'TNE', external: true }],
  outputs: [{ code: 'B-1', quantity: '2.5', unit: 'TNE', product: 'YJ-JC-01', lot: 'L1' }],
  attributes: { area: 2, workers: 3, begun_at: '2026-10-31T22:00:00Z', of_old: '旧字段' },
  documents: [
    { type: '植物检疫证书', no: 'ZJ-1' },
    { type: 'waybill', no: 'YD-2' },
  ],
  evidence: [{ name: '照片.jpg', sm3: 'ab'.repeat(32) }],
  place: { region: '610112', address: '示例路一号', lon: '108.9', lat: '34.2' },
  counterparty: '91350100M000100Y43',
  external_id: 'field-1',
} as unknown as TraceEvent;

describe('a correction', () => {
  const filled = {
    draft: { ...copied(event), reason: '称重有误' },
    inputs: event.inputs.map(written),
    outputs: event.outputs.map(written),
    attributes: texts(event.attributes),
  };

  it('that nothing was changed in sends back what the event held', () => {
    const { id, subject, event_time, domain, type, inputs, outputs, attributes, documents, evidence, place, counterparty, external_id } =
      event;
    expect(bodyOf(filled, spec, event)).toEqual({
      ...{ domain, type, subject: subject?.code, event_time, inputs, outputs, attributes, documents, evidence, place, counterparty },
      ...{ external_id, correction_of: id, correction_reason: '称重有误' },
    });
  });

  it('shows times of China, to the second', () => {
    expect(filled.draft.time).toBe('2026-11-01T08:00:30');
    const changed = { ...filled, draft: { ...filled.draft, time: '2026-11-01T09:00:30' } };
    expect(bodyOf(changed, spec, event).event_time).toBe('2026-11-01T09:00:30+08:00');
  });

  it('lets go of what is emptied, also of what its type no longer asks for', () => {
    expect(fieldsFor(spec, event).map((field) => field.name)).toEqual(['area', 'workers', 'begun_at', 'of_old']);
    const changed = { ...filled, attributes: { ...filled.attributes, of_old: '', area: '2.5' } };
    expect(bodyOf(changed, spec, event).attributes).toEqual({ area: '2.5', workers: 3, begun_at: '2026-10-31T22:00:00Z' });
  });
});

describe('a form', () => {
  it('keeps what was typed when another type is chosen', () => {
    const line = { ...blank(), code: 'A-1' };
    expect(linesFor([line, blank()], 1, blank)).toEqual([line]);
    expect(linesFor([line], 0, blank)).toEqual([line]);
    expect(linesFor([], 1, blank)).toEqual([blank()]);
    const none = { ...spec, inputs: { min: 0, max: 0, mode: 'none' } } as PackEvent;
    expect(bodyOf({ draft: empty(), inputs: [line], outputs: [], attributes: {} }, none)['inputs']).toEqual([]);
  });

  it('offers the kind of a recorded paper as it was written', () => {
    expect(paperKinds(undefined, '植物检疫证书')[0]).toEqual(['植物检疫证书', '植物检疫证书']);
    const named = paperKinds(undefined, '运单');
    expect(named.filter(([, label]) => label === '运单')).toEqual([['运单', '运单']]);
    expect(paperKinds(undefined, 'waybill').some(([, label]) => label === 'waybill')).toBe(false);
  });
});

describe('a time', () => {
  it('is picked in China and said with its zone', () => {
    expect(['2026-11-01T00:00:00Z', '2026-11-01T08:00:00+08:00', '2026-11-01T08:00:00.250+08:00', ''].map(picked)).toEqual([
      '2026-11-01T08:00',
      '2026-11-01T08:00',
      '2026-11-01T08:00:00.250',
      '',
    ]);
    expect(['2026-11-01T08:00', '2026-11-01T08:00:30', '2026-11-01T00:00:00Z', '2026-11-01'].map(offset)).toEqual([
      '2026-11-01T08:00:00+08:00',
      '2026-11-01T08:00:30+08:00',
      '2026-11-01T00:00:00Z',
      '2026-11-01',
    ]);
  });
});
