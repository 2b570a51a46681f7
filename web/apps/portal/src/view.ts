/** 大字 and 高对比 (GB/T 37668): switches that the reader's browser remembers. */

const remembered = (name: string): boolean => {
  try {
    return localStorage.getItem(`view-${name}`) === 'on';
  } catch {
    return false;
  }
};

function show(button: HTMLButtonElement, name: string, on: boolean): void {
  document.documentElement.toggleAttribute(`data-${name}`, on);
  button.setAttribute('aria-pressed', String(on));
}

export function offerViews(place: HTMLElement): void {
  for (const button of place.querySelectorAll<HTMLButtonElement>('button[data-view]')) {
    const name = button.dataset.view!;
    show(button, name, remembered(name));
    button.addEventListener('click', () => {
      const on = button.getAttribute('aria-pressed') !== 'true';
      show(button, name, on);
      try {
        localStorage.setItem(`view-${name}`, on ? 'on' : '');
      } catch {
        // Without a store it lasts as long as the page.
      }
    });
  }
  place.hidden = false;
}
