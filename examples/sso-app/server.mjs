/**
 * 示例接入应用: logs people in through 源鉴 (OpenID Connect, authorization code with PKCE), hears of
 * log-out over the back channel, and keeps its own list of users in step by SCIM 2.0.
 * Node 20 and nothing else. See README.md beside it.
 */
import { createHash, createPublicKey, randomBytes, verify } from 'node:crypto';
import { createServer } from 'node:http';

const env = (name) => process.env[name] ?? fail(`请设置环境变量 ${name}`);
const fail = (text) => {
  console.error(text);
  process.exit(1);
};
const issuer = env('ISSUER').replace(/\/$/, '');
const [clientId, clientSecret] = [env('CLIENT_ID'), env('CLIENT_SECRET')];
const port = Number(process.env.PORT ?? 8090);
const home = `http://127.0.0.1:${port}`;

/** What the issuer says of itself. */
const provider = await (await fetch(`${issuer}/.well-known/openid-configuration`)).json();

/** Log-ins on their way, and sessions, by the value of a cookie. A real application keeps both in its database. */
const [waiting, sessions] = [new Map(), new Map()];
const secret = () => randomBytes(32).toString('base64url');

/** The claims of a token, if the issuer signed it for this application. */
async function claims(token, type) {
  const [head, body, signature] = token.split('.');
  const read = (part) => JSON.parse(Buffer.from(part, 'base64url').toString());
  const { alg, kid, typ } = read(head);
  const { keys } = await (await fetch(provider.jwks_uri)).json();
  const jwk = keys.find((key) => key.kid === kid);
  if (alg !== 'ES256' || typ !== type || !jwk) throw new Error('unknown key');
  const key = { key: createPublicKey({ key: jwk, format: 'jwk' }), dsaEncoding: 'ieee-p1363' };
  if (!verify('sha256', Buffer.from(`${head}.${body}`), key, Buffer.from(signature, 'base64url'))) throw new Error('bad signature');
  const found = read(body);
  if (found.iss !== issuer || found.aud !== clientId || found.exp * 1000 < Date.now()) throw new Error('not for us, or not now');
  return found;
}

function begin() {
  const [state, nonce, verifier] = [secret(), secret(), secret()];
  waiting.set(state, { nonce, verifier });
  const query = new URLSearchParams({
    client_id: clientId,
    redirect_uri: `${home}/callback`,
    response_type: 'code',
    scope: 'openid profile',
    state,
    nonce,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  });
  return `${provider.authorization_endpoint}?${query}`;
}

async function finish(query) {
  const request = waiting.get(query.get('state'));
  if (!request || query.get('iss') !== issuer) throw new Error('no such log-in');
  waiting.delete(query.get('state'));
  const answer = await fetch(provider.token_endpoint, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      code: query.get('code'),
      redirect_uri: `${home}/callback`,
      client_id: clientId,
      client_secret: clientSecret,
      code_verifier: request.verifier,
    }),
  });
  const { id_token: token } = await answer.json();
  const user = await claims(token, 'JWT');
  if (user.nonce !== request.nonce) throw new Error('another log-in');
  const cookie = secret();
  sessions.set(cookie, { ...user, token });
  return cookie;
}

/** Back-channel log-out: the session with this name has ended. */
async function leave(token) {
  const { sid, events } = await claims(token, 'logout+jwt');
  if (!events?.['http://schemas.openid.net/event/backchannel-logout']) throw new Error('not a logout token');
  for (const [cookie, session] of sessions) if (session.sid === sid) sessions.delete(cookie);
}

/** Users as SCIM tells them; asked every two seconds for what has changed. */
const users = new Map();
async function follow() {
  const form = new URLSearchParams({ grant_type: 'client_credentials', client_id: env('SCIM_CLIENT_ID'), client_secret: env('SCIM_CLIENT_SECRET') });
  let [since, token, until] = ['1970-01-01T00:00:00Z', '', 0];
  for (;;) {
    try {
      if (Date.now() > until) {
        const answer = await (await fetch(provider.token_endpoint, { method: 'POST', body: form })).json();
        [token, until] = [answer.access_token, Date.now() + (answer.expires_in - 60) * 1000];
      }
      const query = new URLSearchParams({ filter: `meta.lastModified gt "${since}"`, count: '200' });
      const answer = await fetch(`${issuer}/scim/v2/Users?${query}`, { headers: { authorization: `Bearer ${token}` } });
      for (const user of (await answer.json()).Resources ?? []) {
        users.set(user.id, user);
        if (user.meta.lastModified > since) since = user.meta.lastModified;
      }
    } catch (error) {
      console.error(`SCIM: ${error.message}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 2000));
  }
}

const escape = (text) => String(text).replace(/[&<>"]/g, (letter) => `&#${letter.charCodeAt(0)};`);
const page = (body) => `<!doctype html><html lang="zh-CN"><meta charset="utf-8"><title>示例接入应用</title><h1>示例接入应用</h1>${body}</html>`;

async function answer(request, response) {
  const url = new URL(request.url, home);
  const cookie = /(?:^|;\s*)app=([^;]+)/.exec(request.headers.cookie ?? '')?.[1];
  const user = sessions.get(cookie);
  const to = (address, headers = {}) => response.writeHead(302, { location: address, ...headers }).end();
  const show = (body) => response.writeHead(200, { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' }).end(page(body));
  switch (url.pathname) {
    case '/':
      if (!user) return to(begin());
      return show(`<p>已登录：<b id="user">${escape(user.name)}</b>（${escape(user.organization)}）</p><p><a href="/logout">退出</a></p>`);
    case '/callback':
      return to('/', { 'set-cookie': `app=${await finish(url.searchParams)}; HttpOnly; SameSite=Lax; Path=/` });
    case '/logout': {
      const hint = new URLSearchParams({ id_token_hint: user?.token ?? '' });
      return to(`${provider.end_session_endpoint}?${hint}`);
    }
    case '/backchannel': {
      let body = '';
      for await (const chunk of request) if ((body += chunk).length > 65_536) throw new Error('too large');
      await leave(new URLSearchParams(body).get('logout_token'));
      return response.writeHead(200).end();
    }
    case '/users':
      return response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify([...users.values()]));
    default:
      return response.writeHead(404).end();
  }
}

createServer((request, response) => {
  answer(request, response).catch((error) => response.writeHead(400, { 'content-type': 'text/plain' }).end(error.message));
}).listen(port, '127.0.0.1', () => console.log(`示例接入应用：${home}`));
if (process.env.SCIM_CLIENT_ID) follow();
