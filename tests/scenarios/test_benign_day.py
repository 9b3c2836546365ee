"""The rules are silent on a day on which nobody does what they should not.

`pytest --basetemp=target/scenarios tests/scenarios` leaves the audit log of that day in target/scenarios/.
"""

import json
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import machines
import people
from benign_day import Capture, capture

Tell = Callable[..., None]

ROOT = Path(__file__).parents[2]
BAO = Path(sys.executable).with_name("bao")
VAULTWATCH = ROOT / "target" / "debug" / "vaultwatch"

EXPLAINED = {
    ("auth_user_lockout_hit", people.OFFICE): "somebody tried passwords until the name was locked, and asked for help",
    ("auth_user_lockout_hit", machines.ARCHIVE_ADDRESS): "an application whose SecretID has expired locked its role",
    ("auth_approle_secretid_guessing", machines.ARCHIVE_ADDRESS): "and went on trying with it for half an hour",
}
"""The alerts of level medium that the day deserves, by rule and address: seen from here, that is what an attack is."""

EXCUSED_BY_A_LIST = {
    "approle_secretid_issued_then_used",
    "auth_approle_login_many_sources",
    "auth_role_written",
    "database_config_or_root_rotated",
    "identity_alias_write",
    "kv_enumerate_then_dump",
    "kv_mass_read",
    "local_user_created",
    "oidc_login_role_changed",
    "policy_written",
    "raft_snapshot_taken",
    "user_lockout_disabled_or_unlocked",
}
"""Rules that are silent only because the company has told who may do what they watch."""


@dataclass(frozen=True)
class Alert:
    rule: str
    level: str
    address: str


@dataclass(frozen=True)
class Scan:
    alerts: list[Alert]
    """One for each episode, however often it was told."""
    summary: str
    seconds: float


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Capture:
    return capture(BAO, tmp_path_factory.mktemp("benign-day"))


@pytest.fixture
def tell(capfd: pytest.CaptureFixture[str]) -> Tell:
    """Prints to the terminal, also when the test passes."""

    def print_lines(*lines: str) -> None:
        with capfd.disabled():
            print("", *lines, sep="\n")

    return print_lines


def test_the_day_is_full(day: Capture, tell: Tell) -> None:
    """There is a lot to be silent about, at every hour, and it is in order."""
    tell(f"{day.lines:,} lines, {day.log.stat().st_size / 1e6:.0f} MB, recorded in {day.seconds:.0f} s")
    assert day.lines >= 50_000
    with day.log.open() as log:
        times = [json.loads(line)["time"] for line in log]
    assert times == sorted(times)
    assert {moment[:13] for moment in times} == {f"2026-11-18T{hour:02}" for hour in range(24)}


def test_nothing_fires_without_a_reason(day: Capture, tmp_path: Path, tell: Tell) -> None:
    scan = _scan(day, _rules(tmp_path / "rules", day.lists))
    tell(*_table(scan), *(f"  {rule} from {address}: {why}" for (rule, address), why in EXPLAINED.items()))
    assert "0 unreadable" in scan.summary
    assert [alert for alert in scan.alerts if alert.level in ("High", "Critical")] == []
    medium = [(alert.rule, alert.address) for alert in scan.alerts if alert.level == "Medium"]
    assert Counter(medium) == Counter(EXPLAINED.keys())
    assert len(EXPLAINED) <= 5


def test_without_the_lists_the_same_day_is_loud(day: Capture, tmp_path: Path, tell: Tell) -> None:
    """The day really holds what pipelines, backups and the service desk do, and only the lists keep it quiet."""
    scan = _scan(day, _rules(tmp_path / "rules", {}))
    tell("with the lists as they ship:", *_table(scan))
    assert EXCUSED_BY_A_LIST <= {alert.rule for alert in scan.alerts}


def _rules(directory: Path, lists: dict[str, list[str]]) -> Path:
    """A copy of the rules, with what a company adds to the value lists."""
    shutil.copytree(ROOT / "rules", directory)
    for name, values in lists.items():
        with (directory / "lists" / f"{name}.yml").open("a") as file:
            file.writelines(f"  - {value}\n" for value in values)
    return directory


def _scan(day: Capture, rules: Path) -> Scan:
    assert VAULTWATCH.exists(), f"{VAULTWATCH} is missing: `cargo build` makes it"
    began = time.monotonic()
    command = [VAULTWATCH, "scan", "--rules", rules, "--format", "json", day.log]
    ran = subprocess.run(command, env={}, capture_output=True, text=True, timeout=600)
    assert ran.returncode == 0, ran.stderr
    findings = [json.loads(line) for line in ran.stdout.splitlines()]
    opened = [_alert(finding) for finding in findings if finding["activity_name"] == "Create"]
    return Scan(opened, ran.stderr.splitlines()[-1], time.monotonic() - began)


def _alert(finding: dict[str, Any]) -> Alert:
    address = finding["evidences"][0]["src_endpoint"]["ip"]
    return Alert(finding["finding_info"]["analytic"]["name"], finding["severity"], address)


def _table(scan: Scan) -> list[str]:
    counts = Counter((alert.level, alert.rule) for alert in scan.alerts)
    rows = [f"  {count:3}  {level:13}  {rule}" for (level, rule), count in sorted(counts.items())]
    return [f"{scan.summary} (scan: {scan.seconds:.0f} s)", *rows]
