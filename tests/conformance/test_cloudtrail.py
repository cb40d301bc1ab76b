"""CloudTrail with AWS's own clients: LookupEvents by every attribute, its pages, and what an event says."""

from __future__ import annotations

import datetime
import json
import re

import pytest
from conftest import ACCOUNT, REGION, allow
from expect import denied, refused, statement


@pytest.fixture
def trail(server):
    return server.client("cloudtrail")


def lookup(trail, key: str, value: str) -> list[dict]:
    """All events with an attribute, newest first."""
    pages = trail.get_paginator("lookup_events").paginate(LookupAttributes=[{"AttributeKey": key, "AttributeValue": value}])
    return [event for page in pages for event in page["Events"]]


def records(events: list[dict]) -> list[dict]:
    return [json.loads(event["CloudTrailEvent"]) for event in events]


@pytest.fixture
def busy(server, make_user, unique):
    """A user who made a table and was denied another call."""
    user = make_user([allow(["dynamodb:CreateTable", "dynamodb:DescribeTable"])])
    dynamodb = server.client("dynamodb", user.credentials)
    dynamodb.create_table(
        TableName=unique,
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    dynamodb.describe_table(TableName=unique)
    with refused("AccessDeniedException"):
        dynamodb.delete_table(TableName=unique)
    return user


def test_who_did_what(trail, busy, unique):
    events = lookup(trail, "Username", busy.name)
    assert [event["EventName"] for event in events] == ["DeleteTable", "DescribeTable", "CreateTable"]
    assert [event["ReadOnly"] for event in events] == ["false", "true", "false"]
    assert all(event["EventSource"] == "dynamodb.amazonaws.com" and event["AccessKeyId"] == busy.credentials[0] for event in events)
    table = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{unique}"
    denied_, _, made = records(events)
    assert denied_["errorCode"] in ("AccessDenied", "AccessDeniedException")
    assert denied_["errorMessage"].startswith(f"User: {busy.arn} is not authorized to perform: dynamodb:DeleteTable on resource: {table}")
    assert made["userIdentity"]["type"] == "IAMUser" and made["userIdentity"]["arn"] == busy.arn
    assert made["userIdentity"]["userName"] == busy.name and made["userIdentity"]["accountId"] == ACCOUNT
    assert made["awsRegion"] == REGION and made["recipientAccountId"] == ACCOUNT and made["sourceIPAddress"] == "127.0.0.1"
    assert made["eventType"] == "AwsApiCall" and made["managementEvent"] is True and made["eventCategory"] == "Management"
    assert made["requestParameters"]["tableName"] == unique
    assert made["responseElements"]["tableDescription"]["tableArn"] == table
    assert "errorCode" not in made and "Boto3" in made["userAgent"] and made["requestID"] and made["eventID"]
    datetime.datetime.strptime(made["eventTime"], "%Y-%m-%dT%H:%M:%SZ")


def test_every_attribute(trail, busy, unique):
    (made,) = [event for event in lookup(trail, "Username", busy.name) if event["EventName"] == "CreateTable"]
    for key, value in (
        ("EventId", made["EventId"]),
        ("EventName", "CreateTable"),
        ("ReadOnly", "false"),
        ("EventSource", "dynamodb.amazonaws.com"),
        ("AccessKeyId", busy.credentials[0]),
        ("ResourceName", unique),
        ("ResourceType", "AWS::DynamoDB::Table"),
    ):
        assert made["EventId"] in [event["EventId"] for event in lookup(trail, key, value)], key
    assert lookup(trail, "EventId", "00000000-0000-0000-0000-000000000000") == []


def test_pages_and_times(trail, busy):
    arguments = {"LookupAttributes": [{"AttributeKey": "Username", "AttributeValue": busy.name}]}
    first = trail.lookup_events(**arguments, MaxResults=2)
    second = trail.lookup_events(**arguments, MaxResults=2, NextToken=first["NextToken"])
    assert [event["EventName"] for event in first["Events"] + second["Events"]] == ["DeleteTable", "DescribeTable", "CreateTable"]
    assert "NextToken" not in second
    with refused("InvalidNextTokenException"):
        trail.lookup_events(LookupAttributes=[{"AttributeKey": "ReadOnly", "AttributeValue": "true"}], NextToken=first["NextToken"])
    now = datetime.datetime.now(datetime.UTC)
    assert len(trail.lookup_events(**arguments, StartTime=now - datetime.timedelta(minutes=5))["Events"]) == 3
    assert trail.lookup_events(**arguments, EndTime=now - datetime.timedelta(minutes=5))["Events"] == []


def test_requests_that_are_refused(trail):
    now = datetime.datetime.now(datetime.UTC)
    with refused("InvalidTimeRangeException"):
        trail.lookup_events(StartTime=now, EndTime=now - datetime.timedelta(hours=1))
    with refused("ValidationException", re.compile("maxResults")):
        trail.lookup_events(MaxResults=51)
    with refused("InvalidNextTokenException"):
        trail.lookup_events(NextToken="made up")
    with refused("InvalidLookupAttributesException"):
        trail.lookup_events(LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "A"}] * 2)


def test_a_secret_is_never_recorded(server, trail, unique):
    iam = server.client("iam")
    iam.create_user(UserName=f"secret-{unique}")
    secret = iam.create_access_key(UserName=f"secret-{unique}")["AccessKey"]["SecretAccessKey"]
    (event,) = [event for event in lookup(trail, "EventName", "CreateAccessKey") if unique in event["CloudTrailEvent"]]
    assert secret not in event["CloudTrailEvent"]


def test_data_events_are_not_among_them(server, trail, unique):
    """LookupEvents answers management events only (CloudTrail User Guide, "Viewing events")."""
    s3 = server.client("s3")
    s3.create_bucket(Bucket=f"trail-{unique}")
    s3.put_object(Bucket=f"trail-{unique}", Key="k", Body=b"v")
    named = [event["EventName"] for event in lookup(trail, "ResourceName", f"trail-{unique}")]
    assert named == ["CreateBucket"]


def test_who_may_look(server, make_user):
    user = make_user()
    with denied(user.arn, "cloudtrail:LookupEvents", "*"):
        server.client("cloudtrail", user.credentials).lookup_events()
    allowed = make_user([allow("cloudtrail:LookupEvents")])
    assert server.client("cloudtrail", allowed.credentials).lookup_events(MaxResults=1)["Events"]
    blocked = make_user([allow("*"), statement("Deny", Action="cloudtrail:*", Resource="*")])
    with denied(blocked.arn, "cloudtrail:LookupEvents", "*", explicit=True):
        server.client("cloudtrail", blocked.credentials).lookup_events()


def test_with_the_cli(server, busy):
    done = server.aws("cloudtrail", "lookup-events", "--lookup-attributes", f"AttributeKey=Username,AttributeValue={busy.name}")
    assert re.search("CreateTable", done.stdout)
