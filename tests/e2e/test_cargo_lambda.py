"""The function on a developer's desk: `cargo lambda watch` and `cargo lambda invoke` with a recorded payload."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from aws import Account, Line
from conftest import ROOT, TOOLS
from processes import Server, free_port, listens


@pytest.fixture
def emulator(account: Account, line: Line, bootstrap: Path, layer: Path, tmp_path: Path) -> Iterator[list[str]]:
    """The options with which `cargo lambda` reaches the function, which publishes to the deployed topic."""
    port = free_port()
    # Unless told otherwise it listens on every address of the machine.
    address = ["--invoke-address", "127.0.0.1", "--invoke-port", str(port)]
    watch: list[str | Path] = [TOOLS / "cargo-lambda", "lambda", "watch", "--only-lambda-apis", "--ignore-changes"]
    servers = [Server([*watch, *address], os.environ, tmp_path / "watch.log", ROOT)]
    try:
        servers[0].wait_until(lambda: listens(port))
        function = account.environment | {
            "AWS_LAMBDA_RUNTIME_API": f"http://127.0.0.1:{port}/.rt",
            "AWS_LAMBDA_FUNCTION_NAME": "_",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
            "AWS_LAMBDA_FUNCTION_VERSION": "1",
            "VAULTWATCH_TOPIC_ARN": line.outputs["AlertTopicArn"],
            "VAULTWATCH_RULES": str(layer / "rules"),
        }
        servers.append(Server([bootstrap], function, tmp_path / "bootstrap.log", tmp_path))
        yield address
    finally:
        for server in servers:
            server.stop()


def test_a_recorded_payload_can_be_invoked(line: Line, emulator: list[str]) -> None:
    event = ROOT / "tests" / "events" / "root-token-used.json"
    command: list[str | Path] = [TOOLS / "cargo-lambda", "lambda", "invoke", *emulator, "--data-file", event]
    invoked = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert invoked.returncode == 0, invoked.stderr
    assert [alert.rules for alert in line.alerts()] == ["root_token_used + hcp_platform_root_out_of_profile"]
