import { describe, expect, it } from 'vitest';
import { Problem } from '../../api';
import { errorText, mediaOf, named, placed, placeText, progressOf, stateOf, thingsOf, wall, type Capture } from './epcis';
import { conditionsText, scheduleText, stepText, typeText } from './vocabulary';

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

  it('says in which event of a document something is wrong', () => {
    const one = { field: 'eventList[1].action', detail: '应为 OBSERVE、ADD、DELETE 之一' };
    const two = { field: 'eventList[0]', detail: '缺少 eventTimeZoneOffset' };
    const told = placed(new Problem('', 400, 'invalid', 'r', [one, two])) as Problem;
    expect(told.message).toBe('第 2 个事件的 action：应为 OBSERVE、ADD、DELETE 之一（另有 1 处错误）');
    expect(told.errors[1]!.detail).toBe('第 1 个事件：缺少 eventTimeZoneOffset');
    expect(placeText('')).toBe('文档');
    expect(mediaOf('示例.XML')).toBe('application/xml');
    expect(mediaOf('示例.jsonld')).toBe('application/json');
  });

  it('says the words of the vocabulary in Chinese, and what it does not know as it was given', () => {
    expect(typeText('ObjectEvent')).toBe('对象事件');
    expect(stepText('urn:epcglobal:cbv:bizstep:shipping')).toBe('发货');
    expect(stepText('https://ref.gs1.org/cbv/BizStep-receiving')).toBe('收货');
    expect(stepText('https://example.com/step')).toBe('https://example.com/step');
    expect(conditionsText({ '@context': [], eventType: ['ObjectEvent'], EQ_bizStep: ['shipping', 'receiving'], EQ_x: 1 })).toBe(
      '事件类型：对象事件；业务步骤：发货 或 收货；EQ_x：1',
    );
    expect(conditionsText({})).toBe('全部事件');
    expect(conditionsText({ GE_eventTime: '2026-11-01T00:00:00+08:00', LT_recordTime: '昨天' })).toBe(
      '发生时间不早于：2026-11-01 00:00；记录时间早于：昨天',
    );
    expect(scheduleText({ minute: '0', hour: '8' })).toBe('每天 8 时 0 分');
    expect(scheduleText({ minute: '0' })).toBe('每小时 0 分');
    expect(scheduleText({ minute: '0', hour: '8', dayOfWeek: '1' })).toBe('每周一 8 时 0 分');
    expect(scheduleText({ hour: '8', dayOfMonth: '1' })).toBe('每月 1 日 8 时');
    expect(scheduleText({ minute: '0/15' })).toBe('每小时 0 分起每隔 15 分');
    expect(scheduleText({ minute: '*/15', hour: '*' })).toBe('每小时 每隔 15 分');
    expect(scheduleText({ minute: '10,50', hour: '[8-18]' })).toBe('每天 8 至 18 时 10、50 分');
    expect(scheduleText({ hour: '8', dayOfWeek: '[1-5]' })).toBe('每周一至五 8 时');
    expect(scheduleText({ hour: '8', dayOfWeek: '1,3' })).toBe('每周一、三 8 时');
  });

  it('names a domain by its name, and leaves what it does not know', () => {
    expect(named('领域 agri 没有与此对应的事件类型；没有现行的领域 zzz')).toBe('食用农产品领域 没有与此对应的事件类型；没有现行的领域 zzz');
    expect(errorText({ detail: '领域 drug 没有事件类型 x' })).toContain('药品领域');
  });
});
