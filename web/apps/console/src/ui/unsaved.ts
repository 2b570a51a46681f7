/** Forms that are not saved yet: nobody leaves one without being asked, and what was typed outlives an ended session. */
import { onBeforeUnmount, onMounted, reactive } from 'vue';

interface Form {
  key: string;
  touched(): boolean;
  /** What was typed, as text can hold it. */
  typed(): unknown;
}
const forms = new Set<Form>();
/** By form, for whoever typed it; in this page's memory alone, for it may say who somebody is. */
const kept = new Map<string, { account: string; typed: string }>();

/** Whether the question is put. */
export const leaving = reactive({ open: false });
let settle: ((leave: boolean) => void) | undefined;

/** Whether a form, or any that is open, may be left: nothing was typed, or somebody said that it may be lost. */
export function mayLeave(key?: string): Promise<boolean> {
  const unsaved = [...forms].some((form) => (key === undefined || form.key === key) && form.touched());
  if (!unsaved) return Promise.resolve(true);
  settle?.(false);
  leaving.open = true;
  return new Promise((resolve) => {
    settle = resolve;
  });
}

export function answerLeaving(leave: boolean): void {
  leaving.open = false;
  settle?.(leave);
  settle = undefined;
}

/** A session ended by itself: what was typed waits for its owner to log in again. */
export function holdUnsaved(account: string): void {
  for (const form of forms) {
    if (form.touched()) kept.set(form.key, { account, typed: JSON.stringify(form.typed()) });
  }
}

/** What somebody typed before their session ended; nobody else's. */
export function heldFor<T>(key: string, account: string | undefined): T | undefined {
  const held = kept.get(key);
  if (held?.account === account) return held && (JSON.parse(held.typed) as T);
  kept.delete(key);
  return undefined;
}

/** The same, once. */
export function takeHeld<T>(key: string, account: string | undefined): T | undefined {
  const held = heldFor<T>(key, account);
  kept.delete(key);
  return held;
}

/** Whoever logs out leaves nothing. */
export const dropHeld = (): void => kept.clear();

const warn = (event: BeforeUnloadEvent): void => {
  if ([...forms].some((form) => form.touched())) event.preventDefault();
};

/**
 * A form stands among the unsaved ones as long as it is shown. `typed`: what it holds; `work`: what of that would be lost,
 * where it is less. `begun` says that this is where it begins.
 */
export function useUnsaved(key: string, typed: () => unknown, work: () => unknown = typed) {
  let start = JSON.stringify(work());
  const form: Form = { key, typed, touched: () => JSON.stringify(work()) !== start };
  onMounted(() => {
    forms.add(form);
    addEventListener('beforeunload', warn);
  });
  onBeforeUnmount(() => {
    forms.delete(form);
    if (forms.size === 0) removeEventListener('beforeunload', warn);
  });
  const begun = (): void => {
    start = JSON.stringify(work());
  };
  return { begun };
}
