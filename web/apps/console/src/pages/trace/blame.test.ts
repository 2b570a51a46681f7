import { expect, it } from 'vitest';
import { blamed } from './blame';

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
