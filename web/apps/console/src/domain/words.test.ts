/** Whatever the audit trail can name has a Chinese word. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { ACTIONS, ENTITIES } from './words';

const CRATES = fileURLToPath(new URL('../../../../../crates', import.meta.url));

/** Sources of the programs, without their tests. */
function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return ['tests', 'target'].includes(entry.name) ? [] : sources(path);
    return entry.name.endsWith('.rs') ? [readFileSync(path, 'utf8')] : [];
  });
}

/** What a pattern finds in files that write to the trail, and in how many places. */
const all = sources(CRATES);
const trail = all.filter((text) => /audit::(?:write|note_use|Entry)|crate::audit|fn note\(/.test(text));
const said = (texts: string[], pattern: RegExp): string[] => [
  ...new Set(texts.flatMap((text) => [...text.matchAll(pattern)].map((found) => found[1]!))),
];

describe('审计中的名称', () => {
  it('every entity has its word', () => {
    const entities = [
      // Registers by their tables, entries by their own text or a name in their file, helpers by theirs.
      ...said(all, /const TABLE: &'static str = "([a-z_]+)"/g),
      ...said(trail, /const (?:TABLE|ENTITY): &str = "([a-z_]+)"/g),
      ...said(trail, /\bentity: "([a-z_]+)"/g),
      ...said(trail, /let entity = "([a-z_]+)"/g),
      ...said(trail, /\bnote_use\(\s*&?\w+,\s*"([a-z_]+)"/g),
      ...said(all, /\bnote\(\s*&?\w+,\s*(?:&mut )?tx,\s*\(\s*"([a-z_]+)",\s*"[a-z_]+"/g),
    ];
    expect(entities.length).toBeGreaterThan(60);
    for (const known of ['epcis_socket', 'trace_event', 'ledger_witness_alarm', 'map_pack', 'account']) expect(entities).toContain(known);
    expect([...new Set(entities)].filter((entity) => !(entity in ENTITIES))).toEqual([]);
  });

  it('every action that is written as a word has its word', () => {
    const actions = [
      ...said(trail, /Entry \{\s*action: "([a-z_]+)"/g),
      ...said(all, /\bnote\(\s*&?\w+,\s*(?:&mut )?tx,\s*\(\s*"[a-z_]+",\s*"([a-z_]+)"/g),
    ];
    expect(actions.length).toBeGreaterThan(40);
    expect(actions.filter((action) => !(action in ACTIONS))).toEqual([]);
  });
});
