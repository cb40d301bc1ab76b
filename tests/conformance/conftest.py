"""A rolecall server in a scratch folder, and AWS's own clients that talk to it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from botocore.config import Config

REPOSITORY = Path(__file__).resolve().parents[2]
ACCOUNT = "123456789012"
REGION = "us-east-1"


def binary() -> str:
    """The rolecall binary under test."""
    path = os.environ.get("ROLECALL_BIN")
    if path is None:
        target = Path(os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target"))
        path = str(target / "release" / "rolecall")
    if not Path(path).exists():
        pytest.exit(f"no binary at {path}: build it with cargo build --release", returncode=2)
    return path


class Server:
    """One `rolecall serve` process on a data folder, restartable."""

    def __init__(self, data: Path, *arguments: str) -> None:
        self.data = data
        self.arguments = arguments
        self.process: subprocess.Popen[str] | None = None
        self.endpoint = ""
        self.start()

    def start(self) -> None:
        self.log = open(self.data.parent / f"{self.data.name}.log", "a+", encoding="utf-8")
        self.process = subprocess.Popen(
            [binary(), "serve", "--listen", "127.0.0.1:0", "--data", str(self.data), *self.arguments],
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
        )
        assert self.process.stdout is not None
        for line in self.process.stdout:
            found = re.search(r"http://127\.0\.0\.1:\d+", line)
            if found:
                self.endpoint = found.group(0)
                break
        else:
            self.log.seek(0)
            pytest.fail(f"the server did not start: {self.log.read()}")
        credentials = json.loads(
            subprocess.run(
                [binary(), "env", "--data", str(self.data), "--format", "json"],
                check=True,
                capture_output=True,
                text=True,
            ).stdout
        )
        self.root = (credentials["AWS_ACCESS_KEY_ID"], credentials["AWS_SECRET_ACCESS_KEY"])

    def kill(self) -> None:
        """SIGKILL: no chance to save anything."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        """SIGTERM: a graceful stop; its exit code."""
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(timeout=20)

    def client(self, service: str, credentials: tuple[str, ...] | None = None, **options):
        """A boto3 client with long-term (key, secret) or temporary (key, secret, token) credentials."""
        key, secret, *token = credentials or self.root
        options.setdefault("config", Config(retries={"total_max_attempts": 1}))
        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            aws_session_token=token[0] if token else None,
            **options,
        )

    def aws(self, *arguments: str, credentials: tuple[str, ...] | None = None, check: bool = True):
        """Runs the AWS CLI; its completed process."""
        key, secret, *token = credentials or self.root
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.data.parent),
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": key,
            "AWS_SECRET_ACCESS_KEY": secret,
            "AWS_MAX_ATTEMPTS": "1",
            "AWS_PAGER": "",
        }
        if token:
            environment["AWS_SESSION_TOKEN"] = token[0]
        command = Path(sys.executable).parent / "aws"
        done = subprocess.run([str(command), *arguments], capture_output=True, text=True, env=environment)
        if check:
            assert done.returncode == 0, f"aws {' '.join(arguments)}: {done.stderr}"
        return done


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server shared by the tests; names in it must be unique."""
    running = Server(tmp_path_factory.mktemp("server") / "data")
    yield running
    running.stop()


@pytest.fixture
def fresh_server(tmp_path: Path) -> Iterator[Server]:
    """A server of the test's own, which it may kill and restart."""
    running = Server(tmp_path / "data")
    yield running
    if running.process is not None and running.process.poll() is None:
        running.stop()


@pytest.fixture
def unique() -> str:
    """A name no other test uses."""
    return uuid.uuid4().hex[:12]


class User:
    """An IAM user with a key and one inline policy."""

    def __init__(self, server: Server, name: str, statements: list[dict] | None = None) -> None:
        self.name = name
        iam = server.client("iam")
        self.arn = iam.create_user(UserName=name)["User"]["Arn"]
        if statements:
            iam.put_user_policy(
                UserName=name,
                PolicyName="test",
                PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": statements}),
            )
        key = iam.create_access_key(UserName=name)["AccessKey"]
        self.credentials = (key["AccessKeyId"], key["SecretAccessKey"])


@pytest.fixture
def make_user(server: Server, unique: str):
    """Makes users: `make_user([statement, …])`."""
    count = 0

    def make(statements: list[dict] | None = None) -> User:
        nonlocal count
        count += 1
        return User(server, f"user-{unique}-{count}", statements)

    return make


LAMBDA_TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
)


@pytest.fixture
def make_role(server: Server, unique: str):
    """Makes execution roles: `make_role([statement, …])`; answers the role's ARN."""
    count = 0

    def make(statements: list[dict] | None = None, trust: str = LAMBDA_TRUST) -> str:
        nonlocal count
        count += 1
        name = f"role-{unique}-{count}"
        iam = server.client("iam")
        arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
        if statements:
            iam.put_role_policy(
                RoleName=name,
                PolicyName="test",
                PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": statements}),
            )
        return arn

    return make


def allow(actions: str | list[str], resources: str | list[str] = "*") -> dict:
    """An Allow statement."""
    return {"Effect": "Allow", "Action": actions, "Resource": resources}


def wait_until(condition, seconds: float = 10.0, what: str = "the condition"):
    """Polls until `condition()` is truthy; its value."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    pytest.fail(f"{what} did not hold within {seconds} s")
