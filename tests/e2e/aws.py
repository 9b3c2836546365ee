"""An AWS account on loopback, vaultwatch deployed to it as a user deploys it, and both ends of the line."""

import base64
import gzip
import json
import os
import platform
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from processes import Server, free_port, wait_until
from wire import Wire

ACCOUNT = "000000000000"
REGION = "us-east-1"
LOG_GROUP = "/hcp/vault/audit"
LOG_STREAM = "vault-audit"
STACK = "vaultwatch"

MAX_PUT_EVENTS = 10_000
MAX_PUT_BYTES = 1_048_576
BYTES_PER_EVENT = 26


class Account:
    """A ministack server. It checks signatures and IAM policies, so the function can do what its role allows."""

    def __init__(self, ministack: Path, directory: Path) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(directory),
            "TMPDIR": str(directory),
            "AWS_ENDPOINT_URL": self.url,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
        }
        """All that a program needs to work in this account, and nothing of this machine's user."""
        server = {
            "AUTH": "true",
            "BIND_HOST": "127.0.0.1",
            "MINISTACK_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(self.port),
            "STATE_DIR": str(directory / "state"),
            # It would listen on every address of the machine.
            "IOT_MTLS_ENABLED": "0",
            # AWS waits a minute before the first retry of a failed invocation.
            "LAMBDA_ASYNC_RETRY_BASE_SECONDS": "0.05",
        }
        self._server = Server([ministack], self.environment | server, directory / "ministack.log", directory)
        try:
            self._server.wait_until(self._answers)
        except BaseException:
            self.stop()
            raise

    def client(self, service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(retries={"total_max_attempts": 1}),
        )

    def stop(self) -> None:
        self._server.stop()

    def _answers(self) -> bool:
        try:
            return bool(self.client("sts").get_caller_identity())
        except (BotoCoreError, ClientError):
            return False


@dataclass(frozen=True)
class Alert:
    """One message of the topic, as a queue that is subscribed to it receives it."""

    envelope: dict[str, Any]

    @property
    def finding(self) -> dict[str, Any]:
        finding: dict[str, Any] = json.loads(self.envelope["Message"])
        return finding

    @property
    def rule(self) -> str:
        return str(self.finding["finding_info"]["analytic"]["name"])

    @property
    def rules(self) -> str:
        """The rule that leads it, and those that found something in the same happening."""
        also = [other["rule"] for other in self.finding["unmapped"].get("also", [])]
        return " + ".join([self.rule, *also])

    @property
    def attributes(self) -> dict[str, str]:
        return {name: value["Value"] for name, value in self.envelope["MessageAttributes"].items()}


class Line:
    """vaultwatch, deployed: audit lines go into its log group, alerts come out of a queue."""

    def __init__(self, account: Account, sam: Path, built_template: Path) -> None:
        self._logs = account.client("logs")
        self._sqs = account.client("sqs")
        self._lambda = account.client("lambda")
        self._dynamodb = account.client("dynamodb")
        self._logs.create_log_group(logGroupName=LOG_GROUP)
        self._logs.create_log_stream(logGroupName=LOG_GROUP, logStreamName=LOG_STREAM)
        self.outputs = _deploy(account, sam, built_template)
        self.wire = Wire(account.port)
        self._configure(
            # Layers are not mounted here: the function reads the layer's content from where it was built.
            VAULTWATCH_RULES=str(built_template.parent / "RulesLayer" / "rules"),
            # What a log line holds at the most talkative level may not be a secret either.
            VAULTWATCH_LOG="trace",
            AWS_ENDPOINT_URL_SNS=self.wire.url,
        )
        self._allow_batches(account.client("iam"))
        sns = account.client("sns")
        self._queue = self._subscribe(sns, self.outputs["AlertTopicArn"], "alerts")
        self._operations = self._subscribe(sns, self.outputs["OperationsTopicArn"], "operations")

    def stop(self) -> None:
        self.wire.stop()

    def ship(self, lines: list[str]) -> None:
        """Put audit lines into the log group, and wait until the function has been through with them."""
        for batch in _batches(lines):
            now = int(time.time() * 1000)
            events = [{"timestamp": now, "message": line} for line in batch]
            with self._invocations(1):
                self._logs.put_log_events(logGroupName=LOG_GROUP, logStreamName=LOG_STREAM, logEvents=events)

    def invoke(self, payload: dict[str, Any], attempts: int = 1) -> None:
        """Hand the function a payload as CloudWatch does, and wait until it has been tried so many times."""
        with self._invocations(attempts):
            self._lambda.invoke(
                FunctionName=self.outputs["FunctionName"], InvocationType="Event", Payload=json.dumps(payload)
            )

    def alerts(self) -> list[Alert]:
        """The alerts since the last call. An invocation that has ended has published what it will ever publish."""
        return [Alert(body) for body in self._receive(self._queue)]

    def alarms(self) -> list[dict[str, Any]]:
        """What CloudWatch has to say since the last call, of which there is at least one."""
        told = wait_until(lambda: self._receive(self._operations))
        return [json.loads(envelope["Message"]) for envelope in told]

    def failures(self) -> list[dict[str, Any]]:
        """What has arrived in the failure queue since the last call, of which there is at least one."""
        return wait_until(lambda: self._receive(self.outputs["FailureQueueUrl"]))

    def remembered(self) -> list[dict[str, Any]]:
        """The windows in the table."""
        items: list[dict[str, Any]] = self._dynamodb.scan(TableName=self.outputs["WindowTableName"])["Items"]
        return items

    def forget(self) -> None:
        """Empty the table."""
        for item in self.remembered():
            self._dynamodb.delete_item(TableName=self.outputs["WindowTableName"], Key={"pk": item["pk"]})

    def log(self, pattern: str = "") -> list[str]:
        """What the function has logged, everything unless CloudWatch's filter pattern says otherwise."""
        group = self.outputs["FunctionLogGroupName"]
        pages = self._logs.get_paginator("filter_log_events").paginate(logGroupName=group, filterPattern=pattern)
        return [event["message"] for page in pages for event in page["events"]]

    @contextmanager
    def _invocations(self, count: int) -> Iterator[None]:
        """Wait, after the block, until so many more invocations have ended."""
        ended = self._ended_invocations() + count
        yield
        wait_until(lambda: self._ended_invocations() >= ended, 60)

    def _ended_invocations(self) -> int:
        return sum(line.startswith("REPORT RequestId:") for line in self.log('"REPORT RequestId"'))

    def _receive(self, queue: str) -> list[dict[str, Any]]:
        bodies: list[dict[str, Any]] = []
        while messages := self._sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                bodies.append(json.loads(message["Body"]))
                self._sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        return bodies

    def _configure(self, **variables: str) -> None:
        name = self.outputs["FunctionName"]
        environment = self._lambda.get_function_configuration(FunctionName=name)["Environment"]
        self._lambda.update_function_configuration(
            FunctionName=name, Environment={"Variables": environment["Variables"] | variables}
        )

    def _allow_batches(self, iam: Any) -> None:
        """PublishBatch asks for `sns:Publish` on AWS, and here for an action that exists nowhere else."""
        role = self._lambda.get_function_configuration(FunctionName=self.outputs["FunctionName"])["Role"]
        allow = {"Effect": "Allow", "Action": "sns:PublishBatch", "Resource": self.outputs["AlertTopicArn"]}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
        iam.put_role_policy(RoleName=role.split("/")[-1], PolicyName="batches", PolicyDocument=policy)

    def _subscribe(self, sns: Any, topic: str, name: str) -> str:
        """A new queue of that name, which receives what is published."""
        allow = {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}",
            "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
        queue: str = self._sqs.create_queue(QueueName=name, Attributes={"Policy": policy})["QueueUrl"]
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=allow["Resource"])
        return queue


def subscription_payload(lines: list[str]) -> dict[str, Any]:
    """What CloudWatch Logs hands to the function for these lines, the same for the same lines."""
    base = 38_000_000_000_000_000_000_000_000_000_000_000_000_000_000_000_000_000_000
    batch = {
        "messageType": "DATA_MESSAGE",
        "owner": ACCOUNT,
        "logGroup": LOG_GROUP,
        "logStream": LOG_STREAM,
        "subscriptionFilters": ["audit"],
        "logEvents": [
            {"id": f"{base + number:056}", "timestamp": 1_790_000_000_000 + number, "message": line}
            for number, line in enumerate(lines)
        ],
    }
    data = gzip.compress(json.dumps(batch).encode(), mtime=0)
    return {"awslogs": {"data": base64.b64encode(data).decode()}}


def _deploy(account: Account, sam: Path, built_template: Path) -> dict[str, str]:
    """`sam deploy`, which packages the code and the layer and lets CloudFormation apply the SAM transform."""
    bucket = "deployment"
    account.client("s3").create_bucket(Bucket=bucket)
    command: list[str | Path] = [sam, "deploy", "--no-confirm-changeset", "--no-progressbar", "--stack-name", STACK]
    command += ["--template-file", built_template, "--s3-bucket", bucket, "--capabilities", "CAPABILITY_IAM"]
    architecture = "x86_64" if platform.machine() == "x86_64" else "arm64"
    command += ["--parameter-overrides", f"LogGroupName={LOG_GROUP}", f"Architecture={architecture}"]
    command += ["AlertEmail=security@example.com", "ReservedConcurrency=5"]
    environment = account.environment | {"SAM_CLI_TELEMETRY": "0"}
    deployed = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    assert deployed.returncode == 0, f"{deployed.stdout}\n{deployed.stderr}"
    stack = account.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def _batches(lines: list[str]) -> Iterator[list[str]]:
    """Lines in as many calls of PutLogEvents as its limits ask for."""
    batch: list[str] = []
    size = 0
    for line in lines:
        cost = len(line.encode()) + BYTES_PER_EVENT
        if batch and (size + cost > MAX_PUT_BYTES or len(batch) == MAX_PUT_EVENTS):
            yield batch
            batch, size = [], 0
        batch.append(line)
        size += cost
    if batch:
        yield batch
