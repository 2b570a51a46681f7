/** Offers the proof check and the switches on the story page; what does the checking is loaded when asked for. */

import { offerViews } from './view';

const switches = document.querySelector<HTMLElement>('#switches');
if (switches) offerViews(switches);

const button = document.querySelector<HTMLButtonElement>('#verify');
const list = document.querySelector<HTMLElement>('#verdict');
if (button && list) {
  button.hidden = false;
  button.addEventListener('click', async () => {
    button.disabled = true;
    button.textContent = '正在本机校验…';
    try {
      const { check } = (await import('/portal/verify.js' as string)) as typeof import('./verify');
      await check(button.dataset.code ?? '', button.dataset.fingerprint ?? '', list);
      button.textContent = '重新校验';
    } catch {
      list.textContent = '校验程序没有加载成功，请检查网络后重试。';
      button.textContent = '重试';
    }
    button.disabled = false;
  });
}
