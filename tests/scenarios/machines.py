"""What machines do all day: applications, services, build jobs, operators, monitoring and backups."""

from itertools import count
from random import Random

from caller import Caller
from company import (
    APPLICATIONS,
    ARCHIVE,
    CHILD,
    FLEET,
    PROJECTS,
    SECRETS_OF_EACH,
    SERVICES,
    WITH_DATABASE,
    WITH_PAYMENTS,
    Company,
)
from simulated_day import HOUR, MINUTE, Deed, SimulatedDay

AGENT = "Vault Agent/1.21.0 (+https://www.vaultproject.io/)"
GO = "Go-http-client/1.1"

ARCHIVE_ADDRESS = "127.0.14.2"


def begin_all(day: SimulatedDay, company: Company, random: Random) -> None:
    _begin_applications(day, company, random)
    _begin_kubernetes(day, company, random)
    _begin_builds(day, company, random)
    _begin_upkeep(day, company)
    _begin_troubled(day, company)


def _begin_applications(day: SimulatedDay, company: Company, random: Random) -> None:
    addresses = (f"127.0.10.{number}" for number in count(1))
    for name, machines in APPLICATIONS.items():
        for machine in range(machines):
            caller = company.caller(next(addresses), AGENT)
            credentials = _credentials(company, name, machine)
            day.begin(random.uniform(0, 20 * MINUTE), _application(caller, name, credentials, random))
            if name in WITH_PAYMENTS:
                payments = company.caller(f"127.0.11.{machine + 1}", GO)
                day.begin(random.uniform(0, MINUTE), _payments(payments, credentials, random))
    # A machine of the fleet lives for an hour, and the next one comes after a quarter.
    for number in range(96):
        caller = company.caller(f"127.0.12.{number + 1}", AGENT)
        credentials = _credentials(company, FLEET)
        day.begin(number * 15 * MINUTE, _application(caller, FLEET, credentials, random, rounds=3))
    for machine in range(2):
        loader = company.caller(f"127.0.15.{machine + 1}", AGENT, CHILD)
        day.begin(machine * 9 * MINUTE, _loader(loader, _credentials(company, "loader", machine)))


def _application(caller: Caller, name: str, credentials: dict[str, str], random: Random, rounds: int = 100) -> Deed:
    """Reads its secrets every twenty minutes, and renews its token until it may not any more."""
    lease = ""
    for number in range(rounds):
        if number % 23 == 0:
            lease = _start(caller, name, credentials)
        for secret in SECRETS_OF_EACH[:3]:
            caller.get(f"secret/data/{name}/{secret}")
        if number % 2 == 1:
            caller.write("auth/token/renew-self")
        if lease and number % 6 == 5:
            caller.write("sys/leases/renew", lease_id=lease)
        if number % 6 == 0:
            caller.get("identity/oidc/token/mesh")
        yield 20 * MINUTE + random.uniform(-20, 20)
    caller.write("auth/token/revoke-self")


def _start(caller: Caller, name: str, credentials: dict[str, str]) -> str:
    """Logs in, and gets what is made for it alone; tells the lease of its database's user, if it has a database."""
    caller.log_in("auth/approle/login", **credentials)
    caller.get("auth/token/lookup-self")
    caller.write("pki/issue/service", common_name=f"{name}.shop.example", ttl="24h")
    lease: str = caller.get("database/creds/orders")["lease_id"] if name in WITH_DATABASE else ""
    return lease


def _loader(caller: Caller, credentials: dict[str, str]) -> Deed:
    """Loads the facts of the department of analytics, in its namespace."""
    while True:
        caller.log_in("auth/approle/login", **credentials)
        caller.get("facts/data/sources")
        caller.get("facts/data/warehouse")
        yield 4 * MINUTE
        caller.write("auth/token/revoke-self")
        yield 26 * MINUTE


def _payments(caller: Caller, credentials: dict[str, str], random: Random) -> Deed:
    """Encrypts the numbers of cards as orders come in, and decrypts them when they are charged."""
    while True:
        caller.log_in("auth/approle/login", **credentials)
        for _ in range(90):
            order = {"plaintext": "NDIxMTExMTExMTExMTExMQ=="}
            ciphertext = caller.write("transit/encrypt/cards", **order)["data"]["ciphertext"]
            yield random.uniform(1, 5)
            caller.write("transit/decrypt/cards", ciphertext=ciphertext)
            yield random.expovariate(1 / (5 * MINUTE))


def _begin_kubernetes(day: SimulatedDay, company: Company, random: Random) -> None:
    for number, service in enumerate(SERVICES):
        # A pod talks through the address of its node, and nodes have several pods.
        caller = company.caller(f"127.0.20.{number % 4 + 1}", AGENT)
        day.begin(random.uniform(0, 10 * MINUTE), _service(caller, company, service, random))
    operator = company.caller("127.0.20.9", "external-secrets/v0.20")
    day.begin(7 * MINUTE, _external_secrets(operator, company))
    for function in range(6):
        caller = company.caller(f"127.0.21.{function % 2 + 1}", GO)
        day.begin(random.uniform(0, HOUR), _function(caller, company, function, random))


def _service(caller: Caller, company: Company, name: str, random: Random) -> Deed:
    """A pod, which is replaced by a new one every few hours."""
    while True:
        account = company.jwt(f"system:serviceaccount:shop:{name}")
        caller.log_in("auth/kubernetes/login", role=name, jwt=account)
        for number in range(30):
            caller.get(f"secret/data/{name}/database")
            caller.get(f"secret/data/{name}/broker")
            if number % 4 == 3:
                caller.write("auth/token/renew-self")
            yield 10 * MINUTE + random.uniform(-5, 5)


def _external_secrets(caller: Caller, company: Company) -> Deed:
    """Copies the secrets of all services to Kubernetes, every hour."""
    while True:
        account = company.jwt("system:serviceaccount:external-secrets:controller")
        caller.log_in("auth/kubernetes/login", role="external-secrets", jwt=account)
        for owner in (*SERVICES, *APPLICATIONS):
            for secret in SECRETS_OF_EACH:
                caller.get(f"secret/data/{owner}/{secret}")
            yield 1
        caller.write("auth/token/revoke-self")
        yield HOUR


def _function(caller: Caller, company: Company, number: int, random: Random) -> Deed:
    """A serverless function: a batch token for each run."""
    while True:
        account = company.jwt(f"system:serviceaccount:functions:{number}")
        caller.log_in("auth/kubernetes/login", role="function", jwt=account)
        caller.get(f"secret/data/functions/{number}")
        yield 30 + random.expovariate(1 / (8 * MINUTE))


def _begin_builds(day: SimulatedDay, company: Company, random: Random) -> None:
    for number in range(380):
        at = random.triangular(6 * HOUR, 20 * HOUR, 13 * HOUR)
        caller = company.caller(f"127.0.30.{number % 4 + 1}", GO)
        day.begin(at, _build(caller, company, random.choice(PROJECTS)))


def _build(caller: Caller, company: Company, project: str) -> Deed:
    claims = {"project_path": project, "ref": "main"}
    caller.log_in("auth/jwt/login", role="build", jwt=company.jwt(f"project_path:{project}:ref:main", **claims))
    caller.get("secret/data/builds/registry")
    yield 40
    caller.get(f"secret/data/builds/{project}")
    yield 4 * MINUTE
    caller.get("secret/data/builds/signing")
    caller.write("auth/token/revoke-self")


def _begin_upkeep(day: SimulatedDay, company: Company) -> None:
    metrics = company.caller("127.0.50.1", "Prometheus/3.5.0", namespace="")
    day.begin(3, _metrics(metrics, company))
    snapshots = company.caller("127.0.50.2", "bao-snapshot/2.7", namespace="")
    day.begin(HOUR, _snapshots(snapshots, company))
    day.begin(2 * HOUR, _kv_backup(company.caller("127.0.50.3", "restic-vault/1.4"), company))
    day.begin(3 * HOUR, _rotation(company.caller("127.0.50.4", GO), company))
    day.begin(4 * HOUR, _night_report(company.caller("127.0.50.5", "python-hvac/2.4"), company))
    deployer = company.caller("127.0.50.6", GO)
    for hour, name in ((10, "billing"), (11, "search"), (14, "mail"), (16, "reviews")):
        day.begin(hour * HOUR, _deployment(deployer, company, name))


def _metrics(caller: Caller, company: Company) -> Deed:
    caller.log_in("auth/approle/login", **_credentials(company, "metrics"))
    while True:
        caller.get("sys/metrics")
        yield MINUTE


def _snapshots(caller: Caller, company: Company) -> Deed:
    while True:
        caller.log_in("auth/approle/login", **_credentials(company, "snapshots"))
        caller.get("sys/storage/raft/snapshot")
        caller.write("auth/token/revoke-self")
        yield 4 * HOUR


def _kv_backup(caller: Caller, company: Company) -> Deed:
    """Reads every secret there is."""
    caller.log_in("auth/approle/login", **_credentials(company, "kv-backup"))
    for owner in caller.list("secret/metadata")["data"]["keys"]:
        for name in caller.list(f"secret/metadata/{owner}")["data"]["keys"]:
            if not name.endswith("/"):
                caller.get(f"secret/data/{owner}{name}")
        yield 2
    for name in caller.list("legacy")["data"]["keys"]:
        caller.get(f"legacy/{name}")
    caller.write("auth/token/revoke-self")


def _rotation(caller: Caller, company: Company) -> Deed:
    """New keys, and new passwords in place of the old."""
    caller.log_in("auth/approle/login", **_credentials(company, "rotator"))
    caller.write("transit/keys/cards/rotate")
    caller.write("database/rotate-root/orders")
    caller.write("identity/oidc/key/mesh/rotate", verification_ttl="2h")
    caller.get("pki/crl/rotate")
    caller.write("pki/tidy", status=202, tidy_cert_store=True)
    for name in APPLICATIONS:
        caller.get(f"secret/metadata/{name}/database")
        caller.write(f"secret/data/{name}/database", data={"user": name, "password": "a new one"})
        yield 30
        # What is two rotations old goes; a few minutes lie between two applications.
        caller.call("PUT", f"secret/destroy/{name}/database", {"versions": [1]})
        yield 3 * MINUTE
    caller.write("auth/token/revoke-self")
    # The key of the storage is the root namespace's.
    root = company.caller("127.0.50.4", GO, namespace="")
    root.log_in("auth/approle/login", **_credentials(company, "snapshots"))
    root.write("sys/rotate")
    root.write("auth/token/revoke-self")


def _night_report(caller: Caller, company: Company) -> Deed:
    caller.log_in("auth/approle/login", **_credentials(company, "night-report"))
    for number in range(40):
        caller.get(f"secret/data/warehouses/{number}")
        yield 5


def _deployment(deployer: Caller, company: Company, name: str) -> Deed:
    """The deployment hands a new SecretID to each machine, wrapped; the machine unwraps it and starts anew."""
    for machine in range(APPLICATIONS[name]):
        deployer.log_in("auth/approle/login", **_credentials(company, "deployer"))
        deployer.get(f"auth/approle/role/{name}/role-id")
        secret_id = f"auth/approle/role/{name}/secret-id"
        wrapped = deployer.call("POST", secret_id, wrap_ttl="5m")["wrap_info"]["token"]
        deployer.write("auth/token/revoke-self")
        yield 20
        caller = company.caller(f"127.0.13.{machine + 1}", AGENT)
        caller.token = wrapped
        company.secret_ids[name][machine] = caller.write("sys/wrapping/unwrap")["data"]["secret_id"]
        caller.log_in("auth/approle/login", **_credentials(company, name, machine))
        caller.get(f"secret/data/{name}/database")
        yield 2 * MINUTE


def _begin_troubled(day: SimulatedDay, company: Company) -> None:
    forgotten = company.caller("127.0.14.1", AGENT)
    day.begin(9 * HOUR, _agent_with_an_expired_token(forgotten, company))
    archive = company.caller(ARCHIVE_ADDRESS, AGENT)
    day.begin(12 * HOUR, _agent_with_an_expired_secret_id(archive, company))
    feed = company.caller("127.0.14.3", AGENT)
    day.begin(15 * HOUR, _service_without_a_policy(feed, company))


def _agent_with_an_expired_token(caller: Caller, company: Company) -> Deed:
    """Nobody restarts it for three hours."""
    caller.token = company.expired_token
    for _ in range(3 * 60 * 3):
        caller.get("auth/token/lookup-self", status=403)
        for secret in SECRETS_OF_EACH[:2]:
            caller.get(f"secret/data/search/{secret}", status=403)
        yield 20


def _agent_with_an_expired_secret_id(caller: Caller, company: Company) -> Deed:
    """It waits twice as long after each attempt, at most five minutes; somebody notices after half an hour."""
    credentials = _credentials(company, ARCHIVE)
    pause, waited = 1.0, 0.0
    while waited < 30 * MINUTE:
        # After five attempts the role is locked for a while, and the answer is another.
        caller.call("POST", "auth/approle/login", credentials, status=(400, 403))
        yield pause
        waited += pause
        pause = min(2 * pause, 5 * MINUTE)


def _service_without_a_policy(caller: Caller, company: Company) -> Deed:
    """Its new version needs a secret that its policy does not name; it tries once a minute until it is rolled back."""
    caller.log_in("auth/kubernetes/login", role="feed", jwt=company.jwt("system:serviceaccount:shop:feed"))
    for _ in range(40):
        caller.get("secret/data/feed/database")
        caller.get("secret/data/search/broker", status=403)
        yield MINUTE


def _credentials(company: Company, name: str, machine: int = 0) -> dict[str, str]:
    return {"role_id": company.role_ids[name], "secret_id": company.secret_ids[name][machine]}
