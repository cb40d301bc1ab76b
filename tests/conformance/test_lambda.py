"""Lambda with AWS's own clients: the life of a function, its versions, permissions, tags and concurrency, invocations,
and who may call them."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.config import Config
from conftest import ACCOUNT, REGION, allow, wait_until
from expect import denied, document, refused, statement, unchecked
from functions import ECHO, python

RUNTIME = "python3.11"


@pytest.fixture
def functions(server):
    return server.client("lambda")


@pytest.fixture
def role(make_role):
    return make_role([])


@pytest.fixture
def function(functions, unique, role):
    """The name of a function that answers with its event."""
    create(functions, f"function-{unique}", role)
    return f"function-{unique}"


def create(client, name: str, role: str, code: str = ECHO, **more) -> dict:
    return client.create_function(
        **{
            "FunctionName": name,
            "Runtime": RUNTIME,
            "Handler": "app.handler",
            "Role": role,
            "Code": {"ZipFile": python(code)},
            "Timeout": 20,
            **more,
        }
    )


def arn_of(name: str) -> str:
    return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"


def payload(answer: dict):
    return json.loads(answer["Payload"].read())


class TestTheLifeOfAFunction:
    def test_create_read_delete(self, functions, unique, role):
        name, code = f"function-{unique}", python(ECHO)
        made = create(
            functions, name, role, Code={"ZipFile": code}, Description="d", MemorySize=256,
            Environment={"Variables": {"TABLE": "t"}}, Tags={"team": "a"},
        )  # fmt: skip
        assert made["FunctionArn"] == arn_of(name) and made["Version"] == "$LATEST" and made["CodeSize"] == len(code)
        assert made["CodeSha256"] == base64.b64encode(hashlib.sha256(code).digest()).decode()
        assert (made["Runtime"], made["Handler"], made["Timeout"], made["MemorySize"]) == (RUNTIME, "app.handler", 20, 256)
        assert made["Environment"] == {"Variables": {"TABLE": "t"}} and made["PackageType"] == "Zip"
        functions.get_waiter("function_exists").wait(FunctionName=name)
        functions.get_waiter("function_active_v2").wait(FunctionName=name)
        read = functions.get_function(FunctionName=name)
        assert read["Configuration"]["State"] == "Active" and read["Configuration"]["LastUpdateStatus"] == "Successful"
        assert read["Tags"] == {"team": "a"} and read["Code"]["RepositoryType"] == "S3"
        for same in (name, arn_of(name), f"{ACCOUNT}:function:{name}"):
            assert functions.get_function_configuration(FunctionName=same)["RevisionId"] == read["Configuration"]["RevisionId"]
        with refused("ResourceConflictException", f"Function already exist: {name}"):
            create(functions, name, role)
        functions.delete_function(FunctionName=name)
        with refused("ResourceNotFoundException", f"Function not found: {arn_of(name)}"):
            functions.get_function(FunctionName=name)

    def test_code_from_s3(self, server, functions, unique, role, make_user):
        s3 = server.client("s3")
        s3.create_bucket(Bucket=f"code-{unique}")
        s3.put_object(Bucket=f"code-{unique}", Key="code.zip", Body=python(ECHO))
        place = {"S3Bucket": f"code-{unique}", "S3Key": "code.zip"}
        create(functions, f"s3-{unique}", role, Code=place)
        assert payload(functions.invoke(FunctionName=f"s3-{unique}", Payload=b'{"a":1}')) == {"a": 1}
        without = make_user([allow("lambda:*"), allow("iam:PassRole")])
        with refused("AccessDeniedException", re.compile("^Your access has been denied by S3")):
            create(server.client("lambda", without.credentials), f"denied-{unique}", role, Code=place)
        with refused("InvalidParameterValueException", re.compile("^Error occurred while GetObject.")):
            create(functions, f"none-{unique}", role, Code={**place, "S3Key": "none.zip"})

    def test_pages(self, functions, unique, role):
        wanted = [f"page-{unique}-{index}" for index in range(3)]
        for name in wanted:
            create(functions, name, role)
        pages = list(functions.get_paginator("list_functions").paginate(PaginationConfig={"PageSize": 2}))
        assert all(len(page["Functions"]) <= 2 for page in pages)
        assert set(wanted) <= {entry["FunctionName"] for page in pages for entry in page["Functions"]}

    def test_update_code(self, functions, function):
        before = functions.get_function_configuration(FunctionName=function)
        code = python("def handler(event, context):\n    return 'new'")
        tried = functions.update_function_code(FunctionName=function, ZipFile=code, DryRun=True)
        assert tried["CodeSha256"] != before["CodeSha256"]
        assert functions.get_function_configuration(FunctionName=function)["CodeSha256"] == before["CodeSha256"]
        with refused("PreconditionFailedException", re.compile("^The RevisionId provided does not match the latest RevisionId")):
            functions.update_function_code(FunctionName=function, ZipFile=code, RevisionId="00000000-0000-0000-0000-000000000000")
        functions.update_function_code(FunctionName=function, ZipFile=code, RevisionId=before["RevisionId"])
        functions.get_waiter("function_updated_v2").wait(FunctionName=function)
        assert payload(functions.invoke(FunctionName=function)) == "new"

    def test_update_configuration(self, functions, function, make_role):
        role = make_role([])
        functions.update_function_configuration(
            FunctionName=function, Timeout=7, MemorySize=512, Environment={"Variables": {"NEW": "b"}}, Description="new", Role=role
        )
        functions.get_waiter("function_updated_v2").wait(FunctionName=function)
        read = functions.get_function_configuration(FunctionName=function)
        assert (read["Timeout"], read["MemorySize"], read["Description"], read["Role"]) == (7, 512, "new", role)
        assert read["Environment"] == {"Variables": {"NEW": "b"}} and read["Handler"] == "app.handler"

    @pytest.mark.parametrize(
        ("more", "code", "message"),
        [
            ({"Runtime": "python2.7"}, "InvalidParameterValueException", "python2.7"),
            ({"MemorySize": 127}, "ValidationException", "memorySize"),
            ({"MemorySize": 10_241}, "ValidationException", "memorySize"),
            ({"Timeout": 901}, "ValidationException", "timeout"),
            ({"Handler": "with space"}, "ValidationException", "handler"),
            ({"FunctionName": "with space"}, "ValidationException", "functionName"),
            ({"Role": "no-arn"}, "ValidationException", "role"),
            ({"Environment": {"Variables": {"AWS_REGION": "x"}}}, "InvalidParameterValueException", "Reserved keys used in this request: AWS_REGION"),
            ({"Environment": {"Variables": {"BIG": "x" * 5000}}}, "InvalidParameterValueException", "exceeded the 4KB limit"),
            ({"Code": {}}, "InvalidParameterValueException", "Please provide a source for function code."),
        ],
    )
    def test_functions_that_are_refused(self, server, unique, role, more, code, message):
        with refused(code, re.compile(message)):
            create(server.client("lambda", config=unchecked()), f"bad-{unique}", role, **more)

    def test_it_does_not_exist(self, functions, unique, role):
        name = f"none-{unique}"
        for call in (
            lambda: functions.get_function_configuration(FunctionName=name),
            lambda: functions.update_function_code(FunctionName=name, ZipFile=python(ECHO)),
            lambda: functions.update_function_configuration(FunctionName=name, Timeout=1),
            lambda: functions.delete_function(FunctionName=name),
            lambda: functions.invoke(FunctionName=name),
            lambda: functions.list_versions_by_function(FunctionName=name),
            lambda: functions.publish_version(FunctionName=name),
            lambda: functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=1),
            lambda: functions.list_tags(Resource=arn_of(name)),
            lambda: functions.add_permission(
                FunctionName=name, StatementId="s", Action="lambda:InvokeFunction", Principal="s3.amazonaws.com"
            ),
        ):
            with refused("ResourceNotFoundException", re.compile(f"^Function not found: {arn_of(name)}")):
                call()


class TestInvoke:
    def test_an_answer(self, functions, function):
        answer = functions.invoke(FunctionName=function, Payload='{"grüße": [1, 2.5, null]}', LogType="Tail")
        assert (answer["StatusCode"], answer["ExecutedVersion"]) == (200, "$LATEST") and "FunctionError" not in answer
        assert payload(answer) == {"grüße": [1, 2.5, None]}
        tail = base64.b64decode(answer["LogResult"]).decode()
        identifier = answer["ResponseMetadata"]["RequestId"]
        assert f"START RequestId: {identifier} Version: $LATEST" in tail and f"END RequestId: {identifier}" in tail
        assert re.search(rf"REPORT RequestId: {identifier}\tDuration: [\d.]+ ms\tBilled Duration: \d+ ms\tMemory Size: 128 MB\tMax Memory Used: \d+ MB", tail)

    def test_without_an_event(self, functions, function):
        assert payload(functions.invoke(FunctionName=function)) == {}

    def test_a_dry_run(self, functions, function):
        assert functions.invoke(FunctionName=function, InvocationType="DryRun")["StatusCode"] == 204

    def test_an_event(self, server, functions, unique, make_role):
        bucket = f"event-{unique}"
        s3 = server.client("s3")
        s3.create_bucket(Bucket=bucket)
        code = f"""
            import boto3
            def handler(event, context):
                boto3.client("s3").put_object(Bucket="{bucket}", Key="done", Body=event["text"].encode())
        """
        create(functions, f"event-{unique}", make_role([allow("s3:PutObject", f"arn:aws:s3:::{bucket}/done")]), code)
        answer = functions.invoke(FunctionName=f"event-{unique}", InvocationType="Event", Payload=b'{"text":"asynchronous"}')
        assert answer["StatusCode"] == 202 and answer["Payload"].read() == b""

        def body():
            try:
                return s3.get_object(Bucket=bucket, Key="done")["Body"].read()
            except s3.exceptions.NoSuchKey:
                return None

        assert wait_until(body, 20, "the effect of the event") == b"asynchronous"

    def test_what_a_function_knows(self, functions, unique, role):
        code = """
            import os
            def handler(event, context):
                names = ("AWS_REGION", "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_VERSION", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
                         "_HANDLER", "AWS_LAMBDA_LOG_GROUP_NAME", "LAMBDA_TASK_ROOT", "TZ", "OWN")
                return {"environment": {name: os.environ.get(name) for name in names}, "arn": context.invoked_function_arn,
                        "name": context.function_name, "memory": context.memory_limit_in_mb, "version": context.function_version,
                        "id": context.aws_request_id, "left": context.get_remaining_time_in_millis(),
                        "client": context.client_context.custom if context.client_context else None}
        """
        name = f"knows-{unique}"
        create(functions, name, role, code, Environment={"Variables": {"OWN": "value"}})
        context = base64.b64encode(json.dumps({"custom": {"a": "b"}}).encode()).decode()
        answer = functions.invoke(FunctionName=name, ClientContext=context)
        known = payload(answer)
        assert known["environment"] == {
            "AWS_REGION": REGION,
            "AWS_LAMBDA_FUNCTION_NAME": name,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
            "_HANDLER": "app.handler",
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{name}",
            "LAMBDA_TASK_ROOT": "/var/task",
            "TZ": ":UTC",
            "OWN": "value",
        }
        assert (known["arn"], known["name"], int(known["memory"]), known["version"]) == (arn_of(name), name, 128, "$LATEST")
        assert known["id"] == answer["ResponseMetadata"]["RequestId"] and 0 < known["left"] <= 20_000 and known["client"] == {"a": "b"}

    def test_the_function_is_its_role(self, server, functions, unique, make_role):
        role = make_role([])
        code = """
            import boto3
            from botocore.exceptions import ClientError
            def handler(event, context):
                who = boto3.client("sts").get_caller_identity()["Arn"]
                try:
                    boto3.client("dynamodb").describe_table(TableName="orders")
                except ClientError as error:
                    return [who, error.response["Error"]["Code"], error.response["Error"]["Message"]]
        """
        name = f"role-{unique}"
        create(functions, name, role, code)
        session = f"arn:aws:sts::{ACCOUNT}:assumed-role/{role.rsplit('/')[-1]}/{name}"
        who, error, message = payload(functions.invoke(FunctionName=name))
        assert (who, error) == (session, "AccessDeniedException")
        assert message == (
            f"User: {session} is not authorized to perform: dynamodb:DescribeTable on resource: "
            f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/orders because no identity-based policy allows the dynamodb:DescribeTable action"
        )


class TestVersions:
    def test_publish_list_invoke_delete(self, functions, function):
        first = functions.publish_version(FunctionName=function, Description="one")
        assert first["Version"] == "1" and first["FunctionArn"] == f"{arn_of(function)}:1" and first["Description"] == "one"
        assert functions.publish_version(FunctionName=function)["Version"] == "1"
        functions.update_function_code(FunctionName=function, ZipFile=python("def handler(event, context):\n    return 'two'"))
        functions.get_waiter("function_updated_v2").wait(FunctionName=function)
        assert functions.publish_version(FunctionName=function)["Version"] == "2"
        listed = functions.get_paginator("list_versions_by_function").paginate(FunctionName=function)
        assert [entry["Version"] for page in listed for entry in page["Versions"]] == ["$LATEST", "1", "2"]
        old = functions.invoke(FunctionName=function, Qualifier="1", Payload=b'"old"')
        assert payload(old) == "old" and old["ExecutedVersion"] == "1"
        assert payload(functions.invoke(FunctionName=f"{arn_of(function)}:2")) == "two"
        functions.delete_function(FunctionName=function, Qualifier="1")
        with refused("ResourceNotFoundException", f"Function not found: {arn_of(function)}:1"):
            functions.get_function(FunctionName=function, Qualifier="1")
        with refused("InvalidParameterValueException", "$LATEST version cannot be deleted without deleting the function."):
            functions.delete_function(FunctionName=function, Qualifier="$LATEST")


class TestPermissions:
    def test_the_life_of_a_statement(self, functions, function):
        with refused("ResourceNotFoundException"):
            functions.get_policy(FunctionName=function)
        added = functions.add_permission(
            FunctionName=function, StatementId="from-s3", Action="lambda:InvokeFunction", Principal="s3.amazonaws.com",
            SourceArn="arn:aws:s3:::bucket", SourceAccount=ACCOUNT,
        )  # fmt: skip
        expected = {
            "Sid": "from-s3",
            "Effect": "Allow",
            "Principal": {"Service": "s3.amazonaws.com"},
            "Action": "lambda:InvokeFunction",
            "Resource": arn_of(function),
            "Condition": {"StringEquals": {"AWS:SourceAccount": ACCOUNT}, "ArnLike": {"AWS:SourceArn": "arn:aws:s3:::bucket"}},
        }
        assert json.loads(added["Statement"]) == expected
        policy = functions.get_policy(FunctionName=function)
        assert json.loads(policy["Policy"])["Statement"] == [expected] and policy["RevisionId"]
        with refused("ResourceConflictException", re.compile(r"^The statement id \(from-s3\) provided already exists")):
            functions.add_permission(
                FunctionName=function, StatementId="from-s3", Action="lambda:InvokeFunction", Principal="s3.amazonaws.com"
            )
        functions.remove_permission(FunctionName=function, StatementId="from-s3")
        with refused("ResourceNotFoundException"):
            functions.remove_permission(FunctionName=function, StatementId="from-s3")

    def test_a_user_it_names_may_invoke(self, server, functions, function, make_user):
        user = make_user()
        client = server.client("lambda", user.credentials)
        with denied(user.arn, "lambda:InvokeFunction", arn_of(function)):
            client.invoke(FunctionName=function)
        functions.add_permission(FunctionName=function, StatementId="user", Action="lambda:InvokeFunction", Principal=user.arn)
        assert payload(client.invoke(FunctionName=function, Payload=b"1")) == 1
        with denied(user.arn, "lambda:GetFunction", arn_of(function)):
            client.get_function(FunctionName=function)

    def test_a_principal_that_is_nobody(self, functions, function):
        with refused("InvalidParameterValueException", re.compile("^The provided principal was invalid")):
            functions.add_permission(
                FunctionName=function, StatementId="x", Action="lambda:InvokeFunction",
                Principal=f"arn:aws:iam::{ACCOUNT}:user/nobody-at-all",
            )  # fmt: skip


class TestTagsAndConcurrency:
    def test_tags(self, functions, function):
        functions.tag_resource(Resource=arn_of(function), Tags={"a": "1", "b": "2"})
        functions.untag_resource(Resource=arn_of(function), TagKeys=["a"])
        assert functions.list_tags(Resource=arn_of(function))["Tags"] == {"b": "2"}
        with refused("InvalidParameterValueException", re.compile("aws:")):
            functions.tag_resource(Resource=arn_of(function), Tags={"aws:a": "1"})

    def test_reserved_concurrency(self, server, functions, function):
        assert "ReservedConcurrentExecutions" not in functions.get_function_concurrency(FunctionName=function)
        assert functions.put_function_concurrency(FunctionName=function, ReservedConcurrentExecutions=0)["ReservedConcurrentExecutions"] == 0
        assert functions.get_function(FunctionName=function)["Concurrency"] == {"ReservedConcurrentExecutions": 0}
        with refused("TooManyRequestsException", "Rate Exceeded."):
            functions.invoke(FunctionName=function)
        functions.put_function_concurrency(FunctionName=function, ReservedConcurrentExecutions=5)
        assert functions.get_function_concurrency(FunctionName=function)["ReservedConcurrentExecutions"] == 5
        functions.delete_function_concurrency(FunctionName=function)
        assert payload(functions.invoke(FunctionName=function, Payload=b"1")) == 1
        with refused("InvalidParameterValueException", re.compile("UnreservedConcurrentExecution below its minimum value")):
            functions.put_function_concurrency(FunctionName=function, ReservedConcurrentExecutions=1000)

    def test_facts(self, functions, function):
        settings = functions.get_account_settings()
        assert settings["AccountLimit"]["ConcurrentExecutions"] == 1000 and settings["AccountUsage"]["FunctionCount"] >= 1
        assert functions.get_function_code_signing_config(FunctionName=function)["FunctionName"] == function


class TestWhoMay:
    def test_nobody_without_permission(self, server, function, make_user):
        user = make_user()
        client = server.client("lambda", user.credentials)
        for action, call in (
            ("InvokeFunction", lambda: client.invoke(FunctionName=function)),
            ("GetFunction", lambda: client.get_function(FunctionName=function)),
            ("GetFunctionConfiguration", lambda: client.get_function_configuration(FunctionName=function)),
            ("UpdateFunctionCode", lambda: client.update_function_code(FunctionName=function, ZipFile=python(ECHO))),
            ("UpdateFunctionConfiguration", lambda: client.update_function_configuration(FunctionName=function, Timeout=1)),
            ("DeleteFunction", lambda: client.delete_function(FunctionName=function)),
            ("GetPolicy", lambda: client.get_policy(FunctionName=function)),
            ("ListTags", lambda: client.list_tags(Resource=arn_of(function))),
            ("PublishVersion", lambda: client.publish_version(FunctionName=function)),
        ):
            with denied(user.arn, f"lambda:{action}", arn_of(function)):
                call()
        with denied(user.arn, "lambda:ListFunctions", "*"):
            client.list_functions()
        with denied(user.arn, "lambda:InvokeFunction", arn_of("no-such-function")):
            client.invoke(FunctionName="no-such-function")

    def test_the_role_must_be_passed(self, server, unique, role, make_user, make_role):
        def maker(condition: dict, resource: str = role):
            return make_user(
                [allow("lambda:*"), statement("Allow", Action="iam:PassRole", Resource=resource, Condition=condition)]
            )

        to_lambda = {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}
        refused_ = maker({"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}})
        with denied(refused_.arn, "iam:PassRole", role, service="lambda"):
            create(server.client("lambda", refused_.credentials), f"pass-{unique}", role)
        other = maker(to_lambda, f"arn:aws:iam::{ACCOUNT}:role/other")
        with denied(other.arn, "iam:PassRole", role, service="lambda"):
            create(server.client("lambda", other.credentials), f"pass-{unique}", role)
        allowed = maker(to_lambda)
        client = server.client("lambda", allowed.credentials)
        create(client, f"pass-{unique}", role)
        stronger = make_role([allow("*")])
        with denied(allowed.arn, "iam:PassRole", stronger, service="lambda"):
            client.update_function_configuration(FunctionName=f"pass-{unique}", Role=stronger)
        client.update_function_configuration(FunctionName=f"pass-{unique}", Timeout=5)

    def test_a_function_is_not_its_versions(self, server, functions, function, make_user):
        functions.publish_version(FunctionName=function)
        plain = make_user([allow("lambda:InvokeFunction", arn_of(function))])
        client = server.client("lambda", plain.credentials)
        assert payload(client.invoke(FunctionName=function, Payload=b"1")) == 1
        with denied(plain.arn, "lambda:InvokeFunction", f"{arn_of(function)}:1"):
            client.invoke(FunctionName=function, Qualifier="1")
        versions = make_user([allow("lambda:InvokeFunction", f"{arn_of(function)}:*")])
        client = server.client("lambda", versions.credentials)
        assert payload(client.invoke(FunctionName=function, Qualifier="1", Payload=b"1")) == 1
        with denied(versions.arn, "lambda:InvokeFunction", arn_of(function)):
            client.invoke(FunctionName=function)

    def test_request_tags_and_tags_of_the_function(self, server, unique, role, make_user):
        user = make_user(
            [
                statement(
                    "Allow",
                    Action=["lambda:CreateFunction", "lambda:TagResource"],
                    Resource="*",
                    Condition={"StringEquals": {"aws:RequestTag/team": "orders"}},
                ),
                statement(
                    "Allow", Action="lambda:DeleteFunction", Resource="*", Condition={"StringEquals": {"aws:ResourceTag/team": "orders"}}
                ),
                allow("iam:PassRole", role),
            ]
        )
        client = server.client("lambda", user.credentials)
        for tags in ({}, {"team": "other"}):
            with denied(user.arn, "lambda:CreateFunction", arn_of(f"tagged-{unique}")):
                create(client, f"tagged-{unique}", role, Tags=tags)
        create(client, f"tagged-{unique}", role, Tags={"team": "orders"})
        create(server.client("lambda"), f"other-{unique}", role)
        with denied(user.arn, "lambda:DeleteFunction", arn_of(f"other-{unique}")):
            client.delete_function(FunctionName=f"other-{unique}")
        client.delete_function(FunctionName=f"tagged-{unique}")

    def test_an_explicit_deny_and_a_boundary(self, server, function, make_user, unique):
        user = make_user([allow("lambda:*"), statement("Deny", NotAction=["lambda:Get*", "lambda:Invoke*", "sts:*"], Resource="*")])
        client = server.client("lambda", user.credentials)
        client.get_function(FunctionName=function)
        with denied(user.arn, "lambda:DeleteFunction", arn_of(function), explicit=True):
            client.delete_function(FunctionName=function)
        iam = server.client("iam")
        boundary = iam.create_policy(PolicyName=f"b-{unique}", PolicyDocument=document(allow("lambda:Get*")))["Policy"]["Arn"]
        iam.put_user_permissions_boundary(UserName=user.name, PermissionsBoundary=boundary)
        with denied(user.arn, "lambda:InvokeFunction", arn_of(function), "boundary"):
            client.invoke(FunctionName=function)

    def test_a_session_policy_reaches_the_passing_of_roles(self, server, unique, role, make_role, make_user):
        user = make_user([allow("sts:AssumeRole")])
        trust = document(statement("Allow", Principal={"AWS": ACCOUNT}, Action="sts:AssumeRole"))
        developer = make_role([allow("*")], trust)
        made = server.client("sts", user.credentials).assume_role(
            RoleArn=developer, RoleSessionName="session", Policy=document(allow("lambda:*"))
        )["Credentials"]
        session = f"arn:aws:sts::{ACCOUNT}:assumed-role/{developer.rsplit('/')[-1]}/session"
        with denied(session, "iam:PassRole", role, "session", service="lambda"):
            create(server.client("lambda", (made["AccessKeyId"], made["SecretAccessKey"], made["SessionToken"])), f"s-{unique}", role)

    def test_a_role_without_permission_to_log_has_no_log(self, server, functions, function, unique, make_role):
        functions.invoke(FunctionName=function)
        logging = f"logging-{unique}"
        create(functions, logging, make_role([allow("logs:*")]))
        functions.invoke(FunctionName=logging)
        logs = server.client("logs")
        wait_until(
            lambda: logs.describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{logging}")["logGroups"], what="the log of the one that may"
        )
        assert logs.describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{function}")["logGroups"] == []


def test_with_the_cli(server, function, tmp_path):
    output = tmp_path / "answer.json"
    event = '{"from":"the command line"}'
    server.aws("lambda", "invoke", "--function-name", function, "--payload", event, str(output))
    assert json.loads(output.read_text()) == {"from": "the command line"}
    read = json.loads(server.aws("lambda", "get-function-configuration", "--function-name", function).stdout)
    assert read["FunctionArn"] == arn_of(function)


def test_many_at_once(server, function):
    client = server.client("lambda", config=Config(max_pool_connections=8, retries={"total_max_attempts": 1}))
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: payload(client.invoke(FunctionName=function, Payload=str(n))), range(40)))
    assert answers == list(range(40))


def test_what_is_not_served_is_named(functions):
    with refused("NotImplemented", re.compile("ListLayers")):
        functions.list_layers()
