"""Somebody who talks to OpenBao: an address, a program and, once logged in, a token."""

import json
from http.client import HTTPConnection
from typing import Any

Answer = dict[str, Any]
Status = int | tuple[int, ...]


class Caller:
    """A client with an address of its own: all of 127.0.0.0/8 is this machine, so that each can have one."""

    def __init__(self, port: int, address: str, agent: str, namespace: str = "admin/") -> None:
        self.address = address
        self._connection = HTTPConnection("127.0.0.1", port, timeout=60, source_address=(address, 0))
        self._agent = agent
        self._namespace = namespace
        self.token = ""

    def get(self, path: str, *, status: Status = 200, namespace: str | None = None) -> Answer:
        return self.call("GET", path, status=status, namespace=namespace)

    def list(self, path: str, *, status: Status = 200) -> Answer:
        return self.call("LIST", path, status=status)

    def write(self, path: str, *, status: Status = 200, namespace: str | None = None, **data: object) -> Answer:
        return self.call("POST", path, data, status=status, namespace=namespace)

    def delete(self, path: str) -> Answer:
        return self.call("DELETE", path)

    def log_in(self, path: str, **credentials: object) -> None:
        """Log in, and keep the token."""
        self.token = ""
        self.token = self.write(path, **credentials)["auth"]["client_token"]

    def call(
        self,
        method: str,
        path: str,
        data: Answer | None = None,
        *,
        status: Status = 200,
        namespace: str | None = None,
        wrap_ttl: str = "",
    ) -> Answer:
        """One API call, whose status must be as said; an answer without a body is a success like one with it."""
        body = self._send(method, path, json.dumps(data).encode() if data else None, status, namespace, wrap_ttl)
        # A snapshot is an archive, and metrics are text.
        return json.loads(body) if body.startswith(b"{") else {}

    def download(self, path: str) -> bytes:
        return self._send("GET", path, None, 200)

    def upload(self, path: str, content: bytes, *, status: Status = 200) -> None:
        self._send("POST", path, content, status)

    def _send(
        self,
        method: str,
        path: str,
        body: bytes | None,
        status: Status,
        namespace: str | None = None,
        wrap_ttl: str = "",
    ) -> bytes:
        headers = {
            "User-Agent": self._agent,
            "X-Vault-Namespace": self._namespace if namespace is None else namespace,
            "X-Vault-Token": self.token,
            "X-Vault-Wrap-TTL": wrap_ttl,
        }
        present = {name: value for name, value in headers.items() if value}
        self._connection.request(method, f"/v1/{path}", body, present)
        response = self._connection.getresponse()
        answer = response.read()
        got = 200 if response.status == 204 else response.status
        expected = (status,) if isinstance(status, int) else status
        assert got in expected, f"{method} {path}: {response.status} {answer[:400]!r}"
        return answer
