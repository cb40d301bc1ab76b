"""The whole walk of a developer, once with boto3 and once with the AWS CLI: who may create a function, what the
function may do, what its log and the trail say."""

from __future__ import annotations

import base64
import json

import pytest
from botocore.exceptions import ClientError
from conftest import ACCOUNT, LAMBDA_TRUST, REGION, allow, wait_until
from functions import python

RUNTIME = "python3.11"

CODE = """
    import boto3
    from botocore.exceptions import ClientError

    s3 = boto3.client("s3")

    def handler(event, context):
        print("reading", event["key"])
        body = s3.get_object(Bucket=event["bucket"], Key=event["key"])["Body"].read().decode()
        try:
            s3.delete_object(Bucket=event["bucket"], Key=event["key"])
            denied = None
        except ClientError as error:
            denied = [error.response["Error"]["Code"], error.response["Error"]["Message"]]
        return {"body": body, "denied": denied}
"""


def logs_policy(name: str) -> dict:
    return allow(
        ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
        f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/lambda/{name}:*",
    )


def test_walk_with_boto3(server, unique, make_user, make_role):
    name, bucket = f"walk-{unique}", f"walk-{unique}"
    s3 = server.client("s3")
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="orders/1.json", Body=b"one")
    role = make_role([allow("s3:GetObject", f"arn:aws:s3:::{bucket}/orders/*"), logs_policy(name)])
    function_arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"

    def create(client):
        return client.create_function(
            FunctionName=name, Runtime=RUNTIME, Handler="app.handler", Role=role, Code={"ZipFile": python(CODE)}, Timeout=20,
        )

    without = make_user([allow(["lambda:CreateFunction"], function_arn)])
    with pytest.raises(ClientError) as refused:
        create(server.client("lambda", without.credentials))
    assert refused.value.response["Error"]["Code"] == "AccessDeniedException"
    assert refused.value.response["Error"]["Message"] == (
        f"User: {without.arn} is not authorized to perform: iam:PassRole on resource: {role} "
        "because no identity-based policy allows the iam:PassRole action"
    )

    with_pass_role = make_user(
        [
            allow(["lambda:CreateFunction", "lambda:InvokeFunction", "lambda:GetFunction"], function_arn),
            {
                "Effect": "Allow",
                "Action": "iam:PassRole",
                "Resource": role,
                "Condition": {
                    "StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"},
                    "ArnLike": {"iam:AssociatedResourceArn": function_arn},
                },
            },
        ]
    )
    functions = server.client("lambda", with_pass_role.credentials)
    assert create(functions)["State"] in ("Active", "Pending")
    functions.get_waiter("function_active_v2").wait(FunctionName=name)

    answer = functions.invoke(
        FunctionName=name, Payload=json.dumps({"bucket": bucket, "key": "orders/1.json"}), LogType="Tail"
    )
    payload = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, payload
    session = f"arn:aws:sts::{ACCOUNT}:assumed-role/{role.rsplit('/')[-1]}/{name}"
    assert payload == {
        "body": "one",
        "denied": [
            "AccessDenied",
            f"User: {session} is not authorized to perform: s3:DeleteObject on resource: arn:aws:s3:::{bucket}/orders/1.json "
            "because no identity-based policy allows the s3:DeleteObject action",
        ],
    }
    tail = base64.b64decode(answer["LogResult"]).decode()
    assert "reading orders/1.json" in tail and "REPORT RequestId: " in tail and "Init Duration: " in tail

    logs = server.client("logs")

    def messages():
        try:
            return [event["message"] for event in logs.filter_log_events(logGroupName=f"/aws/lambda/{name}")["events"]]
        except logs.exceptions.ResourceNotFoundException:
            return []

    lines = wait_until(lambda: any(line.startswith("REPORT") for line in messages()) and messages(), what="the log")
    assert any(line.startswith("START RequestId: ") for line in lines)
    assert any("reading orders/1.json" in line for line in lines)
    assert any(line.startswith("END RequestId: ") for line in lines)

    trail = server.client("cloudtrail")
    created = trail.lookup_events(LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "CreateFunction20150331"}])
    mine = [json.loads(event["CloudTrailEvent"]) for event in created["Events"] if name in event["CloudTrailEvent"]]
    assert [event["userIdentity"]["userName"] for event in mine] == [with_pass_role.name, without.name]
    assert mine[0].get("errorCode") is None and mine[0]["responseElements"]["functionArn"] == function_arn
    assert mine[1]["errorCode"] in ("AccessDenied", "AccessDeniedException") and "iam:PassRole" in mine[1]["errorMessage"]
    assumed = trail.lookup_events(LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "AssumeRole"}])
    assumed = [json.loads(event["CloudTrailEvent"]) for event in assumed["Events"] if role in event["CloudTrailEvent"]]
    assert assumed[0]["userIdentity"] == {"type": "AWSService", "invokedBy": "lambda.amazonaws.com"}
    assert assumed[0]["sourceIPAddress"] == assumed[0]["userAgent"] == "lambda.amazonaws.com"
    assert assumed[0]["requestParameters"]["roleSessionName"] == name


def test_walk_with_the_cli(server, unique, make_user, tmp_path):
    name, bucket = f"cli-{unique}", f"cli-{unique}"
    code = tmp_path / "function.zip"
    code.write_bytes(python(CODE))
    (tmp_path / "trust.json").write_text(LAMBDA_TRUST)
    policy = {
        "Version": "2012-10-17",
        "Statement": [allow("s3:GetObject", f"arn:aws:s3:::{bucket}/*"), logs_policy(name)],
    }
    (tmp_path / "policy.json").write_text(json.dumps(policy))
    (tmp_path / "object.txt").write_text("two")

    server.aws("s3", "mb", f"s3://{bucket}")
    server.aws("s3", "cp", str(tmp_path / "object.txt"), f"s3://{bucket}/orders/2.txt")
    role = json.loads(
        server.aws("iam", "create-role", "--role-name", name, "--assume-role-policy-document", f"file://{tmp_path}/trust.json").stdout
    )["Role"]["Arn"]
    managed = json.loads(
        server.aws("iam", "create-policy", "--policy-name", name, "--policy-document", f"file://{tmp_path}/policy.json").stdout
    )["Policy"]["Arn"]
    server.aws("iam", "attach-role-policy", "--role-name", name, "--policy-arn", managed)

    create = (
        "lambda", "create-function", "--function-name", name, "--runtime", RUNTIME, "--handler", "app.handler",
        "--role", role, "--zip-file", f"fileb://{code}", "--timeout", "20",
    )  # fmt: skip
    without = make_user([allow("lambda:*")])
    refused = server.aws(*create, credentials=without.credentials, check=False)
    assert refused.returncode != 0 and "iam:PassRole" in refused.stderr and "AccessDeniedException" in refused.stderr

    developer = make_user([allow("lambda:*"), allow("iam:PassRole", role)])
    server.aws(*create, credentials=developer.credentials)
    server.aws("lambda", "wait", "function-active-v2", "--function-name", name, credentials=developer.credentials)
    output = tmp_path / "answer.json"
    payload = json.dumps({"bucket": bucket, "key": "orders/2.txt"})
    server.aws("lambda", "invoke", "--function-name", name, "--payload", payload, str(output), credentials=developer.credentials)
    answer = json.loads(output.read_text())
    assert answer["body"] == "two" and answer["denied"][0] == "AccessDenied"

    def lines():
        done = server.aws("logs", "filter-log-events", "--log-group-name", f"/aws/lambda/{name}", check=False)
        return done.stdout if "reading orders/2.txt" in done.stdout else ""

    wait_until(lines, what="the function's log")
    events = json.loads(
        server.aws("cloudtrail", "lookup-events", "--lookup-attributes", f"AttributeKey=Username,AttributeValue={developer.name}").stdout
    )["Events"]
    assert "CreateFunction20150331" in {event["EventName"] for event in events}
