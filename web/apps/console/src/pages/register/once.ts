/** What may be registered once only. */
import { Problem } from '../../api';
import { bare } from '../../ui/refusal';

/** Of the fields that may not be repeated, those that others which nobody fills in are made of: what is repeated may be told by these alone. */
const ONCE: Record<string, string> = {
  // An organization's path holds its code.
  organization: 'code',
};

/** That there is such a record already is said at the field that tells them apart, where the server names none. */
export function atField(problem: Problem, table: string): Problem {
  const field = ONCE[table];
  if (problem.code !== 'duplicate' || problem.errors.length > 0 || !field) return problem;
  const errors = [{ field, detail: bare(problem.message) }];
  return new Problem(problem.message, problem.status, problem.code, problem.requestId, errors);
}
