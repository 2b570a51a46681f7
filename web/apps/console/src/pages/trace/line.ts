/** One line of what goes into an event or comes out of it, as it is written down. */
import type { TraceEvent } from '../../domain/types';

export interface Line {
  code: string;
  quantity: string;
  unit: string;
  product: string;
  lot: string;
  external: boolean;
}

export const blank = (): Line => ({ code: '', quantity: '', unit: 'KGM', product: '', lot: '', external: false });

/** A line as it was recorded. */
export const written = (one: TraceEvent['inputs'][number]): Line => ({
  code: one.code,
  quantity: one.quantity ?? '',
  unit: one.unit ?? 'KGM',
  product: one.product ?? '',
  lot: one.lot ?? '',
  external: one.external ?? false,
});

/** What is sent of an input; what is only looked at has no quantity. */
export const input = (line: Line, observed: boolean) => ({
  code: line.code,
  ...(observed && !line.quantity ? {} : { quantity: line.quantity, unit: line.unit }),
  ...(line.external ? { external: true } : {}),
});

export const output = (line: Line) => ({
  code: line.code,
  quantity: line.quantity,
  unit: line.unit,
  ...(line.product ? { product: line.product } : {}),
  ...(line.lot ? { lot: line.lot } : {}),
});
