"""A company that uses OpenBao, in the namespace `admin/` as on HCP Vault Dedicated: its engines, applications, people.

Setting it up takes the root token, and is over before the day begins.
"""

import base64
import json
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from caller import Caller
from raft_server import RaftServer

CHILD = "admin/analytics/"
"""The namespace of a department, below that of the company."""

APPLICATIONS = {
    "billing": 4, "checkout": 4, "catalogue": 4, "search": 3, "mail": 2, "reviews": 3, "inventory": 3, "shipping": 3,
    "accounts": 3, "pricing": 2, "fraud": 2, "returns": 2, "partner-api": 2, "reports": 1,
}  # fmt: skip
"""The applications that log in through AppRole, and on how many machines each of them runs."""

WITH_PAYMENTS = ("billing", "checkout")
"""Those of them that encrypt the numbers of cards."""

WITH_DATABASE = ("billing", "inventory", "shipping", "returns")
"""Those of them that have a database, for which OpenBao gives them credentials."""

FLEET = "storefront"
"""An application whose machines come and go, and share one SecretID."""

ARCHIVE = "archive"
"""An application whose SecretID has expired."""

SERVICES = ("auth-proxy", "cart", "feed", "images", "ledger", "notify", "quotes", "stock", "tax", "vouchers")
"""What runs on Kubernetes, and logs in with the JWT of its service account."""

PROJECTS = ("shop/web", "shop/api", "shop/mobile", "data/etl", "platform/images", "platform/charts")
"""What the build machines build; each job logs in with a JWT of its own."""

PEOPLE = (
    "alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan", "judy", "karl", "laura", "mallory",
    "niaj", "olivia", "peggy", "quentin", "rupert", "sybil", "trent", "ursula", "victor", "wendy", "xavier", "yvonne",
    "zoe", "anders", "birgit", "cecile", "dmitri",
)  # fmt: skip
ADMINISTRATORS = ("walter", "wilma")
SERVICE_DESK = "desk"

SECRETS_OF_EACH = ("database", "broker", "session", "smtp")
"""The secrets that every application has below its name."""

JUST_READ = 'path "{0}/*" {{ capabilities = ["read", "list"] }}\n'

ALL = '{ capabilities = ["create", "read", "update", "delete", "list", "patch", "sudo"] }'

POLICIES = {
    "staff": """
        path "secret/metadata/*" { capabilities = ["list", "read"] }
        path "secret/data/shared/*" { capabilities = ["read", "list"] }
        path "secret/data/billing/*" { capabilities = ["create", "read", "update", "delete"] }
        path "legacy/*" { capabilities = ["read", "list"] }
        path "ssh/sign/staff" { capabilities = ["update"] }
        path "totp/code/shop-admin" { capabilities = ["read"] }
        path "auth/userpass/users/{{identity.entity.aliases.ACCESSOR.name}}/password" { capabilities = ["update"] }
    """,
    "administrator": """
        path "sys/mounts" { capabilities = ["read"] }
        path "sys/auth" { capabilities = ["read", "sudo"] }
        path "sys/policies/acl/*" { capabilities = ["read", "list"] }
        path "sys/policies/acl" { capabilities = ["list"] }
        path "identity/*" { capabilities = ["read", "list"] }
        path "identity/lookup/*" { capabilities = ["update"] }
        path "auth/+/role/*" { capabilities = ["read", "list"] }
        path "sys/leases/lookup/*" { capabilities = ["list", "sudo"] }
    """,
    "service-desk": """
        path "sys/locked-users" { capabilities = ["read"] }
        path "sys/locked-users/*" { capabilities = ["update"] }
        path "auth/userpass/users/+/password" { capabilities = ["update"] }
    """,
    "terraform": "".join(
        f'path "{path}" {ALL}\n'
        for path in ("sys/*", "auth/*", "identity/*", "transit/*", "pki/*", "ssh/*", "secret/*", "analytics/*")
    ),
    "deployer": 'path "auth/approle/role/+/secret-id" { capabilities = ["update"] }\n'
    'path "auth/approle/role/+/role-id" { capabilities = ["read"] }\n',
    "kv-backup": JUST_READ.format("secret") + JUST_READ.format("legacy"),
    "operator": JUST_READ.format("secret"),
    "rotator": f"""
        path "database/rotate-root/orders" {{ capabilities = ["update", "create"] }}
        path "secret/*" {ALL}
        path "transit/keys/+/rotate" {{ capabilities = ["update"] }}
        path "pki/tidy" {{ capabilities = ["update"] }}
        path "pki/crl/rotate" {{ capabilities = ["read"] }}
        path "identity/oidc/key/+/rotate" {{ capabilities = ["update"] }}
    """,
    "payments": 'path "transit/encrypt/cards" { capabilities = ["update", "create"] }\n'
    'path "transit/decrypt/cards" { capabilities = ["update"] }\n',
    "orders": 'path "database/creds/orders" { capabilities = ["read"] }\n',
    "certificates": 'path "pki/issue/service" { capabilities = ["update", "create"] }\n',
    "build": JUST_READ.format("secret/data/builds"),
    "function": JUST_READ.format("secret/data/functions"),
    "night-report": JUST_READ.format("secret/data/warehouses"),
}

ROOT_POLICIES = {
    "snapshots": 'path "sys/storage/raft/snapshot" { capabilities = ["read"] }\n'
    'path "sys/rotate" { capabilities = ["update", "sudo"] }\n',
    "metrics": 'path "sys/metrics" { capabilities = ["read", "list"] }\n',
}


@dataclass
class Company:
    """Who is there, and what they log in with."""

    port: int
    database_port: int
    signing_key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    """Of the JWTs of build jobs and service accounts."""
    role_ids: dict[str, str] = field(default_factory=dict)
    secret_ids: dict[str, list[str]] = field(default_factory=dict)
    """One for each machine of an application."""
    expired_token: str = ""
    """That an agent of the application `search` has held for too long."""
    userpass_accessor: str = ""
    entities: dict[str, str] = field(default_factory=dict)
    """The ids of those who stand in the lists of the rules."""

    def caller(self, address: str, agent: str, namespace: str = "admin/") -> Caller:
        return Caller(self.port, address, agent, namespace)

    def password(self, person: str) -> str:
        return f"{person} likes 7 long walks"

    @property
    def verification_key(self) -> str:
        return self.signing_key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    def jwt(self, subject: str, **claims: str) -> str:
        """A JWT that the auth methods `jwt` and `kubernetes` accept for an hour."""
        now = int(time.time())
        content = {"iss": "https://id.shop.example", "aud": "vault", "sub": subject, "iat": now, "exp": now + 3600}
        parts = [{"alg": "EdDSA", "typ": "JWT"}, content | claims]
        signed = b".".join(_base64url(json.dumps(part).encode()) for part in parts)
        return (signed + b"." + _base64url(self.signing_key.sign(signed))).decode()


def set_up(server: RaftServer, database_port: int) -> Company:
    company = Company(server.port, database_port)
    root = company.caller("127.0.0.1", "bao-setup", namespace="")
    root.token = server.root_token
    _root_namespace(root, company)
    admin = company.caller("127.0.0.1", "bao-setup")
    admin.token = server.root_token
    _engines(admin, company)
    _secrets(admin)
    _policies(admin, company)
    _applications(admin, company)
    _bearers_of_jwts(admin, company)
    _people(admin, company)
    _child_namespace(admin, company)
    _listed_entities(company)
    return company


def _root_namespace(root: Caller, company: Company) -> None:
    # Vault audits it by default, and OpenBao when it is told to.
    root.write("sys/config/auditing/request-headers/user-agent", hmac=False)
    root.write("sys/namespaces/admin")
    root.write("sys/auth/approle", type="approle")
    for name, policy in ROOT_POLICIES.items():
        root.write(f"sys/policies/acl/{name}", policy=policy)
        _approle(root, company, name, [name], machines=1)


def _engines(admin: Caller, company: Company) -> None:
    admin.write("sys/mounts/secret", type="kv", options={"version": "2"})
    admin.write("sys/mounts/legacy", type="kv", options={"version": "1"})
    for engine in ("transit", "pki", "ssh", "totp", "database"):
        admin.write(f"sys/mounts/{engine}", type=engine)
    admin.write("transit/keys/cards")
    admin.write("pki/root/generate/internal", common_name="shop.example", key_type="ec")
    domains = {"allowed_domains": "shop.example", "allow_subdomains": True}
    admin.write("pki/roles/service", **domains, key_type="ec", max_ttl="72h")
    admin.write("ssh/config/ca", generate_signing_key=True, key_type="ed25519", key_bits=0)
    admin.write("ssh/roles/staff", key_type="ca", allow_user_certificates=True, allowed_users="*", ttl="8h")
    admin.write("totp/keys/shop-admin", generate=True, issuer="shop", account_name="admin@shop.example")
    _database(admin, company.database_port)
    admin.write("identity/oidc/key/mesh", allowed_client_ids=["*"], algorithm="EdDSA")
    admin.write("identity/oidc/role/mesh", key="mesh", ttl="1h")
    for method in ("userpass", "approle", "jwt"):
        admin.write(f"sys/auth/{method}", type=method)
    admin.write("sys/auth/kubernetes", type="jwt")
    company.userpass_accessor = admin.get("sys/auth")["data"]["userpass/"]["accessor"]


def _database(admin: Caller, port: int) -> None:
    plugin = {"plugin_name": "influxdb-database-plugin", "allowed_roles": ["orders"], "tls": False}
    login = {"host": "127.0.0.1", "port": str(port), "username": "vault", "password": "vault"}
    admin.write("database/config/orders", **plugin, **login)
    statement = """CREATE USER "{{username}}" WITH PASSWORD '{{password}}'"""
    admin.write("database/roles/orders", db_name="orders", creation_statements=[statement], default_ttl="8h")


def _child_namespace(admin: Caller, company: Company) -> None:
    admin.write("sys/namespaces/analytics")
    child = company.caller("127.0.0.1", "bao-setup", CHILD)
    child.token = admin.token
    child.write("sys/mounts/facts", type="kv", options={"version": "2"})
    child.write("sys/auth/approle", type="approle")
    child.write("sys/policies/acl/loader", policy=JUST_READ.format("facts/data"))
    for name in ("warehouse", "sources"):
        child.write(f"facts/data/{name}", data={"dsn": f"postgres://{name}"})
    _approle(child, company, "loader", ["loader"], machines=2)


def _secrets(admin: Caller) -> None:
    owners = [*APPLICATIONS, FLEET, *SERVICES]
    paths = [f"{owner}/{name}" for owner in owners for name in SECRETS_OF_EACH]
    paths += [f"shared/{name}" for name in ("wifi", "cdn", "printer", "status-page", "registrar")]
    paths += [f"builds/{project}" for project in PROJECTS] + [f"builds/{name}" for name in ("registry", "signing")]
    paths += [f"functions/{number}" for number in range(6)]
    paths += [f"warehouses/{number}" for number in range(40)]
    for path in paths:
        admin.write(f"secret/data/{path}", data={"user": path, "password": f"not {path}"})
    for name in ("fax", "franking-machine", "telephone"):
        admin.write(f"legacy/{name}", pin="4711")


def _policies(admin: Caller, company: Company) -> None:
    own = {
        name: JUST_READ.format(f"secret/data/{name}")
        + 'path "identity/oidc/token/mesh" { capabilities = ["read"] }\n'
        for name in (*APPLICATIONS, FLEET, *SERVICES)
    }
    for name, policy in (POLICIES | own).items():
        text = policy.replace("ACCESSOR", company.userpass_accessor)
        admin.write(f"sys/policies/acl/{name}", policy=text)


def _applications(admin: Caller, company: Company) -> None:
    for name, machines in APPLICATIONS.items():
        policies = [name, "certificates"]
        policies += ["payments"] if name in WITH_PAYMENTS else []
        policies += ["orders"] if name in WITH_DATABASE else []
        _approle(admin, company, name, policies, machines)
    _approle(admin, company, FLEET, [FLEET, "certificates"], machines=1)
    for name in ("deployer", "kv-backup", "rotator", "night-report"):
        _approle(admin, company, name, [name], machines=1)
    # A destroyed SecretID and a revoked token look like expired ones, and nobody has to wait for them.
    _approle(admin, company, ARCHIVE, [], machines=1)
    admin.write(f"auth/approle/role/{ARCHIVE}/secret-id/destroy", secret_id=company.secret_ids[ARCHIVE][0])
    company.expired_token = admin.write("auth/token/create", policies=["search"], ttl="1h")["auth"]["client_token"]
    admin.write("auth/token/revoke", token=company.expired_token)


def _approle(admin: Caller, company: Company, name: str, policies: Iterable[str], machines: int) -> None:
    role = f"auth/approle/role/{name}"
    admin.write(role, token_policies=list(policies), token_ttl="1h", token_max_ttl="8h", secret_id_ttl="720h")
    company.role_ids[name] = admin.get(f"{role}/role-id")["data"]["role_id"]
    company.secret_ids[name] = [admin.write(f"{role}/secret-id")["data"]["secret_id"] for _ in range(machines)]


def _bearers_of_jwts(admin: Caller, company: Company) -> None:
    keys = {"jwt_validation_pubkeys": [company.verification_key], "jwt_supported_algs": ["EdDSA"]}
    for method in ("jwt", "kubernetes"):
        admin.write(f"auth/{method}/config", **keys)
    bound = {"role_type": "jwt", "user_claim": "sub", "bound_audiences": ["vault"]}
    of_job = bound | {"claim_mappings": {"project_path": "project_path", "ref": "ref"}, "token_ttl": "15m"}
    admin.write("auth/jwt/role/build", **of_job, token_policies=["build"])
    admin.write("auth/jwt/role/terraform", **of_job, token_policies=["terraform"])
    of_account = bound | {"token_ttl": "1h", "token_max_ttl": "8h"}
    for service in SERVICES:
        admin.write(f"auth/kubernetes/role/{service}", **of_account, token_policies=[service])
    admin.write("auth/kubernetes/role/external-secrets", **of_account, token_policies=["operator"])
    of_run = bound | {"token_type": "batch", "token_ttl": "5m"}
    admin.write("auth/kubernetes/role/function", **of_run, token_policies=["function"])


def _people(admin: Caller, company: Company) -> None:
    policies = {person: ["staff"] for person in PEOPLE}
    policies |= {person: ["staff", "administrator"] for person in ADMINISTRATORS}
    policies[SERVICE_DESK] = ["staff", "service-desk"]
    for person, names in policies.items():
        lifetimes = {"token_ttl": "4h", "token_max_ttl": "10h"}
        password = company.password(person)
        admin.write(f"auth/userpass/users/{person}", password=password, token_policies=names, **lifetimes)


def _listed_entities(company: Company) -> None:
    """Log in those whom the rules must know, once, so that they have an entity."""
    for name in ("deployer", "kv-backup", "rotator"):
        _log_in_once(company, name, "admin/", "auth/approle/login", **_credentials(company, name))
    _log_in_once(company, "snapshots", "", "auth/approle/login", **_credentials(company, "snapshots"))
    terraform = company.jwt("platform/terraform", project_path="platform/terraform", ref="main")
    _log_in_once(company, "terraform", "admin/", "auth/jwt/login", role="terraform", jwt=terraform)
    operator = company.jwt("system:serviceaccount:external-secrets:controller")
    _log_in_once(company, "external-secrets", "admin/", "auth/kubernetes/login", role="external-secrets", jwt=operator)
    desk = {"password": company.password(SERVICE_DESK)}
    _log_in_once(company, SERVICE_DESK, "admin/", f"auth/userpass/login/{SERVICE_DESK}", **desk)


def _log_in_once(company: Company, name: str, namespace: str, path: str, **credentials: object) -> None:
    caller = company.caller("127.0.0.1", "bao-setup", namespace)
    caller.log_in(path, **credentials)
    company.entities[name] = caller.get("auth/token/lookup-self")["data"]["entity_id"]
    caller.write("auth/token/revoke-self")


def _credentials(company: Company, name: str) -> dict[str, str]:
    return {"role_id": company.role_ids[name], "secret_id": company.secret_ids[name][0]}


def _base64url(content: bytes) -> bytes:
    return base64.urlsafe_b64encode(content).rstrip(b"=")
