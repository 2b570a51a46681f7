/** Fields of a form by the paths that errors name. What holds a field says by `data-field` which it is. */

const CONTROL = 'input:not([disabled]):not([type="hidden"]), textarea:not([disabled]), select:not([disabled])';

/** The path itself, then what it lies in: `inputs[0].code`, `inputs[0]`, `inputs`. */
function ways(path: string): string[] {
  const inside = path.search(/[.[][^.[]*$/);
  return inside > 0 ? [path, ...ways(path.slice(0, inside))] : [path];
}

/** The field of the form that an error is about: its own, that which holds it, or the first that it holds. */
export function nearest(path: string, known: string[]): string | undefined {
  for (const way of [...ways(path), `attributes.${path}`]) {
    const found = known.includes(way) ? way : known.find((one) => one.startsWith(`${way}.`) || one.startsWith(`${way}[`));
    if (found) return found;
  }
  return undefined;
}

const places = (form: HTMLElement): HTMLElement[] => [...form.querySelectorAll<HTMLElement>('[data-field]')];
const control = (place: HTMLElement): HTMLElement | null => (place.matches(CONTROL) ? place : place.querySelector<HTMLElement>(CONTROL));

/** What a form has, from top to bottom. */
export const fieldsOf = (form: HTMLElement): string[] => places(form).map((place) => place.dataset['field']!);

export function focusField(form: HTMLElement, path: string): void {
  const place = places(form).find((one) => one.dataset['field'] === path);
  if (place) control(place)?.focus();
}

/** Says of every field, for those who hear the form, whether it is wrong. */
export function mark(form: HTMLElement, isWrong: (path: string) => boolean): void {
  for (const place of places(form)) {
    if (isWrong(place.dataset['field']!)) control(place)?.setAttribute('aria-invalid', 'true');
    else control(place)?.removeAttribute('aria-invalid');
  }
}
