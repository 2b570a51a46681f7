import { expect, it } from 'vitest';
import { bare, blamed, valueAt } from './blame';

it('names the field of the form that each error is about', () => {
  const spec = { fields: [{ name: 'plot', label: '地块编号' }] } as unknown as Parameters<typeof blamed>[1];
  const error = (field: string, detail: string) => ({ field, detail });
  const errors = [
    error('event_time', '应为带时区偏移的时间，如 2026-11-01T08:00:00+08:00'),
    error('outputs[1].quantity', '应为十进制数'),
    error('attributes.plot', '地块编号：必填'),
    error('surprise', '没有这个字段'),
  ];
  const details = blamed(errors, spec, (path) => path === 'event_time').map(({ detail }) => detail);
  expect(details).toEqual(['发生时间：必填', '产出第 2 行数量：应为十进制数', '地块编号：必填', '没有这个字段']);
});

it('says beside a field what is wrong without naming it again', () => {
  expect(bare('发生时间：必填')).toBe('必填');
  expect(bare('产出第 2 行数量：应为十进制数')).toBe('应为十进制数');
  expect(bare('没有这个字段')).toBe('没有这个字段');
  expect(bare('批次不足，请核对：现有 5')).toBe('批次不足，请核对：现有 5');
});

it('finds what stands at a path', () => {
  const body = { inputs: [{ code: 'A' }], attributes: { plot: '' }, place: null };
  expect(valueAt(body, 'inputs[0].code')).toBe('A');
  expect(valueAt(body, 'attributes.plot')).toBe('');
  for (const path of ['inputs[1].code', 'place.region', 'nothing']) expect(valueAt(body, path)).toBeUndefined();
});
