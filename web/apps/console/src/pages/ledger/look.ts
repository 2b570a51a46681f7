/** Finds the proofs that somebody without a file asks for. */
import { answer, call, client, file, Problem } from '../../api';
import { Said } from '../../ui/said';

export interface Given {
  name: string;
  source: string | Uint8Array;
}
interface Proofs {
  proofs: { id: string; proof: string | null }[];
}

const isRecord = (text: string): boolean => /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text);

/** Nothing where the platform has no such thing, or none that this user may see. */
async function found<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof Problem && (error.status === 404 || error.status === 403)) return undefined;
    throw error;
  }
}

async function bytes(path: string): Promise<Uint8Array> {
  return new Uint8Array(await (await file(path)).arrayBuffer());
}

/** By the number of a record, a trace code, or the number of a 承诺达标合格证. */
export async function look(text: string): Promise<Given[]> {
  if (isRecord(text)) {
    const own = await found(bytes(`/api/v1/trace/events/${text.toLowerCase()}/proof`));
    if (own) return [{ name: `记录 ${text}`, source: own }];
  }
  const path = { code: text };
  const of = await found(answer<Proofs>(client.GET('/api/v1/public/proof/{code}', { params: { path } })));
  if (of) {
    const ready = of.proofs.flatMap(({ id, proof }) => (proof === null ? [] : [{ name: `记录 ${id}`, source: proof }]));
    if (ready.length > 0) return ready;
    throw new Said(of.proofs.length === 0 ? '此码没有公开的记录' : '此码的记录正在写入存证链，请稍后再查');
  }
  const certificate = await found(bytes(`/c/${encodeURIComponent(text)}/proof`));
  if (certificate) return [{ name: `承诺达标合格证 ${text}`, source: certificate }];
  throw new Said('没有与此对应的存证，或不在您的权限之内；请核对所填是否完整');
}

/** Fingerprint of the platform's own chain, as the platform says it. */
export const ownFingerprint = async (): Promise<string> =>
  (await call<{ fingerprint: string }>('GET', '/api/v1/ledger/genesis')).fingerprint;
