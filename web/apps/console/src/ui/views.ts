/** Conditions and indicators that users keep. */
import { call } from '../api';

export interface NewView {
  /** The register. */
  entity: string;
  title: string;
  /** Conditions of its list, as a query. */
  query: string;
  /** What an indicator counts, as a query: `by`, `part`, `chart`; none for a list. */
  figure: string | null;
  /** Whether colleagues see it too. */
  shared: boolean;
}
export interface SavedView extends NewView {
  id: string;
  /** Whether it may be taken away by who asks. */
  mine: boolean;
}

export const viewsKey = (entity: string): string[] => ['views', entity];
export const viewsOf = (entity: string): Promise<SavedView[]> =>
  call<{ items: SavedView[] }>('GET', '/api/v1/views', { query: { entity } }).then((answer) => answer.items);
export const keepView = (view: NewView): Promise<unknown> => call('POST', '/api/v1/views', { body: view });
export const dropView = (id: string): Promise<unknown> => call('DELETE', `/api/v1/views/${id}`);
