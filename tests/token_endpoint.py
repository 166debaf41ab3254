"""An OAuth 2 token endpoint on this machine, whose tokens the secure listeners take."""

from __future__ import annotations

import base64
import json
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qs, unquote_plus

from joserfc import jwt
from joserfc.jwk import RSAKey


@dataclass
class TokenEndpoint:
    """Answers requests by client credentials with tokens that it signs."""

    key: RSAKey
    issuer: str
    audience: str
    client_id: str = "lapwing"
    client_secret: str = "s+cret of a client"
    life_s: float = 3600.0
    status: int = 200
    asked: int = 0
    scopes: list[str] = field(default_factory=list)
    url: str = ""
    _server: ThreadingHTTPServer | None = None
    _right: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, listeners: dict[str, Any]) -> Self:
        """Return one whose tokens these listeners take."""
        key = RSAKey.import_key(json.loads(Path(listeners["token_key"]).read_text()))
        return cls(key, listeners["issuer"], listeners["audience"])

    def reset(self, **bent: Any) -> None:
        """Answer rightly again, but for what is bent."""
        self.asked = 0
        self.scopes.clear()
        for name, value in {**self._right, **bent}.items():
            setattr(self, name, value)

    def answer(self, authorization: str, form: dict[str, list[str]]) -> tuple[int, dict[str, Any]]:
        """Return the status and the answer to a request."""
        self.asked += 1
        self.scopes += form.get("scope", [])
        scheme, _, login = authorization.partition(" ")
        client, _, secret = base64.b64decode(login).decode().partition(":")
        if self.status != 200:
            return self.status, {}
        if (scheme, unquote_plus(client), unquote_plus(secret)) != (
            "Basic",
            self.client_id,
            self.client_secret,
        ):
            return 401, {"error": "invalid_client", "error_description": f"{secret} is wrong"}
        if form.get("grant_type") != ["client_credentials"]:
            return 400, {"error": "unsupported_grant_type"}
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": self.audience,
            "sub": self.client_id,
            "iat": now - 3600,
            "exp": now + int(self.life_s),
            "scope": form.get("scope", ["all"])[0],
        }
        token = jwt.encode({"alg": "RS256", "kid": "one"}, claims, self.key)
        return 200, {"access_token": token, "token_type": "Bearer", "expires_in": max(1, int(self.life_s))}

    def __enter__(self) -> Self:
        endpoint = self
        self._right = {"issuer": self.issuer, "audience": self.audience, "life_s": 3600.0, "status": 200}

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                form = parse_qs(self.rfile.read(int(self.headers["content-length"])).decode())
                status, found = endpoint.answer(self.headers.get("authorization", ""), form)
                content = json.dumps(found).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: Any) -> None:
                """Log nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/token"
        return self

    def __exit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.shutdown()
        self._server.server_close()
