"""The servers and the built programs that the tests share."""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import traffic
from aws import Account, Line
from openbao import OpenBao

ROOT = Path(__file__).parents[2]
TOOLS = Path(sys.executable).parent
BUILT = ROOT / "target" / "sam"

# A terminated run ends like an interrupted one, so that fixtures stop their servers.
signal.signal(signal.SIGTERM, signal.default_int_handler)


@pytest.fixture(scope="session")
def layer() -> Path:
    """The content of the rules layer, as `sam build` left it."""
    return _built(BUILT / "RulesLayer")


@pytest.fixture(scope="session")
def bootstrap() -> Path:
    """The function's binary, as `sam build` left it."""
    return _built(BUILT / "Function" / "bootstrap")


@pytest.fixture(scope="session")
def vaultwatch() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs the command line in the project's directory, with an environment that holds nothing."""
    binary = _built(ROOT / "target" / "debug" / "vaultwatch")

    def run(*arguments: str | Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [binary, *arguments], cwd=ROOT, env={}, input=stdin, capture_output=True, text=True, timeout=120
        )

    return run


@pytest.fixture(scope="session")
def cast(tmp_path_factory: pytest.TempPathFactory) -> Iterator[traffic.Cast]:
    """An OpenBao server that is set up, and its people."""
    server = OpenBao(TOOLS / "bao", tmp_path_factory.mktemp("openbao"))
    try:
        yield traffic.set_up(server)
    finally:
        server.stop()


@pytest.fixture(scope="session")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """An empty AWS account."""
    account = Account(TOOLS / "ministack", tmp_path_factory.mktemp("ministack"))
    try:
        yield account
    finally:
        account.stop()


@pytest.fixture(scope="session")
def deployment(account: Account) -> Iterator[Line]:
    """vaultwatch in that account."""
    line = Line(account, TOOLS / "sam", _built(BUILT / "template.yaml"))
    try:
        yield line
    finally:
        line.stop()


@pytest.fixture
def line(deployment: Line) -> Line:
    """The deployed line, with nothing left in it by another test."""
    deployment.alerts()
    deployment.forget()
    deployment.wire.requests.clear()
    return deployment


def _built(path: Path) -> Path:
    assert path.exists(), f"{path} is missing: tests/run.sh builds it"
    return path
