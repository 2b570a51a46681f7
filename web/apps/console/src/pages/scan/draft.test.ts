// @vitest-environment jsdom
import { describe, expect, it } from 'vitest';
import type { PackField } from '../../domain/types';
import { emptyDraft, keepDraft, openDraft, secretOf } from './draft';

const field = (name: string, more: Partial<PackField> = {}): PackField => ({ name, label: name, kind: 'text', required: false, ...more });

describe('a scan that is kept', () => {
  it('holds neither who somebody is nor what something cost', () => {
    const fields = [field('stall'), field('driver', { class: 'personal' }), field('unit_price', { class: 'sensitive' })];
    const draft = { ...emptyDraft('agri', 'wholesale'), attributes: { stall: '1', driver: '示例', unit_price: '2.8' } };
    keepDraft('a', draft, secretOf(fields));
    expect(openDraft('a').attributes).toEqual({ stall: '1' });
    expect(secretOf().size).toBe(0);
  });
});
