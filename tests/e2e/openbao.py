"""A real OpenBao server with two audit devices: one as everybody has it, one that hides nothing."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from processes import Server, free_port, listens

CONFIGURATION = """
storage "inmem" {{}}
disable_mlock = true
api_addr = "http://127.0.0.1:{port}"

listener "tcp" {{
  address     = "127.0.0.1:{port}"
  tls_disable = true
}}

audit "file" "hashed" {{
  options = {{ file_path = "{hashed}" }}
}}

audit "file" "raw" {{
  options = {{ file_path = "{raw}", log_raw = "true" }}
}}
"""


class AuditLog:
    """The lines that a file audit device has written."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def lines(self) -> list[str]:
        return self._path.read_text().splitlines()

    @contextmanager
    def recording(self) -> Iterator[list[str]]:
        """A list that holds, once the block is left, the lines that were written meanwhile.

        The device has written an entry before the server answers, so there is nothing to wait for.
        """
        before = len(self.lines())
        recorded: list[str] = []
        yield recorded
        recorded.extend(self.lines()[before:])


class OpenBao:
    """A server on loopback, unsealed, and a client of it."""

    def __init__(self, bao: Path, directory: Path) -> None:
        self.hashed = AuditLog(directory / "hashed.jsonl")
        self.raw = AuditLog(directory / "raw.jsonl")
        port = free_port()
        self._url = f"http://127.0.0.1:{port}/v1"
        configuration = directory / "openbao.hcl"
        configuration.write_text(
            CONFIGURATION.format(port=port, hashed=directory / "hashed.jsonl", raw=directory / "raw.jsonl")
        )
        environment = {"PATH": os.environ["PATH"], "HOME": str(directory)}
        command: list[str | Path] = [bao, "server", f"-config={configuration}"]
        self._server = Server(command, environment, directory / "openbao.log", directory)
        try:
            self._server.wait_until(lambda: listens(port))
            self.root_token, self.unseal_key = self._unseal()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        self._server.stop()

    def call(
        self,
        method: str,
        path: str,
        token: str = "",
        data: dict[str, Any] | None = None,
        *,
        namespace: str = "admin/",
        wrap_ttl: str = "",
        status: int | tuple[int, ...] = (200, 204),
    ) -> dict[str, Any]:
        """One API call, whose status must be as said."""
        headers = {"X-Vault-Namespace": namespace, "X-Vault-Wrap-TTL": wrap_ttl, "X-Vault-Token": token}
        response = requests.request(
            method,
            f"{self._url}/{path}",
            headers={name: value for name, value in headers.items() if value},
            json=data,
            timeout=30,
        )
        expected = (status,) if isinstance(status, int) else status
        assert response.status_code in expected, f"{method} {path}: {response.status_code} {response.text}"
        return response.json() if response.content else {}

    def _unseal(self) -> tuple[str, str]:
        keys = self.call("PUT", "sys/init", data={"secret_shares": 1, "secret_threshold": 1}, namespace="")
        self.call("PUT", "sys/unseal", data={"key": keys["keys"][0]}, namespace="")
        return keys["root_token"], keys["keys"][0]
