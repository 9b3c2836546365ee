"""The pipeline that manages the company's OpenBao with Terraform."""

from caller import Caller
from company import CHILD, POLICIES, Company
from simulated_day import HOUR, MINUTE, Deed, SimulatedDay

AGENT = "HashiCorp Terraform/1.13.4 (+https://www.terraform.io) terraform-provider-vault/5.4.0"


def begin_all(day: SimulatedDay, company: Company) -> None:
    for number, hour in enumerate((9.5, 10.4, 11.7, 13.2, 14.6, 16.1)):
        caller = company.caller(f"127.0.31.{number % 2 + 1}", AGENT)
        # Every change is planned for its review, and planned again before it is applied.
        day.begin(hour * HOUR, _plan(caller, company))
        day.begin(hour * HOUR + 20 * MINUTE, _apply(caller, company, f"team-{number}"))


def _plan(caller: Caller, company: Company) -> Deed:
    _log_in(caller, company)
    yield 2
    yield from _refresh(caller)
    caller.write("auth/token/revoke-self")


def _apply(caller: Caller, company: Company, team: str) -> Deed:
    """Gives a team what it needs, and changes what another has."""
    _log_in(caller, company)
    yield 2
    yield from _refresh(caller)
    caller.write(f"sys/mounts/{team}", type="kv", options={"version": "2"})
    caller.write(f"sys/mounts/{team}/tune", max_lease_ttl="720h")
    caller.write(f"sys/policies/acl/{team}", policy=f'path "{team}/*" {{ capabilities = ["read", "list"] }}')
    caller.write("sys/policies/acl/function", policy=f"{POLICIES['function']}# Reviewed with {team}.")
    caller.write(f"auth/approle/role/{team}", token_policies=[team], token_ttl="1h", secret_id_ttl="720h")
    caller.get(f"auth/approle/role/{team}/role-id")
    bound = {"role_type": "jwt", "user_claim": "sub", "bound_audiences": ["vault"], "token_policies": [team]}
    caller.write(f"auth/jwt/role/{team}", **bound)
    caller.write(f"auth/userpass/users/{team}-lead", password="handed over in person", token_policies=[team])
    yield 1
    _give_identities(caller, team)
    _change_namespace(caller, team)
    caller.write("auth/token/revoke-self")


def _give_identities(caller: Caller, team: str) -> None:
    entity = caller.write("identity/entity", name=f"{team}-lead", metadata={"team": team})["data"]["id"]
    accessor = caller.get("sys/auth")["data"]["userpass/"]["accessor"]
    caller.write("identity/entity-alias", name=f"{team}-lead", canonical_id=entity, mount_accessor=accessor)
    caller.write("identity/group", name=team, policies=[team], member_entity_ids=[entity])
    caller.write(f"pki/roles/{team}", allowed_domains=f"{team}.shop.example", key_type="ec")
    caller.write(f"ssh/roles/{team}", key_type="ca", allow_user_certificates=True, allowed_users="*", ttl="8h")


def _change_namespace(caller: Caller, team: str) -> None:
    """What the department of analytics gets, in its own namespace."""
    caller.write(f"sys/mounts/{team}", namespace=CHILD, type="kv")
    caller.write(f"sys/policies/acl/{team}", namespace=CHILD, policy=f'path "{team}/*" {{ capabilities = ["read"] }}')
    caller.write(f"sys/namespaces/lab-{team}")


def _log_in(caller: Caller, company: Company) -> None:
    """Terraform's provider makes itself a token that lives only as long as the run."""
    claims = {"project_path": "platform/terraform", "ref": "main"}
    caller.log_in("auth/jwt/login", role="terraform", jwt=company.jwt("platform/terraform", **claims))
    caller.get("auth/token/lookup-self")
    child = caller.write("auth/token/create", ttl="20m", display_name="terraform")
    caller.token = child["auth"]["client_token"]


def _refresh(caller: Caller) -> Deed:
    """Reads everything that is in the state."""
    caller.get("sys/mounts")
    caller.get("sys/auth")
    for policy in caller.list("sys/policies/acl")["data"]["keys"]:
        if policy != "root":
            caller.get(f"sys/policies/acl/{policy}")
    yield 3
    for method in ("approle", "jwt", "kubernetes"):
        for role in caller.list(f"auth/{method}/role")["data"]["keys"]:
            caller.get(f"auth/{method}/role/{role}")
        yield 2
    for kind in ("entity", "group"):
        path = f"identity/{kind}/name"
        for name in caller.list(path, status=(200, 404)).get("data", {}).get("keys", []):
            caller.get(f"{path}/{name}")
    for path in ("sys/namespaces", "identity/entity/id", "sys/policies/password"):
        caller.list(path, status=(200, 404))
    caller.get("secret/data/shared/registrar")
