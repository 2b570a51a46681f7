/** What the proofs of a story say together: that they lead to the code, and what the page shows. */

import type { Verdict } from '../../../packages/proof/src/verify';

interface Shown {
  date: string;
  stage: string;
}
interface Facts extends Shown {
  inputs: string[];
  outputs: string[];
}

const OUTPUT = 1;

function facts({ record }: Verdict): Facts {
  const field = (name: string): unknown => record?.shown.find((one) => one.name === name)?.value;
  const codes = (role: (found: unknown) => boolean): string[] =>
    (record?.shown ?? [])
      .filter(({ name }) => /^\/links\/\d+\/code$/.test(name) && role(field(name.replace('/code', '/role'))))
      .map(({ value }) => String(value));
  return {
    date: String(field('/event_time') ?? '').slice(0, 10),
    stage: String(field('/stage') ?? ''),
    outputs: codes((role) => role === OUTPUT),
    inputs: codes((role) => role !== OUTPUT),
  };
}

/** `linked`: every record touches the code, or something that went into it. `matches`: the page
 * shows each record's day and stage. */
export function checkStory(code: string, verdicts: Verdict[], page: Shown[]): { linked: boolean; matches: boolean } {
  const all = verdicts.filter((verdict) => verdict.ok).map(facts);
  const reached = new Set([code]);
  for (let before = 0; before !== reached.size;) {
    before = reached.size;
    for (const { inputs, outputs } of all) {
      if (outputs.some((output) => reached.has(output))) inputs.forEach((input) => reached.add(input));
    }
  }
  const linked = all.every(({ inputs, outputs }) => [...inputs, ...outputs].some((one) => reached.has(one)));
  const key = ({ date, stage }: Shown): string => `${date} ${stage}`;
  const [proved, shown] = [all.map(key).sort(), page.map(key).sort()];
  return { linked: linked && all.length > 0, matches: proved.join() === shown.join() };
}
