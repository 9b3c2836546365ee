"""TA0009, collection: all that a token reaches."""

from base64 import b64encode
from collections.abc import Iterator

from attack import CRITICAL, HIGH, MEDIUM, Attack
from stage import Stage, rights


def secrets_dumped(stage: Stage) -> Iterator[None]:
    """As tools do it: each path is listed, and what is in it is read before the next one."""
    teams = {f"team-{number}": ("database", "broker", "smtp") for number in range(20)}
    engine = stage.secrets_of(*(f"{team}/{name}" for team, names in teams.items() for name in names))
    mallory = stage.bearer(rights(f"{engine}/*"))
    yield
    for team in teams:
        for name in mallory.list(f"{engine}/metadata/{team}")["data"]["keys"]:
            mallory.get(f"{engine}/data/{team}/{name}")


def stolen_data_decrypted(stage: Stage) -> Iterator[None]:
    engine = stage.engine("transit")
    card = b64encode(b"4111 1111 1111 1111").decode()
    stage.root.write(f"{engine}/keys/cards")
    stolen = stage.root.write(f"{engine}/encrypt/cards", plaintext=card)["data"]["ciphertext"]
    mallory = stage.bearer(rights(f"{engine}/decrypt/*"))
    yield
    for _ in range(500):
        mallory.write(f"{engine}/decrypt/cards", ciphertext=stolen)


ATTACKS = (
    Attack(
        secrets_dumped,
        "all secrets are listed and read",
        {"kv_recursive_enumeration": MEDIUM, "kv_mass_read": HIGH, "kv_enumerate_then_dump": CRITICAL},
    ),
    Attack(stolen_data_decrypted, "a stolen table is decrypted, row by row", {"transit_decrypt_burst": MEDIUM}),
)
