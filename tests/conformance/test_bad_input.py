"""Bad input: each gets AWS's answer, and leaves the server and other functions unharmed."""

from __future__ import annotations

import datetime
import io
import json
import urllib.error
import urllib.request
import zipfile

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from conftest import ACCOUNT, REGION, allow
from functions import ECHO, python, zip_of

RUNTIME = "python3.11"


def code_of(error: pytest.ExceptionInfo[ClientError]) -> str:
    return error.value.response["Error"]["Code"]


def message_of(error: pytest.ExceptionInfo[ClientError]) -> str:
    return error.value.response["Error"]["Message"]


@pytest.fixture(autouse=True)
def the_server_still_answers(server):
    yield
    assert server.client("sts").get_caller_identity()["Account"] == ACCOUNT


@pytest.mark.parametrize(
    ("service", "operation", "arguments", "expected"),
    [
        ("s3", "list_buckets", {}, "SignatureDoesNotMatch"),
        ("iam", "list_users", {}, "SignatureDoesNotMatch"),
        ("sts", "get_caller_identity", {}, "SignatureDoesNotMatch"),
        ("dynamodb", "list_tables", {}, "InvalidSignatureException"),
        ("lambda", "list_functions", {}, "InvalidSignatureException"),
        ("logs", "describe_log_groups", {}, "InvalidSignatureException"),
    ],
)
def test_a_wrong_secret(server, service, operation, arguments, expected):
    client = server.client(service, (server.root[0], "wrong" * 8))
    with pytest.raises(ClientError) as error:
        getattr(client, operation)(**arguments)
    assert code_of(error) == expected


@pytest.mark.parametrize(
    ("service", "operation", "expected"),
    [
        ("s3", "list_buckets", "InvalidAccessKeyId"),
        ("iam", "list_users", "InvalidClientTokenId"),
        ("sts", "get_caller_identity", "InvalidClientTokenId"),
        ("dynamodb", "list_tables", "UnrecognizedClientException"),
        ("lambda", "list_functions", "UnrecognizedClientException"),
    ],
)
def test_an_unknown_key(server, service, operation, expected):
    client = server.client(service, ("AKIAUNKNOWNUNKNOWN00", "wrong" * 8))
    with pytest.raises(ClientError) as error:
        getattr(client, operation)()
    assert code_of(error) == expected


def raw(server, service: str, body: bytes, headers: dict[str, str], when: datetime.datetime | None = None, sign: bool = True):
    """A request signed by botocore's signer at a time of our choosing; status and body."""
    request = AWSRequest("POST", server.endpoint + "/", data=body, headers=headers)
    if sign:
        signer = SigV4Auth(Credentials(*server.root), service, REGION)
        if when is not None:
            stamp = when.strftime("%Y%m%dT%H%M%SZ")
            request.context["timestamp"] = stamp
            request.headers["X-Amz-Date"] = stamp
            scope_headers = signer.headers_to_sign(request)
            canonical = signer.canonical_request(request)
            string_to_sign = signer.string_to_sign(request, canonical)
            signature = signer.signature(string_to_sign, request)
            request.headers["Authorization"] = (
                f"AWS4-HMAC-SHA256 Credential={signer.scope(request)}, "
                f"SignedHeaders={signer.signed_headers(scope_headers)}, Signature={signature}"
            )
        else:
            signer.add_auth(request)
    prepared = request.prepare()
    sent = urllib.request.Request(prepared.url, data=body, headers=dict(prepared.headers.items()), method="POST")
    try:
        with urllib.request.urlopen(sent, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


DYNAMODB = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "DynamoDB_20120810.ListTables"}


@pytest.mark.parametrize("minutes", [-20, 20], ids=["expired", "not yet current"])
def test_a_skewed_date(server, minutes):
    when = datetime.datetime.now(datetime.UTC) + datetime.timedelta(minutes=minutes)
    status, body = raw(server, "dynamodb", b"{}", DYNAMODB, when)
    assert status == 400
    assert "InvalidSignatureException" in body
    assert ("Signature expired" if minutes < 0 else "Signature not yet current") in body


def test_an_unsigned_request(server):
    status, body = raw(server, "dynamodb", b"{}", DYNAMODB, sign=False)
    assert status in (400, 403) and "MissingAuthenticationToken" in body


def test_an_operation_that_is_not_served_is_named(server):
    headers = {**DYNAMODB, "X-Amz-Target": "DynamoDB_20120810.CreateBackup"}
    status, body = raw(server, "dynamodb", b'{"TableName":"t","BackupName":"b"}', headers)
    assert status == 501 and "NotImplemented" in body and "CreateBackup" in body


def test_a_document_nested_a_thousand_deep(server):
    deep = b'{"TableName":"t","Item":{"id":' + b'{"L":[' * 1000 + b'{"S":"x"}' + b"]}" * 1000 + b"}}"
    status, body = raw(server, "dynamodb", deep, {**DYNAMODB, "X-Amz-Target": "DynamoDB_20120810.PutItem"})
    assert status == 400 and ("Nesting Levels have exceeded" in body or "SerializationException" in body), body


@pytest.mark.parametrize("open_, close", [("(", ")"), ("NOT ", "")])
def test_an_expression_nested_a_thousand_deep(server, unique, open_, close):
    dynamodb = server.client("dynamodb")
    dynamodb.create_table(
        TableName=unique,
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    expression = open_ * 1000 + "attribute_exists(id)" + close * 1000
    with pytest.raises(ClientError) as error:
        dynamodb.put_item(TableName=unique, Item={"id": {"S": "x"}}, ConditionExpression=expression)
    assert code_of(error) == "ValidationException"


@pytest.mark.parametrize(
    "document",
    [
        "{",
        "[]",
        '{"Version":"2012-10-17"}',
        '{"Version":"2012-10-17","Statement":[{"Effect":"allow","Action":"s3:*","Resource":"*"}]}',
        '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*"}]}',
        '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*","Principal":"*"}]}',
        '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"StringSame":{"a":"b"}}}]}',
        '{"Version":"2012-10-17","Statement":' + "[" * 1000 + "]" * 1000 + "}",
    ],
)
def test_a_malformed_policy(server, unique, document):
    with pytest.raises(ClientError) as error:
        server.client("iam").create_policy(PolicyName=f"p-{unique}", PolicyDocument=document)
    assert code_of(error) == "MalformedPolicyDocument"


def test_an_oversized_policy(server, unique):
    statement = allow([f"s3:Get{'x' * 60}{index}" for index in range(120)])
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    with pytest.raises(ClientError) as error:
        server.client("iam").create_policy(PolicyName=f"p-{unique}", PolicyDocument=document)
    assert code_of(error) == "LimitExceeded"
    assert message_of(error) == "Cannot exceed quota for PolicySize: 6144"


class TestFunctions:
    """Functions that are bad from the start, or behave badly."""

    @pytest.fixture
    def functions(self, server):
        return server.client("lambda")

    @pytest.fixture
    def create(self, functions, unique, make_role):
        role = make_role([allow("logs:*")])

        def create(code: bytes, **options):
            arguments = {
                "FunctionName": f"bad-{unique}",
                "Runtime": RUNTIME,
                "Handler": "app.handler",
                "Role": role,
                "Code": {"ZipFile": code},
                "Timeout": 5,
                **options,
            }
            functions.create_function(**arguments)
            return arguments["FunctionName"]

        return create

    @pytest.fixture(autouse=True)
    def the_neighbour(self, functions, unique, make_role):
        """Another function that works before and after."""
        name = f"neighbour-{unique}"
        functions.create_function(
            FunctionName=name, Runtime=RUNTIME, Handler="app.handler", Role=make_role([]), Code={"ZipFile": python(ECHO)}
        )
        assert json.loads(functions.invoke(FunctionName=name, Payload=b'{"n":1}')["Payload"].read()) == {"n": 1}
        yield
        assert json.loads(functions.invoke(FunctionName=name, Payload=b'{"n":2}')["Payload"].read()) == {"n": 2}

    def test_a_broken_zip(self, create):
        with pytest.raises(ClientError) as error:
            create(b"PK\x03\x04 not a zip")
        assert code_of(error) == "InvalidParameterValueException"
        assert message_of(error) == "Could not unzip uploaded file. Please check your file, then try to upload again."

    @pytest.mark.parametrize("name", ["../evil.py", "/evil.py", "a/../../evil.py"])
    def test_a_path_traversal(self, create, name):
        with pytest.raises(ClientError) as error:
            create(zip_of({"app.py": "", name: "x"}))
        assert code_of(error) == "InvalidParameterValueException"

    def test_a_zip_bomb(self, create):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            with archive.open("zeros", "w", force_zip64=True) as file:
                for _ in range(300):
                    file.write(bytes(1024 * 1024))
        with pytest.raises(ClientError) as error:
            create(buffer.getvalue())
        assert code_of(error) == "InvalidParameterValueException"
        assert "262144000" in message_of(error)

    def test_a_missing_handler_module(self, functions, create):
        name = create(zip_of({"other.py": "x = 1"}))
        answer = functions.invoke(FunctionName=name)
        assert answer["FunctionError"] == "Unhandled"
        assert json.loads(answer["Payload"].read())["errorType"] == "Runtime.ImportModuleError"

    def test_a_missing_handler_function(self, functions, create):
        answer = functions.invoke(FunctionName=create(python("x = 1")))
        assert answer["FunctionError"] == "Unhandled"
        assert json.loads(answer["Payload"].read())["errorType"] == "Runtime.HandlerNotFound"

    def test_a_role_lambda_may_not_assume(self, create, make_role):
        trust = json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
            }
        )
        with pytest.raises(ClientError) as error:
            create(python(ECHO), Role=make_role([], trust))
        assert code_of(error) == "InvalidParameterValueException"
        assert message_of(error) == "The role defined for the function cannot be assumed by Lambda."

    def test_a_role_of_another_account(self, create):
        with pytest.raises(ClientError) as error:
            create(python(ECHO), Role="arn:aws:iam::999999999999:role/other")
        assert code_of(error) in ("AccessDeniedException", "InvalidParameterValueException")
        assert "ross-account" in message_of(error)

    def test_an_event_over_six_megabytes(self, functions, create):
        name = create(python(ECHO))
        with pytest.raises(ClientError) as error:
            functions.invoke(FunctionName=name, Payload=b'"' + b"x" * (6 * 1024 * 1024) + b'"')
        assert code_of(error) in ("RequestTooLargeException", "413")
        assert "6291456" in message_of(error)

    def test_an_event_that_is_no_json(self, functions, create):
        with pytest.raises(ClientError) as error:
            functions.invoke(FunctionName=create(python(ECHO)), Payload=b"{nope")
        assert code_of(error) == "InvalidRequestContentException"

    def test_a_handler_that_throws(self, functions, create):
        name = create(python("def handler(event, context):\n    raise ValueError('broken')"))
        answer = functions.invoke(FunctionName=name)
        payload = json.loads(answer["Payload"].read())
        assert answer["StatusCode"] == 200 and answer["FunctionError"] == "Unhandled"
        assert payload["errorType"] == "ValueError" and payload["errorMessage"] == "broken" and payload["stackTrace"]

    def test_a_handler_that_exits(self, functions, create):
        name = create(python("import os\ndef handler(event, context):\n    os._exit(3)"))
        answer = functions.invoke(FunctionName=name)
        payload = json.loads(answer["Payload"].read())
        assert payload["errorType"] == "Runtime.ExitError"
        assert payload["errorMessage"].endswith("Error: Runtime exited with error: exit status 3")

    def test_a_handler_that_hangs(self, functions, create):
        name = create(python("import time\ndef handler(event, context):\n    time.sleep(60)"), Timeout=1)
        answer = functions.invoke(FunctionName=name)
        payload = json.loads(answer["Payload"].read())
        assert payload["errorMessage"].endswith("Task timed out after 1.00 seconds")

    def test_a_handler_that_forks(self, functions, create):
        code = """
            import os, time
            def handler(event, context):
                made = 0
                try:
                    while True:
                        if os.fork() == 0:
                            time.sleep(30)
                            os._exit(0)
                        made += 1
                except OSError as error:
                    return {"made": made, "error": type(error).__name__}
        """
        # Enough memory that the limit of processes is what stops it.
        answer = functions.invoke(FunctionName=create(python(code), Timeout=20, MemorySize=3008))
        payload = json.loads(answer["Payload"].read())
        assert "FunctionError" not in answer, payload
        assert 0 < payload["made"] <= 1024 and payload["error"] == "BlockingIOError"

    def test_a_handler_that_fills_tmp(self, functions, create):
        code = """
            def handler(event, context):
                written = 0
                try:
                    with open("/tmp/full", "wb") as file:
                        while True:
                            file.write(bytes(1024 * 1024))
                            file.flush()
                            written += 1
                except OSError as error:
                    return {"written": written, "error": error.errno}
        """
        answer = functions.invoke(FunctionName=create(python(code), Timeout=30, MemorySize=1024))
        payload = json.loads(answer["Payload"].read())
        assert "FunctionError" not in answer, payload
        assert payload["error"] == 28 and payload["written"] <= 512

    def test_a_handler_that_fills_memory(self, functions, create):
        code = """
            def handler(event, context):
                kept = []
                while True:
                    kept.append(bytearray(8 * 1024 * 1024))
        """
        answer = functions.invoke(FunctionName=create(python(code), Timeout=20, MemorySize=128))
        payload = json.loads(answer["Payload"].read())
        assert answer["FunctionError"] == "Unhandled"
        assert payload["errorType"] in ("Runtime.OutOfMemory", "Runtime.ExitError", "MemoryError")
