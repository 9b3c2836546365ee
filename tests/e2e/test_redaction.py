"""No secret leaves, even where the audit device writes raw values.

The lines of a device with `log_raw` go through everything that prints or sends something, and each secret that they
hold is looked for in each output.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess

import pytest

import redaction
import traffic
from aws import Line
from traffic import Cast

RUN = Callable[..., CompletedProcess[str]]


@dataclass(frozen=True)
class Leak:
    """An audit log in which everything can be read."""

    lines: list[str]
    secrets: set[str]

    def in_(self, *outputs: str) -> set[str]:
        return redaction.found(self.secrets, list(outputs))


@pytest.fixture(scope="module")
def leak(cast: Cast) -> Leak:
    traffic.many_secrets(cast)
    lines = cast.bao.raw.lines()
    return Leak(lines, redaction.secrets(lines, cast.bao.hashed.lines()))


def test_the_raw_device_gives_everything_away(cast: Cast, leak: Leak) -> None:
    log = "\n".join(leak.lines)
    assert len(leak.secrets) > 50
    assert {cast.bao.root_token, cast.alice, cast.bob} <= leak.secrets
    assert {traffic.ADMIN_POLICY, traffic.READER_POLICY} <= leak.secrets
    assert {value for data in traffic.SECRETS.values() for value in data.values()} <= leak.secrets
    assert {"Tr0ub4dor-and-3", "almost-Tr0ub4dor", "bobs-forbidden-value", "chosen-by-hand-40213"} <= leak.secrets
    assert leak.in_(log) == leak.secrets


def test_the_function_sends_and_logs_no_secret(line: Line, leak: Leak) -> None:
    line.ship(leak.lines)
    alerts = line.alerts()
    assert {alert.rule for alert in alerts} >= {"root_token_used", "policy_written_by_human", "wrapping_token_invalid_unwrap"}
    received = [json.dumps(alert.envelope) for alert in alerts]
    sent = [text for request in line.wire.requests for text in request.values()]
    assert {"default", "email", "sms"} <= {key for text in sent if text.startswith("{") for key in json.loads(text)}
    assert leak.in_(*received) == set()
    assert leak.in_(*sent) == set()
    assert leak.in_(*line.log()) == set()
    assert leak.in_(*(window["s"]["B"].decode("latin-1") for window in line.remembered())) == set()


@pytest.mark.parametrize("format", ["text", "json"])
@pytest.mark.parametrize("command", ["scan", "invoke"])
def test_the_command_line_prints_no_secret(
    vaultwatch: RUN, leak: Leak, tmp_path: Path, command: str, format: str
) -> None:
    log = tmp_path / "raw.jsonl"
    log.write_text("\n".join(leak.lines) + "\n")
    if command == "invoke":
        log = packed(vaultwatch, log)
    shown = vaultwatch(command, "--format", format, log)
    assert shown.returncode == 0, shown.stderr
    assert "root_token_used" in shown.stdout
    assert leak.in_(shown.stdout, shown.stderr) == set()


def packed(vaultwatch: RUN, log: Path) -> Path:
    """The subscription payload that `vaultwatch pack` makes of a file of audit lines."""
    packing = vaultwatch("pack", log)
    assert packing.returncode == 0, packing.stderr
    payload = log.with_suffix(".payload.json")
    payload.write_text(packing.stdout)
    return payload
