"""A client of the platform's interface. Standard library only."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
import urllib.error
import urllib.parse
import urllib.request
from typing import Any, Iterator

from .models import CaptureResult, TraceEvent

TRIES = 5
RETRIED = {429, 502, 503, 504}


class Problem(Exception):
    """What the platform says is wrong (RFC 9457); `errors` names the fields."""

    def __init__(self, status: int, body: dict[str, Any]):
        super().__init__(f"{status} {body.get('detail', '')}")
        self.status = status
        self.code: str = body.get("code", "")
        self.detail: str = body.get("detail", "")
        self.errors: list[dict[str, str]] = body.get("errors", [])


class Client:
    """Log in with `token`, `signing` or `session`; then call what is needed."""

    def __init__(self, url: str, timeout: float = 30.0):
        self.url = url.rstrip("/")
        self.timeout = timeout
        self._credentials: tuple[str, str] | None = None
        self._key: tuple[str, bytes] | None = None
        self._bearer = ("", 0.0)
        self._session: dict[str, str] = {}

    @classmethod
    def token(cls, url: str, client_id: str, secret: str) -> Client:
        """Client credentials: tokens are fetched and renewed as needed."""
        client = cls(url)
        client._credentials = (client_id, secret)
        return client

    @classmethod
    def signing(cls, url: str, client_id: str, secret: str) -> Client:
        """Signs every request (RFC 9421, hmac-sm3). `url` is the platform's public address."""
        client = cls(url)
        client._key = (client_id, secret.encode())
        return client

    @classmethod
    def session(cls, url: str, user: str, password: str) -> Client:
        """Logs in as a person who needs no second factor."""
        client = cls(url)
        request = client._request("POST", "/api/v1/session", {"user": user, "password": password})
        with urllib.request.urlopen(request, timeout=client.timeout) as answer:
            cookie = answer.headers["set-cookie"].split(";")[0]
            client._session = {"cookie": cookie, "x-csrf": json.load(answer)["csrf"]}
        return client

    def capture(self, *events: TraceEvent, atomic: bool = True) -> list[CaptureResult]:
        """Posts events. The same content is one event however often it is sent, so this is retried."""
        body = {"events": list(events), "atomic": atomic}
        results = self.call("POST", "/api/v1/trace/events", body, again=True)["results"]
        for result in results:
            if "problem" in result:
                raise Problem(result["problem"]["status"], result["problem"])
        return results

    def create(self, register: str, record: Any) -> dict[str, Any]:
        """A new record, or the change request that somebody else must approve."""
        answer = self.call("POST", f"/api/v1/{register}", record)
        return answer.get("change_request", answer)

    def approve(self, register: str, change: str, comment: str) -> dict[str, Any]:
        """Approves a change request of somebody else."""
        path = f"/api/v1/{register}/changes/{change}/approve"
        return self.call("POST", path, {"comment": comment})

    def get(self, register: str, record: str) -> dict[str, Any]:
        return self.call("GET", f"/api/v1/{register}/{record}")

    def update(self, register: str, record: str, version: int, change: Any) -> dict[str, Any]:
        """Changes some fields of a record that was read at `version`."""
        path = f"/api/v1/{register}/{record}"
        answer = self.call("PATCH", path, change, headers={"if-match": f'"{version}"'})
        return answer.get("change_request", answer)

    def list(self, register: str, **conditions: Any) -> Iterator[dict[str, Any]]:
        """All records that meet the conditions, page by page."""
        after: str | None = None
        while True:
            query = {**conditions, **({"after": after} if after else {})}
            page = self.call("GET", f"/api/v1/{register}?{urllib.parse.urlencode(query)}")
            yield from page["items"]
            after = page.get("next")
            if not after:
                return

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: dict[str, str] | None = None,
        again: bool | None = None,
    ) -> Any:
        """Any operation. `again`: whether it may be repeated when nobody knows what became of it."""
        again = method in ("GET", "PUT", "DELETE") if again is None else again
        for attempt in range(1, TRIES + 1):
            request = self._request(method, path, body, headers)
            try:
                with urllib.request.urlopen(request, timeout=self.timeout) as answer:
                    text = answer.read()
                    return json.loads(text) if text else {}
            except urllib.error.HTTPError as error:
                problem = Problem(error.code, _json(error.read()))
                if error.code == 401 and self._credentials and attempt == 1:
                    self._bearer = ("", 0.0)
                    continue
                refused = error.code in (429, 503)
                if attempt == TRIES or not (refused or (again and error.code in RETRIED)):
                    raise problem from None
                wait = float(error.headers.get("retry-after", 0)) or 0.2 * 2**attempt
            except (urllib.error.URLError, TimeoutError):
                if attempt == TRIES or not again:
                    raise
                wait = 0.2 * 2**attempt
            time.sleep(min(wait, 30.0))
        raise AssertionError("unreachable")

    def _request(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> urllib.request.Request:
        data = None if body is None else json.dumps(body, ensure_ascii=False).encode()
        all_headers = {"accept": "application/json", **self._session, **(headers or {})}
        if data is not None:
            all_headers["content-type"] = "application/json"
        if self._credentials and path != "/api/v1/session":
            all_headers["authorization"] = f"Bearer {self._fresh_token()}"
        if self._key:
            all_headers.update(self._signature(method, path, data or b""))
        return urllib.request.Request(self.url + path, data, all_headers, method=method)

    def _fresh_token(self) -> str:
        token, until = self._bearer
        if time.time() < until:
            return token
        client_id, secret = self._credentials or ("", "")
        form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
        data = urllib.parse.urlencode(form).encode()
        try:
            with urllib.request.urlopen(f"{self.url}/oauth/token", data, self.timeout) as answer:
                body = json.load(answer)
        except urllib.error.HTTPError as error:
            raise Problem(error.code, _json(error.read())) from None
        self._bearer = (body["access_token"], time.time() + body.get("expires_in", 900) - 60)
        return self._bearer[0]

    def _signature(self, method: str, path: str, body: bytes) -> dict[str, str]:
        client_id, secret = self._key or ("", b"")
        digest = f"sm3=:{base64.b64encode(hashlib.new('sm3', body).digest()).decode()}:"
        parameters = (
            f'("@method" "@target-uri" "content-digest");created={int(time.time())}'
            f';keyid="{client_id}";alg="hmac-sm3";nonce="{secrets.token_hex(16)}"'
        )
        base = (
            f'"@method": {method}\n"@target-uri": {self.url}{path}\n'
            f'"content-digest": {digest}\n"@signature-params": {parameters}'
        )
        signature = base64.b64encode(hmac.new(secret, base.encode(), "sm3").digest()).decode()
        return {
            "content-digest": digest,
            "signature-input": f"sig={parameters}",
            "signature": f"sig=:{signature}:",
        }


def _json(text: bytes) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
