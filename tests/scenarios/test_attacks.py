"""Every attack on a real server raises the alerts that it should, and no others.

`pytest --basetemp=target/scenarios tests/scenarios/test_attacks.py` leaves the audit log of each in target/scenarios/.
"""

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from subprocess import CompletedProcess

import pytest

import redaction
from accepting_database import accepting_database
from attack import LOW, Attack, Raised, perform
from attacks import ATTACKS
from raft_server import RaftServer
from scanning import LEVELS, RULES, Scan, Tell, rules_with, run, scan
from stage import ADMIN, ROOT, SETTINGS, Stage

BAO = Path(sys.executable).with_name("bao")

NAMESPACES = {ADMIN: "admin", ROOT: "root"}

NOT_ON_OPENBAO = {
    "control_group_config_changed": "control groups are Vault Enterprise's",
    "group_policy_application_any": "OpenBao has no such setting",
    "replication_secondary_token": "replication between clusters is Vault Enterprise's",
    "secrets_sync_destination_written": "secrets sync is Vault Enterprise's",
    "sentinel_policy_override": "Sentinel is Vault Enterprise's",
    "workload_identity_registration": "the registry of agents is Vault 2's",
}
"""Rules about what OpenBao does not have, and what that is: their own tests prove them, on entries that are made up."""

ALERTING = {file.stem: file for file in RULES.glob("*/*.yml") if file.parent.name not in ("base", "filters", "lists")}


@dataclass(frozen=True)
class Recording:
    """What is left of an attack."""

    attack: Attack
    namespace: str
    logs: dict[str, Path]
    """By the name of the device that wrote it."""
    seen: dict[str, Scan]
    """What the rules make of each of them."""
    text: CompletedProcess[str]
    """The same of the raw one, as people read it."""
    secrets: set[str]
    """What callers have sent and received that nobody else may see."""

    @property
    def expected(self) -> Raised:
        return self.attack.expected(self.namespace)


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, RaftServer]]:
    """A server for each of the namespaces."""
    directories = {namespace: tmp_path_factory.mktemp(name) for namespace, name in NAMESPACES.items()}
    with (
        RaftServer(BAO, directories[ADMIN], SETTINGS) as admin,
        RaftServer(BAO, directories[ROOT], SETTINGS) as root,
    ):
        servers = {ADMIN: admin, ROOT: root}
        for namespace, server in servers.items():
            _furnish(server, namespace)
        yield servers


@pytest.fixture(scope="module")
def database_port() -> Iterator[int]:
    with accepting_database() as port:
        yield port


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The rules, with what all companies together that are attacked have in their lists."""
    lists: dict[str, list[str]] = {}
    for attack in ATTACKS:
        for name, values in attack.lists.items():
            lists.setdefault(name, []).extend(values)
    # Everybody here is on loopback, where nobody is suspected.
    networks = {"unwrap_networks": ["10.*"]}
    return rules_with(lists, tmp_path_factory.mktemp("rules") / "rules", networks)


@pytest.fixture(
    scope="module",
    params=[(attack, namespace) for namespace in NAMESPACES for attack in ATTACKS if namespace in attack.namespaces],
    ids=lambda param: f"{NAMESPACES[param[1]]}-{param[0].name}",
)
def recording(
    request: pytest.FixtureRequest,
    servers: dict[str, RaftServer],
    database_port: int,
    rules: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Recording:
    attack, namespace = request.param
    stage = Stage(servers[namespace], namespace, attack.name, ATTACKS.index(attack) + 1, database_port)
    perform(attack, stage)
    logs = stage.write_logs(tmp_path_factory.mktemp(NAMESPACES[namespace]))
    # At the same time, because they are many.
    with ThreadPoolExecutor() as threads:
        text = threads.submit(run, "scan", "--rules", rules, logs["raw"])
        seen = dict(zip(logs, threads.map(scan, logs.values(), repeat(rules)), strict=True))
    return Recording(attack, namespace, logs, seen, text.result(), stage.secrets)


@pytest.fixture(scope="module")
def table(tell: Tell) -> Iterator[list[str]]:
    """A line for each attack, which is shown at the end."""
    lines: list[str] = []
    yield lines
    tell(*lines)


@pytest.mark.parametrize("device", ["hashed", "raw"])
def test_the_right_rules_alert(recording: Recording, device: str, table: list[str]) -> None:
    seen = recording.seen[device]
    assert "0 unreadable" in seen.summary
    levels = {rule: level for alert in seen.alerts for rule, level in alert.found.items()}
    raised = {rule: level for rule, level in levels.items() if level not in ("Informational", LOW)}
    raised |= {rule: levels[rule] for rule in recording.expected if rule in levels}
    if device == "hashed":
        table.append(_row(recording, raised))
    expected = dict(recording.expected)
    told = f"{recording.attack.title}: raised {raised}, expected {expected}"
    assert raised == expected, f"{told}, by {recording.logs[device]}"


def test_the_highest_level_leads(recording: Recording) -> None:
    """What several rules find in one happening is one alert."""
    for seen in recording.seen.values():
        for alert in seen.alerts:
            assert max(alert.found.values(), key=LEVELS.index) == alert.level, alert


def test_nothing_secret_comes_out(recording: Recording) -> None:
    """Both devices write the same entries, so that the one tells what is secret in those of the other."""
    raw, hashed = (recording.logs[device].read_text() for device in ("raw", "hashed"))
    assert '"client_token":"hmac-sha256:' not in raw, "the raw device hides tokens"
    secrets = recording.secrets | redaction.secrets(raw.splitlines(), hashed.splitlines())
    outputs = [recording.seen["raw"].printed, recording.text.stdout, recording.text.stderr]
    assert redaction.found(secrets, outputs) == set()


def test_every_rule_is_proven() -> None:
    """An attack raises it, or it is about what OpenBao does not have, and says so."""
    raised = {rule for attack in ATTACKS for namespace in attack.namespaces for rule in attack.expected(namespace)}
    assert raised <= ALERTING.keys()
    assert NOT_ON_OPENBAO.keys() <= ALERTING.keys()
    assert raised & NOT_ON_OPENBAO.keys() == set()
    assert ALERTING.keys() - raised - NOT_ON_OPENBAO.keys() == set()
    assert {rule for rule in NOT_ON_OPENBAO if "OpenBao" not in _tests_of(rule)} == set()


def test_attacks_are_told_apart_and_explained() -> None:
    names = [attack.name for attack in ATTACKS]
    assert len(names) == len(set(names))
    special = {attack.name for attack in ATTACKS if attack.only_in is not None or attack.in_root is not None}
    assert {attack.name for attack in ATTACKS if attack.why} == special


def _tests_of(rule: str) -> str:
    return ALERTING[rule].read_text().split("\ntests:\n")[1]


def _furnish(server: RaftServer, namespace: str) -> None:
    """What every attack finds."""
    stage = Stage(server, ROOT, "setup", 0, 0)
    # Vault audits it by default, and OpenBao when it is told to.
    stage.root.write("sys/config/auditing/request-headers/user-agent", hmac=False)
    if namespace == ADMIN:
        stage.root.write("sys/namespaces/admin")
    for method in ("approle", "userpass"):
        stage.root.write(f"sys/auth/{method}", namespace=namespace, type=method)


def _row(recording: Recording, raised: Raised) -> str:
    rules = ", ".join(f"{rule} ({level.lower()})" for rule, level in sorted(raised.items()))
    return f"  {NAMESPACES[recording.namespace]:5}  {recording.attack.name:40}  {rules}"
