"""A day that passes as fast as the server answers.

Whoever does something is a generator: it calls the server, and yields for how many seconds it then does nothing. The
day runs all of them in the order of their simulated times, one step after the other, so that a slow machine changes
nothing about what happens when.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from itertools import count
from pathlib import Path

Deed = Iterator[float]

MINUTE = 60.0
HOUR = 3600.0
DAY = 24 * HOUR

TIME = re.compile(rb'^\{"time":"([^"]+)"')


@dataclass(frozen=True)
class _Step:
    at: float
    """When it began, in seconds after the simulated midnight."""
    began: datetime
    """When it really began."""
    log_end: int
    """How long the audit log was after it, in bytes."""


class SimulatedDay:
    """Runs deeds, and tells the audit log that they leave behind as if they had taken a day."""

    def __init__(self, midnight: datetime, audit_log: Path) -> None:
        self._midnight = midnight
        self._audit_log = audit_log
        self._log_begin = audit_log.stat().st_size
        self._due: list[tuple[float, int, Deed]] = []
        self._numbers = count()
        self._steps: list[_Step] = []

    def begin(self, at: float, deed: Deed) -> None:
        """Let a deed begin some seconds after midnight."""
        # The number keeps deeds of the same second in the order in which they were begun.
        heappush(self._due, (at, next(self._numbers), deed))

    def run(self) -> None:
        """Do everything that is due before the next midnight."""
        while self._due and self._due[0][0] < DAY:
            at, _, deed = heappop(self._due)
            began = datetime.now(UTC)
            pause = next(deed, None)
            # The device has written an entry before the server answers, so there is nothing to wait for.
            self._steps.append(_Step(at, began, self._audit_log.stat().st_size))
            if pause is not None:
                self.begin(at + pause, deed)

    def write_log(self, path: Path) -> int:
        """Write the audit log of the day, and tell its number of lines.

        Only the `time` of an entry is another: each step is moved to when it was due, and within a step entries stay
        as far apart as they really were. A step that was not over when the next was due moves that one, so that the
        order of the lines stays the order of their times.
        """
        lines = 0
        earliest = self._midnight
        with self._audit_log.open("rb") as recorded, path.open("wb") as told:
            recorded.seek(self._log_begin)
            for step in self._steps:
                moved_by = max(self._midnight + timedelta(seconds=step.at), earliest) - step.began
                while recorded.tell() < step.log_end:
                    line, earliest = _moved(recorded.readline(), moved_by)
                    told.write(line)
                    lines += 1
        return lines


def _moved(line: bytes, by: timedelta) -> tuple[bytes, datetime]:
    found = TIME.match(line)
    assert found, f"an entry does not begin with its time: {line[:80]!r}"
    moved = datetime.fromisoformat(found[1].decode()) + by
    text = moved.isoformat(timespec="microseconds").replace("+00:00", "Z")
    return line[: found.start(1)] + text.encode() + line[found.end(1) :], moved

