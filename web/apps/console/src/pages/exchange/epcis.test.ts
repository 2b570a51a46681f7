import { describe, expect, it } from 'vitest';
import { errorText, progressOf, stateOf, thingsOf, wall, type Capture } from './epcis';

const capture = (parts: Partial<Capture>): Capture => ({
  captureID: '1',
  createdAt: '2026-11-19T04:00:00.000Z',
  running: false,
  success: true,
  captureErrorBehaviour: 'rollback',
  captured: 0,
  duplicates: 0,
  refused: 0,
  told: 0,
  untold: [],
  errors: [],
  ...parts,
});

describe('EPCIS', () => {
  it('says how far a capture is and how it ended', () => {
    expect(stateOf(capture({ running: true }))).toBe('running');
    expect(stateOf(capture({ captured: 3 }))).toBe('done');
    expect(stateOf(capture({ success: false, captured: 3 }))).toBe('partly');
    expect(stateOf(capture({ success: false }))).toBe('failed');
    expect(progressOf(capture({ running: true, checked: 500 }))).toBe('已检查 500');
    expect(progressOf(capture({ running: true, captured: 2 }))).toBe('已收 2');
  });

  it('tells times of the wall, errors in one sentence, and what an event names', () => {
    expect(wall('2026-11-19T20:00:00.000Z')).toBe('2026-11-20 04:00');
    expect(wall(undefined)).toBe('—');
    expect(errorText({ detail: '总', errors: [{ field: 'eventTime', detail: '应为时间' }] })).toBe('eventTime：应为时间');
    expect(errorText({ detail: '总' })).toBe('总');
    expect(thingsOf({ type: 'ObjectEvent', eventTime: '', epcList: ['a'], quantityList: [{ epcClass: 'b' }] })).toBe('a，b');
    expect(thingsOf({ type: 'ObjectEvent', eventTime: '', epcList: ['a', 'b', 'c', 'd'] })).toBe('a，b，c 等 4 项');
  });
});
