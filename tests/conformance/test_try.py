"""`rolecall try`: the whole loop on the example, and what it says when something is missing."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from conftest import REPOSITORY, binary

EXAMPLE = REPOSITORY / "examples" / "order-intake"


def rolecall_try(folder: Path, output: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [binary(), "try", str(folder), "--output", str(output), *arguments], capture_output=True, text=True, timeout=300
    )


@pytest.fixture
def example(tmp_path: Path) -> Path:
    """A copy of the example that a test may change."""
    copy = tmp_path / "order-intake"
    shutil.copytree(EXAMPLE, copy)
    return copy


def test_the_example_runs_and_its_least_policy_is_proved(tmp_path):
    done = rolecall_try(EXAMPLE, tmp_path, "--format", "json")
    assert done.returncode == 0, done.stderr + done.stdout
    report = json.loads(done.stdout)
    policies = list(tmp_path.glob("*.policy.json"))
    assert len(policies) == 1, policies
    policy = json.loads(policies[0].read_text())
    actions = sorted(
        action
        for statement in policy["Statement"]
        for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
    )
    assert {"dynamodb:PutItem", "logs:PutLogEvents", "s3:DeleteObject", "s3:GetObject", "s3:PutObject"} <= set(actions)
    assert not any("*" in action for action in actions)
    assert "*" not in [statement["Resource"] for statement in policy["Statement"]]
    assert report["proof"]["verdict"] == "holds" and report["proof"]["sameResult"] is True
    assert len(report["proof"]["removals"]) == len(set(actions))
    assert all(removal["denied"] for removal in report["proof"]["removals"])


def test_the_example_takes_less_than_twenty_seconds(tmp_path):
    rolecall_try(EXAMPLE, tmp_path)  # what is installed once is installed now
    started = time.monotonic()
    done = rolecall_try(EXAMPLE, tmp_path)
    assert done.returncode == 0, done.stderr
    assert time.monotonic() - started < 20
    assert "least policy" in done.stdout and "proof" in done.stdout


def test_a_missing_action_is_named_with_resource_and_layer(example, tmp_path):
    template = example / "template.yaml"
    text = template.read_text()
    text = text.replace("        - AmazonDynamoDBFullAccess\n", "")
    template.write_text(text)
    done = rolecall_try(example, tmp_path)
    assert done.returncode == 1
    assert "dynamodb:PutItem" in done.stdout
    assert "arn:aws:dynamodb:us-east-1:123456789012:table/" in done.stdout
    assert "because no identity-based policy allows the dynamodb:PutItem action" in done.stdout


def test_a_boundary_that_denies_is_named_as_layer(example, tmp_path):
    template = example / "template.yaml"
    text = template.read_text().replace("      Handler: app.handler\n", "      Handler: app.handler\n      PermissionsBoundary: arn:aws:iam::aws:policy/AmazonS3FullAccess\n")
    template.write_text(text)
    done = rolecall_try(example, tmp_path, "--format", "json")
    assert done.returncode == 1
    assert "because no permissions boundary allows the dynamodb:PutItem action" in done.stdout


def test_an_unsupported_resource_is_an_error_unless_skipped(example, tmp_path):
    template = example / "template.yaml"
    text = template.read_text().replace("Resources:\n", "Resources:\n  Topic:\n    Type: AWS::SNS::Topic\n\n", 1)
    template.write_text(text)
    done = rolecall_try(example, tmp_path)
    assert done.returncode == 2
    assert "AWS::SNS::Topic" in done.stderr and "--skip-unsupported" in done.stderr
    done = rolecall_try(example, tmp_path, "--skip-unsupported")
    assert done.returncode == 0, done.stderr
    assert "AWS::SNS::Topic" in done.stdout


def test_a_runtime_without_interpreter_says_what_to_install(example, tmp_path):
    template = example / "template.yaml"
    template.write_text(template.read_text().replace("python3.11", "python3.14"))
    environment = dict(os.environ)
    if shutil.which("python3.14"):
        pytest.skip("this machine has python3.14, so no runtime is missing")
    done = subprocess.run([binary(), "try", str(example)], capture_output=True, text=True, env=environment)
    assert done.returncode == 2
    assert "python3.14" in done.stderr and "--runtime" in done.stderr
    done = rolecall_try(example, tmp_path, "--runtime", "python3.11")
    assert done.returncode == 0, done.stderr
    assert "python3.14" in done.stdout and "python3.11" in done.stdout


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda folder: (folder / "template.yaml").unlink(), "has no template.yaml"),
        (lambda folder: (folder / "template.yaml").write_text("Resources: ["), "line"),
        (lambda folder: (folder / "event.json").unlink(), "--event"),
        (lambda folder: shutil.rmtree(folder / "src"), "does not exist"),
    ],
    ids=["no template", "broken template", "several events or none", "no code"],
)
def test_unusable_folders_are_refused_before_anything_runs(example, tmp_path, change, expected):
    for other in (example / "events").glob("*.json"):
        other.unlink()
    change(example)
    done = rolecall_try(example, tmp_path)
    assert done.returncode == 2
    assert expected in done.stderr
