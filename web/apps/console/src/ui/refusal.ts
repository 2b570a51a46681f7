/** A form that was refused: what is wrong with which field, and the way there. */
import { computed, nextTick, ref, type Ref, watch } from 'vue';
import { Problem } from '../api';
import { fieldsOf, focusField, mark, nearest } from './fields';

/** What stands at a path such as `inputs[0].code`. */
export const valueAt = (body: unknown, path: string): unknown =>
  path
    .split(/[.[\]]+/)
    .filter(Boolean)
    .reduce<unknown>((value, key) => (value as Record<string, unknown> | null | undefined)?.[key], body);

/** What is wrong, without the field's name before it: said beside the field. */
export const bare = (detail: string): string => /^[^：，。]{1,30}：(.+)$/s.exec(detail)?.[1] ?? detail;

/** `body`: what the form says; `said`: a problem in the words of the form. */
export function useRefusal(
  form: Ref<HTMLElement | undefined>,
  body: () => Record<string, unknown>,
  said: (error: Problem) => Problem = (error) => error,
) {
  const [problem, refused] = [ref<Problem>(), ref<Record<string, unknown>>()];
  /** By the fields of the form; of several errors of a field, the first. A field counts as wrong until it is changed. */
  const wrong = computed(() =>
    Object.fromEntries(
      (problem.value?.errors ?? [])
        .filter(({ field }) => JSON.stringify(valueAt(body(), field)) === JSON.stringify(valueAt(refused.value, field)))
        .map(({ field, detail }) => [field, bare(detail)])
        .reverse(),
    ),
  );
  watch(wrong, (now) => form.value && mark(form.value, (path) => path in now), { flush: 'post' });
  const go = (path: string): void => {
    if (form.value) focusField(form.value, path);
  };

  /** Says what is wrong, and leads to the topmost of the fields that it is about. */
  async function refuse(error: unknown): Promise<void> {
    const told = error instanceof Problem ? said(error) : new Problem('没有保存，请重试', 0, 'unknown', '', []);
    const known = form.value ? fieldsOf(form.value) : [];
    const errors = told.errors.map((one) => ({ ...one, field: nearest(one.field, known) ?? one.field }));
    const text = errors.length > 1 ? `有 ${errors.length} 处需要改正：` : (errors[0]?.detail ?? told.message);
    refused.value = body();
    problem.value = new Problem(text, told.status, told.code, told.requestId, errors);
    await nextTick();
    const first = known.find((path) => path in wrong.value);
    if (first) go(first);
  }
  const clear = (): void => {
    problem.value = undefined;
  };
  return { problem, wrong, refuse, clear, go };
}
