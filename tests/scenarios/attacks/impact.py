"""TA0040, impact: nobody shall be able to work any more."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from attack import CRITICAL, HIGH, OF_THE_SERVER, Attack
from caller import Caller
from stage import ROOT, Stage, rights


def secrets_deleted(stage: Stage) -> Iterator[None]:
    names = [f"team-{number}" for number in range(10)]
    engine = stage.secrets_of(*names)
    mallory = stage.bearer(rights(f"{engine}/*"))
    yield
    for name in names:
        mallory.delete(f"{engine}/metadata/{name}")


def versions_destroyed(stage: Stage) -> Iterator[None]:
    names = [f"team-{number}" for number in range(10)]
    engine = stage.secrets_of(*names)
    mallory = stage.person(rights(f"{engine}/*"))
    yield
    for name in names:
        mallory.write(f"{engine}/destroy/{name}", versions=[1])


def secrets_of_version_1_deleted(stage: Stage) -> Iterator[None]:
    names = [f"team-{number}" for number in range(10)]
    engine = stage.engine("kv", options={"version": "1"})
    for name in names:
        stage.root.write(f"{engine}/{name}", password=f"the password of {name}")
    # Which has no accessor, and no entity.
    mallory = stage.bearer(rights(f"{engine}/*"), type="batch")
    yield
    for name in names:
        mallory.delete(f"{engine}/{name}")


def flood_of_tokens(stage: Stage) -> Iterator[None]:
    mallory = stage.bearer(rights("auth/token/create"))
    # Through many connections at once, because the storage takes its time for each token.
    connections = [stage.caller(mallory.token, address=mallory.address) for _ in range(20)]
    yield
    with ThreadPoolExecutor(len(connections)) as threads:
        list(threads.map(_fifty_tokens, connections))


def peer_demoted(stage: Stage) -> Iterator[None]:
    """Without enough voters a cluster serves nobody."""
    mallory = stage.bearer(rights("sys/storage/raft/*"))
    yield
    mallory.write("sys/storage/raft/demote", server_id="second", status=(200, 400, 500))


def _fifty_tokens(caller: Caller) -> None:
    for _ in range(50):
        caller.write("auth/token/create", policies=["default"], ttl="1m")


def logins_revoked(stage: Stage) -> Iterator[None]:
    method, user = stage.auth_method("userpass"), stage.new_name()
    stage.root.write(f"auth/{method}/users/{user}", password="what alice chose")
    stage.caller().log_in(f"auth/{method}/login/{user}", password="what alice chose")
    mallory = stage.bearer(rights("sys/leases/*"))
    yield
    mallory.write(f"sys/leases/revoke-prefix/auth/{method}/login")
    mallory.write(f"sys/leases/revoke-force/auth/{method}/login")


def engine_disabled(stage: Stage) -> Iterator[None]:
    engine = stage.secrets_of("payroll")
    token = stage.bearer(rights("sys/mounts/*")).token
    # The namespace may stand in the path instead of a header.
    mallory = stage.caller(token, namespace=ROOT)
    yield
    mallory.delete(f"{stage.namespace}sys/mounts/{engine}")


def auth_method_disabled(stage: Stage) -> Iterator[None]:
    method = stage.auth_method("userpass")
    mallory = stage.bearer(rights("sys/auth/*"))
    yield
    mallory.delete(f"sys/auth/{method}")


def namespace_deleted(stage: Stage) -> Iterator[None]:
    child = stage.new_name()
    stage.root.write(f"sys/namespaces/{child}")
    mallory = stage.bearer(rights("sys/namespaces/*"))
    yield
    mallory.delete(f"sys/namespaces/{child}")


def namespace_locked(stage: Stage) -> Iterator[None]:
    child = stage.new_name()
    stage.root.write(f"sys/namespaces/{child}")
    mallory = stage.bearer(rights("sys/namespaces/*"))
    yield
    mallory.write(f"sys/namespaces/api-lock/lock/{child}")


def namespace_sealed(stage: Stage) -> Iterator[None]:
    child, _ = stage.sealable_namespace()
    mallory = stage.bearer(rights("sys/namespaces/*"))
    yield
    mallory.write(f"sys/namespaces/{child}/seal")


def quota_used_up(stage: Stage) -> Iterator[None]:
    engine = stage.secrets_of("payroll")
    limit = {"path": f"{stage.namespace}{engine}", "rate": 1, "interval": "1m"}
    stage.root.call("POST", "sys/quotas/config", {"enable_rate_limit_audit_logging": True}, namespace=ROOT)
    stage.root.call("POST", f"sys/quotas/rate-limit/{stage.new_name()}", limit, namespace=ROOT)
    mallory = stage.bearer(rights(f"{engine}/*"))
    yield
    mallory.get(f"{engine}/data/payroll")
    for _ in range(5):
        mallory.get(f"{engine}/data/payroll", status=429)


def rekey_cancelled_without_a_token(stage: Stage) -> Iterator[None]:
    """OpenBao refuses it, as Vault does after the fix of CVE-2025-4656."""
    mallory = stage.caller()
    yield
    for _ in range(3):
        mallory.call("DELETE", "sys/rekey/init", status=405)


def rekey_cancelled(stage: Stage) -> Iterator[None]:
    mallory = stage.bearer(rights("sys/rotate/*"))
    yield
    for _ in range(3):
        mallory.write("sys/rotate/root/init", secret_shares=1, secret_threshold=1)
        mallory.delete("sys/rotate/root/init")


def root_generation_cancelled(stage: Stage) -> Iterator[None]:
    mallory = stage.bearer(rights("sys/generate-root-token/*"))
    yield
    for _ in range(3):
        mallory.write("sys/generate-root-token/attempt")
        mallory.delete("sys/generate-root-token/attempt")


def sealed(stage: Stage) -> Iterator[None]:
    mallory = stage.bearer(rights("sys/seal"))
    yield
    mallory.write("sys/seal")
    stage.server.unseal()


def seal_refused(stage: Stage) -> Iterator[None]:
    """The log does not tell that it was."""
    mallory = stage.bearer(rights("secret/*"))
    yield
    mallory.write("sys/seal", status=403)


def stepped_down(stage: Stage) -> Iterator[None]:
    mallory = stage.bearer(rights("sys/step-down"))
    yield
    mallory.write("sys/step-down")
    stage.server.wait_until_active()


def peer_removed(stage: Stage) -> Iterator[None]:
    mallory = stage.bearer(rights("sys/storage/raft/*"))
    yield
    mallory.write("sys/storage/raft/remove-peer", server_id="second")


def tokens_revoked(stage: Stage) -> Iterator[None]:
    accessors = [stage.root.write("auth/token/create", ttl="1h")["auth"]["accessor"] for _ in range(20)]
    mallory = stage.bearer(rights("auth/token/revoke-accessor"))
    yield
    for accessor in accessors:
        mallory.write("auth/token/revoke-accessor", accessor=accessor)


def transit_key_deleted(stage: Stage) -> Iterator[None]:
    engine = stage.engine("transit")
    stage.root.write(f"{engine}/keys/cards")
    mallory = stage.bearer(rights(f"{engine}/*"))
    yield
    mallory.write(f"{engine}/keys/cards/config", deletion_allowed=True)
    mallory.delete(f"{engine}/keys/cards")


def transit_key_taken_away(stage: Stage) -> Iterator[None]:
    """It needs not be deletable for that, and comes back."""
    engine = stage.engine("transit")
    stage.root.write(f"{engine}/keys/cards")
    mallory = stage.bearer(rights(f"{engine}/*"))
    yield
    mallory.delete(f"{engine}/keys/cards/soft-delete")


def transit_key_trimmed(stage: Stage) -> Iterator[None]:
    """What the first version has encrypted is lost."""
    engine = stage.engine("transit")
    stage.root.write(f"{engine}/keys/cards")
    mallory = stage.bearer(rights(f"{engine}/*"))
    yield
    mallory.write(f"{engine}/keys/cards/rotate")
    mallory.write(f"{engine}/keys/cards/config", min_decryption_version=2, min_encryption_version=2)
    mallory.write(f"{engine}/keys/cards/trim", min_available_version=2)


def authority_deleted(stage: Stage) -> Iterator[None]:
    engine = stage.engine("pki")
    stage.root.write(f"{engine}/root/generate/internal", common_name="shop.example", key_type="ec")
    mallory = stage.bearer(rights(f"{engine}/*"))
    yield
    mallory.delete(f"{engine}/root")


ATTACKS = (
    Attack(secrets_deleted, "ten secrets are deleted with all their versions", {"kv_destroy_burst": HIGH}),
    Attack(versions_destroyed, "somebody destroys a version of ten secrets", {"kv_destroy_burst": HIGH}),
    Attack(
        secrets_of_version_1_deleted,
        "ten secrets are deleted, with a batch token, in an engine that keeps no versions",
        {"kv_destroy_burst": HIGH},
    ),
    Attack(flood_of_tokens, "a thousand tokens are made", {"lease_or_token_flood": HIGH}),
    Attack(
        logins_revoked,
        "all who have logged in through an auth method are thrown out",
        {"mass_lease_or_token_revocation": CRITICAL},
    ),
    Attack(engine_disabled, "a secrets engine is disabled", {"mount_or_auth_disabled": CRITICAL}),
    Attack(auth_method_disabled, "an auth method is disabled", {"mount_or_auth_disabled": CRITICAL}),
    Attack(namespace_deleted, "a namespace is deleted", {"namespace_deleted_or_locked": CRITICAL}),
    Attack(namespace_locked, "a namespace is locked", {"namespace_deleted_or_locked": CRITICAL}),
    Attack(namespace_sealed, "a namespace is sealed", {"namespace_deleted_or_locked": CRITICAL}),
    Attack(quota_used_up, "a rate limit is used up", {"quota_exceeded": HIGH}),
    Attack(
        rekey_cancelled_without_a_token,
        "somebody without a token tries to keep the key holders from rekeying",
        {"root_generation_cancelled_repeatedly": HIGH},
        only_in=ROOT,
        why=OF_THE_SERVER,
    ),
    Attack(
        rekey_cancelled,
        "somebody keeps the key holders from rekeying",
        {"rekey_activity": CRITICAL, "root_generation_cancelled_repeatedly": HIGH},
        only_in=ROOT,
        why=OF_THE_SERVER,
    ),
    Attack(
        root_generation_cancelled,
        "somebody keeps the key holders from generating a root token",
        {"root_generation_activity": CRITICAL, "root_generation_cancelled_repeatedly": HIGH},
        only_in=ROOT,
        why=OF_THE_SERVER,
    ),
    Attack(
        sealed, "the server is sealed", {"seal_stepdown_or_peer_removed": CRITICAL}, only_in=ROOT, why=OF_THE_SERVER
    ),
    Attack(
        seal_refused,
        "somebody who may not tries to seal the server",
        {"seal_stepdown_or_peer_removed": CRITICAL},
        only_in=ROOT,
        why=OF_THE_SERVER,
    ),
    Attack(
        stepped_down,
        "the leader has to step down",
        {"seal_stepdown_or_peer_removed": CRITICAL},
        only_in=ROOT,
        why=OF_THE_SERVER,
    ),
    Attack(
        peer_removed,
        "a server is removed from the cluster",
        {"seal_stepdown_or_peer_removed": CRITICAL},
        only_in=ROOT,
        why=OF_THE_SERVER,
    ),
    Attack(
        tokens_revoked,
        "twenty tokens of others are revoked",
        {"token_revocation_burst": CRITICAL, "token_accessors_looked_up": HIGH},
    ),
    Attack(
        transit_key_deleted,
        "a transit key is made deletable, and deleted",
        {"transit_or_pki_key_deleted": CRITICAL, "transit_key_made_exportable": HIGH},
    ),
    Attack(transit_key_taken_away, "a transit key is deleted for now", {"transit_or_pki_key_deleted": CRITICAL}),
    Attack(
        transit_key_trimmed,
        "the old versions of a transit key are thrown away",
        {"transit_or_pki_key_deleted": CRITICAL},
    ),
    Attack(authority_deleted, "a certificate authority is deleted", {"transit_or_pki_key_deleted": CRITICAL}),
    Attack(
        peer_demoted,
        "a server of the cluster loses its vote",
        {"seal_stepdown_or_peer_removed": CRITICAL},
        only_in=ROOT,
        why=OF_THE_SERVER,
    ),
)
