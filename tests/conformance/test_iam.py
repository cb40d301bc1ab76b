"""IAM with AWS's own clients: every operation served, its common errors, and who may call it."""

from __future__ import annotations

import json
import re

import pytest
from conftest import ACCOUNT, LAMBDA_TRUST, allow
from expect import denied, document, refused, statement, unchecked

READ_ONLY = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"
DOCUMENT = document(allow("s3:GetObject", "arn:aws:s3:::bucket/*"))


@pytest.fixture
def iam(server):
    return server.client("iam")


@pytest.fixture
def policy(iam, unique):
    """The ARN of a customer managed policy."""
    return iam.create_policy(PolicyName=f"policy-{unique}", PolicyDocument=DOCUMENT)["Policy"]["Arn"]


def names(entries: list[dict], key: str) -> list[str]:
    return [entry[key] for entry in entries]


def everything(client, operation: str, key: str, **arguments) -> list:
    """All pages of a listing."""
    return [entry for page in client.get_paginator(operation).paginate(**arguments) for entry in page[key]]


class TestUsers:
    def test_the_life_of_a_user(self, iam, unique):
        name, renamed = f"ann-{unique}", f"bea-{unique}"
        made = iam.create_user(UserName=name, Path="/team/", Tags=[{"Key": "a", "Value": "1"}])["User"]
        assert made["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/team/{name}" and re.fullmatch(r"AIDA[A-Z0-9]{17}", made["UserId"])
        read = iam.get_user(UserName=name)["User"]
        assert read["UserId"] == made["UserId"] and read["Tags"] == [{"Key": "a", "Value": "1"}]
        iam.update_user(UserName=name, NewUserName=renamed, NewPath="/other/")
        moved = iam.get_user(UserName=renamed)["User"]
        assert moved["UserId"] == made["UserId"] and moved["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/other/{renamed}"
        assert names(everything(iam, "list_users", "Users", PathPrefix="/other/"), "UserName").count(renamed) == 1
        iam.delete_user(UserName=renamed)
        with refused("NoSuchEntity", f"The user with name {renamed} cannot be found."):
            iam.get_user(UserName=renamed)

    def test_get_user_without_a_name_is_the_caller(self, server, make_user):
        user = make_user([allow("iam:GetUser")])
        assert server.client("iam", user.credentials).get_user()["User"]["Arn"] == user.arn
        assert server.client("iam").get_user()["User"]["Arn"] == f"arn:aws:iam::{ACCOUNT}:root"

    def test_names_are_taken_whatever_their_case(self, iam, unique):
        iam.create_user(UserName=f"ann-{unique}")
        for name in (f"ann-{unique}", f"ANN-{unique}"):
            with refused("EntityAlreadyExists", f"User with name {name} already exists."):
                iam.create_user(UserName=name)

    def test_names_no_user_can_have(self, server):
        client = server.client("iam", config=unchecked())
        for name in ("with space", "x" * 65, "sl/ash"):
            with refused("ValidationError", re.compile("userName")):
                client.create_user(UserName=name)

    def test_a_user_with_a_key_a_policy_or_a_group_is_not_deleted(self, iam, unique, policy):
        name = f"ann-{unique}"
        iam.create_user(UserName=name)
        key = iam.create_access_key(UserName=name)["AccessKey"]["AccessKeyId"]
        with refused("DeleteConflict", "Cannot delete entity, must delete access keys first."):
            iam.delete_user(UserName=name)
        iam.delete_access_key(UserName=name, AccessKeyId=key)
        iam.attach_user_policy(UserName=name, PolicyArn=policy)
        with refused("DeleteConflict", "Cannot delete entity, must detach all policies first."):
            iam.delete_user(UserName=name)
        iam.detach_user_policy(UserName=name, PolicyArn=policy)
        iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=DOCUMENT)
        with refused("DeleteConflict", "Cannot delete entity, must delete policies first."):
            iam.delete_user(UserName=name)
        iam.delete_user_policy(UserName=name, PolicyName="p")
        iam.create_group(GroupName=name)
        iam.add_user_to_group(GroupName=name, UserName=name)
        with refused("DeleteConflict", "Cannot delete entity, must remove user from group first."):
            iam.delete_user(UserName=name)
        iam.remove_user_from_group(GroupName=name, UserName=name)
        iam.delete_user(UserName=name)

    def test_tags(self, iam, unique):
        name = f"ann-{unique}"
        iam.create_user(UserName=name)
        iam.tag_user(UserName=name, Tags=[{"Key": "Team", "Value": "a"}, {"Key": "x", "Value": ""}])
        iam.tag_user(UserName=name, Tags=[{"Key": "Team", "Value": "b"}])
        iam.untag_user(UserName=name, TagKeys=["x", "not there"])
        assert iam.list_user_tags(UserName=name)["Tags"] == [{"Key": "Team", "Value": "b"}]
        with refused("InvalidInput", re.compile("Duplicate tag keys found")):
            iam.tag_user(UserName=name, Tags=[{"Key": "k", "Value": "1"}, {"Key": "K", "Value": "2"}])
        with refused("InvalidInput", re.compile("aws:")):
            iam.tag_user(UserName=name, Tags=[{"Key": "aws:k", "Value": "1"}])
        with refused("LimitExceeded"):
            iam.tag_user(UserName=name, Tags=[{"Key": f"k{index}", "Value": "1"} for index in range(50)])

    def test_pages(self, iam, unique):
        wanted = [f"page-{unique}-{index}" for index in range(5)]
        for name in wanted:
            iam.create_user(UserName=name, Path=f"/{unique}/")
        first = iam.list_users(PathPrefix=f"/{unique}/", MaxItems=2)
        assert first["IsTruncated"] and first["Marker"] and names(first["Users"], "UserName") == wanted[:2]
        pages = iam.get_paginator("list_users").paginate(PathPrefix=f"/{unique}/", PaginationConfig={"PageSize": 2})
        assert [names(page["Users"], "UserName") for page in pages] == [wanted[:2], wanted[2:4], wanted[4:]]
        with refused("ValidationError", re.compile("[Mm]arker")):
            iam.list_users(Marker="made up")

    def test_it_does_not_exist(self, iam, unique):
        name = f"nobody-{unique}"
        message = f"The user with name {name} cannot be found."
        for operation, arguments in (
            ("update_user", {}),
            ("delete_user", {}),
            ("tag_user", {"Tags": [{"Key": "k", "Value": "v"}]}),
            ("untag_user", {"TagKeys": ["k"]}),
            ("list_user_tags", {}),
            ("create_access_key", {}),
            ("list_access_keys", {}),
            ("attach_user_policy", {"PolicyArn": READ_ONLY}),
            ("detach_user_policy", {"PolicyArn": READ_ONLY}),
            ("list_attached_user_policies", {}),
            ("put_user_policy", {"PolicyName": "p", "PolicyDocument": DOCUMENT}),
            ("get_user_policy", {"PolicyName": "p"}),
            ("delete_user_policy", {"PolicyName": "p"}),
            ("list_user_policies", {}),
            ("put_user_permissions_boundary", {"PermissionsBoundary": READ_ONLY}),
            ("delete_user_permissions_boundary", {}),
            ("list_groups_for_user", {}),
        ):
            with refused("NoSuchEntity", message):
                getattr(iam, operation)(UserName=name, **arguments)


class TestAccessKeys:
    def test_the_life_of_a_key(self, server, iam, make_user):
        user = make_user([allow("s3:ListAllMyBuckets")])
        second = iam.create_access_key(UserName=user.name)["AccessKey"]
        assert re.fullmatch(r"AKIA[A-Z0-9]{16}", second["AccessKeyId"]) and len(second["SecretAccessKey"]) == 40
        assert second["Status"] == "Active"
        with refused("LimitExceeded", "Cannot exceed quota for AccessKeysPerUser: 2"):
            iam.create_access_key(UserName=user.name)
        credentials = (second["AccessKeyId"], second["SecretAccessKey"])
        server.client("s3", credentials).list_buckets()
        used = iam.get_access_key_last_used(AccessKeyId=second["AccessKeyId"])
        assert used["UserName"] == user.name and used["AccessKeyLastUsed"]["ServiceName"] == "s3"
        iam.update_access_key(UserName=user.name, AccessKeyId=second["AccessKeyId"], Status="Inactive")
        with refused("InvalidAccessKeyId"):
            server.client("s3", credentials).list_buckets()
        listed = iam.list_access_keys(UserName=user.name)["AccessKeyMetadata"]
        assert {key["AccessKeyId"]: key["Status"] for key in listed} == {
            user.credentials[0]: "Active",
            second["AccessKeyId"]: "Inactive",
        }
        assert all("SecretAccessKey" not in key for key in listed)
        iam.delete_access_key(UserName=user.name, AccessKeyId=second["AccessKeyId"])
        with refused("NoSuchEntity", f"The Access Key with id {second['AccessKeyId']} cannot be found."):
            iam.delete_access_key(UserName=user.name, AccessKeyId=second["AccessKeyId"])

    def test_a_key_never_used(self, iam, make_user):
        user = make_user()
        assert iam.get_access_key_last_used(AccessKeyId=user.credentials[0])["AccessKeyLastUsed"]["ServiceName"] == "N/A"

    def test_a_user_manages_the_own_keys(self, server, make_user):
        user = make_user([allow(["iam:CreateAccessKey", "iam:ListAccessKeys"], f"arn:aws:iam::{ACCOUNT}:user/${{aws:username}}")])
        client = server.client("iam", user.credentials)
        made = client.create_access_key()["AccessKey"]
        assert made["UserName"] == user.name and len(client.list_access_keys()["AccessKeyMetadata"]) == 2
        other = make_user()
        with denied(user.arn, "iam:CreateAccessKey", other.arn):
            client.create_access_key(UserName=other.name)


class TestRoles:
    def test_the_life_of_a_role(self, iam, unique):
        name = f"role-{unique}"
        made = iam.create_role(
            RoleName=name, Path="/app/", AssumeRolePolicyDocument=LAMBDA_TRUST, Description="one", MaxSessionDuration=7200,
            Tags=[{"Key": "a", "Value": "1"}],
        )["Role"]  # fmt: skip
        assert made["Arn"] == f"arn:aws:iam::{ACCOUNT}:role/app/{name}" and re.fullmatch(r"AROA[A-Z0-9]{17}", made["RoleId"])
        assert made["AssumeRolePolicyDocument"] == json.loads(LAMBDA_TRUST)
        iam.update_role(RoleName=name, Description="two", MaxSessionDuration=3600)
        assert iam.update_role_description(RoleName=name, Description="three")["Role"]["Description"] == "three"
        trust = document(statement("Allow", Principal={"Service": "ec2.amazonaws.com"}, Action="sts:AssumeRole"))
        iam.update_assume_role_policy(RoleName=name, PolicyDocument=trust)
        read = iam.get_role(RoleName=name)["Role"]
        assert (read["Description"], read["MaxSessionDuration"]) == ("three", 3600)
        assert read["AssumeRolePolicyDocument"] == json.loads(trust) and read["Tags"] == [{"Key": "a", "Value": "1"}]
        assert names(everything(iam, "list_roles", "Roles", PathPrefix="/app/"), "RoleName").count(name) == 1
        assert iam.list_instance_profiles_for_role(RoleName=name)["InstanceProfiles"] == []
        iam.get_waiter("role_exists").wait(RoleName=name)
        iam.delete_role(RoleName=name)
        with refused("NoSuchEntity", f"The role with name {name} cannot be found."):
            iam.get_role(RoleName=name)

    def test_names_are_taken(self, iam, unique):
        iam.create_role(RoleName=f"role-{unique}", AssumeRolePolicyDocument=LAMBDA_TRUST)
        with refused("EntityAlreadyExists", f"Role with name role-{unique} already exists."):
            iam.create_role(RoleName=f"role-{unique}", AssumeRolePolicyDocument=LAMBDA_TRUST)

    @pytest.mark.parametrize(
        "trust",
        [
            "{}",
            document(statement("Allow", Action="sts:AssumeRole")),
            document(statement("Allow", Principal={"Service": "lambda.amazonaws.com"}, Action="s3:GetObject")),
            document(statement("Allow", Principal={"Service": "lambda.amazonaws.com"}, Action="sts:AssumeRole", Resource="*")),
            document(statement("Allow", NotPrincipal={"AWS": ACCOUNT}, Action="sts:AssumeRole")),
        ],
    )
    def test_a_malformed_trust_policy(self, iam, unique, trust):
        with refused("MalformedPolicyDocument"):
            iam.create_role(RoleName=f"role-{unique}", AssumeRolePolicyDocument=trust)

    def test_trust_in_nobody_who_exists(self, iam, unique):
        trust = document(statement("Allow", Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:user/none-{unique}"}, Action="sts:AssumeRole"))
        with refused("MalformedPolicyDocument", f'Invalid principal in policy: "AWS":"arn:aws:iam::{ACCOUNT}:user/none-{unique}"'):
            iam.create_role(RoleName=f"role-{unique}", AssumeRolePolicyDocument=trust)

    def test_durations_out_of_range(self, server, unique):
        iam = server.client("iam", config=unchecked())
        for seconds in (3599, 43_201):
            with refused("ValidationError", re.compile("maxSessionDuration")):
                iam.create_role(RoleName=f"role-{unique}", AssumeRolePolicyDocument=LAMBDA_TRUST, MaxSessionDuration=seconds)

    def test_a_role_with_policies_is_not_deleted(self, iam, unique, policy):
        name = f"role-{unique}"
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=LAMBDA_TRUST)
        iam.attach_role_policy(RoleName=name, PolicyArn=policy)
        with refused("DeleteConflict", "Cannot delete entity, must detach all policies first."):
            iam.delete_role(RoleName=name)
        iam.detach_role_policy(RoleName=name, PolicyArn=policy)
        iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=DOCUMENT)
        with refused("DeleteConflict", "Cannot delete entity, must delete policies first."):
            iam.delete_role(RoleName=name)
        iam.delete_role_policy(RoleName=name, PolicyName="p")
        iam.delete_role(RoleName=name)

    def test_tags(self, iam, unique):
        name = f"role-{unique}"
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=LAMBDA_TRUST)
        iam.tag_role(RoleName=name, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
        iam.untag_role(RoleName=name, TagKeys=["a"])
        assert iam.list_role_tags(RoleName=name)["Tags"] == [{"Key": "b", "Value": "2"}]

    def test_it_does_not_exist(self, iam, unique):
        name = f"nobody-{unique}"
        for operation, arguments in (
            ("update_role", {}),
            ("update_role_description", {"Description": "d"}),
            ("update_assume_role_policy", {"PolicyDocument": LAMBDA_TRUST}),
            ("delete_role", {}),
            ("tag_role", {"Tags": [{"Key": "k", "Value": "v"}]}),
            ("untag_role", {"TagKeys": ["k"]}),
            ("list_role_tags", {}),
            ("attach_role_policy", {"PolicyArn": READ_ONLY}),
            ("detach_role_policy", {"PolicyArn": READ_ONLY}),
            ("list_attached_role_policies", {}),
            ("put_role_policy", {"PolicyName": "p", "PolicyDocument": DOCUMENT}),
            ("get_role_policy", {"PolicyName": "p"}),
            ("delete_role_policy", {"PolicyName": "p"}),
            ("list_role_policies", {}),
            ("put_role_permissions_boundary", {"PermissionsBoundary": READ_ONLY}),
            ("delete_role_permissions_boundary", {}),
            ("list_instance_profiles_for_role", {}),
        ):
            with refused("NoSuchEntity", f"The role with name {name} cannot be found."):
                getattr(iam, operation)(RoleName=name, **arguments)


class TestManagedPolicies:
    def test_the_life_of_a_policy(self, iam, unique):
        name = f"policy-{unique}"
        made = iam.create_policy(
            PolicyName=name, Path="/app/", PolicyDocument=DOCUMENT, Description="d", Tags=[{"Key": "a", "Value": "1"}]
        )["Policy"]
        arn = made["Arn"]
        assert arn == f"arn:aws:iam::{ACCOUNT}:policy/app/{name}" and re.fullmatch(r"ANPA[A-Z0-9]{17}", made["PolicyId"])
        read = iam.get_policy(PolicyArn=arn)["Policy"]
        assert (read["DefaultVersionId"], read["AttachmentCount"], read["IsAttachable"]) == ("v1", 0, True)
        assert read["Description"] == "d" and read["Tags"] == [{"Key": "a", "Value": "1"}]
        version = iam.get_policy_version(PolicyArn=arn, VersionId="v1")["PolicyVersion"]
        assert version["Document"] == json.loads(DOCUMENT) and version["IsDefaultVersion"]
        local = everything(iam, "list_policies", "Policies", Scope="Local", PathPrefix="/app/")
        assert names(local, "Arn").count(arn) == 1
        iam.get_waiter("policy_exists").wait(PolicyArn=arn)
        iam.delete_policy(PolicyArn=arn)
        with refused("NoSuchEntity", f"Policy {arn} was not found."):
            iam.get_policy(PolicyArn=arn)

    def test_versions(self, iam, policy):
        second = document(allow("s3:PutObject", "arn:aws:s3:::bucket/*"))
        assert iam.create_policy_version(PolicyArn=policy, PolicyDocument=second)["PolicyVersion"]["VersionId"] == "v2"
        assert iam.get_policy(PolicyArn=policy)["Policy"]["DefaultVersionId"] == "v1"
        iam.set_default_policy_version(PolicyArn=policy, VersionId="v2")
        assert iam.get_policy(PolicyArn=policy)["Policy"]["DefaultVersionId"] == "v2"
        with refused("DeleteConflict", "Cannot delete the default version of a policy."):
            iam.delete_policy_version(PolicyArn=policy, VersionId="v2")
        iam.delete_policy_version(PolicyArn=policy, VersionId="v1")
        assert iam.create_policy_version(PolicyArn=policy, PolicyDocument=DOCUMENT, SetAsDefault=True)["PolicyVersion"]["VersionId"] == "v3"
        listed = iam.list_policy_versions(PolicyArn=policy)["Versions"]
        assert {version["VersionId"]: version["IsDefaultVersion"] for version in listed} == {"v2": False, "v3": True}
        for _ in range(3):
            iam.create_policy_version(PolicyArn=policy, PolicyDocument=second)
        with refused("LimitExceeded", re.compile("^A managed policy can have up to 5 versions.")):
            iam.create_policy_version(PolicyArn=policy, PolicyDocument=second)
        with refused("NoSuchEntity", re.compile("v9")):
            iam.get_policy_version(PolicyArn=policy, VersionId="v9")
        with refused("DeleteConflict", re.compile("^This policy has more than one version.")):
            iam.delete_policy(PolicyArn=policy)

    def test_an_attached_policy_is_not_deleted(self, iam, policy, make_user):
        user = make_user()
        iam.attach_user_policy(UserName=user.name, PolicyArn=policy)
        iam.attach_user_policy(UserName=user.name, PolicyArn=policy)
        assert iam.get_policy(PolicyArn=policy)["Policy"]["AttachmentCount"] == 1
        with refused("DeleteConflict", "Cannot delete a policy attached to entities."):
            iam.delete_policy(PolicyArn=policy)

    def test_names_are_taken(self, iam, policy, unique):
        with refused("EntityAlreadyExists", f"A policy called policy-{unique} already exists. Duplicate names are not allowed."):
            iam.create_policy(PolicyName=f"policy-{unique}", PolicyDocument=DOCUMENT)

    def test_tags(self, iam, policy):
        iam.tag_policy(PolicyArn=policy, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
        iam.untag_policy(PolicyArn=policy, TagKeys=["b"])
        assert iam.list_policy_tags(PolicyArn=policy)["Tags"] == [{"Key": "a", "Value": "1"}]

    def test_policies_of_aws(self, iam, make_user):
        policy = iam.get_policy(PolicyArn=READ_ONLY)["Policy"]
        assert policy["PolicyName"] == "AmazonS3ReadOnlyAccess"
        version = iam.get_policy_version(PolicyArn=READ_ONLY, VersionId=policy["DefaultVersionId"])["PolicyVersion"]
        assert "s3:Get*" in version["Document"]["Statement"][0]["Action"]
        listed = everything(iam, "list_policies", "Policies", Scope="AWS")
        assert len(listed) > 500 and all(entry["Arn"].startswith("arn:aws:iam::aws:policy/") for entry in listed)
        with refused("UnmodifiableEntity", re.compile(READ_ONLY)):
            iam.delete_policy(PolicyArn=READ_ONLY)
        with refused("NoSuchEntity"):
            iam.attach_user_policy(UserName=make_user().name, PolicyArn="arn:aws:iam::aws:policy/NoSuchPolicy")

    def test_who_has_a_policy(self, iam, unique, policy, make_user, make_role):
        user, role, group = make_user(), make_role().rsplit("/")[-1], f"group-{unique}"
        iam.create_group(GroupName=group)
        iam.attach_user_policy(UserName=user.name, PolicyArn=policy)
        iam.attach_role_policy(RoleName=role, PolicyArn=policy)
        iam.attach_group_policy(GroupName=group, PolicyArn=policy)
        answer = iam.list_entities_for_policy(PolicyArn=policy)
        assert names(answer["PolicyUsers"], "UserName") == [user.name]
        assert names(answer["PolicyRoles"], "RoleName") == [role]
        assert names(answer["PolicyGroups"], "GroupName") == [group]
        only = iam.list_entities_for_policy(PolicyArn=policy, EntityFilter="Role")
        assert only["PolicyUsers"] == only["PolicyGroups"] == [] and names(only["PolicyRoles"], "RoleName") == [role]


class TestHeldPolicies:
    """Attached and inline policies: the same operations on users, roles and groups."""

    @pytest.fixture(params=["user", "role", "group"])
    def holder(self, request, iam, unique):
        """(kind, {"UserName": …}) of a fresh holder."""
        kind, name = request.param, f"holder-{unique}"
        if kind == "role":
            iam.create_role(RoleName=name, AssumeRolePolicyDocument=LAMBDA_TRUST)
        else:
            getattr(iam, f"create_{kind}")(**{f"{kind.capitalize()}Name": name})
        return kind, {f"{kind.capitalize()}Name": name}

    def test_attached(self, iam, policy, holder):
        kind, name = holder
        getattr(iam, f"attach_{kind}_policy")(PolicyArn=policy, **name)
        getattr(iam, f"attach_{kind}_policy")(PolicyArn=READ_ONLY, **name)
        listed = everything(iam, f"list_attached_{kind}_policies", "AttachedPolicies", **name)
        assert set(names(listed, "PolicyArn")) == {policy, READ_ONLY}
        getattr(iam, f"detach_{kind}_policy")(PolicyArn=policy, **name)
        with refused("NoSuchEntity", f"Policy {policy} was not found."):
            getattr(iam, f"detach_{kind}_policy")(PolicyArn=policy, **name)

    def test_inline(self, iam, holder):
        kind, name = holder
        getattr(iam, f"put_{kind}_policy")(PolicyName="one", PolicyDocument=DOCUMENT, **name)
        read = getattr(iam, f"get_{kind}_policy")(PolicyName="one", **name)
        assert read["PolicyDocument"] == json.loads(DOCUMENT) and read["PolicyName"] == "one"
        assert everything(iam, f"list_{kind}_policies", "PolicyNames", **name) == ["one"]
        getattr(iam, f"delete_{kind}_policy")(PolicyName="one", **name)
        with refused("NoSuchEntity", f"The {kind} policy with name one cannot be found."):
            getattr(iam, f"get_{kind}_policy")(PolicyName="one", **name)
        with refused("NoSuchEntity", f"The {kind} policy with name one cannot be found."):
            getattr(iam, f"delete_{kind}_policy")(PolicyName="one", **name)

    def test_inline_too_large(self, iam, holder):
        kind, name = holder
        limit = {"user": 2048, "role": 10_240, "group": 5120}[kind]
        large = document(allow([f"s3:Get{'x' * 50}{index}" for index in range(limit // 50)]))
        holder_name = next(iter(name.values()))
        with refused("LimitExceeded", f"Maximum policy size of {limit} bytes exceeded for {kind} {holder_name}"):
            getattr(iam, f"put_{kind}_policy")(PolicyName="large", PolicyDocument=large, **name)

    def test_inline_malformed(self, iam, holder):
        kind, name = holder
        with refused("MalformedPolicyDocument"):
            getattr(iam, f"put_{kind}_policy")(PolicyName="p", PolicyDocument=document(statement("Allow", Action="s3:*")), **name)

    def test_at_most_ten_are_attached(self, iam, holder, unique):
        kind, name = holder
        made = [iam.create_policy(PolicyName=f"many-{unique}-{index}", PolicyDocument=DOCUMENT)["Policy"]["Arn"] for index in range(11)]
        for arn in made[:10]:
            getattr(iam, f"attach_{kind}_policy")(PolicyArn=arn, **name)
        with refused("LimitExceeded", f"Cannot exceed quota for PoliciesPer{kind.capitalize()}: 10"):
            getattr(iam, f"attach_{kind}_policy")(PolicyArn=made[10], **name)


class TestGroups:
    def test_the_life_of_a_group(self, server, iam, unique, make_user):
        name, user = f"group-{unique}", make_user()
        made = iam.create_group(GroupName=name, Path="/team/")["Group"]
        assert made["Arn"] == f"arn:aws:iam::{ACCOUNT}:group/team/{name}" and re.fullmatch(r"AGPA[A-Z0-9]{17}", made["GroupId"])
        with refused("EntityAlreadyExists", f"Group with name {name} already exists."):
            iam.create_group(GroupName=name)
        iam.add_user_to_group(GroupName=name, UserName=user.name)
        iam.add_user_to_group(GroupName=name, UserName=user.name)
        assert names(iam.get_group(GroupName=name)["Users"], "UserName") == [user.name]
        assert names(iam.list_groups_for_user(UserName=user.name)["Groups"], "GroupName") == [name]
        assert names(everything(iam, "list_groups", "Groups", PathPrefix="/team/"), "GroupName").count(name) == 1
        iam.put_group_policy(GroupName=name, PolicyName="p", PolicyDocument=document(allow("s3:ListAllMyBuckets")))
        server.client("s3", user.credentials).list_buckets()
        for refusal in ("must remove users from group first", "must delete policies first"):
            with refused("DeleteConflict", f"Cannot delete entity, {refusal}."):
                iam.delete_group(GroupName=name)
            if "users" in refusal:
                iam.remove_user_from_group(GroupName=name, UserName=user.name)
        with refused("AccessDenied"):
            server.client("s3", user.credentials).list_buckets()
        with refused("NoSuchEntity"):
            iam.remove_user_from_group(GroupName=name, UserName=user.name)
        iam.delete_group_policy(GroupName=name, PolicyName="p")
        iam.delete_group(GroupName=name)
        with refused("NoSuchEntity", f"The group with name {name} cannot be found."):
            iam.get_group(GroupName=name)


class TestAccount:
    def test_authorization_details(self, iam, unique, policy, make_user, make_role):
        user, role = make_user([allow("s3:*")]), make_role([allow("s3:*")])
        iam.attach_user_policy(UserName=user.name, PolicyArn=policy)
        pages = list(iam.get_paginator("get_account_authorization_details").paginate(PaginationConfig={"PageSize": 100}))
        users = {entry["UserName"]: entry for page in pages for entry in page["UserDetailList"]}
        roles = {entry["Arn"]: entry for page in pages for entry in page["RoleDetailList"]}
        policies = {entry["Arn"]: entry for page in pages for entry in page["Policies"]}
        assert users[user.name]["UserPolicyList"][0]["PolicyDocument"]["Statement"] == [allow("s3:*")]
        assert names(users[user.name]["AttachedManagedPolicies"], "PolicyArn") == [policy]
        assert roles[role]["AssumeRolePolicyDocument"] == json.loads(LAMBDA_TRUST)
        assert policies[policy]["PolicyVersionList"][0]["Document"] == json.loads(DOCUMENT)
        only = iam.get_account_authorization_details(Filter=["Role"])
        assert only["RoleDetailList"] and not only["UserDetailList"] and not only["Policies"]

    def test_summary(self, iam):
        before = iam.get_account_summary()["SummaryMap"]
        assert before["UsersQuota"] == 5000 and before["AccessKeysPerUserQuota"] == 2 and before["PolicySizeQuota"] == 6144

    def test_alias(self, iam, unique):
        alias = f"alias-{unique}"
        iam.create_account_alias(AccountAlias=alias)
        assert iam.list_account_aliases()["AccountAliases"] == [alias]
        iam.delete_account_alias(AccountAlias=alias)
        assert iam.list_account_aliases()["AccountAliases"] == []
        with refused("NoSuchEntity", re.compile(alias)):
            iam.delete_account_alias(AccountAlias=alias)


class TestWhoMay:
    def test_nobody_without_permission(self, server, make_user):
        user = make_user()
        client = server.client("iam", user.credentials)
        with denied(user.arn, "iam:ListUsers", f"arn:aws:iam::{ACCOUNT}:user/"):
            client.list_users()
        with denied(user.arn, "iam:CreateUser", f"arn:aws:iam::{ACCOUNT}:user/app/new"):
            client.create_user(UserName="new", Path="/app/")
        with denied(user.arn, "iam:GetRole", f"arn:aws:iam::{ACCOUNT}:role/none"):
            client.get_role(RoleName="none")
        with denied(user.arn, "iam:GetPolicy", READ_ONLY):
            client.get_policy(PolicyArn=READ_ONLY)

    def test_the_scope_of_a_resource(self, server, make_user, unique):
        user = make_user([allow("iam:*", f"arn:aws:iam::{ACCOUNT}:user/{unique}/*")])
        client = server.client("iam", user.credentials)
        client.create_user(UserName=f"in-{unique}", Path=f"/{unique}/")
        client.delete_user(UserName=f"in-{unique}")
        with denied(user.arn, "iam:CreateUser", f"arn:aws:iam::{ACCOUNT}:user/out-{unique}"):
            client.create_user(UserName=f"out-{unique}")

    def test_an_explicit_deny_beats_an_allow(self, server, make_user, unique):
        user = make_user([allow("iam:*"), statement("Deny", Action="iam:Delete*", Resource="*")])
        client = server.client("iam", user.credentials)
        made = client.create_user(UserName=f"kept-{unique}")["User"]["Arn"]
        with denied(user.arn, "iam:DeleteUser", made, explicit=True):
            client.delete_user(UserName=f"kept-{unique}")

    def test_an_explicit_deny_of_a_managed_policy_names_it(self, server, iam, make_user, unique):
        user = make_user([allow("iam:*")])
        deny = iam.create_policy(
            PolicyName=f"deny-{unique}", PolicyDocument=document(statement("Deny", Action="iam:GetUser", Resource="*"))
        )["Policy"]["Arn"]
        iam.attach_user_policy(UserName=user.name, PolicyArn=deny)
        with refused("AccessDenied", re.compile(f"with an explicit deny in an identity-based policy: {deny}$")):
            server.client("iam", user.credentials).get_user()

    def test_not_action_and_not_resource(self, server, make_user, unique):
        user = make_user(
            [
                statement("Allow", NotAction="iam:Create*", Resource="*"),
                statement("Allow", Action="iam:CreateGroup", NotResource=f"arn:aws:iam::{ACCOUNT}:group/closed-*"),
            ]
        )
        client = server.client("iam", user.credentials)
        client.list_users()
        with denied(user.arn, "iam:CreateUser", f"arn:aws:iam::{ACCOUNT}:user/new"):
            client.create_user(UserName="new")
        client.create_group(GroupName=f"open-{unique}")
        with denied(user.arn, "iam:CreateGroup", f"arn:aws:iam::{ACCOUNT}:group/closed-{unique}"):
            client.create_group(GroupName=f"closed-{unique}")

    def test_a_boundary_caps_what_a_user_may(self, server, iam, make_user, unique):
        user = make_user([allow("*")])
        boundary = iam.create_policy(PolicyName=f"b-{unique}", PolicyDocument=document(allow("iam:List*")))["Policy"]["Arn"]
        iam.put_user_permissions_boundary(UserName=user.name, PermissionsBoundary=boundary)
        assert iam.get_user(UserName=user.name)["User"]["PermissionsBoundary"]["PermissionsBoundaryArn"] == boundary
        client = server.client("iam", user.credentials)
        client.list_users()
        with denied(user.arn, "iam:GetUser", user.arn, "boundary"):
            client.get_user()
        iam.create_policy_version(
            PolicyArn=boundary,
            PolicyDocument=document(allow("*"), statement("Deny", Action="iam:List*", Resource="*")),
            SetAsDefault=True,
        )
        client.get_user()
        with denied(user.arn, "iam:ListUsers", f"arn:aws:iam::{ACCOUNT}:user/", "boundary", explicit=True):
            client.list_users()
        iam.delete_user_permissions_boundary(UserName=user.name)
        client.list_users()

    def test_a_boundary_does_not_grant(self, server, iam, make_user):
        user = make_user()
        iam.put_user_permissions_boundary(UserName=user.name, PermissionsBoundary="arn:aws:iam::aws:policy/AdministratorAccess")
        with denied(user.arn, "iam:GetUser", user.arn):
            server.client("iam", user.credentials).get_user()

    def test_users_may_be_made_with_a_boundary_only(self, server, make_user, policy, unique):
        user = make_user(
            [
                statement(
                    "Allow", Action="iam:CreateUser", Resource="*", Condition={"StringEquals": {"iam:PermissionsBoundary": policy}}
                )
            ]
        )
        client = server.client("iam", user.credentials)
        with denied(user.arn, "iam:CreateUser", f"arn:aws:iam::{ACCOUNT}:user/free-{unique}"):
            client.create_user(UserName=f"free-{unique}")
        client.create_user(UserName=f"bound-{unique}", PermissionsBoundary=policy)

    def test_only_certain_policies_may_be_attached(self, server, iam, make_user, policy):
        user = make_user(
            [
                statement(
                    "Allow", Action="iam:AttachUserPolicy", Resource="*", Condition={"ArnEquals": {"iam:PolicyARN": policy}}
                )
            ]
        )
        client = server.client("iam", user.credentials)
        client.attach_user_policy(UserName=user.name, PolicyArn=policy)
        with denied(user.arn, "iam:AttachUserPolicy", user.arn):
            client.attach_user_policy(UserName=user.name, PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")

    def test_request_tags(self, server, make_user, unique):
        user = make_user(
            [
                statement(
                    "Allow",
                    Action=["iam:CreateUser", "iam:TagUser"],
                    Resource="*",
                    Condition={
                        "StringEquals": {"aws:RequestTag/team": "orders"},
                        "ForAllValues:StringEquals": {"aws:TagKeys": ["team", "stage"]},
                    },
                )
            ]
        )
        client = server.client("iam", user.credentials)
        new = f"arn:aws:iam::{ACCOUNT}:user/new-{unique}"
        for tags in ([], [("team", "other")], [("team", "orders"), ("owner", "me")]):
            with denied(user.arn, "iam:CreateUser", new):
                client.create_user(UserName=f"new-{unique}", Tags=[{"Key": key, "Value": value} for key, value in tags])
        client.create_user(UserName=f"new-{unique}", Tags=[{"Key": "team", "Value": "orders"}, {"Key": "stage", "Value": "test"}])

    def test_tags_of_the_resource_and_of_the_principal(self, server, iam, make_user, make_role):
        user = make_user(
            [
                statement(
                    "Allow",
                    Action="iam:GetRole",
                    Resource="*",
                    Condition={"StringEquals": {"iam:ResourceTag/team": "${aws:PrincipalTag/team}"}},
                )
            ]
        )
        own, other = make_role(), make_role()
        iam.tag_user(UserName=user.name, Tags=[{"Key": "team", "Value": "orders"}])
        iam.tag_role(RoleName=own.rsplit("/")[-1], Tags=[{"Key": "team", "Value": "orders"}])
        client = server.client("iam", user.credentials)
        assert client.get_role(RoleName=own.rsplit("/")[-1])["Role"]["Arn"] == own
        with denied(user.arn, "iam:GetRole", other):
            client.get_role(RoleName=other.rsplit("/")[-1])

    def test_the_address_a_request_comes_from(self, server, make_user):
        def user_from(network: str):
            return make_user([statement("Allow", Action="iam:GetUser", Resource="*", Condition={"IpAddress": {"aws:SourceIp": network}})])

        near, far = user_from("127.0.0.0/8"), user_from("203.0.113.0/24")
        server.client("iam", near.credentials).get_user()
        with denied(far.arn, "iam:GetUser", far.arn):
            server.client("iam", far.credentials).get_user()

    def test_without_multi_factor_authentication(self, server, make_user):
        user = make_user(
            [
                allow("iam:GetUser"),
                statement(
                    "Deny", Action="*", Resource="*", Condition={"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}
                ),
            ]
        )
        with denied(user.arn, "iam:GetUser", user.arn, explicit=True):
            server.client("iam", user.credentials).get_user()


def test_with_the_cli(server, unique):
    name = f"cli-{unique}"
    server.aws("iam", "create-user", "--user-name", name)
    key = json.loads(server.aws("iam", "create-access-key", "--user-name", name).stdout)["AccessKey"]
    credentials = (key["AccessKeyId"], key["SecretAccessKey"])
    done = server.aws("iam", "list-users", credentials=credentials, check=False)
    assert done.returncode != 0 and "no identity-based policy allows the iam:ListUsers action" in done.stderr
    server.aws("iam", "attach-user-policy", "--user-name", name, "--policy-arn", "arn:aws:iam::aws:policy/IAMReadOnlyAccess")
    assert name in server.aws("iam", "list-users", "--query", "Users[].UserName", "--output", "text", credentials=credentials).stdout
