/** Which cells of a failed row an error is about. */
import type { FieldError } from '../../api';

/** A problem names its column; or the field behind it, and the column in words before what is wrong with it. */
export function columnOf({ field, detail }: FieldError, columns: string[]): string | undefined {
  if (columns.includes(field)) return field;
  const [head = ''] = detail.split('：');
  if (columns.includes(head)) return head;
  // "产出数量" is no word about "数量": the longest name is the one that is meant.
  const [longest] = columns.filter((column) => head.includes(column)).sort((one, two) => two.length - one.length);
  return longest;
}
