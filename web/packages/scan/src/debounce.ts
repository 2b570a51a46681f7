/** A camera sees the same label in every frame; it counts once until it was out of sight. */
export class Debounce {
  private last = '';
  /** Since when frames do not show it; a pause between frames hides nothing. */
  private missing: number | undefined;

  /** `quiet`: milliseconds out of sight after which the same label counts again. */
  constructor(private readonly quiet = 1500) {}

  /** Which of the labels in a frame of this moment are new scans. */
  fresh(texts: string[], now: number): string[] {
    if (!texts.includes(this.last)) this.missing ??= now;
    const gone = this.missing !== undefined && now - this.missing >= this.quiet;
    const found = texts.filter((text) => text !== '' && (text !== this.last || gone));
    if (texts.includes(this.last) || found.length > 0) this.missing = undefined;
    if (found.length > 0) this.last = found[found.length - 1]!;
    return found;
  }
}
