// @vitest-environment jsdom
import { expect, it } from 'vitest';
import { nextTick, reactive, ref } from 'vue';
import { Problem } from '../api';
import { bare, useRefusal, valueAt } from './refusal';

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

it('leads to the topmost wrong field, and counts it as wrong until it is changed', async () => {
  document.body.innerHTML = `<form><label data-field="subject"><input id="subject"></label>
    <input id="code" data-field="inputs[0].code"><div data-field="place.region"><select id="region"></select></div></form>`;
  const draft = reactive({ subject: '', inputs: [{ code: '' }] });
  const form = ref<HTMLElement>(document.querySelector('form')!);
  const refusal = useRefusal(form, () => ({ ...draft, inputs: draft.inputs.map((one) => ({ ...one })) }));
  const error = (field: string, detail: string) => ({ field, detail });
  const errors = [error('surprise', '没有这个字段'), error('inputs[0].code', '追溯码：必填'), error('inputs[0].unit', '没有这个单位')];
  await refusal.refuse(new Problem('有误', 422, 'invalid', '', [...errors, error('subject', '主体：必填')]));
  expect(document.activeElement?.id).toBe('subject');
  expect(refusal.problem.value?.message).toBe('有 4 处需要改正：');
  expect(refusal.wrong.value['inputs[0].code']).toBe('必填');
  expect(document.querySelector('#code')?.getAttribute('aria-invalid')).toBe('true');
  refusal.go('inputs[0].code');
  expect(document.activeElement?.id).toBe('code');
  draft.inputs[0]!.code = 'A-1';
  await nextTick();
  expect(Object.keys(refusal.wrong.value)).toEqual(['subject', 'surprise']);
  expect(document.querySelector('#code')?.hasAttribute('aria-invalid')).toBe(false);
  expect(document.querySelector('#subject')?.getAttribute('aria-invalid')).toBe('true');
});

it('says the one thing that is wrong as it is', async () => {
  const refusal = useRefusal(ref(), () => ({}));
  await refusal.refuse(new Problem('没有权限', 403, 'forbidden', '', []));
  expect(refusal.problem.value?.message).toBe('没有权限');
  await refusal.refuse(new TypeError('x'));
  expect(refusal.problem.value?.message).toBe('没有保存，请重试');
});
