"""STS with AWS's own clients: who am I, temporary credentials, and roles: trust, external id, tags, session policies."""

from __future__ import annotations

import datetime
import json
import re

import pytest
from conftest import ACCOUNT, allow
from expect import denied, document, refused, statement, unchecked


def trusting(principal: str | dict = f"arn:aws:iam::{ACCOUNT}:root", actions: str | list[str] = "sts:AssumeRole", **condition) -> str:
    """A trust policy; keyword arguments are the condition block."""
    principal = {"AWS": principal} if isinstance(principal, str) else principal
    element = statement("Allow", Principal=principal, Action=actions)
    if condition:
        element["Condition"] = condition
    return document(element)


@pytest.fixture
def assumer(make_user):
    """A user who may assume every role that trusts the account."""
    return make_user([allow(["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"])])


def credentials_of(answer: dict) -> tuple[str, str, str]:
    """(key, secret, token) of an answer."""
    made = answer["Credentials"]
    return made["AccessKeyId"], made["SecretAccessKey"], made["SessionToken"]


def session_arn(role: str, name: str) -> str:
    return f"arn:aws:sts::{ACCOUNT}:assumed-role/{role.rsplit('/', 1)[-1]}/{name}"


class TestGetCallerIdentity:
    def test_the_root_user(self, server):
        answer = server.client("sts").get_caller_identity()
        assert (answer["Account"], answer["Arn"], answer["UserId"]) == (ACCOUNT, f"arn:aws:iam::{ACCOUNT}:root", ACCOUNT)

    def test_a_user_even_against_a_deny(self, server, make_user):
        user = make_user([statement("Deny", Action="*", Resource="*")])
        answer = server.client("sts", user.credentials).get_caller_identity()
        assert answer["Arn"] == user.arn and answer["UserId"].startswith("AIDA")

    def test_a_session(self, server, make_role, assumer):
        role = make_role(None, trusting())
        assumed = server.client("sts", assumer.credentials).assume_role(RoleArn=role, RoleSessionName="who")
        answer = server.client("sts", credentials_of(assumed)).get_caller_identity()
        assert answer["Arn"] == session_arn(role, "who") == assumed["AssumedRoleUser"]["Arn"]
        assert answer["UserId"] == assumed["AssumedRoleUser"]["AssumedRoleId"]
        assert re.fullmatch(r"AROA\w+:who", answer["UserId"])

    def test_with_the_cli(self, server):
        assert json.loads(server.aws("sts", "get-caller-identity").stdout)["Account"] == ACCOUNT


class TestGetSessionToken:
    def test_a_session_has_the_permissions_of_its_user(self, server, make_user):
        user = make_user([allow("s3:ListAllMyBuckets")])
        answer = server.client("sts", user.credentials).get_session_token()
        assert answer["Credentials"]["AccessKeyId"].startswith("ASIA")
        left = answer["Credentials"]["Expiration"] - datetime.datetime.now(datetime.UTC)
        assert 43_000 < left.total_seconds() <= 43_205
        session = credentials_of(answer)
        server.client("s3", session).list_buckets()
        with denied(user.arn, "dynamodb:ListTables", "*"):
            server.client("dynamodb", session).list_tables()

    def test_iam_and_sts_are_closed_to_it(self, server, make_user):
        """Without MFA a session of GetSessionToken cannot call IAM, nor STS but for two operations (IAM User Guide,
        "Compare AWS STS credentials")."""
        user = make_user([allow("*")])
        session = credentials_of(server.client("sts", user.credentials).get_session_token(DurationSeconds=900))
        assert server.client("sts", session).get_caller_identity()["Arn"] == user.arn
        with refused("InvalidClientTokenId"):
            server.client("iam", session).list_users()

    @pytest.mark.parametrize("seconds", [899, 129_601])
    def test_durations_out_of_range(self, server, make_user, seconds):
        with refused("ValidationError", re.compile("durationSeconds")):
            server.client("sts", make_user().credentials, config=unchecked()).get_session_token(DurationSeconds=seconds)

    def test_a_role_session_cannot_call_it(self, server, make_role, assumer):
        assumed = server.client("sts", assumer.credentials).assume_role(RoleArn=make_role(None, trusting()), RoleSessionName="session")
        with refused("AccessDenied", "Cannot call GetSessionToken with session credentials"):
            server.client("sts", credentials_of(assumed)).get_session_token()

    def test_a_token_that_was_changed_or_left_out(self, server, make_user):
        key, secret, token = credentials_of(server.client("sts", make_user().credentials).get_session_token())
        with refused("InvalidClientTokenId"):
            server.client("sts", (key, secret, token[:-8] + "AAAAAAA=")).get_caller_identity()
        with refused("InvalidClientTokenId"):
            server.client("sts", (key, secret)).get_caller_identity()


class TestAssumeRole:
    def test_the_session_has_the_permissions_of_the_role(self, server, make_role, assumer):
        role = make_role([allow("s3:ListAllMyBuckets")], trusting())
        answer = server.client("sts", assumer.credentials).assume_role(RoleArn=role, RoleSessionName="work", DurationSeconds=900)
        left = answer["Credentials"]["Expiration"] - datetime.datetime.now(datetime.UTC)
        assert 800 < left.total_seconds() <= 905
        session = credentials_of(answer)
        server.client("s3", session).list_buckets()
        with denied(session_arn(role, "work"), "iam:ListUsers", f"arn:aws:iam::{ACCOUNT}:user/"):
            server.client("iam", session).list_users()

    def test_trust_in_the_account_needs_an_identity_allow(self, server, make_role, make_user):
        role, user = make_role(None, trusting()), make_user([])
        with denied(user.arn, "sts:AssumeRole", role):
            server.client("sts", user.credentials).assume_role(RoleArn=role, RoleSessionName="session")

    def test_trust_in_the_user_is_enough(self, server, make_role, make_user):
        user = make_user()
        role = make_role(None, trusting(user.arn))
        assert server.client("sts", user.credentials).assume_role(RoleArn=role, RoleSessionName="session")["Credentials"]

    def test_a_role_that_trusts_somebody_else(self, server, make_role, make_user, assumer):
        role = make_role(None, trusting(make_user().arn))
        with refused("AccessDenied", re.compile(f"^User: {assumer.arn} is not authorized to perform: sts:AssumeRole on resource: {role}")):
            server.client("sts", assumer.credentials).assume_role(RoleArn=role, RoleSessionName="session")

    def test_a_role_that_does_not_exist(self, server, unique, assumer):
        role = f"arn:aws:iam::{ACCOUNT}:role/missing-{unique}"
        with refused("AccessDenied", re.compile(f"^User: {assumer.arn} is not authorized to perform: sts:AssumeRole on resource: {role}")):
            server.client("sts", assumer.credentials).assume_role(RoleArn=role, RoleSessionName="session")

    def test_an_explicit_deny_in_the_trust_policy(self, server, make_role, assumer):
        account = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
        role = make_role(
            None,
            document(
                statement("Allow", Principal=account, Action="sts:AssumeRole"),
                statement("Deny", Principal={"AWS": assumer.arn}, Action="sts:AssumeRole"),
            ),
        )
        with denied(assumer.arn, "sts:AssumeRole", role, "trust", explicit=True):
            server.client("sts", assumer.credentials).assume_role(RoleArn=role, RoleSessionName="session")

    def test_the_root_user_cannot(self, server, make_role):
        with refused("AccessDenied", "Roles may not be assumed by root accounts."):
            server.client("sts").assume_role(RoleArn=make_role(None, trusting()), RoleSessionName="session")

    def test_an_external_id(self, server, make_role, assumer):
        role = make_role(None, trusting(StringEquals={"sts:ExternalId": "agreed"}))
        sts = server.client("sts", assumer.credentials)
        for wrong in ({}, {"ExternalId": "guessed"}):
            with refused("AccessDenied", re.compile("sts:AssumeRole")):
                sts.assume_role(RoleArn=role, RoleSessionName="session", **wrong)
        assert sts.assume_role(RoleArn=role, RoleSessionName="session", ExternalId="agreed")["Credentials"]

    def test_the_name_of_the_session(self, server, make_role, assumer):
        role = make_role(None, trusting(StringEquals={"sts:RoleSessionName": "${aws:username}"}))
        sts = server.client("sts", assumer.credentials)
        with refused("AccessDenied"):
            sts.assume_role(RoleArn=role, RoleSessionName="somebody-else")
        assert sts.assume_role(RoleArn=role, RoleSessionName=assumer.name)["Credentials"]

    def test_tags_need_tag_session(self, server, make_role, assumer):
        sts = server.client("sts", assumer.credentials)
        tags = [{"Key": "team", "Value": "orders"}]
        closed = make_role(None, trusting())
        with refused("AccessDenied", re.compile("sts:TagSession")):
            sts.assume_role(RoleArn=closed, RoleSessionName="session", Tags=tags)
        open_ = make_role(None, trusting(actions=["sts:AssumeRole", "sts:TagSession"], StringEquals={"aws:RequestTag/team": "orders"}))
        assert sts.assume_role(RoleArn=open_, RoleSessionName="session", Tags=tags)["Credentials"]
        with refused("AccessDenied"):
            sts.assume_role(RoleArn=open_, RoleSessionName="session", Tags=[{"Key": "team", "Value": "other"}])

    def test_tags_of_the_session_are_principal_tags(self, server, make_role, assumer, unique):
        bucket = f"tags-{unique}"
        server.client("s3").create_bucket(Bucket=bucket)
        server.client("s3").put_object(Bucket=bucket, Key="orders/a", Body=b"a")
        role = make_role(
            [allow("s3:GetObject", f"arn:aws:s3:::{bucket}/${{aws:PrincipalTag/team}}/*")],
            trusting(actions=["sts:AssumeRole", "sts:TagSession"]),
        )
        sts = server.client("sts", assumer.credentials)

        def get(team: str) -> bytes:
            assumed = sts.assume_role(RoleArn=role, RoleSessionName="session", Tags=[{"Key": "team", "Value": team}])
            return server.client("s3", credentials_of(assumed)).get_object(Bucket=bucket, Key="orders/a")["Body"].read()

        assert get("orders") == b"a"
        with denied(session_arn(role, "session"), "s3:GetObject", f"arn:aws:s3:::{bucket}/orders/a"):
            get("other")

    def test_a_source_identity_persists(self, server, make_role, assumer):
        role = make_role(
            [allow(["sts:AssumeRole", "sts:SetSourceIdentity"])], trusting(actions=["sts:AssumeRole", "sts:SetSourceIdentity"])
        )
        first = server.client("sts", assumer.credentials).assume_role(RoleArn=role, RoleSessionName="session", SourceIdentity="ann")
        assert first["SourceIdentity"] == "ann"
        second = server.client("sts", credentials_of(first)).assume_role(RoleArn=role, RoleSessionName="session-2")
        assert second["SourceIdentity"] == "ann"

    def test_a_session_policy_limits(self, server, make_role, assumer):
        role = make_role([allow("s3:*"), allow("dynamodb:*")], trusting())
        answer = server.client("sts", assumer.credentials).assume_role(
            RoleArn=role, RoleSessionName="session", Policy=document(allow(["s3:ListAllMyBuckets", "iam:*"]))
        )
        assert answer["PackedPolicySize"] >= 0
        session = credentials_of(answer)
        server.client("s3", session).list_buckets()
        with denied(session_arn(role, "session"), "dynamodb:ListTables", "*", "session"):
            server.client("dynamodb", session).list_tables()
        with denied(session_arn(role, "session"), "iam:ListUsers", f"arn:aws:iam::{ACCOUNT}:user/"):
            server.client("iam", session).list_users()

    def test_a_managed_session_policy_and_an_explicit_deny(self, server, make_role, assumer):
        role = make_role([allow("*")], trusting())
        sts = server.client("sts", assumer.credentials)
        answer = sts.assume_role(
            RoleArn=role, RoleSessionName="session", PolicyArns=[{"arn": "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"}]
        )
        server.client("s3", credentials_of(answer)).list_buckets()
        with denied(session_arn(role, "session"), "dynamodb:ListTables", "*", "session"):
            server.client("dynamodb", credentials_of(answer)).list_tables()
        answer = sts.assume_role(
            RoleArn=role,
            RoleSessionName="session",
            Policy=document(allow("*"), statement("Deny", Action="s3:ListAllMyBuckets", Resource="*")),
        )
        with denied(session_arn(role, "session"), "s3:ListAllMyBuckets", "*", "session", explicit=True):
            server.client("s3", credentials_of(answer)).list_buckets()

    def test_a_malformed_session_policy(self, server, make_role, assumer):
        with refused("MalformedPolicyDocument"):
            server.client("sts", assumer.credentials).assume_role(
                RoleArn=make_role(None, trusting()), RoleSessionName="session", Policy='{"Version":"2012-10-17","Statement":[{"Effect":"allow"}]}'
            )

    def test_durations(self, server, make_role, assumer):
        role = make_role([allow("sts:AssumeRole")], trusting())
        sts = server.client("sts", assumer.credentials)
        with refused("ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."):
            sts.assume_role(RoleArn=role, RoleSessionName="session", DurationSeconds=3601)
        with refused("ValidationError", re.compile("durationSeconds")):
            server.client("sts", assumer.credentials, config=unchecked()).assume_role(
                RoleArn=role, RoleSessionName="session", DurationSeconds=899
            )
        server.client("iam").update_role(RoleName=role.rsplit("/")[-1], MaxSessionDuration=7200)
        first = sts.assume_role(RoleArn=role, RoleSessionName="session", DurationSeconds=7200)
        with refused("ValidationError", "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining"):
            server.client("sts", credentials_of(first)).assume_role(RoleArn=role, RoleSessionName="session", DurationSeconds=7200)

    @pytest.mark.parametrize("name", ["a", "with space", "x" * 65])
    def test_names_a_session_cannot_have(self, server, make_role, assumer, name):
        with refused("ValidationError", re.compile("roleSessionName")):
            server.client("sts", assumer.credentials, config=unchecked()).assume_role(
                RoleArn=make_role(None, trusting()), RoleSessionName=name
            )

    def test_a_boundary_limits_who_assumes(self, server, make_role, make_user, unique):
        user = make_user([allow("*")])
        role = make_role(None, trusting())
        boundary = server.client("iam").create_policy(PolicyName=f"b-{unique}", PolicyDocument=document(allow("s3:*")))["Policy"]["Arn"]
        server.client("iam").put_user_permissions_boundary(UserName=user.name, PermissionsBoundary=boundary)
        with denied(user.arn, "sts:AssumeRole", role, "boundary"):
            server.client("sts", user.credentials).assume_role(RoleArn=role, RoleSessionName="session")

    def test_a_session_dies_with_its_role(self, server, make_role, assumer):
        role = make_role(None, trusting())
        assumed = server.client("sts", assumer.credentials).assume_role(RoleArn=role, RoleSessionName="session")
        server.client("iam").delete_role(RoleName=role.rsplit("/")[-1])
        with refused("InvalidClientTokenId"):
            server.client("sts", credentials_of(assumed)).get_caller_identity()


def test_what_is_not_served_is_named(server):
    with refused("NotImplemented", re.compile("GetFederationToken")):
        server.client("sts").get_federation_token(Name="ann")
