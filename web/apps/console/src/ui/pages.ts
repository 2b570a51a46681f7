/**
 * Pages by cursor (G-6.2.3): a page begins after the last row of the one before it, whatever has arrived
 * meanwhile, so no row is shown twice and none is passed over.
 */
export interface Place {
  /** Where the pages before this one begin, from the first on; the first begins at no cursor. */
  before: (string | undefined)[];
  /** Where this page begins. */
  after: string | undefined;
}

export const BEGINNING: Place = { before: [], after: undefined };

export const forward = (place: Place, next: string): Place => ({ before: [...place.before, place.after], after: next });
export const backward = (place: Place): Place => ({ before: place.before.slice(0, -1), after: place.before.at(-1) });

/** Which page it is; unknown where somebody came by a link into the middle. */
export const numberOf = ({ before, after }: Place): number | undefined =>
  [...before, after][0] === undefined ? before.length + 1 : undefined;
