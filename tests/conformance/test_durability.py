"""What was answered survives `kill -9`: writers run against the server, it is killed in their midst and started again,
and everything that had an answer must be there. The same for the trail: every answered change has its event."""

from __future__ import annotations

import json
import random
import threading
import time

from botocore.exceptions import BotoCoreError, ClientError
from conftest import ACCOUNT, REGION

ROUNDS = 50
WRITERS = 4


class Writers:
    """Threads that write until the server is gone, and remember what was answered."""

    def __init__(self, server, round_number: int) -> None:
        self.server = server
        self.prefix = f"r{round_number}"
        self.items: list[str] = []
        self.objects: list[tuple[str, bytes]] = []
        self.users: list[str] = []
        self.log_lines: list[str] = []
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self.write, args=(index,)) for index in range(WRITERS)]

    def start(self) -> None:
        for thread in self.threads:
            thread.start()

    def join(self) -> None:
        for thread in self.threads:
            thread.join(timeout=30)
            assert not thread.is_alive()

    def write(self, index: int) -> None:
        dynamodb, s3 = self.server.client("dynamodb"), self.server.client("s3")
        iam, logs = self.server.client("iam"), self.server.client("logs")
        count = 0
        try:
            while True:
                count += 1
                name = f"{self.prefix}-{index}-{count}"
                dynamodb.put_item(TableName="crash", Item={"id": {"S": name}, "n": {"N": str(count)}})
                with self.lock:
                    self.items.append(name)
                body = name.encode() * random.choice([1, 2000, 20000])
                s3.put_object(Bucket="crash", Key=name, Body=body)
                with self.lock:
                    self.objects.append((name, body))
                logs.put_log_events(
                    logGroupName="crash",
                    logStreamName="stream",
                    logEvents=[{"timestamp": int(time.time() * 1000), "message": name}],
                )
                with self.lock:
                    self.log_lines.append(name)
                if count % 3 == 0:
                    iam.create_user(UserName=name)
                    with self.lock:
                        self.users.append(name)
        except (BotoCoreError, ClientError, OSError):
            return  # the server is gone


def test_everything_answered_survives_fifty_kills(fresh_server):
    server = fresh_server
    server.client("dynamodb").create_table(
        TableName="crash",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    server.client("s3").create_bucket(Bucket="crash")
    server.client("logs").create_log_group(logGroupName="crash")
    server.client("logs").create_log_stream(logGroupName="crash", logStreamName="stream")
    written = 0
    for round_number in range(ROUNDS):
        writers = Writers(server, round_number)
        writers.start()
        time.sleep(random.uniform(0.08, 0.35))
        server.kill()
        writers.join()
        server.start()
        written += check(server, writers)
    assert written > ROUNDS, "the writers hardly wrote anything: the test shows nothing"


def check(server, writers: Writers) -> int:
    dynamodb, s3, iam, logs = (server.client(name) for name in ("dynamodb", "s3", "iam", "logs"))
    for name in writers.items:
        assert "Item" in dynamodb.get_item(TableName="crash", Key={"id": {"S": name}}, ConsistentRead=True), name
    for name, body in writers.objects:
        assert s3.get_object(Bucket="crash", Key=name)["Body"].read() == body, name
    for name in writers.users:
        assert iam.get_user(UserName=name)["User"]["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/{name}"
    if writers.log_lines:
        kept = set()
        arguments = {"logGroupName": "crash", "filterPattern": f'"{writers.prefix}-"'}
        while True:
            page = logs.filter_log_events(**arguments)
            kept.update(event["message"] for event in page["events"])
            if "nextToken" not in page:
                break
            arguments["nextToken"] = page["nextToken"]
        assert kept >= set(writers.log_lines)
    if writers.users:
        last = writers.users[-1]
        events = server.client("cloudtrail").lookup_events(
            LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "CreateUser"}], MaxResults=50
        )["Events"]
        named = {json.loads(event["CloudTrailEvent"])["requestParameters"]["userName"] for event in events}
        assert last in named, "an answered change has no event"
    return len(writers.items) + len(writers.objects) + len(writers.users) + len(writers.log_lines)


def test_a_graceful_stop_keeps_everything_and_ends_with_zero(fresh_server):
    server = fresh_server
    server.client("iam").create_user(UserName="kept")
    assert server.stop() == 0
    server.start()
    assert server.client("iam").get_user(UserName="kept")["User"]["UserName"] == "kept"
    assert server.client("sts").get_caller_identity()["Arn"] == f"arn:aws:iam::{ACCOUNT}:root"
    assert server.client("sts").meta.region_name == REGION
