"""The rules are silent on a day on which nobody does what they should not.

`pytest --basetemp=target/scenarios tests/scenarios` leaves the audit log of that day in target/scenarios/.
"""

import json
import sys
from collections import Counter
from pathlib import Path

import pytest

import machines
import people
from benign_day import Capture, capture
from scanning import Scan, Tell, rules_with, scan

BAO = Path(sys.executable).with_name("bao")

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
    "config_sweep",
    "credential_role_written",
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


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Capture:
    return capture(BAO, tmp_path_factory.mktemp("benign-day"))


def test_the_day_is_full(day: Capture, tell: Tell) -> None:
    """There is a lot to be silent about, at every hour, and it is in order."""
    tell(f"{day.lines:,} lines, {day.log.stat().st_size / 1e6:.0f} MB, recorded in {day.seconds:.0f} s")
    assert day.lines >= 50_000
    with day.log.open() as log:
        times = [json.loads(line)["time"] for line in log]
    assert times == sorted(times)
    assert {moment[:13] for moment in times} == {f"2026-11-18T{hour:02}" for hour in range(24)}


def test_nothing_fires_without_a_reason(day: Capture, tmp_path: Path, tell: Tell) -> None:
    seen = scan(day.log, rules_with(day.lists, tmp_path / "rules"))
    tell(*_table(seen), *(f"  {rule} from {address}: {why}" for (rule, address), why in EXPLAINED.items()))
    assert "0 unreadable" in seen.summary
    assert [alert for alert in seen.alerts if alert.level in ("High", "Critical")] == []
    medium = [(alert.rule, alert.address) for alert in seen.alerts if alert.level == "Medium"]
    assert Counter(medium) == Counter(EXPLAINED.keys())
    assert len(EXPLAINED) <= 5


def test_without_the_lists_the_same_day_is_loud(day: Capture, tmp_path: Path, tell: Tell) -> None:
    """The day really holds what pipelines, backups and the service desk do, and only the lists keep it quiet."""
    seen = scan(day.log, rules_with({}, tmp_path / "rules"))
    tell("with the lists as they ship:", *_table(seen))
    assert EXCUSED_BY_A_LIST <= {rule for alert in seen.alerts for rule in alert.found}


def _table(seen: Scan) -> list[str]:
    counts = Counter((alert.level, alert.rule) for alert in seen.alerts)
    rows = [f"  {count:3}  {level:13}  {rule}" for (level, rule), count in sorted(counts.items())]
    return [f"{seen.summary} (scan: {seen.seconds:.0f} s)", *rows]
