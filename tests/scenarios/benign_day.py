"""An ordinary working day of a company that uses OpenBao: nobody in it does what they should not."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import company
import machines
import people
import terraform
from accepting_database import accepting_database
from raft_server import RaftServer
from simulated_day import SimulatedDay

MIDNIGHT = datetime(2026, 11, 18, tzinfo=UTC)
"""The beginning of a Wednesday."""


@dataclass(frozen=True)
class Capture:
    """What is left of the day."""

    log: Path
    lines: int
    seconds: float
    """How long the day really took, with all that came before it."""
    lists: dict[str, list[str]]
    """What the company's administrators have added to the value lists of the rules."""


def capture(bao: Path, directory: Path) -> Capture:
    """Let the day pass at an OpenBao server of its own. The same things happen every time, at the same times."""
    began = time.monotonic()
    with RaftServer(bao, directory) as server, accepting_database() as database_port:
        shop = company.set_up(server, database_port)
        day = SimulatedDay(MIDNIGHT, server.audit_log)
        random = Random(MIDNIGHT.toordinal())
        machines.begin_all(day, shop, random)
        people.begin_all(day, shop, random)
        terraform.begin_all(day, shop)
        day.run()
    log = directory / "benign-day.jsonl"
    lines = day.write_log(log)
    server.audit_log.unlink()
    return Capture(log, lines, time.monotonic() - began, _lists(shop))


def _lists(shop: company.Company) -> dict[str, list[str]]:
    entities = shop.entities
    return {
        "pipeline_entities": [entities["terraform"], entities["deployer"], entities["rotator"]],
        # The operator reads as many secrets as a backup does, and for as good a reason.
        "backup_entities": [entities["snapshots"], entities["kv-backup"], entities["external-secrets"]],
        "servicedesk_entities": [entities[company.SERVICE_DESK]],
        "approle_fleets": [company.FLEET],
    }
