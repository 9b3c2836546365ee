"""What the built vaultwatch makes of a log, with rules that know the place they watch."""

import json
import shutil
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
RULES = ROOT / "rules"
VAULTWATCH = ROOT / "target" / "debug" / "vaultwatch"

Tell = Callable[..., None]
"""Prints lines to the terminal, also when the test passes."""


LEVELS = ("Informational", "Low", "Medium", "High", "Critical")
"""As findings name them, from 1."""


@dataclass(frozen=True)
class Alert:
    rule: str
    level: str
    address: str
    also: tuple[tuple[str, str], ...]
    """The rules that found something in the same happening, which have no alert of their own, and their levels."""

    @property
    def found(self) -> dict[str, str]:
        """All rules that it tells of, and their levels."""
        return {self.rule: self.level, **dict(self.also)}


@dataclass(frozen=True)
class Scan:
    alerts: list[Alert]
    """One for each episode, however often it was told."""
    printed: str
    """All that was written, to standard output and to standard error."""
    seconds: float

    @property
    def summary(self) -> str:
        return self.printed.splitlines()[-1]


def rules_with(
    lists: Mapping[str, Iterable[str]], directory: Path, instead: Mapping[str, Iterable[str]] | None = None
) -> Path:
    """A copy of the rules, with what a company adds to the value lists, and has instead of what they ship with."""
    shutil.copytree(RULES, directory)
    for name, values in (instead or {}).items():
        file = directory / "lists" / f"{name}.yml"
        head, _, _ = file.read_text().partition("\nvalues:\n")
        file.write_text(head + "\nvalues:\n" + "".join(f"  - {value}\n" for value in values))
    for name, values in lists.items():
        with (directory / "lists" / f"{name}.yml").open("a") as file:
            file.writelines(f"  - {value}\n" for value in values)
    return directory


def scan(log: Path, rules: Path) -> Scan:
    began = time.monotonic()
    ran = run("scan", "--rules", rules, "--format", "json", log)
    findings = [json.loads(line) for line in ran.stdout.splitlines()]
    opened = [_alert(finding) for finding in findings if finding["activity_name"] == "Create"]
    return Scan(opened, ran.stdout + ran.stderr, time.monotonic() - began)


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """A command that has to succeed, with an environment that holds nothing."""
    assert VAULTWATCH.exists(), f"{VAULTWATCH} is missing: `cargo build` makes it"
    ran = subprocess.run([VAULTWATCH, *arguments], env={}, capture_output=True, text=True, timeout=600)
    assert ran.returncode == 0, ran.stderr
    return ran


def _alert(finding: dict[str, Any]) -> Alert:
    address = finding["evidences"][0]["src_endpoint"]["ip"]
    others = finding["unmapped"].get("also", [])
    also = tuple((other["rule"], LEVELS[other["severity_id"] - 1]) for other in others)
    return Alert(finding["finding_info"]["analytic"]["name"], finding["severity"], address, also)
