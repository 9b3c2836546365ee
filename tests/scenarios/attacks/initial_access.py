"""TA0001, initial access: the first step in."""

from collections.abc import Iterator

from attack import CRITICAL, HIGH, LOW, Attack
from stage import Stage, rights


def stolen_secret_id(stage: Stage) -> Iterator[None]:
    application = stage.application(rights("secret/*"))
    yield
    for _ in range(3):
        stage.log_in(stage.caller(), application)


def platform_token_reads_secrets(stage: Stage) -> Iterator[None]:
    secrets = stage.secrets_of("billing")
    yield
    stage.caller(stage.server.root_token).get(f"{secrets}/data/billing")


def dots_in_paths(stage: Stage) -> Iterator[None]:
    """Encoded once, a dot segment is refused before it is audited."""
    secrets = stage.secrets_of("open/wifi", "closed/payroll")
    mallory = stage.bearer(rights(f"{secrets}/data/open/*"))
    yield
    mallory.get(f"{secrets}/data/open/%252e%252e/closed/payroll", status=404)
    mallory.get(f"{secrets}/data/open/%252e%252e%252fclosed%252fpayroll", status=404)


def other_letters_in_paths(stage: Stage) -> Iterator[None]:
    mallory = stage.bearer(rights("secret/*"))
    yield
    mallory.get("SYS/policies/acl/default", status=403)
    mallory.write("Auth/userpass/users/mallory", password="mallory comes back", status=403)


def repeated_slashes(stage: Stage) -> Iterator[None]:
    """Not encoded, they are refused before they are audited."""
    secrets = stage.secrets_of("closed/payroll")
    mallory = stage.bearer(rights(f"{secrets}/data/open/*"))
    yield
    mallory.get(f"{secrets}/data/open/%2f/closed/payroll", status=404)


ATTACKS = (
    Attack(
        stolen_secret_id,
        "a SecretID that leaked is used from three addresses",
        {"auth_approle_login_many_sources": HIGH},
    ),
    Attack(
        platform_token_reads_secrets,
        "a root token, such as HashiCorp's platform has, reads a secret of a customer",
        {"root_token_used": CRITICAL, "hcp_platform_root_out_of_profile": HIGH},
    ),
    Attack(
        dots_in_paths,
        "paths are tried that lead out of what is allowed, if they are decoded twice",
        {"path_canonicalisation_probe": HIGH},
    ),
    Attack(
        other_letters_in_paths,
        "paths of the system are tried in other letters",
        {"path_canonicalisation_probe": HIGH},
    ),
    Attack(repeated_slashes, "a path with a repeated slash is tried", {"path_repeated_slash": LOW}),
)
