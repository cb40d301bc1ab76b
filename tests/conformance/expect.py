"""Expectations the tests share: an error with its code and text, and the sentence of a denial."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

# The error code of a denial, by service (protocols differ).
DENIED_CODES = {
    "iam": "AccessDenied",
    "sts": "AccessDenied",
    "s3": "AccessDenied",
    "lambda": "AccessDeniedException",
    "dynamodb": "AccessDeniedException",
    "logs": "AccessDeniedException",
    "cloudtrail": "AccessDeniedException",
}

# How a denial names its layer (IAM User Guide, "Access denied error messages").
LAYERS = {
    "identity": ("no identity-based policy", "an identity-based policy"),
    "resource": ("no resource-based policy", "a resource-based policy"),
    "boundary": ("no permissions boundary", "a permissions boundary"),
    "session": ("no session policy", "a session policy"),
    "trust": ("no role trust policy", "the role trust policy"),
}


@contextlib.contextmanager
def refused(code: str | int, message: str | re.Pattern[str] | None = None) -> Iterator[None]:
    """The block must fail with this AWS error code, and this message (all of it, or a pattern in it)."""
    with pytest.raises(ClientError) as raised:
        yield
    error = raised.value.response["Error"]
    assert error["Code"] == str(code), error
    if isinstance(message, str):
        assert error["Message"] == message
    elif message is not None:
        assert message.search(error["Message"]), error["Message"]


def sentence(principal: str, action: str, resource: str, layer: str = "identity", explicit: bool = False) -> str:
    """What AWS says to `principal` when `layer` denies."""
    implicit_words, explicit_words = LAYERS[layer]
    reason = f"with an explicit deny in {explicit_words}" if explicit else f"because {implicit_words} allows the {action} action"
    return f"User: {principal} is not authorized to perform: {action} on resource: {resource} {reason}"


@contextlib.contextmanager
def denied(
    principal: str,
    action: str,
    resource: str,
    layer: str = "identity",
    explicit: bool = False,
    service: str | None = None,
) -> Iterator[None]:
    """The block must be denied by this layer, in AWS's words; an explicit deny may be followed by the policy's ARN.

    `service` is the one that answers, where it is not the action's own (`iam:PassRole` at Lambda).
    """
    expected = sentence(principal, action, resource, layer, explicit)
    with pytest.raises(ClientError) as raised:
        yield
    error = raised.value.response["Error"]
    assert error["Code"] == DENIED_CODES[service or action.split(":")[0]], error
    if explicit:
        assert re.fullmatch(re.escape(expected) + r"(: arn:aws:\S+)?", error["Message"]), error["Message"]
    else:
        assert error["Message"] == expected


def document(*statements: dict) -> str:
    """A policy document."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def statement(effect: str, **elements) -> dict:
    """A statement: `statement("Deny", Action="s3:*", Resource="*")`."""
    return {"Effect": effect, **elements}


def unchecked() -> Config:
    """A client's configuration that leaves the checks of parameters to the server."""
    return Config(retries={"total_max_attempts": 1}, parameter_validation=False)
