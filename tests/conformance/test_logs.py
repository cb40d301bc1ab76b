"""CloudWatch Logs with AWS's own clients: groups, streams, events, filters, retention, tags, and who may call them."""

from __future__ import annotations

import json
import re
import time

import pytest
from conftest import ACCOUNT, REGION, allow
from expect import denied, document, refused, statement, unchecked

NO_GROUP = "The specified log group does not exist."
NO_STREAM = "The specified log stream does not exist."


@pytest.fixture
def logs(server):
    return server.client("logs")


@pytest.fixture
def group(logs, unique):
    """The name of a group with the stream `one`."""
    logs.create_log_group(logGroupName=f"/test/{unique}")
    logs.create_log_stream(logGroupName=f"/test/{unique}", logStreamName="one")
    return f"/test/{unique}"


def arn_of(group: str) -> str:
    return f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{group}"


def now() -> int:
    return int(time.time() * 1000)


def put(logs, group: str, *messages: str, stream: str = "one", start: int | None = None) -> int:
    """Puts messages one millisecond apart; the time of the first."""
    start = start if start is not None else now() - 10_000
    answer = logs.put_log_events(
        logGroupName=group,
        logStreamName=stream,
        logEvents=[{"timestamp": start + index, "message": message} for index, message in enumerate(messages)],
    )
    assert "rejectedLogEventsInfo" not in answer
    return start


def messages(answer: dict) -> list[str]:
    return [event["message"] for event in answer["events"]]


class TestGroups:
    def test_the_life_of_a_group(self, logs, unique):
        name = f"/test/{unique}"
        logs.create_log_group(logGroupName=name)
        (listed,) = logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
        assert listed["logGroupName"] == name and listed["arn"] == f"{arn_of(name)}:*" and listed["logGroupArn"] == arn_of(name)
        assert abs(listed["creationTime"] - now()) < 60_000 and listed["storedBytes"] == 0 and "retentionInDays" not in listed
        with refused("ResourceAlreadyExistsException", "The specified log group already exists"):
            logs.create_log_group(logGroupName=name)
        logs.delete_log_group(logGroupName=name)
        with refused("ResourceNotFoundException", NO_GROUP):
            logs.delete_log_group(logGroupName=name)

    def test_names_no_group_can_have(self, server):
        client = server.client("logs", config=unchecked())
        for name in ("", "with space", "x" * 513):
            with refused("InvalidParameterException", re.compile("logGroupName")):
                client.create_log_group(logGroupName=name)

    def test_pages(self, logs, unique):
        wanted = [f"/test/{unique}/{index}" for index in range(5)]
        for name in wanted:
            logs.create_log_group(logGroupName=name)
        pages = list(logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=f"/test/{unique}", limit=2))
        assert [[entry["logGroupName"] for entry in page["logGroups"]] for page in pages] == [wanted[:2], wanted[2:4], wanted[4:]]
        found = logs.describe_log_groups(logGroupNamePattern=f"{unique}/3")["logGroups"]
        assert [entry["logGroupName"] for entry in found] == [wanted[3]]

    def test_retention(self, logs, group):
        logs.put_retention_policy(logGroupName=group, retentionInDays=14)
        assert logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"][0]["retentionInDays"] == 14
        logs.delete_retention_policy(logGroupName=group)
        assert "retentionInDays" not in logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"][0]
        with refused("InvalidParameterException", re.compile("retentionInDays")):
            logs.put_retention_policy(logGroupName=group, retentionInDays=2)
        for change in (
            lambda: logs.put_retention_policy(logGroupName="/none", retentionInDays=1),
            lambda: logs.delete_retention_policy(logGroupName="/none"),
        ):
            with refused("ResourceNotFoundException", NO_GROUP):
                change()

    def test_tags(self, logs, unique):
        name = f"/test/{unique}"
        logs.create_log_group(logGroupName=name, tags={"team": "a"})
        logs.tag_resource(resourceArn=arn_of(name), tags={"stage": "test", "x": "y"})
        logs.untag_resource(resourceArn=arn_of(name), tagKeys=["x"])
        assert logs.list_tags_for_resource(resourceArn=arn_of(name))["tags"] == {"team": "a", "stage": "test"}
        logs.tag_log_group(logGroupName=name, tags={"team": "b"})
        logs.untag_log_group(logGroupName=name, tags=["stage"])
        assert logs.list_tags_log_group(logGroupName=name)["tags"] == {"team": "b"}
        with refused("ResourceNotFoundException"):
            logs.list_tags_for_resource(resourceArn=arn_of("/none"))


class TestStreams:
    def test_the_life_of_a_stream(self, logs, group):
        with refused("ResourceAlreadyExistsException", "The specified log stream already exists"):
            logs.create_log_stream(logGroupName=group, logStreamName="one")
        start = put(logs, group, "a", "b")
        (listed,) = logs.describe_log_streams(logGroupName=group)["logStreams"]
        assert listed["logStreamName"] == "one" and listed["arn"] == f"{arn_of(group)}:log-stream:one"
        assert (listed["firstEventTimestamp"], listed["lastEventTimestamp"]) == (start, start + 1)
        assert abs(listed["lastIngestionTime"] - now()) < 60_000 and listed["uploadSequenceToken"]
        logs.delete_log_stream(logGroupName=group, logStreamName="one")
        assert logs.describe_log_streams(logGroupName=group)["logStreams"] == []
        with refused("ResourceNotFoundException", NO_STREAM):
            logs.delete_log_stream(logGroupName=group, logStreamName="one")
        with refused("ResourceNotFoundException", NO_GROUP):
            logs.create_log_stream(logGroupName="/none", logStreamName="s")

    def test_orders_and_pages(self, logs, group):
        for index, name in enumerate(("z", "y", "x")):
            logs.create_log_stream(logGroupName=group, logStreamName=name)
            put(logs, group, "m", stream=name, start=now() - 50_000 + index * 1000)
        pages = logs.get_paginator("describe_log_streams").paginate(logGroupName=group, limit=3)
        assert [stream["logStreamName"] for page in pages for stream in page["logStreams"]] == ["one", "x", "y", "z"]
        newest = logs.describe_log_streams(logGroupName=group, orderBy="LastEventTime", descending=True)
        assert [stream["logStreamName"] for stream in newest["logStreams"] if stream["logStreamName"] != "one"] == ["x", "y", "z"]
        with refused("InvalidParameterException", "Cannot order by LastEventTime with a logStreamNamePrefix."):
            logs.describe_log_streams(logGroupName=group, orderBy="LastEventTime", logStreamNamePrefix="x")
        with refused("ResourceNotFoundException", NO_GROUP):
            logs.describe_log_streams(logGroupName="/none")

    @pytest.mark.parametrize("name", ["with:colon", "with*star", "x" * 513])
    def test_names_no_stream_can_have(self, server, group, name):
        with refused("InvalidParameterException", re.compile("logStreamName")):
            server.client("logs", config=unchecked()).create_log_stream(logGroupName=group, logStreamName=name)


class TestEvents:
    def test_put_and_get(self, logs, group):
        start = put(logs, group, "first", "second", "third")
        answer = logs.get_log_events(logGroupName=group, logStreamName="one", startFromHead=True)
        assert messages(answer) == ["first", "second", "third"]
        assert answer["events"][0]["timestamp"] == start and abs(answer["events"][0]["ingestionTime"] - now()) < 60_000

    def test_pages_forward_and_backward(self, logs, group):
        put(logs, group, *"abcde")
        arguments = {"logGroupName": group, "logStreamName": "one"}
        first = logs.get_log_events(**arguments, startFromHead=True, limit=2)
        second = logs.get_log_events(**arguments, startFromHead=True, limit=2, nextToken=first["nextForwardToken"])
        third = logs.get_log_events(**arguments, startFromHead=True, limit=2, nextToken=second["nextForwardToken"])
        assert [messages(page) for page in (first, second, third)] == [["a", "b"], ["c", "d"], ["e"]]
        end = logs.get_log_events(**arguments, startFromHead=True, limit=2, nextToken=third["nextForwardToken"])
        assert messages(end) == [] and end["nextForwardToken"] == third["nextForwardToken"]
        back = logs.get_log_events(**arguments, limit=2, nextToken=third["nextBackwardToken"])
        assert messages(back) == ["c", "d"]
        put(logs, group, "late")
        newer = logs.get_log_events(**arguments, startFromHead=True, nextToken=end["nextForwardToken"])
        assert messages(newer) == ["late"]
        with refused("InvalidParameterException"):
            logs.get_log_events(**arguments, nextToken="made up")

    def test_a_range_of_time(self, logs, group):
        start = put(logs, group, *"abcd")
        answer = logs.get_log_events(
            logGroupName=group, logStreamName="one", startTime=start + 1, endTime=start + 3, startFromHead=True
        )
        assert messages(answer) == ["b", "c"]

    def test_what_is_not_there(self, logs, group):
        events = [{"timestamp": now(), "message": "m"}]
        with refused("ResourceNotFoundException", NO_GROUP):
            logs.put_log_events(logGroupName="/none", logStreamName="one", logEvents=events)
        with refused("ResourceNotFoundException", NO_STREAM):
            logs.put_log_events(logGroupName=group, logStreamName="none", logEvents=events)
        with refused("ResourceNotFoundException", NO_STREAM):
            logs.get_log_events(logGroupName=group, logStreamName="none")
        with refused("ResourceNotFoundException", NO_GROUP):
            logs.filter_log_events(logGroupName="/none")

    def test_batches_that_are_refused(self, server, group):
        logs = server.client("logs", config=unchecked())
        arguments = {"logGroupName": group, "logStreamName": "one"}
        with refused("InvalidParameterException", "Log events in a single PutLogEvents request must be in chronological order."):
            logs.put_log_events(**arguments, logEvents=[{"timestamp": now(), "message": "b"}, {"timestamp": now() - 5, "message": "a"}])
        with refused("InvalidParameterException", re.compile("24 hours")):
            logs.put_log_events(
                **arguments, logEvents=[{"timestamp": now() - 86_400_001, "message": "a"}, {"timestamp": now(), "message": "b"}]
            )
        with refused("InvalidParameterException", re.compile("exceeds limit of 1048576")):
            logs.put_log_events(**arguments, logEvents=[{"timestamp": now(), "message": "x" * 524_300}] * 2)
        with refused("InvalidParameterException"):
            logs.put_log_events(**arguments, logEvents=[{"timestamp": now(), "message": ""}])

    def test_events_too_old_or_too_new_are_left_out(self, logs, group):
        old = logs.put_log_events(
            logGroupName=group, logStreamName="one", logEvents=[{"timestamp": now() - 15 * 86_400_000, "message": "old"}]
        )
        assert old["rejectedLogEventsInfo"]["tooOldLogEventEndIndex"] == 1
        new = logs.put_log_events(
            logGroupName=group,
            logStreamName="one",
            logEvents=[{"timestamp": now(), "message": "now"}, {"timestamp": now() + 3 * 3_600_000, "message": "new"}],
        )
        assert new["rejectedLogEventsInfo"]["tooNewLogEventStartIndex"] == 1
        assert messages(logs.get_log_events(logGroupName=group, logStreamName="one")) == ["now"]

    def test_unicode(self, logs, group):
        put(logs, group, "Grüße 🦀\n\tzwei")
        assert messages(logs.get_log_events(logGroupName=group, logStreamName="one")) == ["Grüße 🦀\n\tzwei"]


class TestFilter:
    LINES = (
        "INFO order 1 taken",
        "ERROR order 2 refused",
        "WARN stock low",
        '{"level":"error","code":500,"user":{"name":"ann"}}',
        '{"level":"info","code":200,"user":{"name":"bea"}}',
        '127.0.0.1 - ann [10/Oct] "GET /a" 404 12',
    )

    @pytest.mark.parametrize(
        ("pattern", "lines"),
        [
            ("", [0, 1, 2, 3, 4, 5]),
            ("order", [0, 1]),
            ("order ERROR", [1]),
            ("?ERROR ?WARN", [1, 2]),
            ("order -ERROR", [0]),
            ('"order 1"', [0]),
            ("%taken|low%", [0, 2]),
            ('{ $.level = "error" }', [3]),
            ("{ $.code >= 200 && $.code < 300 }", [4]),
            ('{ $.user.name = "a*" || $.code = 200 }', [3, 4]),
            ("{ $.missing NOT EXISTS }", [3, 4]),
            ("[ip, dash, user, time, request, status = 4*, size]", [5]),
        ],
    )
    def test_patterns(self, logs, group, pattern, lines):
        put(logs, group, *self.LINES)
        found = logs.filter_log_events(logGroupName=group, filterPattern=pattern)
        assert messages(found) == [self.LINES[line] for line in lines]

    @pytest.mark.parametrize("pattern", ["{ $.a = }", "[a, b", "{ $.a = 1"])
    def test_patterns_that_are_not_understood(self, logs, group, pattern):
        with refused("InvalidParameterException", re.compile("Invalid filter pattern")):
            logs.filter_log_events(logGroupName=group, filterPattern=pattern)

    def test_streams_times_and_pages(self, logs, group):
        logs.create_log_stream(logGroupName=group, logStreamName="two")
        start = now() - 10_000
        put(logs, group, "a", "b", "c", start=start)
        put(logs, group, "d", "e", stream="two", start=start + 3)
        pages = list(logs.get_paginator("filter_log_events").paginate(logGroupName=group, PaginationConfig={"PageSize": 2}))
        events = [event for page in pages for event in page["events"]]
        assert [event["message"] for event in events] == list("abcde") and len({event["eventId"] for event in events}) == 5
        assert [event["logStreamName"] for event in events] == ["one"] * 3 + ["two"] * 2
        assert messages(logs.filter_log_events(logGroupName=group, logStreamNames=["two"])) == ["d", "e"]
        assert messages(logs.filter_log_events(logGroupName=group, logStreamNamePrefix="on")) == ["a", "b", "c"]
        assert messages(logs.filter_log_events(logGroupName=group, startTime=start + 2, endTime=start + 4)) == ["c", "d", "e"]
        with refused("InvalidParameterException"):
            logs.filter_log_events(logGroupName=group, logStreamNames=["two"], logStreamNamePrefix="t")


class TestWhoMay:
    def test_nobody_without_permission(self, server, group, make_user):
        user = make_user()
        client = server.client("logs", user.credentials)
        stream = f"{arn_of(group)}:log-stream:one"
        with denied(user.arn, "logs:DescribeLogGroups", f"{arn_of('')}:log-stream:"):
            client.describe_log_groups()
        with denied(user.arn, "logs:CreateLogGroup", f"{arn_of('/new')}:log-stream:"):
            client.create_log_group(logGroupName="/new")
        with denied(user.arn, "logs:PutLogEvents", stream):
            client.put_log_events(logGroupName=group, logStreamName="one", logEvents=[{"timestamp": now(), "message": "m"}])
        with denied(user.arn, "logs:GetLogEvents", stream):
            client.get_log_events(logGroupName=group, logStreamName="one")
        with denied(user.arn, "logs:FilterLogEvents", f"{arn_of(group)}:log-stream:"):
            client.filter_log_events(logGroupName=group)

    def test_the_scope_of_a_group_and_of_a_stream(self, server, logs, group, make_user, unique):
        logs.create_log_stream(logGroupName=group, logStreamName="two")
        user = make_user(
            [
                allow("logs:PutLogEvents", f"{arn_of(group)}:log-stream:one"),
                allow(["logs:CreateLogGroup", "logs:CreateLogStream"], f"{arn_of(f'/own/{unique}')}:*"),
            ]
        )
        client = server.client("logs", user.credentials)
        put(client, group, "m")
        with denied(user.arn, "logs:PutLogEvents", f"{arn_of(group)}:log-stream:two"):
            put(client, group, "m", stream="two")
        client.create_log_group(logGroupName=f"/own/{unique}")
        client.create_log_stream(logGroupName=f"/own/{unique}", logStreamName="s")
        with refused("AccessDeniedException"):
            client.create_log_stream(logGroupName=group, logStreamName="s")

    def test_tags_of_the_group_and_an_explicit_deny(self, server, logs, make_user, unique):
        for name, team in (("a", "orders"), ("b", "other")):
            logs.create_log_group(logGroupName=f"/{unique}/{name}", tags={"team": team})
        user = make_user(
            [
                statement(
                    "Allow",
                    Action="logs:*",
                    Resource="*",
                    Condition={"StringEquals": {"aws:ResourceTag/team": "orders"}},
                ),
                statement("Deny", Action="logs:DeleteLogGroup", Resource="*"),
            ]
        )
        client = server.client("logs", user.credentials)
        client.put_retention_policy(logGroupName=f"/{unique}/a", retentionInDays=1)
        with refused("AccessDeniedException", re.compile("because no identity-based policy allows the logs:PutRetentionPolicy action$")):
            client.put_retention_policy(logGroupName=f"/{unique}/b", retentionInDays=1)
        with refused("AccessDeniedException", re.compile("with an explicit deny in an identity-based policy$")):
            client.delete_log_group(logGroupName=f"/{unique}/a")

    def test_a_session_policy(self, server, logs, group, make_role, make_user):
        user = make_user([allow("sts:AssumeRole")])
        trust = document(statement("Allow", Principal={"AWS": ACCOUNT}, Action="sts:AssumeRole"))
        role = make_role([allow("logs:*")], trust)
        made = server.client("sts", user.credentials).assume_role(
            RoleArn=role, RoleSessionName="session", Policy=document(allow("logs:GetLogEvents"))
        )["Credentials"]
        client = server.client("logs", (made["AccessKeyId"], made["SecretAccessKey"], made["SessionToken"]))
        client.get_log_events(logGroupName=group, logStreamName="one")
        session = f"arn:aws:sts::{ACCOUNT}:assumed-role/{role.rsplit('/')[-1]}/session"
        with denied(session, "logs:FilterLogEvents", f"{arn_of(group)}:log-stream:", "session"):
            client.filter_log_events(logGroupName=group)


def test_with_the_cli(server, group):
    event = json.dumps([{"timestamp": now(), "message": "from the command line"}])
    server.aws("logs", "put-log-events", "--log-group-name", group, "--log-stream-name", "one", "--log-events", event)
    assert "from the command line" in server.aws("logs", "filter-log-events", "--log-group-name", group).stdout


def test_what_is_not_served_is_named(logs):
    with refused("NotImplemented", re.compile("PutMetricFilter")):
        logs.put_metric_filter(logGroupName="/g", filterName="f", filterPattern="", metricTransformations=[
            {"metricName": "m", "metricNamespace": "n", "metricValue": "1"}
        ])  # fmt: skip
