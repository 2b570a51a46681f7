/** Periods as figures name them: `2026-11-30`, `2026-W48`, `2026-11`, `2026-Q4`, `2026`. */

/** A trend longer than this is drawn without its empty periods. */
const PERIODS_MAX = 800;
const DAY = 86_400_000;
const iso = (time: number): string => new Date(time).toISOString().slice(0, 10);

/** The Monday of a week of GB/T 7408: the first one of a year is that of 4 January. */
function monday(year: number, week: number): number {
  const fourth = Date.UTC(year, 0, 4);
  const first = fourth - ((new Date(fourth).getUTCDay() + 6) % 7) * DAY;
  return first + (week - 1) * 7 * DAY;
}
/** The week of a Monday: the year is that of its Thursday. */
function weekOf(time: number): string {
  const year = new Date(time + 3 * DAY).getUTCFullYear();
  const week = Math.round((time - monday(year, 1)) / (7 * DAY)) + 1;
  return `${year}-W${String(week).padStart(2, '0')}`;
}

function next(period: string, grain: string): string {
  const year = Number(period.slice(0, 4));
  const part = Number(period.slice(grain === 'month' ? 5 : 6));
  if (grain === 'day') return iso(Date.parse(period) + DAY);
  if (grain === 'week') return weekOf(monday(year, part) + 7 * DAY);
  if (grain === 'month') return part === 12 ? `${year + 1}-01` : `${year}-${String(part + 1).padStart(2, '0')}`;
  if (grain === 'quarter') return part === 4 ? `${year + 1}-Q1` : `${year}-Q${part + 1}`;
  return String(year + 1);
}

/** All periods from the first to the last of these; none is left out because nothing happened. */
export function filled(periods: string[], grain: string): string[] {
  const known = [...new Set(periods)].sort();
  const last = known.at(-1);
  const all = known.slice(0, 1);
  while (all.length > 0 && all.at(-1) !== last) {
    if (all.length > PERIODS_MAX) return known;
    all.push(next(all.at(-1)!, grain));
  }
  return all;
}
