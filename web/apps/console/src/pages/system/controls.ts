/** The controls of level 3 and what is known of each. */
export interface Setting {
  key: string;
  feature: string;
  value: string;
  floor: string;
  holds: boolean;
}
export interface Check {
  at: string;
  passed: boolean;
  finding: string;
}
export interface Control {
  number: string;
  clause: string;
  feature: string;
  settings: Setting[];
  /** What the last check found; nothing where a running platform cannot be asked without harm. */
  check: Check | null;
  tests: string[];
}
export interface Report {
  profile: string;
  module: string;
  version: string;
  at: string;
  platform: string;
  operator: string;
  items: Control[];
}

/** No setting below its floor, and nothing found by the last check. */
export const inOrder = (control: Control): boolean => control.check?.passed !== false && control.settings.every((one) => one.holds);

/** When the controls were last checked; nothing before the first time. */
export const lastCheck = (report: Report): string | undefined =>
  report.items
    .flatMap(({ check }) => (check ? [check.at] : []))
    .sort()
    .pop();

/** One of `CHECK_STATES`: before the first check nothing is claimed. */
export function conclusion(control: Control, checked: boolean): string {
  if (control.check) return control.check.passed ? 'passed' : 'failed';
  return checked ? 'tested' : 'never';
}

/** Its clauses; one that names no standard is of GB/T 22239. */
export const clauses = (control: Control): string[] =>
  control.clause.split('；').map((clause) => (/^\d/.test(clause) ? `GB/T 22239 ${clause}` : clause));
