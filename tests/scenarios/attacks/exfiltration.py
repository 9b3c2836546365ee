"""TA0010, exfiltration: everything at once, to a place outside."""

from collections.abc import Iterator

from attack import CRITICAL, HIGH, OF_THE_SERVER, Attack
from stage import ROOT, Stage, rights

SNAPSHOT = "sys/storage/raft/snapshot"


def snapshot_downloaded(stage: Stage) -> Iterator[None]:
    mallory = stage.bearer(rights(SNAPSHOT))
    yield
    assert mallory.download(SNAPSHOT)


def snapshot_restored(stage: Stage) -> Iterator[None]:
    """The server forgets what happened meanwhile."""
    mallory = stage.bearer(rights(SNAPSHOT))
    snapshot = stage.root.download(SNAPSHOT)
    yield
    mallory.upload(SNAPSHOT, snapshot)
    stage.server.wait_until_active()


def snapshot_of_mallory(stage: Stage) -> Iterator[None]:
    """Refused, because it is none."""
    mallory = stage.bearer(rights("sys/storage/raft/*"))
    yield
    mallory.upload(f"{SNAPSHOT}-force", b"all your keys are belong to mallory", status=(400, 500))


ATTACKS = (
    Attack(
        snapshot_downloaded,
        "a snapshot of the whole storage is downloaded",
        {"raft_snapshot_taken": HIGH},
        only_in=ROOT,
        why=OF_THE_SERVER,
    ),
    Attack(
        snapshot_restored,
        "an old snapshot is restored",
        {"raft_snapshot_redirected_or_restored": CRITICAL},
        only_in=ROOT,
        why=OF_THE_SERVER,
    ),
    Attack(
        snapshot_of_mallory,
        "somebody tries to restore a snapshot of their own",
        {"raft_snapshot_redirected_or_restored": CRITICAL},
        only_in=ROOT,
        why=OF_THE_SERVER,
    ),
)
