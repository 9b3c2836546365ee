"""What people do on a working day: they log in, mistype, look for secrets, and need help."""

from random import Random

from caller import Caller
from company import ADMINISTRATORS, PEOPLE, SECRETS_OF_EACH, SERVICE_DESK, Company
from simulated_day import HOUR, MINUTE, Deed, SimulatedDay

BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"
COMMAND_LINE = "Go-http-client/1.1"

OFFICE = "127.0.40.1"
"""The address that everybody in the office has."""

LOCKED_OUT = "trent"
TRAVELLER = "dave"
ORDINARY = [person for person in PEOPLE if person not in (LOCKED_OUT, TRAVELLER)]


def begin_all(day: SimulatedDay, company: Company, random: Random) -> None:
    for number, person in enumerate(ORDINARY):
        at_home = f"127.0.41.{number + 1}"
        address = OFFICE if number % 3 == 0 else at_home
        at = random.triangular(7 * HOUR, 10 * HOUR, 8.2 * HOUR)
        if number % 2 == 0:
            day.begin(at, _with_the_browser(company.caller(address, BROWSER), company, person, random))
        else:
            day.begin(at, _with_the_command_line(company.caller(address, COMMAND_LINE), company, person, random))
    for number, person in enumerate(ADMINISTRATORS):
        caller = company.caller(f"127.0.42.{number + 1}", BROWSER)
        day.begin((8.5 + 3 * number) * HOUR, _administrator(caller, company, person, random))
    day.begin(9.25 * HOUR, _locked_out(company))
    day.begin(8.75 * HOUR, _traveller(company))
    day.begin(13.5 * HOUR, _wrapped_for_a_colleague(company))
    day.begin(11.2 * HOUR, _own_password(company))
    day.begin(14.3 * HOUR, _without_a_namespace(company))
    day.begin(15.6 * HOUR, _tidies_up(company))


def _log_in(caller: Caller, company: Company, person: str, random: Random) -> Deed:
    """Every eighth password is mistyped, some of them twice, and now and then a name."""
    while random.random() < 0.12:
        caller.write(f"auth/userpass/login/{person}", status=400, password="a lnog walk")
        yield random.uniform(3, 15)
    if random.random() < 0.03:
        caller.write(f"auth/userpass/login/{person}e", status=400, password=company.password(person))
        yield random.uniform(3, 15)
    caller.log_in(f"auth/userpass/login/{person}", password=company.password(person))


def _with_the_browser(caller: Caller, company: Company, person: str, random: Random) -> Deed:
    for _ in range(random.randint(2, 4)):
        yield from _log_in(caller, company, person, random)
        _open_interface(caller)
        for owner in random.sample(("billing", "shared", "shared", "mail", "search"), 3):
            yield random.uniform(2, 20)
            caller.list("secret/metadata")
            caller.list(f"secret/metadata/{owner}")
            yield random.uniform(2, 20)
            yield from _look_at(caller, owner, random)
        caller.write("auth/token/renew-self")
        yield random.uniform(MINUTE, 20 * MINUTE)
        caller.write("auth/token/revoke-self")
        yield random.uniform(HOUR, 3 * HOUR)


def _look_at(caller: Caller, owner: str, random: Random) -> Deed:
    name = random.choice(("wifi", "cdn", "printer") if owner == "shared" else SECRETS_OF_EACH)
    path = f"secret/data/{owner}/{name}"
    caller.write("sys/capabilities-self", paths=[path])
    caller.get(f"secret/metadata/{owner}/{name}")
    caller.get(path, status=200 if owner in ("billing", "shared") else 403)
    if owner == "billing" and random.random() < 0.2:
        yield random.uniform(20, 90)
        caller.write(path, data={"user": owner, "password": "typed by hand"})


def _open_interface(caller: Caller) -> None:
    caller.get("sys/internal/ui/mounts")
    caller.get("sys/internal/ui/resultant-acl")
    caller.get("auth/token/lookup-self")
    caller.write("sys/capabilities-self", paths=["sys/namespaces/*"])


def _with_the_command_line(caller: Caller, company: Company, person: str, random: Random) -> Deed:
    for _ in range(random.randint(1, 3)):
        yield from _log_in(caller, company, person, random)
        caller.get("auth/token/lookup-self")
        for _ in range(random.randint(3, 8)):
            yield random.uniform(10, 20 * MINUTE)
            path = random.choice(("shared/wifi", "shared/cdn", "billing/database", "billing/smtp"))
            caller.get(f"sys/internal/ui/mounts/secret/{path}")
            caller.get(f"secret/data/{path}")
            if random.random() < 0.2:
                caller.get("legacy/telephone")
        caller.write("ssh/sign/staff", public_key=PUBLIC_KEY, valid_principals=person)
        if random.random() < 0.2:
            caller.get("totp/code/shop-admin")
        yield random.uniform(HOUR, 2 * HOUR)


def _administrator(caller: Caller, company: Company, person: str, random: Random) -> Deed:
    """Looks through policies and identities, as somebody does who answers a question about access."""
    yield from _log_in(caller, company, person, random)
    _open_interface(caller)
    for path in ("sys/policies/acl", "identity/entity/id", "identity/group/id", "auth/approle/role"):
        yield random.uniform(20, 90)
        names = caller.list(path)["data"]["keys"] if path != "identity/group/id" else []
        for name in names[:3]:
            caller.get(f"{path}/{name}")
    yield random.uniform(20, 90)
    caller.get("sys/auth")
    caller.get("sys/mounts")
    yield 5 * HOUR
    yield from _log_in(caller, company, person, random)
    caller.write("identity/lookup/entity", name="nobody-of-that-name")
    caller.write("auth/token/revoke-self")


def _locked_out(company: Company) -> Deed:
    """Somebody back from holidays tries until the name is locked; the service desk helps."""
    caller = company.caller(OFFICE, BROWSER)
    for attempt in range(7):
        caller.write(f"auth/userpass/login/{LOCKED_OUT}", status=400 if attempt < 5 else 403, password=f"hm {attempt}")
        yield 25
    yield 10 * MINUTE
    desk = company.caller("127.0.42.9", COMMAND_LINE)
    desk.log_in(f"auth/userpass/login/{SERVICE_DESK}", password=company.password(SERVICE_DESK))
    desk.get("sys/locked-users")
    desk.call("POST", f"sys/locked-users/{company.userpass_accessor}/unlock/{LOCKED_OUT}")
    desk.write(f"auth/userpass/users/{LOCKED_OUT}/password", password="only for today")
    yield 3 * MINUTE
    caller.log_in(f"auth/userpass/login/{LOCKED_OUT}", password="only for today")
    caller.write(f"auth/userpass/users/{LOCKED_OUT}/password", password=company.password(LOCKED_OUT))
    _open_interface(caller)


def _traveller(company: Company) -> Deed:
    """Leaves the office, and goes on with the same token at home."""
    office = company.caller(OFFICE, COMMAND_LINE)
    office.log_in(f"auth/userpass/login/{TRAVELLER}", password=company.password(TRAVELLER))
    office.get("secret/data/shared/wifi")
    yield 20 * MINUTE
    home = company.caller("127.0.43.1", COMMAND_LINE)
    home.token = office.token
    home.get("secret/data/shared/wifi")


def _wrapped_for_a_colleague(company: Company) -> Deed:
    giver, taker = ORDINARY[1], ORDINARY[3]
    giving = company.caller("127.0.41.2", COMMAND_LINE)
    giving.log_in(f"auth/userpass/login/{giver}", password=company.password(giver))
    wrapped = giving.call("POST", "sys/wrapping/wrap", {"pin": "8841"}, wrap_ttl="30m")["wrap_info"]["token"]
    yield 4 * MINUTE
    taking = company.caller("127.0.41.4", COMMAND_LINE)
    taking.log_in(f"auth/userpass/login/{taker}", password=company.password(taker))
    taking.write("sys/wrapping/lookup", token=wrapped)
    taking.write("sys/wrapping/unwrap", token=wrapped)


def _own_password(company: Company) -> Deed:
    person = ORDINARY[5]
    caller = company.caller("127.0.41.6", COMMAND_LINE)
    caller.log_in(f"auth/userpass/login/{person}", password=company.password(person))
    yield 30
    caller.write(f"auth/userpass/users/{person}/password", password=company.password(person))


def _without_a_namespace(company: Company) -> Deed:
    """A new terminal, in which VAULT_NAMESPACE is not set."""
    person = ORDINARY[7]
    caller = company.caller("127.0.41.8", COMMAND_LINE)
    caller.write(f"auth/userpass/login/{person}", namespace="", status=403, password=company.password(person))
    yield 40
    caller.log_in(f"auth/userpass/login/{person}", password=company.password(person))
    for namespace, status in (("", 403), ("", 403), ("admin/", 200)):
        caller.get("secret/data/shared/wifi", namespace=namespace, status=status)
        yield 20


def _tidies_up(company: Company) -> Deed:
    """What is old goes: a few versions, by hand."""
    person = ORDINARY[9]
    caller = company.caller("127.0.41.10", BROWSER)
    caller.log_in(f"auth/userpass/login/{person}", password=company.password(person))
    _open_interface(caller)
    for name in SECRETS_OF_EACH:
        caller.get(f"secret/data/billing/{name}")
        caller.delete(f"secret/data/billing/{name}")
        yield 15
        caller.write(f"secret/data/billing/{name}", data={"user": "billing", "password": "a newer one"})


PUBLIC_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHUIkP7EsT0nGQbCzJkK9cM3vJw1oXJmWqz0eQxq3l2f somebody"
