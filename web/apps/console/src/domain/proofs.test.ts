import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { eventProofName, proofName } from './proofs';
import type { TraceEvent } from './types';

const event = (more: object): TraceEvent =>
  ({
    type: 'harvest',
    type_name: '采收',
    event_time: '2026-11-10T23:30:00Z',
    lot: null,
    inputs: [],
    outputs: [],
    ...more,
  }) as unknown as TraceEvent;

describe('the file of a proof', () => {
  it('is called by what happened, to which goods, on which day here', () => {
    const [inputs, outputs] = [[{ code: 'F1-A' }], [{ code: 'F1-B' }, { code: 'F1-C' }]];
    expect(eventProofName(event({ inputs, outputs }))).toBe('存证证明-采收-F1-B-2026-11-11.yjproof');
    expect(eventProofName(event({ inputs }))).toBe('存证证明-采收-F1-A-2026-11-11.yjproof');
    expect(eventProofName(event({ lot: '示例批' }))).toBe('存证证明-采收-示例批-2026-11-11.yjproof');
    expect(eventProofName(event({ type_name: null }))).toBe('存证证明-harvest-2026-11-11.yjproof');
  });

  it('has letters alone that every file system takes', () => {
    expect(proofName('/01/06901234567892/21/5')).toBe('存证证明-01-06901234567892-21-5.yjproof');
    expect(proofName('..\\..\\甲:乙*?"<>|\u202e\u0000\n丙.')).toBe('存证证明-甲-乙-丙.yjproof');
  });

  it('is called as the platform calls it', () => {
    const vectors = new URL('../../../../../crates/ledger/vectors/proof_names.json', import.meta.url);
    const cases = JSON.parse(readFileSync(vectors, 'utf8')) as { told: string[]; name: string }[];
    expect(cases.length).toBeGreaterThan(5);
    for (const { told, name } of cases) expect(proofName(...told)).toBe(name);
  });

  it('is no longer than they take, and keeps the end', () => {
    const name = proofName(`${'码'.repeat(200)}-0042`);
    expect([...name].length).toBeLessThanOrEqual(73);
    expect(new TextEncoder().encode(name).length).toBeLessThan(250);
    expect(name).toMatch(/^存证证明-码+…码+-0042\.yjproof$/);
  });
});
