/** 再次验证: a dangerous act waits until its user has shown who they are. */
import { reactive } from 'vue';

let settle: ((shown: boolean) => void) | undefined;

/** Whether the dialog is open. */
export const proof = reactive({ open: false });

/** Asks for a proof; true once it was given. */
export function askForProof(): Promise<boolean> {
  settle?.(false);
  proof.open = true;
  return new Promise((resolve) => {
    settle = resolve;
  });
}

export function answerProof(shown: boolean): void {
  proof.open = false;
  settle?.(shown);
  settle = undefined;
}
