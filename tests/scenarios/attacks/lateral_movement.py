"""TA0008, lateral movement: to the next machine, with what the last one had."""

from collections.abc import Iterator

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from attack import HIGH, LOW, MEDIUM, Attack
from stage import Stage, rights


def token_of_an_application_copied(stage: Stage) -> Iterator[None]:
    engine = stage.secrets_of("database")
    application = stage.caller()
    stage.log_in(application, stage.application(rights(f"{engine}/*")))
    thief = stage.caller(application.token)
    yield
    for caller in (application, thief):
        caller.get(f"{engine}/data/database")


def token_of_a_person_copied(stage: Stage) -> Iterator[None]:
    engine = stage.secrets_of("wifi")
    person = stage.person(rights(f"{engine}/*"))
    thief = stage.caller(person.token)
    yield
    for caller in (person, thief):
        caller.get(f"{engine}/data/wifi")


def bound_token_copied(stage: Stage) -> Iterator[None]:
    application = stage.caller()
    stage.log_in(application, stage.application(rights("secret/*"), token_bound_cidrs=[application.address]))
    thief = stage.caller(application.token)
    yield
    thief.get("auth/token/lookup-self", status=403)


def token_of_somebody_disabled(stage: Stage) -> Iterator[None]:
    person = stage.person(rights("secret/*"))
    entity = person.get("auth/token/lookup-self")["data"]["entity_id"]
    stage.root.write(f"identity/entity/id/{entity}", disabled=True)
    yield
    person.get("auth/token/lookup-self", status=403)


def certificates_for_many_servers(stage: Stage) -> Iterator[None]:
    engine = stage.engine("ssh")
    stage.root.write(f"{engine}/config/ca", generate_signing_key=True, key_type="ed25519", key_bits=0)
    role = {"key_type": "ca", "allow_user_certificates": True, "allowed_users": "*", "default_user": "staff"}
    stage.root.write(f"{engine}/roles/staff", **role)
    key = Ed25519PrivateKey.generate().public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    mallory = stage.person(rights(f"{engine}/sign/*"))
    yield
    for _ in range(20):
        mallory.write(f"{engine}/sign/staff", public_key=key)


def passwords_for_many_servers(stage: Stage) -> Iterator[None]:
    engine = stage.engine("ssh")
    stage.root.write(f"{engine}/roles/staff", key_type="otp", default_user="staff", cidr_list="10.0.0.0/8")
    mallory = stage.person(rights(f"{engine}/creds/*"))
    yield
    for number in range(20):
        mallory.write(f"{engine}/creds/staff", ip=f"10.0.0.{number}")


ATTACKS = (
    Attack(
        token_of_an_application_copied,
        "a token of an application is used from another address",
        {"auth_token_multi_source": HIGH},
    ),
    Attack(
        token_of_a_person_copied,
        "a token of a person is used from another address",
        {"auth_person_token_multi_source": LOW},
    ),
    Attack(
        bound_token_copied,
        "a token that is bound to an address is tried from another one",
        {"auth_token_rejected": MEDIUM},
    ),
    Attack(
        token_of_somebody_disabled,
        "somebody was shut out, and still tries the token",
        {"auth_token_rejected": MEDIUM},
    ),
    Attack(
        certificates_for_many_servers,
        "twenty certificates for SSH are signed in a row",
        {"ssh_signing_burst": MEDIUM},
    ),
    Attack(
        passwords_for_many_servers,
        "twenty one-time passwords for SSH are issued in a row",
        {"ssh_signing_burst": MEDIUM},
    ),
)
