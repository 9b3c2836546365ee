"""TA0043, reconnaissance: what can be seen from outside."""

from collections.abc import Iterator

from attack import HIGH, LOW, MEDIUM, Attack
from stage import Stage

LOGIN = "auth/userpass/login"


def scanner(stage: Stage) -> Iterator[None]:
    mallory = stage.caller(agent="Nuclei - Open-source project (github.com/projectdiscovery/nuclei)")
    yield
    mallory.get("sys/internal/ui/mounts")


def script_at_the_login(stage: Stage) -> Iterator[None]:
    mallory = stage.caller(agent="python-requests/2.32.3")
    yield
    mallory.write(f"{LOGIN}/{stage.new_name()}", password="what mallory guessed", status=400)


def users_that_do_not_exist(stage: Stage) -> Iterator[None]:
    users = [stage.new_name() for _ in range(15)]
    mallory = stage.caller()
    yield
    for user in users:
        mallory.write(f"{LOGIN}/{user}", password="what mallory guessed", status=400)


ATTACKS = (
    Attack(scanner, "a scanner looks which engines there are", {"attack_tool_user_agent": LOW}),
    Attack(script_at_the_login, "a script tries a log-in that is for people", {"attack_tool_user_agent": LOW}),
    Attack(
        users_that_do_not_exist,
        "somebody finds out which of fifteen names are users",
        {"auth_username_enumeration": MEDIUM, "auth_bruteforce_source": MEDIUM, "auth_password_spray": HIGH},
    ),
)
