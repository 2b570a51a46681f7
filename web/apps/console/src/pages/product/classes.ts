/** The catalogue as the interface gives it. */

export interface CatalogueClass {
  /** Absent in a published version, which nobody changes. */
  id?: string;
  version?: number;
  code: string;
  name: string;
  parent_code: string | null;
  level: number;
  national: boolean;
  region: string | null;
  gbt7635_1: string | null;
  gpc_brick: string | null;
  hs6: string | null;
  legal_list: string | null;
  in_scope_from: string;
  out_of_scope_from: string | null;
  edition: number | null;
  draft?: boolean;
  in_scope: boolean;
  /** With those below; null for who may not see products. */
  products: number | null;
}
export interface Tree {
  items: CatalogueClass[];
  in_force: { number: number; effective_on: string };
}
export interface Version {
  number: number;
  effective_on: string;
  published_by: string;
  note: string;
  classes: number;
}

export const LEVELS = ['', '领域', '行业', '类', '品种', '地方细分'];

/** Longest code of a class. */
export const CODE_MAX = 10;

/** Classes drawn at once; more than people read. */
const FOUND_MAX = 200;

/** What the tree shows: what is below opened classes; or what a text finds, with all above it. */
export function shown(items: CatalogueClass[], opened: ReadonlySet<string>, words: string): CatalogueClass[] {
  if (!words) return items.filter((item) => item.parent_code === null || ancestors(item.code).every((code) => opened.has(code)));
  const found = items.filter((item) => item.code.startsWith(words) || item.name.includes(words)).slice(0, FOUND_MAX);
  const wanted = new Set(found.flatMap((item) => [item.code, ...ancestors(item.code)]));
  return items.filter((item) => wanted.has(item.code));
}

export function ancestors(code: string): string[] {
  return Array.from({ length: code.length / 2 - 1 }, (_, at) => code.slice(0, at * 2 + 2));
}

/** The next free code below a class; localities leave the first half of the upper levels to the national catalogue. */
export function nextCode(items: CatalogueClass[], parent: CatalogueClass): string {
  const taken = new Set(items.map((item) => item.code));
  for (let number = parent.level < 3 ? 50 : 1; number < 100; number += 1) {
    const code = parent.code + String(number).padStart(2, '0');
    if (!taken.has(code)) return code;
  }
  return '';
}
