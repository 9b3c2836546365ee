"""Servers that a test session starts, and their certain end."""

import atexit
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


class Server:
    """A process with all its children, in a process group of its own."""

    def __init__(self, command: Sequence[str | Path], env: Mapping[str, str], log: Path, cwd: Path) -> None:
        self.log = log
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [str(part) for part in command],
                env=dict(env),
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        atexit.register(self.stop)

    def stop(self) -> None:
        """End the group: asked first, made to after ten seconds. Harmless when repeated."""
        atexit.unregister(self.stop)
        self._signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=10)
        # A child may outlive the process that the signal was for.
        self._signal(signal.SIGKILL)
        self._process.wait()

    def wait_until(self, ready: Callable[[], T | None], seconds: float = 30) -> T:
        """What `ready` answers, as soon as that is true; an error that shows the log if the server ends or is late."""
        try:
            return wait_until(ready, seconds, while_true=lambda: self._process.poll() is None)
        except TimeoutError as error:
            raise TimeoutError(f"{error}\n{self.log}:\n{self.log.read_text(errors='replace')[-4000:]}") from None

    def _signal(self, number: int) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)


def wait_until(answer: Callable[[], T | None], seconds: float = 30, while_true: Callable[[], bool] = lambda: True) -> T:
    """What `answer` returns, as soon as that is true."""
    deadline = time.monotonic() + seconds
    while while_true() and time.monotonic() < deadline:
        if result := answer():
            return result
        time.sleep(0.02)
    raise TimeoutError(f"waited {seconds} s in vain for {answer.__qualname__}")


def free_port() -> int:
    """A port of the loopback address that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def listens(port: int) -> bool:
    """Whether somebody accepts connections on a port of the loopback address."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
