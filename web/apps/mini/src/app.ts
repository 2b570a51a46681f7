/** The mini-program: what its pages hand to each other. */
import type { Shown } from './shown';

export interface Shared {
  /** The result that the record page shows. */
  shown?: Shown;
}

App<{ globalData: Shared }>({ globalData: {} });
