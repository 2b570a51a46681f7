import type { ChangeRequest, Stored } from '../../domain/types';
import type { Draft } from './draft';

/** A form of a register that its user's session ended over, and what it was about. */
export interface Held {
  record?: Stored;
  request?: ChangeRequest;
  draft: Record<string, Draft>;
}
