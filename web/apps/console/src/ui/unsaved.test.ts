// @vitest-environment jsdom
import { afterEach, describe, expect, it } from 'vitest';
import { createApp, defineComponent, reactive } from 'vue';
import { answerLeaving, dropHeld, heldFor, holdUnsaved, leaving, mayLeave, takeHeld, useUnsaved } from './unsaved';

const typed = reactive({ reason: '' });
const open = () => {
  const app = createApp(
    defineComponent({
      setup() {
        useUnsaved('event', () => typed);
        return () => undefined;
      },
    }),
  );
  app.mount(document.createElement('div'));
  return () => app.unmount();
};

describe('a form that is not saved', () => {
  let close = (): void => undefined;
  afterEach(() => {
    close();
    dropHeld();
    typed.reason = '';
  });

  it('is left at once where nothing was typed, and else after a question', async () => {
    close = open();
    expect(await mayLeave()).toBe(true);
    typed.reason = '示例';
    const stays = mayLeave();
    expect(leaving.open).toBe(true);
    answerLeaving(false);
    expect(await stays).toBe(false);
    const leaves = mayLeave();
    answerLeaving(true);
    expect(await leaves).toBe(true);
    close();
    expect(await mayLeave()).toBe(true);
  });

  it('waits for its owner to log in again, once, and for nobody else', () => {
    close = open();
    holdUnsaved('a');
    expect(heldFor('event', 'a')).toBeUndefined();
    typed.reason = '示例';
    holdUnsaved('a');
    expect(heldFor('event', 'a')).toEqual({ reason: '示例' });
    expect(takeHeld('event', 'a')).toEqual({ reason: '示例' });
    expect(takeHeld('event', 'a')).toBeUndefined();
    holdUnsaved('a');
    expect(takeHeld('event', 'b')).toBeUndefined();
    expect(takeHeld('event', 'a')).toBeUndefined();
  });
});
