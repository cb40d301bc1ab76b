"""Budget of the endpoint with everything on (signatures, authorisation, durability, trail): time to the first answer,
idle memory, processor time and latency of small calls.

    ./test conformance && .test-venv/bin/python benches/endpoint.py

Prints one line a figure and compares it with the budget; exit code 1 when one is exceeded. Times are of this machine.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

REPOSITORY = Path(__file__).resolve().parents[1]
BINARY = os.environ.get("ROLECALL_BIN") or str(
    Path(os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target")) / "release" / "rolecall"
)
ROOT = ("AKIABENCHBENCHBENCH0", "bench" * 8)
REGION = "us-east-1"
STARTS = 15
CALLS = 2000
CLIENTS = 16
TICKS = os.sysconf("SC_CLK_TCK")


def signed(service: str, target: str | None, body: bytes, version: str = "1.0") -> tuple[str, bytes, dict[str, str]]:
    """Path, body and signed headers of a call."""
    if target is None:
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
    else:
        headers = {"Content-Type": f"application/x-amz-json-{version}", "X-Amz-Target": target}
    request = AWSRequest("POST", "http://rolecall.test/", data=body, headers={**headers, "Host": "rolecall.test"})
    SigV4Auth(Credentials(*ROOT), service, REGION).add_auth(request)
    return "/", body, dict(request.headers.items())


class Server:
    def __init__(self, folder: str) -> None:
        started = time.perf_counter()
        self.process = subprocess.Popen(
            [BINARY, "serve", "--listen", "127.0.0.1:0", "--data", folder, "--root-credentials", ":".join(ROOT)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if found := re.search(r"127\.0\.0\.1:(\d+)", line):
                self.port = int(found.group(1))
                break
        else:
            raise SystemExit("the server did not start")
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port)
        self.call(*signed("sts", None, b"Action=GetCallerIdentity&Version=2011-06-15"))
        self.first_answer = time.perf_counter() - started

    def call(self, path: str, body: bytes, headers: dict[str, str]) -> bytes:
        self.connection.request("POST", path, body, headers)
        answer = self.connection.getresponse()
        content = answer.read()
        if answer.status != 200:
            raise SystemExit(f"{answer.status}: {content.decode()}")
        return content

    def processor_seconds(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(") ", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def resident_megabytes(self) -> float:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+) kB", status).group(1)) / 1024

    def stop(self) -> None:
        self.connection.close()
        self.process.terminate()
        self.process.wait()


def client(port: int, request: tuple[str, bytes, dict[str, str]], calls: int) -> None:
    """One of several clients at once: the same call again and again on a connection of its own."""
    path, body, headers = request
    connection = http.client.HTTPConnection("127.0.0.1", port)
    for _ in range(calls):
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise SystemExit(f"a client was answered {answer.status}")
    connection.close()


def main() -> int:
    failed = False

    def report(name: str, value: float, unit: str, budget: float | None = None) -> None:
        nonlocal failed
        verdict = ""
        if budget is not None:
            within = value <= budget
            failed |= not within
            verdict = f"budget {budget:g} {unit}: {'ok' if within else 'EXCEEDED'}"
        print(f"{name:<56}{value:>9.3f} {unit:<4} {verdict}")

    starts = []
    for _ in range(STARTS):
        with tempfile.TemporaryDirectory() as folder:
            server = Server(folder)
            starts.append(server.first_answer * 1000)
            server.stop()
    report("start to first answer, median", statistics.median(starts), "ms", 50)

    with tempfile.TemporaryDirectory() as folder:
        server = Server(folder)
        time.sleep(1)
        report("idle memory (RSS)", server.resident_megabytes(), "MB", 30)
        server.call(
            *signed(
                "dynamodb",
                "DynamoDB_20120810.CreateTable",
                json.dumps(
                    {
                        "TableName": "bench",
                        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
                        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
                        "BillingMode": "PAY_PER_REQUEST",
                    }
                ).encode(),
            )
        )
        item = {"id": {"S": "1"}, "customer": {"S": "c"}, "total": {"N": "12.50"}}
        calls = {
            "sts:GetCallerIdentity": lambda: signed("sts", None, b"Action=GetCallerIdentity&Version=2011-06-15"),
            "iam:ListRoles": lambda: signed("iam", None, b"Action=ListRoles&Version=2010-05-08"),
            "dynamodb:PutItem": lambda: signed(
                "dynamodb", "DynamoDB_20120810.PutItem", json.dumps({"TableName": "bench", "Item": item}).encode()
            ),
            "dynamodb:GetItem": lambda: signed(
                "dynamodb", "DynamoDB_20120810.GetItem", json.dumps({"TableName": "bench", "Key": {"id": {"S": "1"}}}).encode()
            ),
        }
        for name, make in calls.items():
            request = make()
            for _ in range(100):
                server.call(*request)
            before = server.processor_seconds()
            times = []
            for _ in range(CALLS):
                started = time.perf_counter()
                server.call(*request)
                times.append((time.perf_counter() - started) * 1000)
            used = (server.processor_seconds() - before) / CALLS * 1000
            report(f"{name}, processor time a call", used, "ms", 0.2)
            report(f"{name}, latency p50", statistics.median(times), "ms")
            report(f"{name}, latency p99", statistics.quantiles(times, n=100)[98], "ms")
        request = calls["dynamodb:PutItem"]()
        before = server.processor_seconds()
        clients = [threading.Thread(target=client, args=(server.port, request, CALLS // CLIENTS)) for _ in range(CLIENTS)]
        for thread in clients:
            thread.start()
        for thread in clients:
            thread.join()
        used = (server.processor_seconds() - before) / CALLS * 1000
        report(f"dynamodb:PutItem, {CLIENTS} clients at once, processor time", used, "ms", 0.2)
        report("memory after the calls (RSS)", server.resident_megabytes(), "MB")
        server.stop()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
