"""What an audit log that hides nothing holds that nobody may see."""

import json
import re
from collections.abc import Iterator
from typing import Any

TOKENS = {"client_token", "token"}
SHORTEST = 8
"""Six digits, say, are part of many a number that is no secret."""

TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT")


def secrets(raw: list[str], hashed: list[str]) -> set[str]:
    """Every text that the raw device shows and the other one hides.

    Both devices write the same entries, so Vault itself says what is secret: what it replaces by an HMAC. Left out is
    what the other device shows elsewhere in clear, as names and paths, unless it is a token: those are secret wherever
    somebody has put them.
    """
    in_clear = "\n".join(hashed)
    twins = {_identity(entry): entry for entry in map(json.loads, hashed)}
    return {
        text
        for entry in map(json.loads, raw)
        # The entry with which a device tries itself, its first one, is of that device alone.
        if _identity(entry) in twins
        for key, text in _hidden(entry, twins[_identity(entry)])
        if len(text) >= SHORTEST and not TIMESTAMP.match(text) and (key in TOKENS or _escaped(text) not in in_clear)
    }


def found(secrets: set[str], outputs: list[str]) -> set[str]:
    """The secrets that the outputs have in them, also escaped, cut off, wrapped into lines, or in JSON in JSON."""
    everything = "\n".join(text for output in outputs for text in _texts(output))
    return {secret for secret in secrets if any(part in everything for part in _parts(secret))}


def _parts(secret: str) -> set[str]:
    whole = {secret, _escaped(secret), secret[:24]}
    return whole | {line for line in secret.splitlines() if len(line) >= 16}


def _texts(output: str) -> Iterator[str]:
    """An output, and the texts in each JSON document that is one of its lines."""
    yield output
    for line in output.splitlines():
        try:
            yield from _leaves(json.loads(line))
        except json.JSONDecodeError:
            continue


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from _leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner)
    elif isinstance(value, str):
        yield from _texts(value)


def _escaped(text: str) -> str:
    """A text as it stands in JSON."""
    return json.dumps(text, ensure_ascii=False)[1:-1]


def _identity(entry: dict[str, Any]) -> tuple[str, str]:
    return entry["request"]["id"], entry["type"]


def _hidden(raw: Any, hashed: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """The texts of an entry that are HMACs in its twin, each with the key it stands under."""
    if isinstance(raw, dict):
        for name, value in raw.items():
            yield from _hidden(value, hashed[name], name)
    elif isinstance(raw, list):
        for value, twin in zip(raw, hashed, strict=True):
            yield from _hidden(value, twin, key)
    elif isinstance(raw, str) and hashed.startswith("hmac-sha256:"):
        yield key, raw
