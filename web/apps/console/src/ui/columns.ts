/** Columns of a table, and in which order they stand. */
export interface Column<R> {
  key: string;
  label: string;
  sortable?: boolean;
  numeric?: boolean;
  text?: (row: R) => string;
  wide?: boolean;
  /** Sentences: all of it is shown, in as many lines as it needs. */
  whole?: boolean;
  /** On a phone it comes before the others: what a row is told by. */
  lead?: boolean;
}

/** On a phone those that lead come first; what is left is reached by scrolling. */
export const arranged = <R>(columns: Column<R>[], narrow: boolean): Column<R>[] =>
  narrow ? [...columns.filter((one) => one.lead), ...columns.filter((one) => !one.lead)] : columns;
