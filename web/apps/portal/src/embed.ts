/**
 * Puts the page of a trace code into somebody else's page, where the script stands:
 * `<script src="https://…/embed.js" data-code="…" async></script>`
 */
import { heightIn } from './height';

/** Until the page has said how high it is. */
const HEIGHT = 480;

function show(script: HTMLScriptElement): void {
  const { code, lot } = script.dataset;
  if (!code?.trim()) {
    console.error('embed.js：请在 script 标签上写明 data-code');
    return;
  }
  const home = new URL(script.src).origin;
  const frame = document.createElement('iframe');
  frame.src = `${home}/embed/${encodeURIComponent(code.trim())}${lot ? `?lot=${encodeURIComponent(lot)}` : ''}`;
  frame.title = '产品追溯信息';
  frame.loading = 'lazy';
  frame.setAttribute('sandbox', 'allow-scripts allow-same-origin allow-forms allow-popups allow-popups-to-escape-sandbox');
  frame.style.cssText = `display:block;width:100%;max-width:640px;height:${HEIGHT}px;border:0`;
  addEventListener('message', (event) => {
    if (event.source !== frame.contentWindow || event.origin !== home) return;
    const height = heightIn(event.data);
    if (height) frame.style.height = `${height}px`;
  });
  script.after(frame);
}

// A script that was put in by another one later is none that the document runs now.
if (document.currentScript instanceof HTMLScriptElement) show(document.currentScript);
else console.error('embed.js：请以普通的 script 标签引用，不要写 type="module"');
