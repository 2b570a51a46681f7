/** Where the boxes of the swim-lane graph stand: lane by stage, column by longest way from an origin. */
import type { Chain, ChainObject } from '../../domain/types';

/** Whose a unit is, in no more than so many characters; of one that several hold, how many they are. */
export function whose(object: Pick<ChainObject, 'subject' | 'holders'>, length = Infinity): string {
  const [name, several] = [object.subject ?? '', (object.holders?.length ?? 0) > 1];
  const tail = several ? ` 等 ${object.holders?.length} 家` : '';
  const room = length - tail.length;
  return (name.length > room ? `${name.slice(0, room - 1)}…` : name) + tail;
}

export const BOX = { width: 150, height: 48 };
const GAP = { x: 64, y: 12 };
const LANE = { head: 88, pad: 14 };
export const LANES = ['primary_production', 'processing', 'inspection', 'transport', 'distribution', 'supervision', 'consumption'];

export interface PlacedBox {
  object: ChainObject;
  x: number;
  y: number;
  beside: boolean;
}
export interface PlacedLink {
  from: PlacedBox;
  to: PlacedBox;
  path: string;
  label: { x: number; y: number };
  quantity: string | null;
  unit: string;
  outlier: boolean;
  event: string;
}
export interface Layout {
  width: number;
  height: number;
  lanes: { stage: string; y: number; height: number }[];
  boxes: PlacedBox[];
  links: PlacedLink[];
}

/** Column of every object: one more than the rightmost of those it was made from. */
export function columns(codes: string[], flows: { from: string; to: string }[]): Map<string, number> {
  const column = new Map(codes.map((code) => [code, 0]));
  // A chain has no circles; as many rounds as objects are enough for the longest one.
  for (let round = 0, moved = true; moved && round <= codes.length; round += 1) {
    moved = false;
    for (const { from, to } of flows) {
      const next = (column.get(from) ?? 0) + 1;
      if (next > (column.get(to) ?? 0) && next <= codes.length) {
        column.set(to, next);
        moved = true;
      }
    }
  }
  return column;
}

export function layout(chain: Chain): Layout {
  const beside = new Set(chain.beside.map((object) => object.code));
  const objects = [...new Map([chain.root, ...chain.objects, ...chain.beside].map((object) => [object.code, object])).values()];
  const column = columns(
    objects.map((object) => object.code),
    chain.flows,
  );
  const used = LANES.filter((stage) => objects.some((object) => object.stage === stage));
  const boxes = new Map<string, PlacedBox>();
  const lanes: Layout['lanes'] = [];
  let y = 0;
  for (const stage of used) {
    const cells = new Map<number, number>();
    for (const object of objects.filter((one) => one.stage === stage)) {
      const at = column.get(object.code) ?? 0;
      const row = cells.get(at) ?? 0;
      cells.set(at, row + 1);
      boxes.set(object.code, {
        object,
        beside: beside.has(object.code),
        x: LANE.head + at * (BOX.width + GAP.x),
        y: y + LANE.pad + row * (BOX.height + GAP.y),
      });
    }
    const rows = Math.max(1, ...cells.values());
    const height = 2 * LANE.pad + rows * BOX.height + (rows - 1) * GAP.y;
    lanes.push({ stage, y, height });
    y += height;
  }
  const outliers = new Set(chain.events.filter((event) => event.loss_outlier).map((event) => event.id));
  const links = chain.flows.flatMap((flow): PlacedLink[] => {
    const [from, to] = [boxes.get(flow.from), boxes.get(flow.to)];
    return from && to
      ? [
          {
            from,
            to,
            path: curve(from, to),
            label: middle(from, to),
            quantity: flow.quantity,
            unit: flow.unit,
            outlier: outliers.has(flow.event),
            event: flow.event,
          },
        ]
      : [];
  });
  const last = Math.max(0, ...column.values());
  return { width: LANE.head + (last + 1) * (BOX.width + GAP.x), height: y, lanes, boxes: [...boxes.values()], links };
}

function curve(from: PlacedBox, to: PlacedBox): string {
  const [x1, y1, x2, y2] = [from.x + BOX.width, from.y + BOX.height / 2, to.x, to.y + BOX.height / 2];
  const bend = Math.max(24, (x2 - x1) / 2);
  return `M${x1},${y1} C${x1 + bend},${y1} ${x2 - bend},${y2} ${x2 - 5},${y2}`;
}

/** Where the number stands: on the line, at its middle, where lines to one box lie apart. */
function middle(from: PlacedBox, to: PlacedBox): { x: number; y: number } {
  return { x: (from.x + BOX.width + to.x) / 2, y: (from.y + to.y + BOX.height) / 2 - 3 };
}
