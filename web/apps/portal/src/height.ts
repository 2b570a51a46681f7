/** What a page within another says of its height: the two sides of one message. */

/** No page of a code is higher; whoever says so is not believed. */
const HIGHEST = 20_000;

export function saying(height: number): { yuanjian: 'height'; height: number } {
  return { yuanjian: 'height', height };
}

/** The height in whole pixels that a message tells; none where it is another message. */
export function heightIn(message: unknown): number | undefined {
  if (typeof message !== 'object' || message === null) return undefined;
  const { yuanjian, height } = message as Record<string, unknown>;
  if (yuanjian !== 'height' || typeof height !== 'number' || !(height > 0 && height <= HIGHEST)) return undefined;
  return Math.ceil(height);
}
