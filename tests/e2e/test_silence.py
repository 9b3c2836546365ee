"""Nobody sees it when the audit log falls silent, but for an alarm."""

from typing import Any

from aws import LOG_GROUP, Account, Line


def test_the_alarm_watches_what_comes_into_the_log_group(account: Account, line: Line) -> None:
    alarm = the_alarm(account)
    assert (alarm["Namespace"], alarm["MetricName"]) == ("AWS/Logs", "IncomingLogEvents")
    assert alarm["Dimensions"] == [{"Name": "LogGroupName", "Value": LOG_GROUP}]
    assert (alarm["Statistic"], alarm["ComparisonOperator"], alarm["Threshold"]) == ("Sum", "LessThanThreshold", 1)
    assert alarm["Period"] * alarm["EvaluationPeriods"] == 15 * 60
    assert alarm["TreatMissingData"] == "breaching", "a log group into which nothing comes has no value at all"
    assert len(alarm["AlarmDescription"]) <= 1024


def test_it_is_told_when_it_goes_off_and_when_it_is_over(account: Account, line: Line) -> None:
    name = the_alarm(account)["AlarmName"]
    for state in ("ALARM", "OK"):
        account.client("cloudwatch").set_alarm_state(AlarmName=name, StateValue=state, StateReason="a test")
        [told] = line.alarms()
        assert (told["AlarmName"], told["NewStateValue"]) == (name, state)


def the_alarm(account: Account) -> dict[str, Any]:
    [alarm] = account.client("cloudwatch").describe_alarms()["MetricAlarms"]
    found: dict[str, Any] = alarm
    return found
