"""The pack in the eyes of pySigma, the reference implementation: it reads all of it, and what needs none of our fields
is plain Sigma."""

from pathlib import Path
from subprocess import run

import pytest
import yaml
from sigma.collection import SigmaCollection
from sigma.correlations import SigmaCorrelationRule
from sigma.rule import SigmaRule

RULES = Path(__file__).parents[2] / "rules"

# What these two know about is fetched from the network when they run. `vaultwatch check` knows the ATT&CK tags itself.
NEED_THE_NETWORK = ["--exclude", "attacktag", "--exclude", "d3_fendtag"]
# An attacker writes a `*` into metadata so that a policy takes it for a wildcard, or a tab behind the name of a policy so
# that it passes for another, and rules look for just that.
MEANT = ["--exclude", "escaped_wildcard", "--exclude", "control_character"]


def documents(path: Path) -> list[dict]:
    return [document for document in yaml.safe_load_all(path.read_text("utf-8")) if document]


def files_of(*kinds: str) -> list[Path]:
    """Every file of nothing but such documents; value lists and settings are ours."""
    found = [path for path in sorted(RULES.rglob("*.yml")) if all(set(kinds) & one.keys() for one in documents(path))]
    assert found, f"no {' or '.join(kinds)} below {RULES}"
    return found


def rule_files() -> list[Path]:
    """The rules about single events."""
    return files_of("detection")


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


def test_the_whole_pack_is_read_without_an_error():
    files = files_of("detection", "correlation", "filter")
    text = "\n---\n".join(path.read_text("utf-8") for path in files)
    collection = SigmaCollection.from_yaml(text, collect_errors=True)
    assert collection.errors == []
    assert [(rule.name, rule.errors) for rule in collection.rules if rule.errors] == []
    # Filters become a part of the rules that they are about.
    assert len(collection.rules) == len(files_of("detection", "correlation"))
    collection.resolve_rule_references()
    correlations = [rule for rule in collection.rules if isinstance(rule, SigmaCorrelationRule)]
    assert len(correlations) == len(files_of("correlation"))


def test_sigma_check_reports_nothing():
    checks = ["--fail-on-error", "--fail-on-issues", *NEED_THE_NETWORK, *MEANT]
    command = ["sigma", "check", *checks, *map(str, rule_files())]
    checked = run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "Found 0 errors, 0 condition errors and 0 issues." in checked.stdout
