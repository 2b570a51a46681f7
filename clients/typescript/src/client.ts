/** A client of the platform's interface, for Node 20 and later. No dependencies. */
import { createHash, createHmac, randomBytes } from "node:crypto";
import type { CaptureResult, Registers, TraceEvent } from "./models.js";

export type * from "./models.js";

const TRIES = 5;

/** What the platform says is wrong (RFC 9457); `errors` names the fields. */
export class Problem extends Error {
  readonly code: string;
  readonly errors: { field: string; detail: string }[];

  constructor(
    readonly status: number,
    body: {
      code?: string;
      detail?: string;
      errors?: { field: string; detail: string }[];
    },
  ) {
    super(`${status} ${body.detail ?? ""}`);
    this.code = body.code ?? "";
    this.errors = body.errors ?? [];
  }
}

export interface ChangeRequest {
  id: string;
  state: "submitted" | "returned" | "approved" | "rejected" | "withdrawn";
}

interface Options {
  headers?: Record<string, string>;
  /** Whether it may be repeated when nobody knows what became of it. */
  again?: boolean;
}

/** Log in with `token`, `signing` or `session`; then call what is needed. */
export class Client {
  private bearer = { token: "", until: 0 };
  private session: Record<string, string> = {};

  private constructor(
    private readonly url: string,
    private readonly credentials?: {
      id: string;
      secret: string;
      signs: boolean;
    },
  ) {}

  /** Client credentials: tokens are fetched and renewed as needed. */
  static token(url: string, id: string, secret: string): Client {
    return new Client(url.replace(/\/$/, ""), { id, secret, signs: false });
  }

  /** Signs every request (RFC 9421, hmac-sm3). `url` is the platform's public address. */
  static signing(url: string, id: string, secret: string): Client {
    return new Client(url.replace(/\/$/, ""), { id, secret, signs: true });
  }

  /** Logs in as a person who needs no second factor. */
  static async session(
    url: string,
    user: string,
    password: string,
  ): Promise<Client> {
    const client = new Client(url.replace(/\/$/, ""));
    const answer = await client.send(
      "POST",
      "/api/v1/session",
      JSON.stringify({ user, password }),
      {},
    );
    const body = (await answer.json()) as { csrf: string };
    if (!answer.ok) throw new Problem(answer.status, body as object);
    client.session = {
      cookie: answer.headers.get("set-cookie")!.split(";")[0]!,
      "x-csrf": body.csrf,
    };
    return client;
  }

  /** Posts events. The same content is one event however often it is sent, so this is retried. */
  async capture(events: TraceEvent[], atomic = true): Promise<CaptureResult[]> {
    const path = "/api/v1/trace/events";
    const answer = await this.call<{ results: CaptureResult[] }>(
      "POST",
      path,
      { events, atomic },
      { again: true },
    );
    for (const { problem } of answer.results)
      if (problem) throw new Problem(problem.status, problem);
    return answer.results;
  }

  /** A new record, or the change request that somebody else must approve. */
  async create<K extends keyof Registers>(
    register: K,
    record: Registers[K]["input"],
  ): Promise<Registers[K]["stored"] | ChangeRequest> {
    const answer = await this.call<{ change_request?: ChangeRequest }>(
      "POST",
      `/api/v1/${register}`,
      record,
    );
    return answer.change_request ?? (answer as Registers[K]["stored"]);
  }

  /** Approves a change request of somebody else. */
  approve(
    register: keyof Registers,
    change: string,
    comment: string,
  ): Promise<unknown> {
    return this.call("POST", `/api/v1/${register}/changes/${change}/approve`, {
      comment,
    });
  }

  get<K extends keyof Registers>(
    register: K,
    id: string,
  ): Promise<Registers[K]["stored"]> {
    return this.call("GET", `/api/v1/${register}/${id}`);
  }

  /** All records that meet the conditions, page by page. */
  async *list<K extends keyof Registers>(
    register: K,
    conditions: Record<string, string> = {},
  ): AsyncGenerator<Registers[K]["stored"]> {
    for (let after: string | null = ""; after !== null;) {
      const query = new URLSearchParams({
        ...conditions,
        ...(after ? { after } : {}),
      });
      const page: { items: Registers[K]["stored"][]; next: string | null } =
        await this.call("GET", `/api/v1/${register}?${query}`);
      yield* page.items;
      after = page.next;
    }
  }

  /** Any operation. */
  async call<T>(
    method: string,
    path: string,
    body?: unknown,
    options: Options = {},
  ): Promise<T> {
    const again = options.again ?? ["GET", "PUT", "DELETE"].includes(method);
    const text = body === undefined ? undefined : JSON.stringify(body);
    for (let attempt = 1; ; attempt += 1) {
      let wait = 200 * 2 ** attempt;
      try {
        const answer = await this.send(
          method,
          path,
          text,
          options.headers ?? {},
        );
        const found = (await answer.json().catch(() => ({}))) as T;
        if (answer.ok) return found;
        const expired =
          answer.status === 401 && this.credentials && attempt === 1;
        const refused = answer.status === 429 || answer.status === 503;
        const lost = again && [502, 504].includes(answer.status);
        if (expired) this.bearer.until = 0;
        if (attempt === TRIES || !(expired || refused || lost))
          throw new Problem(answer.status, found as object);
        wait = Number(answer.headers.get("retry-after") ?? 0) * 1000 || wait;
      } catch (error) {
        if (error instanceof Problem || attempt === TRIES || !again)
          throw error;
      }
      await new Promise((resolve) =>
        setTimeout(resolve, Math.min(wait, 30_000)),
      );
    }
  }

  private async send(
    method: string,
    path: string,
    body: string | undefined,
    headers: Record<string, string>,
  ): Promise<Response> {
    const all: Record<string, string> = {
      accept: "application/json",
      ...this.session,
      ...headers,
    };
    if (body !== undefined) all["content-type"] = "application/json";
    if (this.credentials?.signs)
      Object.assign(all, this.signature(method, path, body ?? ""));
    else if (this.credentials)
      all["authorization"] = `Bearer ${await this.freshToken()}`;
    return fetch(this.url + path, {
      method,
      headers: all,
      body: body ?? null,
      signal: AbortSignal.timeout(30_000),
    });
  }

  private async freshToken(): Promise<string> {
    if (Date.now() < this.bearer.until) return this.bearer.token;
    const { id, secret } = this.credentials!;
    const form = new URLSearchParams({
      grant_type: "client_credentials",
      client_id: id,
      client_secret: secret,
    });
    const answer = await fetch(`${this.url}/oauth/token`, {
      method: "POST",
      body: form,
      signal: AbortSignal.timeout(30_000),
    });
    const body = (await answer.json()) as {
      access_token: string;
      expires_in?: number;
    };
    if (!answer.ok) throw new Problem(answer.status, body as object);
    this.bearer = {
      token: body.access_token,
      until: Date.now() + ((body.expires_in ?? 900) - 60) * 1000,
    };
    return this.bearer.token;
  }

  private signature(
    method: string,
    path: string,
    body: string,
  ): Record<string, string> {
    const { id, secret } = this.credentials!;
    const digest = `sm3=:${createHash("sm3").update(body).digest("base64")}:`;
    const created = Math.floor(Date.now() / 1000);
    const parameters = `("@method" "@target-uri" "content-digest");created=${created};keyid="${id}";alg="hmac-sm3";nonce="${randomBytes(16).toString("hex")}"`;
    const base = `"@method": ${method}\n"@target-uri": ${this.url}${path}\n"content-digest": ${digest}\n"@signature-params": ${parameters}`;
    const signature = createHmac("sm3", secret).update(base).digest("base64");
    return {
      "content-digest": digest,
      "signature-input": `sig=${parameters}`,
      signature: `sig=:${signature}:`,
    };
  }
}
