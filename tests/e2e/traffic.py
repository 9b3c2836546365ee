"""Who does what with OpenBao. Everything happens in the namespace `admin/`, as on HCP Vault Dedicated."""

from collections.abc import Callable
from dataclasses import dataclass

from openbao import OpenBao

ADMIN_POLICY = """
# Everything but the root token.
path "*" {
  capabilities = ["create", "read", "update", "delete", "list", "sudo"]
}
"""

READER_POLICY = """
path "secret/data/team/*" {
  capabilities = ["read"]
}
"""

SECRETS = {
    "team/billing": {"dsn": "postgres://billing:Sw0rdfish-93@db.internal/billing", "pin": "8841-2207"},
    "team/mail": {"smtp_password": "long winded: correct horse battery staple", "user": "mailer-7731"},
    "ops/break-glass": {"pem": "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIDx+no\n-----END PRIVATE KEY-----\n"},
}


@dataclass(frozen=True)
class Cast:
    """Who is there once everything is set up."""

    bao: OpenBao
    alice: str
    """The token of an administrator, who is not root."""
    bob: str
    """The token of somebody who may read one team's secrets."""


Act = Callable[[Cast], None]


def set_up(bao: OpenBao) -> Cast:
    """A namespace, its engines, its users and their secrets, made with the root token."""
    root = bao.root_token
    bao.call("POST", "sys/namespaces/admin", root, namespace="")
    bao.call("POST", "sys/mounts/secret", root, {"type": "kv", "options": {"version": "2"}})
    bao.call("PUT", "sys/policies/acl/admin", root, {"policy": ADMIN_POLICY})
    bao.call("PUT", "sys/policies/acl/reader", root, {"policy": READER_POLICY})
    bao.call("POST", "sys/auth/userpass", root, {"type": "userpass"})
    for user, password, policy in [("alice", "Tr0ub4dor-and-3", "admin"), ("bob", "hunter2hunter2", "reader")]:
        bao.call("POST", f"auth/userpass/users/{user}", root, {"password": password, "token_policies": [policy]})
    for path, data in SECRETS.items():
        bao.call("POST", f"secret/data/{path}", root, {"data": data})
    return Cast(bao, alice=_log_in(bao, "alice", "Tr0ub4dor-and-3"), bob=_log_in(bao, "bob", "hunter2hunter2"))


def root_token_read(cast: Cast) -> None:
    cast.bao.call("GET", "secret/data/team/billing", cast.bao.root_token)


def policy_write(cast: Cast) -> None:
    cast.bao.call("PUT", "sys/policies/acl/reader", cast.alice, {"policy": READER_POLICY.replace("team", "ops")})


def policy_restored(cast: Cast) -> None:
    cast.bao.call("PUT", "sys/policies/acl/reader", cast.alice, {"policy": READER_POLICY})


def denied_read(cast: Cast) -> None:
    cast.bao.call("GET", "secret/data/ops/break-glass", cast.bob, status=403)


def second_unwrap(cast: Cast) -> None:
    wrapped = cast.bao.call("GET", "secret/data/team/mail", cast.bob, wrap_ttl="5m")["wrap_info"]["token"]
    unwrapped = cast.bao.call("PUT", "sys/wrapping/unwrap", wrapped)
    assert unwrapped["data"]["data"] == SECRETS["team/mail"]
    cast.bao.call("PUT", "sys/wrapping/unwrap", cast.bob, {"token": wrapped}, status=400)


def ordinary_read(cast: Cast) -> None:
    cast.bao.call("GET", "secret/data/team/billing", cast.bob)


def many_secrets(cast: Cast) -> None:
    """Every way in which a secret gets into an audit log: given, made, stored, read, listed, wrapped and refused."""
    for act in (_machine_login, _issued_tokens, _keys, _certificates, _refused_secrets, second_unwrap, policy_write):
        act(cast)
    policy_restored(cast)


def _machine_login(cast: Cast) -> None:
    alice = cast.alice
    cast.bao.call("POST", "sys/auth/approle", alice, {"type": "approle"})
    cast.bao.call("POST", "auth/approle/role/ci", alice, {"token_policies": ["reader"]})
    role_id = cast.bao.call("GET", "auth/approle/role/ci/role-id", alice)["data"]["role_id"]
    secret_id = cast.bao.call("POST", "auth/approle/role/ci/secret-id", alice, {"metadata": '{"ticket":"OPS-55102"}'})
    login = {"role_id": role_id, "secret_id": secret_id["data"]["secret_id"]}
    machine = cast.bao.call("POST", "auth/approle/login", data=login)["auth"]["client_token"]
    cast.bao.call("GET", "secret/data/team/mail", machine)
    wrapped = cast.bao.call("POST", "auth/approle/role/ci/secret-id", alice, wrap_ttl="2m")["wrap_info"]["token"]
    cast.bao.call("PUT", "sys/wrapping/lookup", data={"token": wrapped})
    cast.bao.call("PUT", "sys/wrapping/unwrap", data={"token": wrapped}, token=alice)


def _issued_tokens(cast: Cast) -> None:
    root = cast.bao.root_token
    child = cast.bao.call("POST", "auth/token/create", cast.alice, {"policies": ["reader"], "ttl": "1h"})["auth"]
    cast.bao.call("POST", "auth/token/lookup", cast.alice, {"token": child["client_token"]})
    cast.bao.call("POST", "auth/token/revoke-accessor", cast.alice, {"accessor": child["accessor"]})
    cast.bao.call("POST", "auth/token/create", root, {"id": "chosen-by-hand-40213"}, namespace="")
    cast.bao.call("POST", "auth/token/create", root, {"type": "batch", "policies": ["default"]})


def _keys(cast: Cast) -> None:
    alice = cast.alice
    cast.bao.call("POST", "sys/mounts/transit", alice, {"type": "transit"})
    cast.bao.call("POST", "transit/keys/orders", alice, {"exportable": True, "type": "ed25519"})
    cast.bao.call("GET", "transit/export/signing-key/orders", alice)
    cast.bao.call("POST", "transit/keys/cards", alice)
    plaintext = {"plaintext": "NTM1NSA4MTIyIDkwMDEgNDQxMiAgIA=="}
    ciphertext = cast.bao.call("POST", "transit/encrypt/cards", alice, plaintext)["data"]
    cast.bao.call("POST", "transit/decrypt/cards", alice, {"ciphertext": ciphertext["ciphertext"]})
    cast.bao.call("POST", "sys/mounts/totp", alice, {"type": "totp"})
    cast.bao.call("POST", "totp/keys/phone", alice, {"generate": True, "issuer": "acme", "account_name": "alice@acme"})
    cast.bao.call("GET", "totp/code/phone", alice)


def _certificates(cast: Cast) -> None:
    cast.bao.call("POST", "sys/mounts/pki", cast.alice, {"type": "pki"})
    root = {"common_name": "acme root", "key_type": "ec"}
    cast.bao.call("POST", "pki/root/generate/exported", cast.alice, root)
    cast.bao.call("POST", "pki/roles/web", cast.alice, {"allow_any_name": True, "key_type": "ec"})
    cast.bao.call("POST", "pki/issue/web", cast.alice, {"common_name": "www.acme.example", "ttl": "1h"})


def _refused_secrets(cast: Cast) -> None:
    """A secret is in the log also when nothing came of it, or where somebody pasted it into a path."""
    bao = cast.bao
    bao.call("POST", "auth/userpass/login/alice", data={"password": "almost-Tr0ub4dor"}, status=400)
    bao.call("POST", "auth/userpass/login/nobody", data={"password": "nobody-knows-this"}, status=400)
    bao.call("GET", "secret/data/team/mail", "s.thisTokenWasNeverIssued0", status=403)
    bao.call("GET", f"secret/data/{cast.bob}", bao.root_token, status=404)
    bao.call("POST", "secret/data/ops/break-glass", cast.bob, {"data": {"key": "bobs-forbidden-value"}}, status=403)
    bao.call("PUT", "sys/policies/acl/broken", cast.alice, {"policy": "path { this is no policy 71"}, status=400)


def _log_in(bao: OpenBao, user: str, password: str) -> str:
    token: str = bao.call("POST", f"auth/userpass/login/{user}", data={"password": password})["auth"]["client_token"]
    return token
