"""What an attack is: something that somebody does to OpenBao, and the alerts that it has to raise."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from stage import ADMIN, ROOT, Stage

LOW = "Low"
MEDIUM = "Medium"
HIGH = "High"
CRITICAL = "Critical"

OF_HCP = "it is HCP Vault Dedicated's, whose customers live in the namespace admin/"
OF_THE_SERVER = "it is a matter of the whole server"
"""Why an attack can be done in one namespace only."""

Act = Callable[[Stage], Iterator[None]]
"""A generator that yields once: what comes before that is preparation, and what comes after it is the attack."""

Raised = Mapping[str, str]
"""Rules, and the levels at which they alert."""


@dataclass(frozen=True)
class Attack:
    """One way to attack OpenBao, and what it raises: nothing else may alert at level medium or above."""

    act: Act
    title: str
    raises: Raised
    """Rules of level low are looked for as well, if they are named; others of that level may alert besides."""
    in_root: Raised | None = None
    """What it raises in the root namespace, if that is something else."""
    only_in: str | None = None
    """The only namespace in which it can be done."""
    why: str = ""
    """Why it can be done in one namespace only, or raises something else in the root namespace."""
    lists: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """What the company that is attacked has in the value lists of its rules."""

    @property
    def name(self) -> str:
        return self.act.__name__

    @property
    def namespaces(self) -> tuple[str, ...]:
        return (ADMIN, ROOT) if self.only_in is None else (self.only_in,)

    def expected(self, namespace: str) -> Raised:
        return self.in_root if namespace == ROOT and self.in_root is not None else self.raises


def perform(attack: Attack, stage: Stage) -> None:
    """Prepare an attack, and carry it out; `stage` records the second part."""
    deed = attack.act(stage)
    next(deed)
    with stage.recorded():
        ended = next(deed, "ended")
    assert ended == "ended", f"{attack.name} yields twice"
