"""TA0006, credential access, past the login: tokens, keys and secrets that belong to others."""

from collections.abc import Iterator

from attack import CRITICAL, HIGH, LOW, MEDIUM, OF_THE_SERVER, Attack
from stage import ROOT, Stage, rights

LOGIN = "auth/userpass/login"

CANARY = "break-glass"
"""What the mount is called that nobody has a reason to look into."""

CANARY_POLICY = "super-admin"

CANARY_USER = "old-admin"

VAULT = "card-numbers"
"""What the mount is called that few are expected to read."""


def values_in_the_audit_log_guessed(stage: Stage) -> Iterator[None]:
    mallory = stage.bearer(rights("sys/audit-hash/*"))
    yield
    for number in range(20):
        mallory.write("sys/audit-hash/file", input=f"pin {number:04}")


def value_in_the_audit_log_looked_for(stage: Stage) -> Iterator[None]:
    mallory = stage.bearer(rights("sys/audit-hash/*"))
    yield
    mallory.write("sys/audit-hash/file", input="pin 4711")


def storage_read_past_policies(stage: Stage) -> Iterator[None]:
    mallory = stage.bearer(rights("sys/raw/*"))
    yield
    mallory.get("sys/raw/sys/policy/default")


def storage_refused(stage: Stage) -> Iterator[None]:
    mallory = stage.bearer(rights("secret/*"))
    yield
    mallory.get("sys/raw/core/mounts", status=403)


def canary_read(stage: Stage) -> Iterator[None]:
    stage.secrets_of("root", path=CANARY)
    mallory = stage.person(rights(f"{CANARY}/*"))
    yield
    mallory.get(f"{CANARY}/data/root")


def canary_refused(stage: Stage) -> Iterator[None]:
    mallory = stage.person(rights("secret/*"))
    yield
    mallory.get(f"sys/policies/acl/{CANARY_POLICY}", status=403)


def canary_logged_in_as(stage: Stage) -> Iterator[None]:
    mallory = stage.caller()
    yield
    mallory.write(f"{LOGIN}/{CANARY_USER}", password="what mallory guessed", status=(400, 403))


def crown_jewel_read(stage: Stage) -> Iterator[None]:
    stage.secrets_of("all", path=VAULT)
    mallory = stage.person(rights(f"{VAULT}/*"))
    yield
    mallory.get(f"{VAULT}/data/all")


def secrets_read_in_a_row(stage: Stage) -> Iterator[None]:
    names = [f"team-{number}" for number in range(50)]
    engine = stage.secrets_of(*names)
    mallory = stage.bearer(rights(f"{engine}/*"))
    yield
    for name in names:
        mallory.get(f"{engine}/data/{name}")


def secrets_read_in_a_folder(stage: Stage) -> Iterator[None]:
    """The folder is called like the part of KV version 2 that holds no secrets."""
    names = [f"app/metadata/{number}" for number in range(50)]
    engine = stage.secrets_of(*names)
    mallory = stage.bearer(rights(f"{engine}/*"))
    yield
    for name in names:
        mallory.get(f"{engine}/data/{name}")


def secrets_read_in_namespaces(stage: Stage) -> Iterator[None]:
    """Ten in each, which are called the same everywhere."""
    children = [stage.new_name() for _ in range(5)]
    names = [f"team-{number}" for number in range(10)]
    for child in children:
        stage.root.write(f"sys/namespaces/{child}")
        within = f"{stage.namespace}{child}/"
        stage.root.write("sys/mounts/kv", namespace=within, type="kv")
        for name in names:
            stage.root.write(f"kv/{name}", namespace=within, password=f"the password of {name} in {child}")
    mallory = stage.person(rights("+/kv/*"))
    yield
    for child in children:
        for name in names:
            mallory.get(f"kv/{name}", namespace=f"{stage.namespace}{child}/")


def database_users_in_a_row(stage: Stage) -> Iterator[None]:
    engine = _database(stage, "orders")
    mallory = stage.bearer(rights(f"{engine}/*"))
    yield
    for _ in range(20):
        mallory.get(f"{engine}/creds/orders")


def database_users_of_all_roles(stage: Stage) -> Iterator[None]:
    roles = ("orders", "stock", "payroll", "audit", "owner")
    engine = _database(stage, *roles)
    mallory = stage.bearer(rights(f"{engine}/*"))
    yield
    for role in roles:
        mallory.get(f"{engine}/creds/{role}")


def codes_for_other_systems(stage: Stage) -> Iterator[None]:
    engine = stage.engine("totp")
    stage.root.write(f"{engine}/keys/shop", generate=True, issuer="shop", account_name="admin@shop.example")
    mallory = stage.bearer(rights(f"{engine}/*"))
    yield
    for _ in range(10):
        mallory.get(f"{engine}/code/shop")


def transit_key_taken_out(stage: Stage) -> Iterator[None]:
    engine = stage.engine("transit")
    stage.root.write(f"{engine}/keys/cards")
    mallory = stage.bearer(rights(f"{engine}/*"))
    yield
    mallory.write(f"{engine}/keys/cards/config", exportable=True)
    mallory.get(f"{engine}/export/encryption-key/cards")


def transit_key_backed_up(stage: Stage) -> Iterator[None]:
    engine = stage.engine("transit")
    stage.root.write(f"{engine}/keys/cards", exportable=True, allow_plaintext_backup=True)
    mallory = stage.bearer(rights(f"{engine}/*"))
    yield
    mallory.get(f"{engine}/backup/cards")


def authority_with_its_key(stage: Stage) -> Iterator[None]:
    engine = _authority(stage)
    mallory = stage.bearer(rights(f"{engine}/*"))
    yield
    mallory.write(f"{engine}/root/generate/exported", common_name="shop.example", key_type="ec")


def authority_of_ones_own(stage: Stage) -> Iterator[None]:
    """The key is made elsewhere, and comes with the certificate."""
    theirs = stage.engine("pki")
    name = {"common_name": "shop.example", "key_type": "ec"}
    made = stage.root.write(f"{theirs}/root/generate/exported", **name)["data"]
    engine = _authority(stage)
    mallory = stage.bearer(rights(f"{engine}/*"))
    yield
    pem = f"{made['private_key']}\n{made['certificate']}"
    [issuer] = mallory.write(f"{engine}/issuers/import/bundle", pem_bundle=pem)["data"]["imported_issuers"]
    mallory.write(f"{engine}/root/replace", default=issuer)


def authority_below(stage: Stage) -> Iterator[None]:
    engine, request = _authority(stage), _signing_request(stage)
    mallory = stage.bearer(rights(f"{engine}/*"))
    yield
    mallory.write(f"{engine}/root/sign-intermediate", csr=request, common_name="mallory.example")


def certificate_for_any_name(stage: Stage) -> Iterator[None]:
    engine, request = _authority(stage), _signing_request(stage)
    mallory = stage.bearer(rights(f"{engine}/*"))
    yield
    mallory.write(f"{engine}/sign-verbatim", csr=request, ttl="1h")


def wrapped_secret_stolen(stage: Stage) -> Iterator[None]:
    """Whom it was meant for comes second."""
    wrapping = _wrapped(stage)
    mallory, alice = stage.caller(), stage.bearer(rights("secret/*"))
    yield
    mallory.token = wrapping
    mallory.write("sys/wrapping/unwrap")
    alice.write("sys/wrapping/unwrap", token=wrapping, status=400)


def wrapping_tokens_guessed(stage: Stage) -> Iterator[None]:
    mallory = stage.caller()
    yield
    for number in range(3):
        mallory.write("sys/wrapping/lookup", token=f"s.wrapping{number:016}", status=(400, 403))


def role_that_certifies_any_name(stage: Stage) -> Iterator[None]:
    engine = _authority(stage)
    mallory = stage.bearer(rights(f"{engine}/roles/*", f"{engine}/issue/*"))
    yield
    mallory.write(f"{engine}/roles/web", allow_any_name=True, enforce_hostnames=False, key_type="ec")
    mallory.write(f"{engine}/issue/web", common_name="domain-controller-7", ttl="1h")


def role_that_certifies_any_name_as_text(stage: Stage) -> Iterator[None]:
    engine = _authority(stage)
    mallory = stage.bearer(rights(f"{engine}/roles/*"))
    yield
    mallory.write(f"{engine}/roles/web", allow_any_name="true", key_type="ec")


def revocation_switched_off(stage: Stage) -> Iterator[None]:
    engine = _authority(stage)
    mallory = stage.bearer(rights(f"{engine}/config/*"))
    yield
    mallory.write(f"{engine}/config/crl", disable=True)


def responder_switched_off(stage: Stage) -> Iterator[None]:
    engine = _authority(stage)
    mallory = stage.bearer(rights(f"{engine}/config/*"))
    yield
    mallory.write(f"{engine}/config/crl", ocsp_disable="true")


def _database(stage: Stage, *roles: str) -> str:
    engine = stage.database()
    statement = """CREATE USER "{{username}}" WITH PASSWORD '{{password}}'"""
    for role in roles:
        stage.root.write(f"{engine}/roles/{role}", db_name="shop", creation_statements=[statement])
    return engine


def _authority(stage: Stage) -> str:
    engine = stage.engine("pki")
    stage.root.write(f"{engine}/root/generate/internal", common_name="shop.example", key_type="ec")
    return engine


def _signing_request(stage: Stage) -> str:
    """What an authority is asked to sign; the key stays in an engine that has nothing to do with it."""
    name = {"common_name": "mallory.example", "key_type": "ec"}
    answer = stage.root.write(f"{stage.engine('pki')}/intermediate/generate/internal", **name)
    request: str = answer["data"]["csr"]
    return request


def _wrapped(stage: Stage) -> str:
    """A SecretID, handed over in a token that opens once."""
    application = stage.application(rights("secret/*"))
    role = f"auth/approle/role/{application.role}"
    token: str = stage.root.call("POST", f"{role}/secret-id", wrap_ttl="5m")["wrap_info"]["token"]
    return token


ATTACKS = (
    Attack(
        values_in_the_audit_log_guessed,
        "values in the audit log are guessed, without a failed login",
        {"audit_hash_used": LOW, "audit_hash_oracle": HIGH},
        only_in=ROOT,
        why=OF_THE_SERVER,
    ),
    Attack(
        value_in_the_audit_log_looked_for,
        "a value is looked for in the audit log",
        {"audit_hash_used": LOW},
        only_in=ROOT,
        why=OF_THE_SERVER,
    ),
    Attack(
        storage_read_past_policies,
        "the storage is read as it is, past all policies",
        {"raw_storage_access": CRITICAL},
        only_in=ROOT,
        why=OF_THE_SERVER,
    ),
    Attack(
        storage_refused,
        "somebody tries to read the storage as it is",
        {"raw_storage_access": CRITICAL},
        only_in=ROOT,
        why=OF_THE_SERVER,
    ),
    Attack(
        canary_read,
        "a secret is read that nobody has a reason to read",
        {"canary_secret_read": CRITICAL},
        lists={"canary_paths": [f"{CANARY}/*"]},
    ),
    Attack(
        canary_refused,
        "somebody tries to read a policy that is there only to be found",
        {"canary_secret_read": CRITICAL},
        lists={"canary_paths": [f"sys/policies/acl/{CANARY_POLICY}"]},
    ),
    Attack(
        canary_logged_in_as,
        "somebody without a token tries a user who is there only to be found",
        {"canary_secret_read": CRITICAL},
        lists={"canary_paths": [f"{LOGIN}/{CANARY_USER}"]},
    ),
    Attack(
        crown_jewel_read,
        "a crown jewel is read by somebody who is not expected there",
        {"sensitive_path_read_unexpected_principal": HIGH},
        lists={"crown_jewels": [f"{VAULT}/data/"]},
    ),
    Attack(secrets_read_in_a_row, "fifty secrets are read in a row", {"kv_mass_read": HIGH}),
    Attack(
        secrets_read_in_a_folder,
        "fifty secrets are read in a folder that is called metadata",
        {"kv_mass_read": HIGH},
    ),
    Attack(
        secrets_read_in_namespaces,
        "fifty secrets are read in a row, in five namespaces",
        {"kv_mass_read": HIGH},
    ),
    Attack(database_users_in_a_row, "twenty users of a database are made", {"dynamic_credential_burst": HIGH}),
    Attack(
        database_users_of_all_roles,
        "users of a database are made, of all five roles",
        {"dynamic_credential_sweep": HIGH},
    ),
    Attack(
        codes_for_other_systems,
        "second factors for another system are had ten times",
        {"totp_engine_seed_or_code_abuse": MEDIUM},
    ),
    Attack(
        transit_key_taken_out,
        "a transit key is made exportable, and read",
        {"transit_key_made_exportable": HIGH, "transit_key_exported": CRITICAL},
    ),
    Attack(transit_key_backed_up, "a transit key is read in a backup", {"transit_key_exported": CRITICAL}),
    Attack(
        authority_with_its_key,
        "a CA is made whose private key is handed out",
        {"pki_private_key_exported_or_ca_replaced": CRITICAL},
    ),
    Attack(
        authority_of_ones_own,
        "a CA is replaced by one whose private key the attacker has",
        {"pki_private_key_exported_or_ca_replaced": CRITICAL},
    ),
    Attack(
        authority_below,
        "a CA signs one of the attacker's",
        {"pki_subordinate_or_verbatim_signing": HIGH},
    ),
    Attack(
        certificate_for_any_name,
        "a CA signs a certificate for whatever name is asked for",
        {"pki_subordinate_or_verbatim_signing": HIGH},
    ),
    Attack(
        wrapped_secret_stolen,
        "a wrapped SecretID is unwrapped by a thief, before its application comes",
        {"wrapping_token_other_source": HIGH, "wrapping_token_invalid_unwrap": HIGH},
    ),
    Attack(wrapping_tokens_guessed, "wrapping tokens are guessed", {"wrapping_token_invalid_unwrap": HIGH}),
    Attack(
        role_that_certifies_any_name,
        "a role of a CA certifies any name, and is used",
        {"pki_role_or_revocation_weakened": HIGH, "credential_role_written": MEDIUM},
    ),
    Attack(
        role_that_certifies_any_name_as_text,
        "a role of a CA is told by the command line to certify any name",
        {"pki_role_or_revocation_weakened": HIGH, "credential_role_written": MEDIUM},
    ),
    Attack(
        revocation_switched_off,
        "a CA publishes no revocation list any more",
        {"pki_role_or_revocation_weakened": HIGH},
    ),
    Attack(
        responder_switched_off,
        "a CA is told by the command line to answer no more whether a certificate is revoked",
        {"pki_role_or_revocation_weakened": HIGH},
    ),
)
