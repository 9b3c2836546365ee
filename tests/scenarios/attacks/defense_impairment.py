"""TA0112, defense impairment: nobody shall see, and nothing shall stand in the way."""

from collections.abc import Iterator

from attack import CRITICAL, HIGH, LOW, MEDIUM, OF_THE_SERVER, Attack
from caller import Caller
from stage import ROOT, Stage, rights

SAFE = "safe"
"""What the mount is called that holds crown jewels."""


def audit_device_of_ones_own(stage: Stage) -> Iterator[None]:
    mallory = stage.bearer(rights("sys/audit/*"))
    yield
    _enable(mallory, stage)


def audit_device_taken_away(stage: Stage) -> Iterator[None]:
    device = _enable(stage.root, stage)
    mallory = stage.bearer(rights("sys/audit/*"))
    yield
    mallory.delete(f"sys/audit/{device}")


def audit_device_refuses_to_go(stage: Stage) -> Iterator[None]:
    """The configuration declares it, so that no call takes it away."""
    mallory = stage.bearer(rights("sys/audit/*"))
    yield
    mallory.call("DELETE", "sys/audit/file", status=(400, 500))


def secrets_in_the_audit_log(stage: Stage) -> Iterator[None]:
    engine = stage.secrets_of("payroll")
    mallory = stage.bearer(rights(f"sys/mounts/{engine}/tune"))
    alice = stage.bearer(rights(f"{engine}/*"))
    yield
    mallory.write(f"sys/mounts/{engine}/tune", audit_non_hmac_response_keys=["data"])
    alice.get(f"{engine}/data/payroll")


def address_of_the_proxy_hidden(stage: Stage) -> Iterator[None]:
    mallory = stage.bearer(rights("sys/config/auditing/*"))
    stage.root.write("sys/config/auditing/request-headers/x-forwarded-for", hmac=False)
    yield
    mallory.delete("sys/config/auditing/request-headers/x-forwarded-for")


def quota_removed(stage: Stage) -> Iterator[None]:
    quota = stage.new_name()
    engine = stage.secrets_of("payroll")
    stage.root.call("POST", f"sys/quotas/rate-limit/{quota}", {"path": engine, "rate": 1000})
    mallory = stage.bearer(rights("sys/quotas/*"))
    yield
    mallory.delete(f"sys/quotas/rate-limit/{quota}")


def lockout_disabled(stage: Stage) -> Iterator[None]:
    method = stage.auth_method("userpass")
    mallory = stage.bearer(rights(f"sys/auth/{method}/tune"))
    yield
    mallory.write(f"sys/auth/{method}/tune", user_lockout_config={"lockout_disable": True})


def lockout_disabled_as_a_mount(stage: Stage) -> Iterator[None]:
    """An auth method is a mount as well, and this path does the same."""
    method = stage.auth_method("userpass")
    mallory = stage.bearer(rights("sys/mounts/auth/*"))
    yield
    mallory.write(f"sys/mounts/auth/{method}/tune", user_lockout_config={"lockout_disable": True})


def locked_user_let_in(stage: Stage) -> Iterator[None]:
    method, user = stage.auth_method("userpass"), stage.new_name()
    stage.root.write(f"auth/{method}/users/{user}", password="what alice chose")
    accessor = stage.root.get("sys/auth")["data"][f"{method}/"]["accessor"]
    guesser = stage.caller()
    for _ in range(6):
        guesser.write(f"auth/{method}/login/{user}", password="what mallory guessed", status=(400, 403))
    mallory = stage.bearer(rights("sys/locked-users/*"))
    yield
    mallory.write(f"sys/locked-users/{accessor}/unlock/{user}")


def crown_jewel_moved(stage: Stage) -> Iterator[None]:
    """Under its new path it is in no list."""
    stage.secrets_of("all", path=SAFE)
    path = stage.new_name()
    mallory = stage.bearer(rights("sys/remount", f"{path}/*"))
    yield
    mallory.write("sys/remount", **{"from": SAFE, "to": path})
    mallory.get(f"{path}/data/all", status=(200, 404, 503))


def engine_with_its_secrets_in_the_audit_log(stage: Stage) -> Iterator[None]:
    mallory = stage.bearer(rights("sys/mounts/*"))
    yield
    mallory.write(f"sys/mounts/{stage.new_name()}", type="kv", config={"audit_non_hmac_response_keys": ["data"]})


def _enable(caller: Caller, stage: Stage) -> str:
    device = stage.new_name()
    # Vault hides where the file is: it must not begin like something that everybody may see.
    caller.write(f"sys/audit/{device}", type="file", options={"file_path": f"log-of-{device}.jsonl"})
    return device


ATTACKS = (
    Attack(
        audit_device_of_ones_own,
        "an audit device is enabled that writes where the attacker reads",
        {"audit_device_enabled": CRITICAL},
        only_in=ROOT,
        why=OF_THE_SERVER,
    ),
    Attack(
        audit_device_taken_away,
        "an audit device is disabled",
        {"audit_device_disabled": CRITICAL},
        only_in=ROOT,
        why=OF_THE_SERVER,
    ),
    Attack(
        audit_device_refuses_to_go,
        "somebody tries to disable an audit device",
        {"audit_device_disabled": CRITICAL},
        only_in=ROOT,
        why=OF_THE_SERVER,
    ),
    Attack(
        secrets_in_the_audit_log,
        "an engine is told to show its secrets to the audit log",
        {"audit_redaction_loosened": HIGH},
    ),
    Attack(
        address_of_the_proxy_hidden,
        "a header is taken out of the audit log",
        {"audit_redaction_loosened": HIGH},
        only_in=ROOT,
        why=OF_THE_SERVER,
    ),
    Attack(
        quota_removed,
        "a rate limit is taken away",
        {"quota_removed_or_weakened": MEDIUM},
        only_in=ROOT,
        why=OF_THE_SERVER,
    ),
    Attack(
        lockout_disabled,
        "an auth method never locks a user any more",
        {"user_lockout_disabled_or_unlocked": MEDIUM},
    ),
    Attack(
        lockout_disabled_as_a_mount,
        "an auth method never locks a user any more, which was told it as a mount",
        {"user_lockout_disabled_or_unlocked": MEDIUM},
    ),
    Attack(
        locked_user_let_in,
        "a user is unlocked whose password somebody guesses",
        {"user_lockout_disabled_or_unlocked": MEDIUM},
    ),
    Attack(
        crown_jewel_moved,
        "a mount with a crown jewel is moved, and read",
        {"mount_moved": MEDIUM},
        lists={"crown_jewels": [f"{SAFE}/"]},
    ),
    Attack(
        engine_with_its_secrets_in_the_audit_log,
        "an engine is enabled that shows its secrets to the audit log",
        {"audit_redaction_loosened": HIGH, "secrets_engine_enabled": LOW},
    ),
)
