import { expect, it } from 'vitest';
import type { Field, Stored } from '../domain/types';
import { called, holding } from './picking';

const field = (name: string, codes: [string, string][] = []): Field => ({ name, codes }) as unknown as Field;
const device = { id: '1', mac: 'A4:BB:6D:00:01:04', kind: 'sensor' } as unknown as Stored;
const fields = [field('mac'), field('kind', [['sensor', '温湿度与环境传感器']])];

it('finds and calls a device by its address, for it has no name', () => {
  expect(called(device, fields)).toBe('A4:BB:6D:00:01:04（温湿度与环境传感器）');
  expect(holding([device], fields, '6d-00')).toEqual([device]);
  expect(holding([device], fields, 'FF:FF')).toEqual([]);
});

it('calls what has a name by it', () => {
  const named = { id: '2', name: '示例公司', code: '91' } as unknown as Stored;
  expect(called(named, [field('name')])).toBe('示例公司（91）');
  expect(called({ id: '3', name: '示例角色' } as unknown as Stored, [field('name')])).toBe('示例角色');
});
