"""The rules in the eyes of pySigma, the reference implementation: those that use no field of ours are plain Sigma."""

from pathlib import Path
from subprocess import run

import pytest
import yaml
from sigma.collection import SigmaCollection
from sigma.rule import SigmaRule

RULES = Path(__file__).parents[2] / "rules"

# What these two know about is fetched from the network when they run. `vaultwatch check` knows the ATT&CK tags itself.
NEED_THE_NETWORK = ["--exclude", "attacktag", "--exclude", "d3_fendtag"]


def documents(path: Path) -> list[dict]:
    return [document for document in yaml.safe_load_all(path.read_text("utf-8")) if document]


def rule_files() -> list[Path]:
    """Every file of nothing but rules about single events; value lists and settings are ours."""
    found = [path for path in sorted(RULES.rglob("*.yml")) if all("detection" in rule for rule in documents(path))]
    assert found, f"no rules below {RULES}"
    return found


def uses_derived_fields(path: Path) -> bool:
    return any("derived." in str(rule["detection"]) for rule in documents(path))


PLAIN = [path for path in rule_files() if not uses_derived_fields(path)]


def test_there_are_plain_rules():
    assert PLAIN


@pytest.mark.parametrize("path", PLAIN, ids=lambda path: path.stem)
def test_a_plain_rule_is_read_without_an_error(path: Path):
    collection = SigmaCollection.from_yaml(path.read_text("utf-8"), collect_errors=True)
    assert collection.errors == []
    for rule in collection.rules:
        assert isinstance(rule, SigmaRule)
        assert rule.errors == []
        for condition in rule.detection.parsed_condition:
            assert condition.parsed is not None


def test_sigma_check_reports_nothing():
    command = ["sigma", "check", "--fail-on-error", "--fail-on-issues", *NEED_THE_NETWORK, *map(str, rule_files())]
    checked = run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "Found 0 errors, 0 condition errors and 0 issues." in checked.stdout
