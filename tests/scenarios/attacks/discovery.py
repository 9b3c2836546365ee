"""TA0007, discovery: what there is, and what a token opens."""

from collections.abc import Iterator

from attack import HIGH, LOW, MEDIUM, Attack
from stage import ADMIN, ROOT, Stage, rights


def rights_asked_for(stage: Stage) -> Iterator[None]:
    mallory = stage.bearer(rights("secret/*"))
    yield
    for number in range(30):
        mallory.write("sys/capabilities-self", paths=[f"secret/data/team-{number}"])


def set_up_looked_over(stage: Stage) -> Iterator[None]:
    stage.root.write("identity/entity", name=stage.new_name())
    stage.root.write("identity/group", name=stage.new_name())
    mallory = stage.bearer(rights("sys/*", "identity/*"))
    yield
    mallory.get("sys/mounts")
    mallory.get("sys/auth")
    mallory.get("sys/policy")
    for path in ("sys/policies/acl", "identity/entity/id", "identity/group/id"):
        mallory.list(path)


def set_up_looked_over_by_name(stage: Stage) -> Iterator[None]:
    """Entities, groups and aliases by other paths than those of their ids."""
    stage.person(rights("secret/*"))
    stage.root.write("identity/group", name=stage.new_name())
    mallory = stage.bearer(rights("sys/*", "identity/*"))
    yield
    mallory.get("sys/mounts")
    mallory.get("sys/auth")
    for path in ("sys/policies/acl", "identity/entity/name", "identity/entity-alias/id", "identity/group/name"):
        mallory.list(path)


def root_namespace_tried(stage: Stage) -> Iterator[None]:
    mallory = stage.person(rights("*"))
    yield
    for path in ("sys/mounts", "sys/audit", "sys/storage/raft/configuration"):
        mallory.get(path, status=403, namespace=ROOT)


def tree_of_secrets_listed(stage: Stage) -> Iterator[None]:
    teams = [f"team-{number}" for number in range(20)]
    engine = stage.secrets_of(*(f"{team}/database" for team in teams))
    mallory = stage.bearer(rights(f"{engine}/*"))
    yield
    for team in teams:
        mallory.list(f"{engine}/metadata/{team}")


def from_namespace_to_namespace(stage: Stage) -> Iterator[None]:
    children = _children(stage)
    mallory = stage.bearer(rights("+/sys/mounts"))
    yield
    for child in children:
        mallory.get("sys/mounts", namespace=child)


def namespaces_tried(stage: Stage) -> Iterator[None]:
    """Refused in each of them."""
    children = _children(stage)
    mallory = stage.bearer(rights("secret/*"))
    yield
    for child in children:
        mallory.get("sys/mounts", namespace=child, status=403)


def paths_out_of_a_list(stage: Stage) -> Iterator[None]:
    mallory = stage.bearer(rights("secret/data/wifi"))
    yield
    for number in range(15):
        mallory.get(f"secret/data/team-{number}", status=403)


def paths_in_namespaces(stage: Stage) -> Iterator[None]:
    """Three in each, which are called the same everywhere."""
    children = _children(stage)
    mallory = stage.person(rights("secret/data/wifi"))
    yield
    for child in children:
        for path in ("secret/data/root", "secret/data/aws", "database/creds/admin"):
            mallory.get(path, namespace=child, status=403)


def paths_until_something_opens(stage: Stage) -> Iterator[None]:
    """Denied as often with fewer paths, since each is tried in two ways."""
    mallory = stage.bearer(rights("secret/data/wifi"))
    yield
    for number in range(10):
        mallory.get(f"secret/data/team-{number}", status=403)
        mallory.write(f"secret/data/team-{number}", data={"user": "mallory"}, status=403)


def accessors_listed(stage: Stage) -> Iterator[None]:
    mallory = stage.bearer(rights("auth/token/*"))
    yield
    mallory.list("auth/token/accessors")


def accessors_looked_up(stage: Stage) -> Iterator[None]:
    accessors = [stage.root.write("auth/token/create", ttl="1h")["auth"]["accessor"] for _ in range(20)]
    mallory = stage.bearer(rights("auth/token/lookup-accessor"))
    yield
    for accessor in accessors:
        mallory.write("auth/token/lookup-accessor", accessor=accessor)


def stolen_tokens_looked_up(stage: Stage) -> Iterator[None]:
    tokens = [stage.root.write("auth/token/create", ttl="1h")["auth"]["client_token"] for _ in range(20)]
    mallory = stage.bearer(rights("auth/token/lookup"))
    yield
    for token in tokens:
        mallory.write("auth/token/lookup", token=token)


def set_up_looked_over_in_detail(stage: Stage) -> Iterator[None]:
    """Policies by a path that Vault does not have."""
    stage.person(rights("secret/*"))
    stage.root.write("identity/group", name=stage.new_name())
    mallory = stage.bearer(rights("sys/*", "identity/*"))
    yield
    mallory.get("sys/mounts")
    mallory.get("sys/auth")
    mallory.list("sys/policies/detailed/acl")
    for path in ("identity/entity/id", "identity/group/id", "identity/entity/name"):
        mallory.list(path)


def _children(stage: Stage) -> list[str]:
    """Five namespaces within that of the stage."""
    names = [stage.new_name() for _ in range(5)]
    for name in names:
        stage.root.write(f"sys/namespaces/{name}")
    return [f"{stage.namespace}{name}/" for name in names]


ATTACKS = (
    Attack(
        rights_asked_for,
        "somebody asks thirty times what a token may do, and is never refused",
        {"capabilities_probe": LOW},
    ),
    Attack(set_up_looked_over, "somebody looks over the whole set-up", {"config_sweep": HIGH}),
    Attack(
        set_up_looked_over_by_name,
        "somebody looks over the whole set-up, and identities by their names",
        {"config_sweep": HIGH},
    ),
    Attack(
        root_namespace_tried,
        "a person of the namespace admin/ looks for a way into the root namespace",
        {"hcp_request_outside_admin_namespace": MEDIUM},
        only_in=ADMIN,
        why="a token of the root namespace is at home there",
    ),
    Attack(tree_of_secrets_listed, "twenty paths of secrets are listed", {"kv_recursive_enumeration": MEDIUM}),
    Attack(
        from_namespace_to_namespace,
        "a token is used in five namespaces below its own",
        {"namespace_hopping": MEDIUM},
    ),
    Attack(namespaces_tried, "a token is refused in five namespaces", {"namespace_hopping": MEDIUM}),
    Attack(paths_out_of_a_list, "a token is tried on fifteen paths that it does not open", {"path_probing": HIGH}),
    Attack(
        paths_in_namespaces,
        "a token is tried on fifteen paths that it does not open, in five namespaces",
        {"path_probing": HIGH},
    ),
    Attack(
        paths_until_something_opens,
        "a token is refused twenty times",
        {"permission_denied_burst": MEDIUM},
    ),
    Attack(accessors_listed, "the accessors of all tokens are listed", {"token_accessors_listed": HIGH}),
    Attack(accessors_looked_up, "twenty tokens are looked up", {"token_accessors_looked_up": HIGH}),
    Attack(stolen_tokens_looked_up, "twenty stolen tokens are looked up", {"token_accessors_looked_up": HIGH}),
    Attack(
        set_up_looked_over_in_detail,
        "somebody looks over the whole set-up, and policies as OpenBao alone lists them",
        {"config_sweep": HIGH},
    ),
)
