"""From a real audit log to a message of the topic."""

import base64
import gzip
import json
from functools import cache
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

import traffic
from aws import Line, subscription_payload
from traffic import Act, Cast

ROOT_TOKEN_READ = ["root_token_used + hcp_platform_root_out_of_profile"]
POLICY_WRITE = ["policy_written_by_human + policy_written"]
SECOND_UNWRAP = ["wrapping_token_invalid_unwrap"]

EXPECTED: list[tuple[Act, list[str]]] = [
    (traffic.root_token_read, ROOT_TOKEN_READ),
    (traffic.policy_write, POLICY_WRITE),
    (traffic.policy_restored, POLICY_WRITE),
    (traffic.second_unwrap, SECOND_UNWRAP),
    (traffic.denied_read, []),
    (traffic.ordinary_read, []),
]

UNDECODABLE = {
    "base64": b"no base64!",
    "gzip": base64.b64encode(b"no gzip"),
    "too_large": base64.b64encode(gzip.compress(bytes(65 << 20))),
    "json": base64.b64encode(gzip.compress(b"no JSON")),
    "not_a_subscription_payload": base64.b64encode(gzip.compress(b'{"messageType": "ANOTHER"}')),
}
"""What may be wrong with `awslogs.data`, by the stage that finds it."""


@pytest.mark.parametrize(("act", "rules"), EXPECTED, ids=[act.__name__ for act, _ in EXPECTED])
def test_an_act_raises_what_it_should(cast: Cast, line: Line, act: Act, rules: list[str]) -> None:
    line.ship(recorded(cast, act))
    assert fired(line) == rules


def test_a_batch_raises_each_alert_once(cast: Cast, line: Line) -> None:
    line.ship(recorded(cast, *(act for act, _ in EXPECTED)))
    assert fired(line) == sorted({rule for _, rules in EXPECTED for rule in rules})

    # Nothing is on its way still: what is shipped last is also what comes out last, and alone.
    line.forget()
    line.ship(recorded(cast, traffic.root_token_read))
    assert fired(line) == ROOT_TOKEN_READ


def test_repeats_are_counted_across_invocations_and_told_in_digests(cast: Cast, line: Line) -> None:
    for _ in range(12):
        line.ship(recorded(cast, traffic.root_token_read))
    told = [(alert.rules, alert.attributes["stage"], alert.finding["unmapped"]["count"]) for alert in line.alerts()]
    assert sorted(told) == [(rule, *stage) for rule in ROOT_TOKEN_READ for stage in [("opened", 1), ("repeated", 10)]]
    writes: dict[bool, set[int]] = {True: set(), False: set()}
    for window in line.remembered():
        writes["due" in window].add(int(window["v"]["N"]))
    assert writes[True] == {12 + 2}, "each invocation writes a window once, and once more what it told"
    assert writes[False] == {12}, "and a window of a correlation that nothing came of once"


def test_an_alert_is_a_detection_finding(cast: Cast, line: Line) -> None:
    line.ship(["this is no JSON", *recorded(cast, *(act for act, _ in EXPECTED))])
    alerts = line.alerts()
    assert len(alerts) == 1 + len(ROOT_TOKEN_READ + POLICY_WRITE + SECOND_UNWRAP)
    for alert in alerts:
        assert violations(alert.finding) == []
        assert alert.finding["class_uid"] == 2004


def test_an_alert_can_be_routed_by_its_attributes(cast: Cast, line: Line) -> None:
    line.ship(recorded(cast, traffic.root_token_read))
    [alert] = [alert for alert in line.alerts() if alert.rule == "root_token_used"]
    assert alert.attributes == {
        "severity": "critical",
        "rule_id": "root_token_used",
        "also": '["hcp_platform_root_out_of_profile"]',
        "tactic": '["privilege-escalation"]',
        "namespace": "admin/",
        "stage": "opened",
    }


def test_a_redelivered_payload_is_published_once(cast: Cast, line: Line) -> None:
    payload = subscription_payload(recorded(cast, traffic.root_token_read, traffic.second_unwrap))
    for _ in range(2):
        line.invoke(payload)
    assert fired(line) == ROOT_TOKEN_READ + SECOND_UNWRAP


def test_a_line_that_is_no_audit_event_hides_no_other(cast: Cast, line: Line) -> None:
    first, *rest = recorded(cast, traffic.root_token_read)
    line.ship(["this is no JSON", first, '{"type": "request", "request":', *rest])
    assert fired(line) == [*ROOT_TOKEN_READ, "unreadable_audit_events"]


@pytest.mark.parametrize(("stage", "data"), UNDECODABLE.items(), ids=UNDECODABLE)
def test_an_undecodable_payload_ends_in_the_failure_queue(line: Line, stage: str, data: bytes) -> None:
    payload = {"awslogs": {"data": data.decode()}}
    line.invoke(payload, attempts=3)
    [failure] = line.failures()
    assert failure["requestPayload"] == payload
    assert failure["responsePayload"]["errorType"] == f"vaultwatch.payload.{stage}"
    assert line.alerts() == []


def test_an_alert_outlives_an_outage_of_sns(cast: Cast, line: Line) -> None:
    payload = subscription_payload(recorded(cast, traffic.root_token_read))
    line.wire.broken = True
    line.invoke(payload, attempts=3)
    [failure] = line.failures()
    assert failure["requestPayload"] == payload
    assert line.alerts() == []

    line.wire.broken = False
    line.invoke(failure["requestPayload"])
    assert fired(line) == ROOT_TOKEN_READ


def test_the_function_logs_lines_that_lambda_can_filter_by_level(cast: Cast, line: Line) -> None:
    line.ship(recorded(cast, traffic.ordinary_read))
    platform = ("START RequestId:", "END RequestId:", "REPORT RequestId:")
    logged = [json.loads(entry) for entry in line.log() if not entry.startswith(platform)]
    assert logged
    # Metrics are lines in CloudWatch's own embedded format, which has no level.
    assert all({"timestamp", "level"} <= entry.keys() or "_aws" in entry for entry in logged)


def recorded(cast: Cast, *acts: Act) -> list[str]:
    """The lines that the audit device writes while these things happen."""
    with cast.bao.hashed.recording() as lines:
        for act in acts:
            act(cast)
    return lines


def fired(line: Line) -> list[str]:
    """The rules that alerted, sorted; what is told in one alert stands together."""
    return sorted(alert.rules for alert in line.alerts())


def violations(finding: dict[str, Any]) -> list[str]:
    """What the OCSF schema has against a finding, in the version that it says it is."""
    errors = Draft202012Validator(detection_finding(finding["metadata"]["version"])).iter_errors(finding)
    return [f"{error.json_path}: {error.message}" for error in errors]


@cache
def detection_finding(version: str) -> dict[str, Any]:
    schema = OcsfJsonSchemaEmbedded(get_ocsf_schema(version))
    finding: dict[str, Any] = schema.get_class_schema(schema.lookup_class_name_from_uid(2004))
    return finding
