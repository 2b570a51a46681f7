/** Which events are recorded by scanning: goods that come, go or are looked at under codes they have. */
import type { Pack, PackEvent } from '../../domain/types';

export type Direction = 'in' | 'out' | 'observe';
export interface Kind {
  domain: string;
  stage: string;
  event: PackEvent;
  direction: Direction;
}

export const DIRECTIONS: Record<Direction, string> = { in: '入库', out: '出库', observe: '查验登记' };
/** What is made anew gets codes of its own, and is no matter of scanning. */
const MAKING = ['primary_production', 'processing'];
/** 退回供方, 销毁, 抽检, 召回出库: what becomes of goods that are called back. */
const AGAINST_RECALL = ['202', '205', '206', '211', '103', '108'];

/** Where goods go by an event type; `undefined` where it is not recorded by scanning. */
export function directionOf(stage: string, event: PackEvent): Direction | undefined {
  if (event.inputs.max === 0) return undefined;
  if (event.inputs.mode === 'observe') return event.outputs.max === 0 ? 'observe' : undefined;
  if (event.packing || MAKING.includes(stage) || event.movement === '101' || event.movement === '208') return undefined;
  return event.movement?.startsWith('1') ? 'in' : 'out';
}

export function kindsOf(pack: Pack): Kind[] {
  return pack.stages.flatMap(({ stage, events }) =>
    events.flatMap((event) => {
      const direction = directionOf(stage, event);
      return direction ? [{ domain: pack.code, stage, event, direction }] : [];
    }),
  );
}

/** Whether goods that are called back may take this way. */
export const takesRecalled = ({ event, direction, stage }: Kind): boolean =>
  direction === 'observe' || stage === 'supervision' || AGAINST_RECALL.includes(event.movement ?? '');
