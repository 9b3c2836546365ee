"""What `sam build` made of the template."""

import re
from pathlib import Path

from conftest import ROOT


def test_the_layer_holds_every_rule_file_and_nothing_else(layer: Path) -> None:
    rules = {Path("rules") / file.relative_to(ROOT / "rules") for file in (ROOT / "rules").rglob("*.yml")}
    assert files(layer) == rules
    for rule in rules:
        assert (layer / rule).read_bytes() == (ROOT / rule).read_bytes()


def test_the_binary_runs_on_amazon_linux_2023(bootstrap: Path) -> None:
    binary = bootstrap.read_bytes()
    assert binary.startswith(b"\x7fELF")
    needed = {int(minor) for minor in re.findall(rb"GLIBC_2\.(\d+)", binary)}
    assert needed
    assert max(needed) <= 34


def files(directory: Path) -> set[Path]:
    return {file.relative_to(directory) for file in directory.rglob("*") if file.is_file()}
