/** The platform's interface: paths and parameters from its own description, problems as errors. */
import createClient from 'openapi-fetch';
import type { paths } from '@api/schema.generated';

export interface FieldError {
  field: string;
  detail: string;
}

/** An RFC 9457 problem. `message` is the Chinese sentence for people. */
export class Problem extends Error {
  constructor(
    message: string,
    readonly status: number,
    readonly code: string,
    readonly requestId: string,
    readonly errors: FieldError[],
  ) {
    super(message);
  }
}

let csrf = '';
let onSignedOut: () => void = () => {};
let onProofWanted: () => Promise<boolean> = () => Promise.resolve(false);

export function useCsrf(token: string): void {
  csrf = token;
}

export function whenSignedOut(action: () => void): void {
  onSignedOut = action;
}

/** What asks for a proof before a dangerous act; the act is then tried once more. */
export function whenProofWanted(action: () => Promise<boolean>): void {
  onProofWanted = action;
}

async function problemOf(response: Response): Promise<Problem> {
  const body = (await response
    .clone()
    .json()
    .catch(() => ({}))) as Partial<Problem> & { detail?: string; request_id?: string };
  const text = body.detail ?? `服务没有正常应答（${response.status}）`;
  return new Problem(text, response.status, body.code ?? 'unknown', body.request_id ?? '', body.errors ?? []);
}

const unreachable = (): Problem => new Problem('网络不通或服务未启动，请稍后重试', 0, 'unreachable', '', []);

/** Sends a request with the session's proof and turns refusals into [`Problem`]s. */
async function send(request: Request): Promise<Response> {
  const again = request.clone();
  try {
    return await attempt(request);
  } catch (error) {
    if (error instanceof Problem && error.code === 'step-up' && (await onProofWanted())) return attempt(again);
    throw error;
  }
}

async function attempt(request: Request): Promise<Response> {
  const headers = new Headers(request.headers);
  if (csrf) headers.set('x-csrf', csrf);
  const response = await fetch(new Request(request, { headers })).catch(() => {
    throw unreachable();
  });
  if (response.ok) return response;
  const problem = await problemOf(response);
  if (response.status === 401 && !request.url.endsWith('/api/v1/session')) onSignedOut();
  throw problem;
}

/** The client: `client.GET('/api/v1/trace/events/{id}', { params: { path: { id } } })`. */
export const client = createClient<paths>({ baseUrl: '', fetch: send });

/** What a call answered, as the domain type that the path stands for. */
export async function answer<T>(call: Promise<{ data?: unknown }>): Promise<T> {
  const { data } = await call;
  return data as T;
}

/** A name with several values is sent that many times. */
export type Query = Record<string, string | number | boolean | string[] | undefined>;

function withQuery(path: string, query: Query): string {
  const pairs = Object.entries(query).filter(([, value]) => value !== undefined && value !== '');
  const flat = pairs.flatMap(([name, value]) => [value].flat().map((one) => [name, String(one)]));
  const text = new URLSearchParams(flat).toString();
  return text ? `${path}?${text}` : path;
}

/** The same for registers, whose paths are made from their descriptions. `type` is what a file is said to be. */
export async function call<T>(
  method: string,
  path: string,
  options: { query?: Query; body?: unknown; file?: Blob; type?: string; version?: number } = {},
): Promise<T> {
  const headers = new Headers({ accept: 'application/json' });
  if (options.version !== undefined) headers.set('if-match', `"${options.version}"`);
  if (options.body !== undefined) headers.set('content-type', 'application/json');
  if (options.file) headers.set('content-type', options.type ?? 'application/octet-stream');
  const body = options.file ?? (options.body === undefined ? undefined : JSON.stringify(options.body));
  const url = new URL(withQuery(path, options.query ?? {}), location.origin);
  const response = await send(new Request(url, { method, headers, body }));
  const text = await response.text();
  return (text ? JSON.parse(text) : undefined) as T;
}

/** A picture that the server draws, as an address for an image: what is in it cannot run. */
export async function picture(path: string): Promise<string> {
  const response = await send(new Request(new URL(path, location.origin)));
  const text = await response.text();
  return `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
}

/** A file that the server sends; with a body, one that it makes of what is asked for. */
export async function file(path: string, body?: unknown): Promise<Blob> {
  const asked = body === undefined ? {} : { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  return (await send(new Request(new URL(path, location.origin), asked))).blob();
}

/** Saves a file that the server sends. */
export async function download(path: string, name: string): Promise<void> {
  save(await file(path), name);
}

/** Saves what the page has made or fetched. */
export function save(content: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}
