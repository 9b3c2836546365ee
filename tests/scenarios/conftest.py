import signal

import pytest

from scanning import Tell

# A terminated run ends like an interrupted one, so that fixtures stop their servers.
signal.signal(signal.SIGTERM, signal.default_int_handler)


@pytest.fixture(scope="session")
def tell(request: pytest.FixtureRequest) -> Tell:
    """Prints to the terminal, also when the test passes."""
    capture = request.config.pluginmanager.getplugin("capturemanager")

    def print_lines(*lines: str) -> None:
        with capture.global_and_fixture_disabled():
            print("", *lines, sep="\n")

    return print_lines
