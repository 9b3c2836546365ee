"""TA0006, credential access, where people and machines log in: passwords, SecretIDs, second factors."""

import hashlib
import hmac
import json
import time
from base64 import b32decode
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPConnection
from urllib.parse import parse_qs, urlsplit

from attack import CRITICAL, HIGH, MEDIUM, Attack
from caller import Caller
from company import Company
from stage import Stage, rights

LOGIN = "auth/userpass/login"

APPROLE = "auth/approle/login"

RIGHT = "what the user chose"

WRONG = "what mallory guessed"


def passwords_until_one_fits(stage: Stage) -> Iterator[None]:
    """Four for each user, since the fifth wrong one locks out."""
    first, *others = _users(stage, 3)
    mallory = stage.caller()
    yield
    for user in (first, *others):
        for _ in range(4):
            _guess(mallory, user)
    mallory.log_in(f"{LOGIN}/{first}", password=RIGHT)


def passwords_until_locked(stage: Stage) -> Iterator[None]:
    [user] = _users(stage, 1)
    mallory = stage.caller()
    yield
    for _ in range(10):
        _guess(mallory, user)


def passwords_sprayed(stage: Stage) -> Iterator[None]:
    users = _users(stage, 8)
    mallory = stage.caller()
    yield
    for user in users:
        _guess(mallory, user)


def passwords_sprayed_until_one_fits(stage: Stage) -> Iterator[None]:
    *users, careless = _users(stage, 9)
    mallory = stage.caller()
    yield
    for user in users:
        _guess(mallory, user)
    mallory.log_in(f"{LOGIN}/{careless}", password=RIGHT)


def passwords_from_many_addresses(stage: Stage) -> Iterator[None]:
    [user] = _users(stage, 1)
    yield
    for _ in range(4):
        _guess(stage.caller(), user)


def passwords_from_many_addresses_until_one_fits(stage: Stage) -> Iterator[None]:
    [user] = _users(stage, 1)
    yield
    for _ in range(4):
        _guess(stage.caller(), user)
    stage.caller().log_in(f"{LOGIN}/{user}", password=RIGHT)


def password_in_the_wrong_place(stage: Stage) -> Iterator[None]:
    [user] = _users(stage, 1, token_bound_cidrs=["10.0.0.0/8"])
    yield
    stage.caller().write(f"{LOGIN}/{user}", password=RIGHT, status=403)


def user_in_capitals(stage: Stage) -> Iterator[None]:
    """The method takes all of them for the same user."""
    [user] = _users(stage, 1)
    mallory = stage.caller()
    yield
    for letter in "cap":
        _guess(mallory, user.replace(letter, letter.upper()))


def user_with_a_blank(stage: Stage) -> Iterator[None]:
    [user] = _users(stage, 1)
    mallory = stage.caller()
    yield
    _guess(mallory, f"{user}%20")
    _guess(mallory, f"{user}%2520")


def secret_ids_until_locked(stage: Stage) -> Iterator[None]:
    application = stage.application(rights("secret/*"))
    mallory = stage.caller()
    yield
    for number in range(10):
        guess = {"role_id": application.role_id, "secret_id": f"00000000-0000-4000-8000-{number:012}"}
        mallory.write(APPROLE, **guess, status=(400, 403))


def role_ids(stage: Stage) -> Iterator[None]:
    mallory = stage.caller()
    yield
    for number in range(10):
        guess = {"role_id": f"00000000-0000-4000-8000-{number:012}", "secret_id": "from an old image"}
        mallory.write(APPROLE, **guess, status=400)


def tokens_of_nobody(stage: Stage) -> Iterator[None]:
    mallory = stage.caller()
    yield
    for number in range(20):
        mallory.token = f"s.{number:024}"
        mallory.get("auth/token/lookup-self", status=403)


def second_factors(stage: Stage) -> Iterator[None]:
    user = _second_factor(stage).user()
    mallory = stage.caller()
    yield
    user.pass_code(mallory, right=False, times=5)


def second_factors_until_one_fits(stage: Stage) -> Iterator[None]:
    """Passwords of several people, because five wrong codes of one are too many for half a minute."""
    factor = _second_factor(stage)
    users = [factor.user() for _ in range(3)]
    mallory = stage.caller()
    yield
    for user in users:
        user.pass_code(mallory, right=False, times=4)
    users[0].pass_code(mallory, right=True, times=1)


def second_factors_with_the_password(stage: Stage) -> Iterator[None]:
    """The code comes in a header of the login, and a wrong one looks like a locked user in the log."""
    user = _second_factor(stage).user()
    mallory = HTTPConnection("127.0.0.1", stage.server.port, source_address=(stage.caller().address, 0))
    named = {"X-Vault-Namespace": stage.namespace, "X-Vault-MFA": f"{user.method_id}:no code"}
    yield
    for _ in range(5):
        mallory.request("POST", f"/v1/auth/{user.method}/login/{user.name}", json.dumps({"password": RIGHT}), named)
        response = mallory.getresponse()
        answer = response.read()
        assert response.status == 403, answer


def second_factor_removed(stage: Stage) -> Iterator[None]:
    factor = _second_factor(stage)
    mallory = stage.bearer(rights("identity/mfa/*"))
    yield
    mallory.delete(f"identity/mfa/login-enforcement/{factor.enforcement}")


def second_factor_of_another(stage: Stage) -> Iterator[None]:
    user = _second_factor(stage).user()
    mallory = stage.person(rights("identity/mfa/*"))
    yield
    whose = {"method_id": user.method_id, "entity_id": user.entity}
    mallory.write("identity/mfa/method/totp/admin-destroy", **whose)
    mallory.write("identity/mfa/method/totp/admin-generate", **whose)


def jwts_of_ones_own(stage: Stage) -> Iterator[None]:
    method = stage.auth_method("jwt")
    theirs, ours = (Company(stage.server.port, stage.database_port) for _ in range(2))
    keys = {"jwt_validation_pubkeys": [theirs.verification_key], "jwt_supported_algs": ["EdDSA"]}
    stage.root.write(f"auth/{method}/config", **keys)
    role = {"role_type": "jwt", "user_claim": "sub", "bound_audiences": ["vault"], "token_policies": ["default"]}
    stage.root.write(f"auth/{method}/role/build", **role)
    mallory = stage.caller()
    yield
    for number in range(10):
        mallory.write(f"auth/{method}/login", role="build", jwt=ours.jwt(f"job {number}"), status=400)


def role_lets_everybody_in(stage: Stage) -> Iterator[None]:
    method = stage.auth_method("jwt")
    role = {"role_type": "jwt", "user_claim": "sub", "bound_audiences": ["vault"], "token_policies": ["default"]}
    stage.root.write(f"auth/{method}/role/build", **role, bound_claims={"project_path": "shop/web"})
    mallory = stage.bearer(rights(f"auth/{method}/*"))
    yield
    mallory.write(f"auth/{method}/role/build", **role, bound_claims={"iss": "https://id.shop.example"})


def _users(stage: Stage, number: int, **options: object) -> list[str]:
    """Users that can log in with RIGHT."""
    users = [stage.new_name() for _ in range(number)]
    for user in users:
        stage.root.write(f"auth/userpass/users/{user}", password=RIGHT, token_policies=["default"], **options)
    return users


def _guess(caller: Caller, user: str) -> None:
    """Refused: an odd spelling with 404, a locked user with 403."""
    caller.write(f"{LOGIN}/{user}", password=WRONG, status=(400, 403, 404))


@dataclass(frozen=True)
class _User:
    """Somebody whose password is known, and who has to give a code besides."""

    method: str
    name: str
    entity: str
    method_id: str
    seed: bytes

    def pass_code(self, caller: Caller, *, right: bool, times: int) -> None:
        """Log in with the password, then give codes."""
        pending = caller.write(f"auth/{self.method}/login/{self.name}", password=RIGHT)["auth"]["mfa_requirement"]
        for _ in range(times):
            code = self._code() if right else "no code"
            answer = {"mfa_request_id": pending["mfa_request_id"], "mfa_payload": {self.method_id: [code]}}
            caller.write("sys/mfa/validate", status=200 if right else 403, **answer)

    def _code(self) -> str:
        """What a telephone shows, as RFC 6238 says."""
        step = int(time.time() // 30).to_bytes(8)
        digest = hmac.digest(self.seed, step, hashlib.sha1)
        offset = digest[-1] & 0xF
        number = int.from_bytes(digest[offset : offset + 4]) & 0x7FFFFFFF
        return f"{number % 10**6:06}"


@dataclass(frozen=True)
class _SecondFactor:
    """An auth method whose users need a second factor."""

    stage: Stage
    method: str
    accessor: str
    method_id: str
    enforcement: str

    def user(self) -> _User:
        root, name = self.stage.root, self.stage.new_name()
        root.write(f"auth/{self.method}/users/{name}", password=RIGHT, token_policies=["default"])
        entity = root.write("identity/entity", name=name)["data"]["id"]
        root.write("identity/entity-alias", name=name, canonical_id=entity, mount_accessor=self.accessor)
        whose = {"method_id": self.method_id, "entity_id": entity}
        url = root.write("identity/mfa/method/totp/admin-generate", **whose)["data"]["url"]
        [seed] = parse_qs(urlsplit(url).query)["secret"]
        return _User(self.method, name, entity, self.method_id, b32decode(seed))


def _second_factor(stage: Stage) -> _SecondFactor:
    method, enforcement = stage.auth_method("userpass"), stage.new_name()
    accessor = stage.root.get("sys/auth")["data"][f"{method}/"]["accessor"]
    method_id = stage.root.write("identity/mfa/method/totp", issuer="shop")["data"]["method_id"]
    bound = {"mfa_method_ids": [method_id], "auth_method_accessors": [accessor]}
    stage.root.write(f"identity/mfa/login-enforcement/{enforcement}", **bound)
    return _SecondFactor(stage, method, accessor, method_id, enforcement)


ATTACKS = (
    Attack(
        passwords_until_one_fits,
        "passwords of three users are guessed, and one is right",
        {"auth_bruteforce_source": MEDIUM, "auth_bruteforce_then_success": HIGH},
    ),
    Attack(
        passwords_until_locked,
        "passwords of a user are guessed until the user is locked, and then some more",
        {"auth_bruteforce_source": MEDIUM, "auth_user_lockout_hit": MEDIUM},
    ),
    Attack(passwords_sprayed, "one likely password is tried on eight users", {"auth_password_spray": HIGH}),
    Attack(
        passwords_sprayed_until_one_fits,
        "one likely password is tried on nine users, and one has it",
        {"auth_password_spray": HIGH, "auth_password_spray_then_success": HIGH},
    ),
    Attack(
        passwords_from_many_addresses,
        "passwords of a user are guessed from four addresses",
        {"auth_distributed_account_bruteforce": HIGH},
    ),
    Attack(
        passwords_from_many_addresses_until_one_fits,
        "passwords of a user are guessed from four addresses, and one from a fifth is right",
        {"auth_distributed_account_bruteforce": HIGH, "auth_distributed_bruteforce_then_success": HIGH},
    ),
    Attack(
        password_in_the_wrong_place,
        "a stolen password is tried where its user may not log in",
        {"auth_user_lockout_hit": MEDIUM},
    ),
    Attack(
        user_in_capitals,
        "a user is written in capitals, so that wrong passwords are counted apart",
        {"auth_username_case_variants": HIGH},
    ),
    Attack(
        user_with_a_blank,
        "a blank is put behind a user, so that wrong passwords are counted apart",
        {"auth_username_noncanonical": HIGH},
    ),
    Attack(
        secret_ids_until_locked,
        "SecretIDs of an application are guessed until it is locked, and then some more",
        {"auth_approle_secretid_guessing": MEDIUM, "auth_bruteforce_source": MEDIUM, "auth_user_lockout_hit": MEDIUM},
    ),
    Attack(
        role_ids,
        "RoleIDs are guessed for a SecretID that was found",
        {"auth_approle_secretid_guessing": MEDIUM, "auth_bruteforce_source": MEDIUM},
    ),
    Attack(tokens_of_nobody, "a heap of tokens is tried out", {"auth_invalid_token_burst": MEDIUM}),
    Attack(
        second_factors,
        "second factors are guessed for a password that is known",
        {"auth_mfa_validate_failures": HIGH},
    ),
    Attack(
        second_factors_until_one_fits,
        "second factors are guessed for passwords that are known, and one is right",
        {"auth_mfa_validate_failures": HIGH, "auth_mfa_failures_then_success": CRITICAL},
    ),
    Attack(
        second_factors_with_the_password,
        "second factors are guessed for a password that is known, in the same call",
        {"auth_user_lockout_hit": MEDIUM},
    ),
    Attack(
        second_factor_removed,
        "logins need no second factor any more",
        {"mfa_enforcement_removed": CRITICAL},
    ),
    Attack(
        second_factor_of_another,
        "the second factor of another is given to the attacker",
        {"mfa_enforcement_removed": CRITICAL},
    ),
    Attack(jwts_of_ones_own, "JWTs are tried that nobody trusts", {"auth_bruteforce_source": MEDIUM}),
    Attack(
        role_lets_everybody_in,
        "a role lets in every build job, not only those of a project",
        {"oidc_login_role_changed": HIGH, "auth_role_written": MEDIUM},
    ),
)
