"""Where an attack takes place: a namespace of an OpenBao server, and those who are there."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from caller import Answer, Caller
from company import ALL
from processes import wait_until
from raft_server import RaftServer

ADMIN = "admin/"
ROOT = ""
"""How the root namespace is named in a request: not at all."""

AGENT = "vault-client-go/0.4.3"

SETTINGS = """
audit "file" "raw" {
  options = { file_path = "raw.jsonl", log_raw = "true" }
}

# What operators leave off who are careful.
raw_storage_endpoint            = true
unsafe_allow_api_audit_creation = true
"""
"""What the configuration of a server has besides, that is attacked."""

SECRET_KEYS = {
    "client_token", "token", "secret_id", "password", "jwt", "private_key", "plaintext", "encoded_token", "otp", "url",
    "backup", "value", "bind_password",
}  # fmt: skip
"""What the values have to be called that callers send and receive, and that nobody else may see."""

SHORTEST_SECRET = 8


def rights(*paths: str) -> str:
    """The text of a policy that allows everything below some paths."""
    return "".join(f'path "{path}" {ALL}\n' for path in paths)


SEAL = """
seal "shamir" {
  shares    = 1
  threshold = 1
}
"""
"""Of a namespace that has one of its own."""


@dataclass(frozen=True)
class Application:
    """What logs in through AppRole."""

    role: str
    role_id: str
    secret_id: str


@dataclass(frozen=True)
class Device:
    """A file that an audit device writes, and what it held before the attack."""

    file: Path
    begin: int

    def copy(self, target: Path) -> None:
        with self.file.open("rb") as file:
            file.seek(self.begin)
            target.write_bytes(file.read())


class Stage:
    """One namespace for one attack, whose names and addresses nobody else has."""

    def __init__(self, server: RaftServer, namespace: str, name: str, number: int, database_port: int) -> None:
        self.server = server
        self.namespace = namespace
        self.name = name.replace("_", "-")
        self.database_port = database_port
        self.secrets: set[str] = {server.root_token}
        """What callers have sent and received that is secret."""
        self._number = number
        self._numbers = count(1)
        self._devices: dict[str, Device] = {}
        self.root = self.caller(server.root_token)
        """For preparations: it may do everything."""

    def caller(self, token: str = "", *, namespace: str | None = None, agent: str = AGENT, address: str = "") -> Caller:
        """Somebody at an address of their own, unless it is told."""
        address = address or f"127.{1 + self._number // 250}.{self._number % 250}.{next(self._numbers)}"
        where = self.namespace if namespace is None else namespace
        caller = _Overheard(self.server.port, address, agent, where, self.secrets)
        caller.token = token
        return caller

    def bearer(self, policy: str, **token: object) -> Caller:
        """Somebody with a token of a policy, which comes from nowhere as far as the log tells."""
        policies = [self.policy(policy)]
        answer = self.root.write("auth/token/create", policies=policies, **{"ttl": "1h"} | token)
        return self.caller(answer["auth"]["client_token"])

    def person(self, policy: str) -> Caller:
        """Somebody who has logged in with a name and a password."""
        name = self.new_name()
        password = f"7 long walks with {name}"
        self.root.write(f"auth/userpass/users/{name}", password=password, token_policies=[self.policy(policy)])
        caller = self.caller()
        caller.log_in(f"auth/userpass/login/{name}", password=password)
        return caller

    def application(self, policy: str, **role: object) -> Application:
        """An application that has not logged in yet."""
        name = self.new_name()
        limits = {"token_ttl": "1h", "secret_id_ttl": "720h"}
        self.root.write(f"auth/approle/role/{name}", token_policies=[self.policy(policy)], **limits | role)
        role_id = self.root.get(f"auth/approle/role/{name}/role-id")["data"]["role_id"]
        secret_id = self.root.write(f"auth/approle/role/{name}/secret-id")["data"]["secret_id"]
        return Application(name, role_id, secret_id)

    def log_in(self, caller: Caller, application: Application) -> None:
        caller.log_in("auth/approle/login", role_id=application.role_id, secret_id=application.secret_id)

    def admin_token(self) -> str:
        """An admin token as HCP's portal makes it."""
        self.root.write("sys/policies/acl/hcp-root", policy=rights("*"))
        named = {"display_name": "hcp-root", "policies": ["hcp-root"], "no_parent": True, "ttl": "6h"}
        token: str = self.root.write("auth/token/create", **named)["auth"]["client_token"]
        return token

    def policy(self, text: str) -> str:
        """The name of a new policy."""
        name = self.new_name()
        self.root.write(f"sys/policies/acl/{name}", policy=text)
        return name

    def engine(self, kind: str, **options: object) -> str:
        """The path of a new secrets engine, without a slash at its end."""
        path = f"{self.new_name()}-{kind}"
        self.root.write(f"sys/mounts/{path}", type=kind, **options)
        return path

    def database(self) -> str:
        """The path of a new database engine, connected to a database that takes every statement."""
        engine = self.engine("database")
        plugin = {"plugin_name": "influxdb-database-plugin", "allowed_roles": ["*"], "tls": False}
        login = {"host": "127.0.0.1", "port": str(self.database_port), "username": "vault", "password": "a password"}
        self.root.write(f"{engine}/config/shop", **plugin, **login)
        return engine

    def secrets_of(self, *names: str, path: str = "") -> str:
        """The path of a new KV engine of version 2 that holds a secret under each of the names."""
        path = path or f"{self.new_name()}-kv"
        self.root.write(f"sys/mounts/{path}", type="kv", options={"version": "2"})
        # It is busy with itself for a moment.
        wait_until(lambda: "errors" not in self.root.get(f"{path}/config", status=(200, 400)))
        for name in names:
            self.root.write(f"{path}/data/{name}", data={"user": name, "password": f"the password of {name}"})
        return path

    def sealable_namespace(self) -> tuple[str, str]:
        """The name of a new namespace with a seal of its own, which is open, and the key to it."""
        name = self.new_name()
        key: str = self.root.write(f"sys/namespaces/{name}", seal=SEAL)["data"]["key_shares"][0]
        self.root.write(f"sys/namespaces/{name}/unseal", key=key)
        return name, key

    def auth_method(self, kind: str) -> str:
        """The name of a new auth method: its path is below `auth/`."""
        name = f"{self.new_name()}-{kind}"
        self.root.write(f"sys/auth/{name}", type=kind)
        return name

    def new_name(self) -> str:
        # The number stands first, so that no name begins like another: outputs cut off what is long.
        return f"{next(self._numbers)}-{self.name}"

    @contextmanager
    def recorded(self) -> Iterator[None]:
        """Remember what is in the audit logs before the attack.

        A device has written an entry before the server answers, so there is nothing to wait for.
        """
        files = {"hashed": self.server.audit_log, "raw": self.server.audit_log.with_name("raw.jsonl")}
        self._devices = {name: Device(file, file.stat().st_size) for name, file in files.items()}
        yield

    def write_logs(self, directory: Path) -> dict[str, Path]:
        """Write what each of the devices has recorded of the attack."""
        logs = {name: directory / f"{self.name}-{name}.jsonl" for name in self._devices}
        for name, device in self._devices.items():
            device.copy(logs[name])
        return logs


class _Overheard(Caller):
    """A caller whose secrets are remembered."""

    def __init__(self, port: int, address: str, agent: str, namespace: str, secrets: set[str]) -> None:
        super().__init__(port, address, agent, namespace)
        self._secrets = secrets

    def call(self, method: str, path: str, data: Answer | None = None, **options: Any) -> Answer:
        answer = super().call(method, path, data, **options)
        self._secrets.update(_secrets(data), _secrets(answer))
        return answer


def _secrets(value: object, key: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _secrets(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from _secrets(inner, key)
    elif isinstance(value, str) and key in SECRET_KEYS and len(value) >= SHORTEST_SECRET:
        yield value
