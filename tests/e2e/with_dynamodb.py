"""Runs a command beside a DynamoDB on loopback, which VAULTWATCH_TEST_DYNAMODB names to it; exits as it does."""

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from aws import Account


def main() -> int:
    ministack = Path(sys.executable).with_name("ministack")
    with TemporaryDirectory() as directory:
        account = Account(ministack, Path(directory))
        try:
            return subprocess.run(sys.argv[1:], env=os.environ | {"VAULTWATCH_TEST_DYNAMODB": account.url}).returncode
        finally:
            account.stop()


if __name__ == "__main__":
    sys.exit(main())
