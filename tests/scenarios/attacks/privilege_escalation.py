"""TA0004, privilege escalation: more rights than somebody was given."""

from collections.abc import Iterator

from attack import CRITICAL, HIGH, MEDIUM, OF_HCP, OF_THE_SERVER, Attack
from caller import Caller
from stage import ADMIN, ROOT, Stage, rights

TREASURY = "treasury"
"""What the mount is called that holds the crown jewels of the company."""


def policy_by_machine(stage: Stage) -> Iterator[None]:
    mallory = stage.bearer(rights("sys/policies/acl/*"))
    yield
    mallory.write(f"sys/policies/acl/{stage.new_name()}", policy=rights("*"))


def policy_by_hand(stage: Stage) -> Iterator[None]:
    mallory = stage.person(rights("sys/policies/acl/*"))
    yield
    mallory.write(f"sys/policies/acl/{stage.new_name()}", policy=rights("*"))


def policy_by_the_old_path(stage: Stage) -> Iterator[None]:
    mallory = stage.bearer(rights("sys/policy/*"))
    yield
    mallory.write(f"sys/policy/{stage.new_name()}", policy=rights("*"))


def metadata_with_a_path(stage: Stage) -> Iterator[None]:
    application = stage.application(rights("secret/*"))
    mallory, bearer = stage.bearer(rights("auth/approle/role/*")), stage.caller()
    yield
    secret_id = mallory.write(f"auth/approle/role/{application.role}/secret-id", metadata='{"team":"../*"}')
    bearer.log_in("auth/approle/login", role_id=application.role_id, secret_id=secret_id["data"]["secret_id"])
    bearer.get("auth/token/lookup-self")


def grants_herself_a_crown_jewel(stage: Stage) -> Iterator[None]:
    stage.secrets_of("vault", path=TREASURY)
    mallory = stage.person(rights("sys/policies/acl/*"))
    [policy] = set(mallory.get("auth/token/lookup-self")["data"]["policies"]) - {"default"}
    yield
    mallory.get(f"{TREASURY}/data/vault", status=403)
    mallory.write(f"sys/policies/acl/{policy}", policy=rights("sys/policies/acl/*", f"{TREASURY}/*"))
    mallory.get(f"{TREASURY}/data/vault")


def admin_token_changes_things(stage: Stage) -> Iterator[None]:
    admin = stage.caller(stage.admin_token())
    yield
    admin.write(f"sys/mounts/{stage.new_name()}", type="kv")
    admin.get("auth/token/lookup-self")


def hcp_root_emptied(stage: Stage) -> Iterator[None]:
    stage.admin_token()
    mallory = stage.bearer(rights("sys/policies/acl/*"))
    yield
    mallory.write("sys/policies/acl/hcp-root", policy=rights("nothing"))


def entity_with_more_policies(stage: Stage) -> Iterator[None]:
    # What the policy `default` has for one's own entity is more exact than a star, so that it would win.
    mallory = stage.person(rights("identity/entity/id/{{identity.entity.id}}"))
    entity = _entity_of(mallory)
    privileged = stage.policy(rights("*"))
    yield
    mallory.write(f"identity/entity/id/{entity}", policies=[privileged])


def entities_merged(stage: Stage) -> Iterator[None]:
    administrator = stage.root.write("identity/entity", name=stage.new_name())["data"]["id"]
    mallory = stage.person(rights("identity/*"))
    entity = _entity_of(mallory)
    yield
    mallory.write("identity/entity/merge", from_entity_ids=[administrator], to_entity_id=entity)


def more_policies_then_a_token(stage: Stage) -> Iterator[None]:
    mallory = stage.person(rights("identity/*", "auth/token/*"))
    entity = _entity_of(mallory)
    privileged = stage.policy(rights("*"))
    yield
    mallory.write("identity/entity", id=entity, policies=[privileged])
    mallory.write("auth/token/create", policies=["default"])


def more_policies_then_a_login(stage: Stage) -> Iterator[None]:
    user, password = stage.new_name(), "what mallory chose"
    policy = stage.policy(rights("identity/*"))
    stage.root.write(f"auth/userpass/users/{user}", password=password, token_policies=[policy])
    mallory = stage.caller()
    mallory.log_in(f"auth/userpass/login/{user}", password=password)
    entity = _entity_of(mallory)
    privileged = stage.policy(rights("*"))
    yield
    mallory.write("identity/group", name=stage.new_name(), policies=[privileged], member_entity_ids=[entity])
    mallory.log_in(f"auth/userpass/login/{user}", password=password)


def group_with_herself(stage: Stage) -> Iterator[None]:
    mallory = stage.person(rights("identity/*"))
    entity = _entity_of(mallory)
    privileged = stage.policy(rights("*"))
    yield
    mallory.write("identity/group", name=stage.new_name(), policies=[privileged], member_entity_ids=[entity])


def policy_called_like_root(stage: Stage) -> Iterator[None]:
    """Refused, and told in the log as the policy `root`: the blank and the capitals are taken away first."""
    mallory = stage.bearer(rights("sys/policies/acl/*"))
    yield
    mallory.write("sys/policies/acl/%20ROOT", policy=rights("*"), status=400)


def policy_name_with_dots(stage: Stage) -> Iterator[None]:
    mallory = stage.bearer(rights("sys/policies/acl/*"))
    yield
    mallory.write("sys/policies/acl/team%252e%252e", policy=rights("*"))


def entity_with_dots(stage: Stage) -> Iterator[None]:
    mallory = stage.person(rights("identity/*"))
    entity = _entity_of(mallory)
    yield
    mallory.write("identity/entity", id=entity, policies=["team..root"])
    mallory.get("auth/token/lookup-self")


def root_token_in_use(stage: Stage) -> Iterator[None]:
    thief = stage.caller(stage.server.root_token)
    yield
    thief.get("sys/mounts")


def root_token_from_shares(stage: Stage) -> Iterator[None]:
    mallory = stage.bearer(rights("sys/generate-root-token/*"))
    yield
    attempt = mallory.write("sys/generate-root-token/attempt")["data"]
    mallory.write("sys/generate-root-token/update", key=stage.server.key, nonce=attempt["nonce"])


def root_token_of_a_namespace(stage: Stage) -> Iterator[None]:
    child, key = stage.sealable_namespace()
    token = stage.bearer(rights(f"{child}/sys/generate-root-token/*")).token
    mallory = stage.caller(token, namespace=f"{stage.namespace}{child}/")
    yield
    attempt = mallory.write("sys/generate-root-token/attempt")["data"]
    mallory.write("sys/generate-root-token/update", key=key, nonce=attempt["nonce"])


def keys_replaced(stage: Stage) -> Iterator[None]:
    """The shares that the key holders have are worth nothing any more."""
    mallory = stage.bearer(rights("sys/rotate/root/*"))
    yield
    attempt = mallory.write("sys/rotate/root/init", secret_shares=1, secret_threshold=1)["data"]
    update = {"key": stage.server.key, "nonce": attempt["nonce"]}
    answer = mallory.write("sys/rotate/root/update", **update)["data"]
    # For attacks that seal the server.
    [stage.server.key] = answer["keys"]
    stage.secrets.update(answer["keys"], answer["keys_base64"])


def keys_of_a_namespace_replaced(stage: Stage) -> Iterator[None]:
    child, key = stage.sealable_namespace()
    token = stage.bearer(rights(f"{child}/sys/rotate/*")).token
    mallory = stage.caller(token, namespace=f"{stage.namespace}{child}/")
    yield
    attempt = mallory.write("sys/rotate/root/init", secret_shares=1, secret_threshold=1)["data"]
    answer = mallory.write("sys/rotate/root/update", key=key, nonce=attempt["nonce"])["data"]
    stage.secrets.update(answer["keys"], answer["keys_base64"])


def policy_root_deleted(stage: Stage) -> Iterator[None]:
    """Refused."""
    mallory = stage.bearer(rights("sys/policies/acl/*"))
    yield
    mallory.call("DELETE", "sys/policies/acl/root", status=400)


def _entity_of(caller: Caller) -> str:
    entity: str = caller.get("auth/token/lookup-self")["data"]["entity_id"]
    return entity


ATTACKS = (
    Attack(policy_by_machine, "an application writes a policy", {"policy_written": MEDIUM}),
    Attack(policy_by_hand, "a person writes a policy", {"policy_written": MEDIUM, "policy_written_by_human": HIGH}),
    Attack(policy_by_the_old_path, "a policy is written by an old path", {"policy_written": MEDIUM}),
    Attack(
        metadata_with_a_path,
        "a SecretID is made whose metadata break out of a templated policy, and used",
        {"auth_templated_metadata_injection": CRITICAL},
    ),
    Attack(
        grants_herself_a_crown_jewel,
        "somebody is denied a crown jewel, changes her own policy, and reads it",
        {
            "deny_then_grant_then_allow": HIGH,
            "policy_written": MEDIUM,
            "policy_written_by_human": HIGH,
            "sensitive_path_read_unexpected_principal": HIGH,
        },
        lists={"crown_jewels": [f"{TREASURY}/data/"]},
    ),
    Attack(
        admin_token_changes_things,
        "an admin token from HCP's portal enables an engine",
        {"hcp_admin_token_used": HIGH, "hcp_admin_token_minted": MEDIUM},
        only_in=ADMIN,
        why=OF_HCP,
    ),
    Attack(
        hcp_root_emptied,
        "the policy of the administrators is emptied",
        {"hcp_root_policy_tampered": CRITICAL, "policy_written": MEDIUM},
        only_in=ADMIN,
        why=OF_HCP,
    ),
    Attack(
        entity_with_more_policies,
        "somebody gives her own entity the policy of an administrator",
        {"identity_entity_policy_or_merge_change": HIGH},
    ),
    Attack(
        entities_merged,
        "somebody merges an administrator's entity into her own",
        {"identity_entity_policy_or_merge_change": HIGH},
    ),
    Attack(
        more_policies_then_a_token,
        "somebody gives her own entity more policies, then takes a new token",
        {"identity_entity_policy_or_merge_change": HIGH, "self_escalation_policy_then_use": CRITICAL},
    ),
    Attack(
        more_policies_then_a_login,
        "somebody makes a group of administrators with herself as its member, and logs in again",
        {"identity_group_membership_write": MEDIUM, "self_escalation_policy_then_use": CRITICAL},
    ),
    Attack(
        group_with_herself,
        "somebody makes a group of administrators with herself as its member",
        {"identity_group_membership_write": MEDIUM},
    ),
    Attack(
        policy_called_like_root,
        "somebody tries to write a policy that is called root, but for a blank",
        {"policy_name_noncanonical": CRITICAL},
    ),
    Attack(
        policy_name_with_dots,
        "a policy is written whose name has two dots in it, if it is decoded twice",
        {"policy_name_noncanonical": CRITICAL, "path_canonicalisation_probe": HIGH, "policy_written": MEDIUM},
    ),
    Attack(
        entity_with_dots,
        "somebody gives her own entity a policy whose name has two dots in it, and uses it",
        {"policy_name_noncanonical": CRITICAL, "identity_entity_policy_or_merge_change": HIGH},
    ),
    Attack(
        root_token_in_use,
        "a root token is used",
        {"root_token_used": CRITICAL, "hcp_platform_root_out_of_profile": HIGH},
        in_root={"root_token_used": CRITICAL},
        why="HashiCorp's platform does so in the root namespace",
    ),
    Attack(
        root_token_from_shares,
        "a root token is generated from the key shares",
        {"root_generation_activity": CRITICAL},
        only_in=ROOT,
        why=OF_THE_SERVER,
    ),
    Attack(
        root_token_of_a_namespace,
        "a root token is generated from the key shares of a namespace",
        {"root_generation_activity": CRITICAL},
    ),
    Attack(
        keys_replaced,
        "the key shares of the server are replaced",
        {"rekey_activity": CRITICAL},
        only_in=ROOT,
        why=OF_THE_SERVER,
    ),
    Attack(
        keys_of_a_namespace_replaced,
        "the key shares of a namespace are replaced",
        {"rekey_activity": CRITICAL},
    ),
    Attack(policy_root_deleted, "somebody tries to delete the policy root", {"policy_name_noncanonical": CRITICAL}),
)
