/** A camera sees the same label in every frame; it counts once until it was out of sight. */
export class Debounce {
  private last = '';
  private seen = 0;

  /** `quiet`: milliseconds out of sight after which the same label counts again. */
  constructor(private readonly quiet = 1500) {}

  /** Whether what was read at this moment is a new scan. */
  isNew(text: string, now: number): boolean {
    const again = text === this.last && now - this.seen < this.quiet;
    this.last = text;
    this.seen = now;
    return !again;
  }
}
