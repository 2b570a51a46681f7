/** What may be registered once only. */
import { Problem } from '../../api';
import { bare } from '../../ui/refusal';

/** Of the registers whose forms have one field alone that may not be repeated: which. */
const ONCE: Record<string, string> = {
  account: 'user_name',
  code_batch: 'code',
  code_rule: 'prefix',
  device: 'mac',
  organization: 'code',
  resolver_upstream: 'prefix',
};

/** That there is such a record already is said at the field that tells them apart, where there is no doubt which. */
export function atField(problem: Problem, table: string): Problem {
  const field = ONCE[table];
  if (problem.code !== 'duplicate' || problem.errors.length > 0 || !field) return problem;
  const errors = [{ field, detail: bare(problem.message) }];
  return new Problem(problem.message, problem.status, problem.code, problem.requestId, errors);
}
