"""A real OpenBao server as a company runs it: raft storage and one file audit device."""

import json
import os
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from processes import Server, free_port, wait_until

CONFIGURATION = """
storage "raft" {{
  path    = "{storage}"
  node_id = "first"

  # The only server of a cluster has nobody to wait for before it elects itself.
  performance_multiplier = 1
}}

api_addr     = "http://127.0.0.1:{port}"
cluster_addr = "http://127.0.0.1:{cluster_port}"

listener "tcp" {{
  address         = "127.0.0.1:{port}"
  cluster_address = "127.0.0.1:{cluster_port}"
  tls_disable     = true

  # Some callers have nothing to say for minutes, and keep their connection.
  http_idle_timeout = "1h"
}}

audit "file" "file" {{
  options = {{ file_path = "{audit_log}" }}
}}
{more}
"""


class RaftServer:
    """A server on loopback, unsealed, that can be told more by lines for its configuration."""

    def __init__(self, bao: Path, directory: Path, more: str = "") -> None:
        self.port = free_port()
        self.audit_log = directory / "audit.jsonl"
        storage = directory / "raft"
        storage.mkdir()
        configuration = directory / "openbao.hcl"
        ports = {"port": self.port, "cluster_port": free_port()}
        configuration.write_text(CONFIGURATION.format(storage=storage, audit_log=self.audit_log, more=more, **ports))
        environment = {"PATH": os.environ["PATH"], "HOME": str(directory)}
        command: list[str | Path] = [bao, "server", f"-config={configuration}", "-log-level=warn"]
        self._server = Server(command, environment, directory / "openbao.log", directory)
        try:
            self._server.wait_until(self._answers)
            self.root_token, self.key = self._initialise()
            self.unseal()
        except BaseException:
            self.stop()
            raise

    def __enter__(self) -> "RaftServer":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        self._server.stop()

    def unseal(self) -> None:
        """Open it, also after it was sealed."""
        self._call("PUT", "sys/unseal", {"key": self.key})
        self.wait_until_active()

    def wait_until_active(self) -> None:
        wait_until(lambda: self._call("GET", "sys/health")[0] == 200)

    def _answers(self) -> bool:
        try:
            return self._call("GET", "sys/seal-status")[0] == 200
        except OSError:
            return False

    def _initialise(self) -> tuple[str, str]:
        _, keys = self._call("PUT", "sys/init", {"secret_shares": 1, "secret_threshold": 1})
        return keys["root_token"], keys["keys"][0]

    def _call(self, method: str, path: str, data: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, f"/v1/{path}", json.dumps(data) if data else None)
            response = connection.getresponse()
            return response.status, json.loads(response.read() or b"{}")
        finally:
            connection.close()
