/** A packing list as people paste it from a spreadsheet or a scanner. */
export interface Pack {
  parent: string;
  first: string;
  last: string | null;
}

/** Lines of two or three codes, with commas, tabs or semicolons between; empty ones count for nothing. */
export function packs(text: string): Pack[] {
  return text
    .split(/\r?\n/)
    .map((line) => line.split(/[,，;；\t]/).map((cell) => cell.trim()))
    .filter((cells) => cells.some((cell) => cell))
    .map(([parent = '', first = '', last = '']) => ({ parent, first, last: last || null }));
}
