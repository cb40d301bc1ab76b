"""DynamoDB with AWS's own clients: tables and indexes, items, expressions, queries, batches, transactions, and who may
call them."""

from __future__ import annotations

import json
import re
from decimal import Decimal

import boto3
import pytest
from boto3.dynamodb.conditions import Attr, Key
from botocore.config import Config
from conftest import ACCOUNT, REGION, allow
from expect import denied, document, refused, statement, unchecked

FAILED = "The conditional request failed"
NOT_FOUND = "Requested resource not found"


@pytest.fixture
def dynamodb(server):
    return server.client("dynamodb")


@pytest.fixture
def resource(server):
    """boto3's resource, which speaks Python values instead of attribute values."""
    return boto3.resource(
        "dynamodb",
        endpoint_url=server.endpoint,
        region_name=REGION,
        aws_access_key_id=server.root[0],
        aws_secret_access_key=server.root[1],
        config=Config(retries={"total_max_attempts": 1}),
    )


@pytest.fixture
def table(dynamodb, unique):
    """The name of a table with the key `id`."""
    create(dynamodb, unique)
    return unique


@pytest.fixture
def orders(resource, dynamodb, unique):
    """A table of orders by customer and number, with a global index by state and a local one by total."""
    name = f"orders-{unique}"
    dynamodb.create_table(
        TableName=name,
        AttributeDefinitions=[
            {"AttributeName": "customer", "AttributeType": "S"},
            {"AttributeName": "number", "AttributeType": "N"},
            {"AttributeName": "state", "AttributeType": "S"},
            {"AttributeName": "total", "AttributeType": "N"},
        ],
        KeySchema=[{"AttributeName": "customer", "KeyType": "HASH"}, {"AttributeName": "number", "KeyType": "RANGE"}],
        BillingMode="PAY_PER_REQUEST",
        GlobalSecondaryIndexes=[
            {
                "IndexName": "by-state",
                "KeySchema": [{"AttributeName": "state", "KeyType": "HASH"}, {"AttributeName": "number", "KeyType": "RANGE"}],
                "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["total"]},
            }
        ],
        LocalSecondaryIndexes=[
            {
                "IndexName": "by-total",
                "KeySchema": [{"AttributeName": "customer", "KeyType": "HASH"}, {"AttributeName": "total", "KeyType": "RANGE"}],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    )
    made = resource.Table(name)
    with made.batch_writer() as batch:
        for number in range(1, 11):
            item = {"customer": "ann" if number <= 7 else "bea", "number": number, "total": 100 - number, "note": f"n{number}"}
            if number % 2 == 0:
                item["state"] = "open"
            batch.put_item(Item=item)
    return made


def create(dynamodb, name: str, **more) -> dict:
    return dynamodb.create_table(
        TableName=name,
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        **({"BillingMode": "PAY_PER_REQUEST"} | more),
    )["TableDescription"]


def arn_of(table: str) -> str:
    return f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{table}"


def numbers(answer: dict) -> list[int]:
    return [int(item["number"]) for item in answer["Items"]]


class TestTables:
    def test_the_life_of_a_table(self, dynamodb, unique):
        made = create(dynamodb, unique)
        assert made["TableStatus"] in ("CREATING", "ACTIVE") and made["TableArn"] == arn_of(unique)
        dynamodb.get_waiter("table_exists").wait(TableName=unique, WaiterConfig={"Delay": 1})
        read = dynamodb.describe_table(TableName=unique)["Table"]
        assert read["TableStatus"] == "ACTIVE" and read["ItemCount"] == 0 and read["TableId"] == made["TableId"]
        assert read["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
        assert dynamodb.describe_table(TableName=arn_of(unique))["Table"]["TableName"] == unique
        with refused("ResourceInUseException", f"Table already exists: {unique}"):
            create(dynamodb, unique)
        dynamodb.delete_table(TableName=unique)
        dynamodb.get_waiter("table_not_exists").wait(TableName=unique, WaiterConfig={"Delay": 1})
        with refused("ResourceNotFoundException", f"Requested resource not found: Table: {unique} not found"):
            dynamodb.describe_table(TableName=unique)
        with refused("ResourceNotFoundException", f"Requested resource not found: Table: {unique} not found"):
            dynamodb.delete_table(TableName=unique)

    def test_list_pages(self, dynamodb, unique):
        wanted = [f"list-{unique}-{index}" for index in range(3)]
        for name in wanted:
            create(dynamodb, name)
        first = dynamodb.list_tables(Limit=1, ExclusiveStartTableName=wanted[0])
        assert first["TableNames"] == [wanted[1]] and first["LastEvaluatedTableName"] == wanted[1]
        every = [name for page in dynamodb.get_paginator("list_tables").paginate(PaginationConfig={"PageSize": 2}) for name in page["TableNames"]]
        assert set(wanted) <= set(every) and len(every) == len(set(every)) and every == sorted(every)

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"AttributeDefinitions": [{"AttributeName": "other", "AttributeType": "S"}]}, "AttributeDefinitions"),
            ({"KeySchema": [{"AttributeName": "id", "KeyType": "RANGE"}]}, "The first KeySchemaElement is not a HASH key type"),
            ({"AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "X"}]}, "attributeType"),
            ({"BillingMode": "PROVISIONED"}, "ReadCapacityUnits and WriteCapacityUnits must both be specified"),
            ({"ProvisionedThroughput": {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1}}, "when BillingMode is PAY_PER_REQUEST"),
            ({"TableName": "a"}, "at least 3|between 3 and 255|greater than or equal to 3"),
            ({"TableName": "with space"}, "a-z, ?A-Z, ?0-9|a-zA-Z0-9"),
        ],
    )
    def test_tables_that_are_refused(self, server, unique, change, message):
        arguments = {
            "TableName": unique,
            "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
            "BillingMode": "PAY_PER_REQUEST",
        }
        with refused("ValidationException", re.compile(message)):
            server.client("dynamodb", config=unchecked()).create_table(**(arguments | change))

    def test_update(self, dynamodb, table):
        dynamodb.update_table(
            TableName=table, BillingMode="PROVISIONED", ProvisionedThroughput={"ReadCapacityUnits": 5, "WriteCapacityUnits": 6}
        )
        dynamodb.get_waiter("table_exists").wait(TableName=table, WaiterConfig={"Delay": 1})
        read = dynamodb.describe_table(TableName=table)["Table"]["ProvisionedThroughput"]
        assert (read["ReadCapacityUnits"], read["WriteCapacityUnits"]) == (5, 6)
        dynamodb.update_table(TableName=table, DeletionProtectionEnabled=True)
        with refused("ValidationException", re.compile("protected against deletion")):
            dynamodb.delete_table(TableName=table)
        dynamodb.update_table(TableName=table, DeletionProtectionEnabled=False)
        dynamodb.delete_table(TableName=table)
        with refused("ResourceNotFoundException"):
            dynamodb.update_table(TableName=table, BillingMode="PAY_PER_REQUEST")

    def test_an_index_is_added_filled_and_removed(self, dynamodb, table):
        dynamodb.put_item(TableName=table, Item={"id": {"S": "a"}, "team": {"S": "x"}})
        dynamodb.update_table(
            TableName=table,
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}, {"AttributeName": "team", "AttributeType": "S"}],
            GlobalSecondaryIndexUpdates=[
                {
                    "Create": {
                        "IndexName": "by-team",
                        "KeySchema": [{"AttributeName": "team", "KeyType": "HASH"}],
                        "Projection": {"ProjectionType": "KEYS_ONLY"},
                    }
                }
            ],
        )
        dynamodb.get_waiter("table_exists").wait(TableName=table, WaiterConfig={"Delay": 1})
        query = {
            "TableName": table,
            "IndexName": "by-team",
            "KeyConditionExpression": "team = :t",
            "ExpressionAttributeValues": {":t": {"S": "x"}},
        }
        assert dynamodb.query(**query)["Items"] == [{"id": {"S": "a"}, "team": {"S": "x"}}]
        dynamodb.update_table(TableName=table, GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": "by-team"}}])
        dynamodb.get_waiter("table_exists").wait(TableName=table, WaiterConfig={"Delay": 1})
        with refused("ValidationException", re.compile("The table does not have the specified index: by-team")):
            dynamodb.query(**query)

    def test_time_to_live(self, dynamodb, table):
        assert dynamodb.describe_time_to_live(TableName=table)["TimeToLiveDescription"] == {"TimeToLiveStatus": "DISABLED"}
        dynamodb.update_time_to_live(TableName=table, TimeToLiveSpecification={"Enabled": True, "AttributeName": "end"})
        read = dynamodb.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
        assert read["AttributeName"] == "end" and read["TimeToLiveStatus"] in ("ENABLING", "ENABLED")
        with refused("ValidationException", "TimeToLive is already enabled"):
            dynamodb.update_time_to_live(TableName=table, TimeToLiveSpecification={"Enabled": True, "AttributeName": "end"})
        with refused("ResourceNotFoundException"):
            dynamodb.describe_time_to_live(TableName="none")

    def test_tags(self, dynamodb, table):
        dynamodb.tag_resource(ResourceArn=arn_of(table), Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
        dynamodb.untag_resource(ResourceArn=arn_of(table), TagKeys=["a"])
        assert dynamodb.list_tags_of_resource(ResourceArn=arn_of(table))["Tags"] == [{"Key": "b", "Value": "2"}]
        with refused("ResourceNotFoundException"):
            dynamodb.list_tags_of_resource(ResourceArn=arn_of("none"))

    def test_facts_about_account_and_endpoint(self, dynamodb, table):
        assert dynamodb.describe_limits()["TableMaxReadCapacityUnits"] == 40_000
        assert dynamodb.describe_endpoints()["Endpoints"][0]["CachePeriodInMinutes"] == 1440
        backups = dynamodb.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
        assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "DISABLED"


class TestItems:
    EVERY_TYPE = {
        "id": {"S": "every"},
        "text": {"S": ""},
        "number": {"N": "12345678901234567890.123456789"},
        "binary": {"B": b"\x00\xff"},
        "true": {"BOOL": True},
        "nothing": {"NULL": True},
        "list": {"L": [{"S": "a"}, {"N": "1"}, {"L": []}]},
        "map": {"M": {"a": {"M": {"b": {"N": "-0.5"}}}}},
    }

    def test_every_type(self, dynamodb, table):
        dynamodb.put_item(TableName=table, Item=self.EVERY_TYPE)
        assert dynamodb.get_item(TableName=table, Key={"id": {"S": "every"}}, ConsistentRead=True)["Item"] == self.EVERY_TYPE
        sets = {"id": {"S": "sets"}, "ss": {"SS": ["b", "a"]}, "ns": {"NS": ["1.0", "20"]}, "bs": {"BS": [b"x", b"y"]}}
        dynamodb.put_item(TableName=table, Item=sets)
        read = dynamodb.get_item(TableName=table, Key={"id": {"S": "sets"}})["Item"]
        assert set(read["ss"]["SS"]) == {"a", "b"} and set(read["ns"]["NS"]) == {"1", "20"} and set(read["bs"]["BS"]) == {b"x", b"y"}

    def test_an_item_that_is_not_there(self, dynamodb, table):
        assert "Item" not in dynamodb.get_item(TableName=table, Key={"id": {"S": "none"}})
        assert "Attributes" not in dynamodb.delete_item(TableName=table, Key={"id": {"S": "none"}}, ReturnValues="ALL_OLD")

    def test_old_values(self, dynamodb, table):
        dynamodb.put_item(TableName=table, Item={"id": {"S": "a"}, "v": {"N": "1"}})
        old = dynamodb.put_item(TableName=table, Item={"id": {"S": "a"}, "v": {"N": "2"}}, ReturnValues="ALL_OLD")
        assert old["Attributes"] == {"id": {"S": "a"}, "v": {"N": "1"}}
        gone = dynamodb.delete_item(TableName=table, Key={"id": {"S": "a"}}, ReturnValues="ALL_OLD")
        assert gone["Attributes"] == {"id": {"S": "a"}, "v": {"N": "2"}}

    def test_consumed_capacity(self, dynamodb, table):
        put = dynamodb.put_item(TableName=table, Item={"id": {"S": "a"}, "v": {"S": "x" * 1500}}, ReturnConsumedCapacity="TOTAL")
        assert put["ConsumedCapacity"] == {"TableName": table, "CapacityUnits": 2.0}
        got = dynamodb.get_item(TableName=table, Key={"id": {"S": "a"}}, ReturnConsumedCapacity="TOTAL")
        assert got["ConsumedCapacity"]["CapacityUnits"] == 0.5

    @pytest.mark.parametrize(
        ("item", "message"),
        [
            ({"v": {"S": "x"}}, "One or more parameter values were invalid: Missing the key id in the item"),
            ({"id": {"N": "1"}}, "One or more parameter values were invalid: Type mismatch for key id expected: S actual: N"),
            (
                {"id": {"S": ""}},
                "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an "
                "empty string value. Key: id",
            ),
            ({"id": {"S": "a"}, "n": {"N": "abc"}}, "The parameter cannot be converted to a numeric value: abc"),
            (
                {"id": {"S": "a"}, "n": {"N": "1" * 39}},
                "Attempting to store more than 38 significant digits in a Number",
            ),
            (
                {"id": {"S": "a"}, "n": {"N": "1e126"}},
                "Number overflow. Attempting to store a number with magnitude larger than supported range",
            ),
            (
                {"id": {"S": "a"}, "n": {"N": "1e-131"}},
                "Number underflow. Attempting to store a number with magnitude smaller than supported range",
            ),
            ({"id": {"S": "a"}, "s": {"SS": []}}, "One or more parameter values were invalid: An string set  may not be empty"),
            (
                {"id": {"S": "a"}, "s": {"SS": ["x", "x"]}},
                "One or more parameter values were invalid: Input collection [x, x] contains duplicates.",
            ),
            ({"id": {"S": "a"}, "s": {"S": "x" * 409_600}}, "Item size has exceeded the maximum allowed size"),
        ],
    )
    def test_items_that_are_refused(self, dynamodb, table, item, message):
        with refused("ValidationException", message):
            dynamodb.put_item(TableName=table, Item=item)

    def test_a_key_that_is_not_the_table_s(self, dynamodb, table):
        for key in ({"other": {"S": "a"}}, {"id": {"N": "1"}}, {"id": {"S": "a"}, "more": {"S": "b"}}):
            with refused("ValidationException", "The provided key element does not match the schema"):
                dynamodb.get_item(TableName=table, Key=key)

    def test_a_table_that_is_not_there(self, dynamodb):
        key, item = {"id": {"S": "a"}}, {"id": {"S": "a"}}
        for call in (
            lambda: dynamodb.get_item(TableName="none", Key=key),
            lambda: dynamodb.put_item(TableName="none", Item=item),
            lambda: dynamodb.delete_item(TableName="none", Key=key),
            lambda: dynamodb.update_item(TableName="none", Key=key),
            lambda: dynamodb.scan(TableName="none"),
            lambda: dynamodb.batch_get_item(RequestItems={"none": {"Keys": [key]}}),
            lambda: dynamodb.batch_write_item(RequestItems={"none": [{"PutRequest": {"Item": item}}]}),
        ):
            with refused("ResourceNotFoundException", NOT_FOUND):
                call()


class TestConditions:
    @pytest.fixture(autouse=True)
    def the_item(self, resource, table):
        self.table = resource.Table(table)
        self.table.put_item(Item={"id": "a", "n": 5, "s": "hello", "l": [1, 2], "set": {"x", "y"}, "m": {"k": "v"}})

    @pytest.mark.parametrize(
        "condition",
        [
            "attribute_exists(id)",
            "attribute_not_exists(absent)",
            "attribute_type(s, :type)",
            "begins_with(s, :hel)",
            "contains(s, :ell) AND contains(#set, :x) AND contains(l, :two)",
            "size(s) = :five AND size(l) = :two",
            "n BETWEEN :two AND :five",
            "n IN (:two, :five)",
            "NOT n < :two",
            "(n = :two OR n > :two) AND m.k = :v AND l[1] = :two",
            "n <> :two",
        ],
    )
    def test_that_hold(self, condition):
        values = {":type": "S", ":hel": "hel", ":ell": "ell", ":x": "x", ":two": 2, ":five": 5, ":v": "v"}
        used = {name: value for name, value in values.items() if re.search(name + r"\b", condition)}
        arguments = {"ExpressionAttributeNames": {"#set": "set"}} if "#set" in condition else {}
        if used:
            arguments["ExpressionAttributeValues"] = used
        self.table.put_item(Item={"id": "a"}, ConditionExpression=condition, **arguments)
        assert self.table.get_item(Key={"id": "a"})["Item"] == {"id": "a"}

    def test_that_fail(self):
        with refused("ConditionalCheckFailedException", FAILED):
            self.table.put_item(Item={"id": "a"}, ConditionExpression="attribute_not_exists(id)")
        with refused("ConditionalCheckFailedException", FAILED):
            self.table.delete_item(Key={"id": "a"}, ConditionExpression=Attr("n").gt(5))
        with refused("ConditionalCheckFailedException", FAILED):
            self.table.update_item(
                Key={"id": "a"}, UpdateExpression="SET n = :n", ConditionExpression="n = :n", ExpressionAttributeValues={":n": 6}
            )
        assert self.table.get_item(Key={"id": "a"})["Item"]["n"] == 5

    def test_a_failed_one_can_return_the_item(self):
        with pytest.raises(self.table.meta.client.exceptions.ConditionalCheckFailedException) as raised:
            self.table.put_item(
                Item={"id": "a"}, ConditionExpression="attribute_not_exists(id)", ReturnValuesOnConditionCheckFailure="ALL_OLD"
            )
        assert raised.value.response["Item"]["s"] == {"S": "hello"}

    def test_the_older_way(self, dynamodb, table):
        with refused("ConditionalCheckFailedException", FAILED):
            dynamodb.put_item(TableName=table, Item={"id": {"S": "a"}}, Expected={"id": {"Exists": False}})
        dynamodb.put_item(TableName=table, Item={"id": {"S": "b"}}, Expected={"id": {"Exists": False}})
        dynamodb.put_item(
            TableName=table, Item={"id": {"S": "b"}}, Expected={"id": {"ComparisonOperator": "EQ", "AttributeValueList": [{"S": "b"}]}}
        )

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (
                {"ConditionExpression": "n = :v"},
                "Invalid ConditionExpression: An expression attribute value used in expression is not defined; "
                "attribute value: :v",
            ),
            (
                {"ConditionExpression": "attribute_exists(#n)"},
                "Invalid ConditionExpression: An expression attribute name used in the document path is not defined; "
                "attribute name: #n",
            ),
            (
                {"ConditionExpression": "attribute_exists(name)"},
                "Invalid ConditionExpression: Attribute name is a reserved keyword; reserved keyword: name",
            ),
            (
                {"ConditionExpression": "attribute_exists(n)", "ExpressionAttributeValues": {":v": 1}},
                "Value provided in ExpressionAttributeValues unused in expressions: keys: {:v}",
            ),
            (
                {"ConditionExpression": "attribute_exists(n)", "ExpressionAttributeNames": {"#n": "n"}},
                "Value provided in ExpressionAttributeNames unused in expressions: keys: {#n}",
            ),
            (
                {"ConditionExpression": ""},
                "Invalid ConditionExpression: The expression can not be empty;",
            ),
            (
                {"ConditionExpression": "n = = n"},
                'Invalid ConditionExpression: Syntax error; token: "=", near: "= = n"',
            ),
            (
                {"ConditionExpression": "unknown(n)"},
                "Invalid ConditionExpression: Invalid function name; function: unknown",
            ),
            (
                {"ConditionExpression": "attribute_exists(n, s)"},
                "Invalid ConditionExpression: Incorrect number of operands for operator or function; operator or "
                "function: attribute_exists, number of operands: 2",
            ),
        ],
    )
    def test_that_are_malformed(self, arguments, message):
        with refused("ValidationException", message):
            self.table.put_item(Item={"id": "a"}, **arguments)


class TestUpdates:
    @pytest.fixture(autouse=True)
    def the_item(self, resource, table):
        self.table = resource.Table(table)
        self.table.put_item(Item={"id": "a", "n": 5, "l": [1, 2, 3], "set": {"x", "y"}, "m": {"k": "v"}})

    def update(self, expression: str, values: dict | None = None, returns: str = "ALL_NEW", **more) -> dict:
        if values:
            more["ExpressionAttributeValues"] = values
        return self.table.update_item(Key={"id": "a"}, UpdateExpression=expression, ReturnValues=returns, **more).get("Attributes")

    def test_every_clause(self):
        new = self.update(
            "SET n = n + :one, m.#new = if_not_exists(m.absent, :one), l = list_append(l, :tail) REMOVE m.k ADD c :one DELETE #set :x",
            {":one": 1, ":tail": [4], ":x": {"x"}},
            ExpressionAttributeNames={"#new": "new", "#set": "set"},
        )
        assert new == {"id": "a", "n": 6, "l": [1, 2, 3, 4], "set": {"y"}, "m": {"new": 1}, "c": 1}

    def test_elements_of_lists(self):
        assert self.update("SET l[0] = :v, l[9] = :v", {":v": 9})["l"] == [9, 2, 3, 9]
        assert self.update("REMOVE l[1], l[2]")["l"] == [9, 9]

    def test_operands_are_those_before_the_update(self):
        assert self.update("SET n = :v, former = n", {":v": 7})["former"] == 5

    def test_what_is_returned(self):
        assert self.update("SET n = :v", {":v": 1}, "UPDATED_OLD") == {"n": 5}
        assert self.update("SET n = :v", {":v": 2}, "UPDATED_NEW") == {"n": 2}
        assert self.update("SET n = :v", {":v": 3}, "ALL_OLD")["n"] == 2
        assert self.update("SET n = :v", {":v": 4}, "NONE") is None

    def test_an_item_is_made(self):
        answer = self.table.update_item(
            Key={"id": "new"}, UpdateExpression="ADD n :one", ExpressionAttributeValues={":one": Decimal("1.5")}, ReturnValues="ALL_NEW"
        )
        assert answer["Attributes"] == {"id": "new", "n": Decimal("1.5")}

    def test_the_older_way(self, dynamodb, table):
        dynamodb.update_item(
            TableName=table,
            Key={"id": {"S": "a"}},
            AttributeUpdates={"n": {"Action": "ADD", "Value": {"N": "2"}}, "m": {"Action": "DELETE"}, "z": {"Value": {"S": "z"}}},
        )
        read = dynamodb.get_item(TableName=table, Key={"id": {"S": "a"}})["Item"]
        assert read["n"] == {"N": "7"} and "m" not in read and read["z"] == {"S": "z"}

    @pytest.mark.parametrize(
        ("expression", "values", "message"),
        [
            ("SET id = :v", {":v": "b"}, "One or more parameter values were invalid: Cannot update attribute id. This attribute is part of the key"),
            (
                "SET n = :v, n = :v",
                {":v": 1},
                "Invalid UpdateExpression: Two document paths overlap with each other; must remove or rewrite one of these "
                "paths; path one: [n], path two: [n]",
            ),
            ("SET m.a.b = :v", {":v": 1}, "The document path provided in the update expression is invalid for update"),
            ("SET x = absent", None, "The provided expression refers to an attribute that does not exist in the item"),
            ("SET n = n + :v", {":v": "s"}, "Incorrect operand type for operator or function; operator or function: +, operand type: S"),
            ("ADD m :v", {":v": 1}, "An operand in the update expression has an incorrect data type"),
            ("SET n = :v SET x = :v", {":v": 1}, 'Invalid UpdateExpression: The "SET" section can only be used once in an update expression;'),
        ],
    )
    def test_that_are_refused(self, expression, values, message):
        with refused("ValidationException", re.compile(re.escape(message))):
            self.update(expression, values)


class TestQueries:
    def test_ranges_and_orders(self, orders):
        ann = Key("customer").eq("ann")
        assert numbers(orders.query(KeyConditionExpression=ann)) == [1, 2, 3, 4, 5, 6, 7]
        assert numbers(orders.query(KeyConditionExpression=ann & Key("number").between(2, 4))) == [2, 3, 4]
        assert numbers(orders.query(KeyConditionExpression=ann & Key("number").gt(5))) == [6, 7]
        assert numbers(orders.query(KeyConditionExpression=ann, ScanIndexForward=False, Limit=2)) == [7, 6]
        assert numbers(orders.query(KeyConditionExpression=Key("customer").eq("nobody"))) == []

    def test_pages(self, orders):
        pages = list(
            orders.meta.client.get_paginator("query").paginate(
                TableName=orders.name, KeyConditionExpression=Key("customer").eq("ann"), PaginationConfig={"PageSize": 3}
            )
        )
        assert [numbers(page) for page in pages] == [[1, 2, 3], [4, 5, 6], [7]]
        assert pages[0]["LastEvaluatedKey"] == {"customer": "ann", "number": 3}

    def test_filters_count_what_they_leave_out(self, orders):
        answer = orders.query(KeyConditionExpression=Key("customer").eq("ann"), FilterExpression=Attr("state").eq("open"))
        assert numbers(answer) == [2, 4, 6] and (answer["Count"], answer["ScannedCount"]) == (3, 7)
        counted = orders.query(KeyConditionExpression=Key("customer").eq("ann"), Select="COUNT")
        assert counted["Count"] == 7 and "Items" not in counted

    def test_projections(self, orders):
        answer = orders.query(
            KeyConditionExpression=Key("customer").eq("bea"), ProjectionExpression="#n", ExpressionAttributeNames={"#n": "number"}
        )
        assert answer["Items"] == [{"number": 8}, {"number": 9}, {"number": 10}]

    def test_a_global_index(self, orders):
        answer = orders.query(IndexName="by-state", KeyConditionExpression=Key("state").eq("open"))
        assert numbers(answer) == [2, 4, 6, 8, 10]
        assert set(answer["Items"][0]) == {"customer", "number", "state", "total"}
        orders.update_item(Key={"customer": "ann", "number": 2}, UpdateExpression="REMOVE #s", ExpressionAttributeNames={"#s": "state"})
        orders.delete_item(Key={"customer": "ann", "number": 4})
        assert numbers(orders.query(IndexName="by-state", KeyConditionExpression=Key("state").eq("open"))) == [6, 8, 10]
        with refused("ValidationException", re.compile("Consistent reads are not supported on global secondary indexes")):
            orders.query(IndexName="by-state", KeyConditionExpression=Key("state").eq("open"), ConsistentRead=True)

    def test_a_local_index(self, orders):
        answer = orders.query(IndexName="by-total", KeyConditionExpression=Key("customer").eq("ann") & Key("total").lt(96), ConsistentRead=True)
        assert numbers(answer) == [7, 6, 5] and answer["Items"][0]["note"] == "n7"

    @pytest.mark.parametrize(
        ("condition", "message"),
        [
            ("#number = :v", "Query condition missed key schema element: customer"),
            ("customer > :s", "Query key condition not supported"),
            ("customer = :s AND note = :s", "Query condition missed key schema element: number"),
            ("customer = :v", "One or more parameter values were invalid: Condition parameter type does not match schema type"),
            (
                "customer = :s OR #number = :v",
                "Invalid KeyConditionExpression: Invalid operator used in KeyConditionExpression: OR",
            ),
        ],
    )
    def test_key_conditions_that_are_refused(self, orders, condition, message):
        values = {name: value for name, value in {":v": 1, ":s": "s"}.items() if name in condition}
        more = {"ExpressionAttributeNames": {"#number": "number"}} if "#number" in condition else {}
        with refused("ValidationException", message):
            orders.query(KeyConditionExpression=condition, ExpressionAttributeValues=values, **more)

    def test_filters_on_keys_are_refused(self, orders):
        with refused("ValidationException", re.compile("Filter Expression can only contain non-primary key attributes")):
            orders.query(KeyConditionExpression=Key("customer").eq("ann"), FilterExpression=Attr("number").gt(1))

    def test_the_older_way(self, dynamodb, orders):
        answer = dynamodb.query(
            TableName=orders.name,
            KeyConditions={
                "customer": {"ComparisonOperator": "EQ", "AttributeValueList": [{"S": "ann"}]},
                "number": {"ComparisonOperator": "GE", "AttributeValueList": [{"N": "6"}]},
            },
            QueryFilter={"state": {"ComparisonOperator": "NOT_NULL"}},
        )
        assert [item["number"]["N"] for item in answer["Items"]] == ["6"]

    def test_numbers_sort_as_numbers(self, resource, dynamodb, unique):
        dynamodb.create_table(
            TableName=unique,
            AttributeDefinitions=[{"AttributeName": "p", "AttributeType": "S"}, {"AttributeName": "n", "AttributeType": "N"}],
            KeySchema=[{"AttributeName": "p", "KeyType": "HASH"}, {"AttributeName": "n", "KeyType": "RANGE"}],
            BillingMode="PAY_PER_REQUEST",
        )
        made = resource.Table(unique)
        values = [Decimal(text) for text in ("100", "-1", "0", "9.5", "10", "-20", "1E-20", "123456789E+20")]
        for value in values:
            made.put_item(Item={"p": "p", "n": value})
        assert [item["n"] for item in made.query(KeyConditionExpression=Key("p").eq("p"))["Items"]] == sorted(values)


class TestScans:
    def test_everything_in_pages(self, orders):
        pages = orders.meta.client.get_paginator("scan").paginate(TableName=orders.name, PaginationConfig={"PageSize": 4})
        assert sorted(number for page in pages for number in numbers(page)) == list(range(1, 11))

    def test_segments_are_disjoint_and_complete(self, orders):
        parts = [numbers(orders.scan(Segment=segment, TotalSegments=3)) for segment in range(3)]
        assert sorted(number for part in parts for number in part) == list(range(1, 11))
        with refused("ValidationException", re.compile("TotalSegments parameter is required")):
            orders.scan(Segment=0)

    def test_filters_and_indexes(self, orders):
        answer = orders.scan(FilterExpression=Attr("total").gte(97) & Attr("note").begins_with("n"))
        assert sorted(numbers(answer)) == [1, 2, 3] and answer["ScannedCount"] == 10
        assert sorted(numbers(orders.scan(IndexName="by-state"))) == [2, 4, 6, 8, 10]

    def test_a_page_ends_at_a_megabyte(self, resource, table):
        made = resource.Table(table)
        with made.batch_writer() as batch:
            for index in range(12):
                batch.put_item(Item={"id": str(index), "fill": "x" * 200_000})
        first = made.scan()
        assert 0 < first["Count"] < 12 and first["LastEvaluatedKey"]
        pages = made.meta.client.get_paginator("scan").paginate(TableName=table)
        assert sum(page["Count"] for page in pages) == 12


class TestBatches:
    def test_write_and_get(self, dynamodb, table, unique):
        create(dynamodb, f"{unique}-2")
        written = dynamodb.batch_write_item(
            RequestItems={
                table: [{"PutRequest": {"Item": {"id": {"S": str(index)}, "v": {"N": "1"}}}} for index in range(24)],
                f"{unique}-2": [{"PutRequest": {"Item": {"id": {"S": "x"}}}}],
            }
        )
        assert written["UnprocessedItems"] == {}
        dynamodb.batch_write_item(RequestItems={table: [{"DeleteRequest": {"Key": {"id": {"S": "0"}}}}]})
        got = dynamodb.batch_get_item(
            RequestItems={
                table: {"Keys": [{"id": {"S": str(index)}} for index in range(30)], "ProjectionExpression": "id"},
                f"{unique}-2": {"Keys": [{"id": {"S": "x"}}]},
            }
        )
        assert sorted(int(item["id"]["S"]) for item in got["Responses"][table]) == list(range(1, 24))
        assert got["Responses"][f"{unique}-2"] == [{"id": {"S": "x"}}] and got["UnprocessedKeys"] == {}

    def test_that_are_refused(self, dynamodb, table):
        put = [{"PutRequest": {"Item": {"id": {"S": str(index)}}}} for index in range(26)]
        with refused("ValidationException", re.compile("Too many items requested|less than or equal to 25")):
            dynamodb.batch_write_item(RequestItems={table: put})
        with refused("ValidationException", "Provided list of item keys contains duplicates"):
            dynamodb.batch_write_item(RequestItems={table: [put[0], put[0]]})
        with refused("ValidationException", "Provided list of item keys contains duplicates"):
            dynamodb.batch_get_item(RequestItems={table: {"Keys": [{"id": {"S": "a"}}, {"id": {"S": "a"}}]}})
        with refused("ValidationException", re.compile("Too many items requested|less than or equal to 100")):
            dynamodb.batch_get_item(RequestItems={table: {"Keys": [{"id": {"S": str(index)}} for index in range(101)]}})


class TestTransactions:
    def test_all_or_nothing(self, dynamodb, table):
        dynamodb.put_item(TableName=table, Item={"id": {"S": "there"}, "n": {"N": "1"}})
        dynamodb.transact_write_items(
            TransactItems=[
                {"Put": {"TableName": table, "Item": {"id": {"S": "new"}}, "ConditionExpression": "attribute_not_exists(id)"}},
                {
                    "Update": {
                        "TableName": table,
                        "Key": {"id": {"S": "there"}},
                        "UpdateExpression": "ADD n :one",
                        "ExpressionAttributeValues": {":one": {"N": "1"}},
                    }
                },
                {"ConditionCheck": {"TableName": table, "Key": {"id": {"S": "none"}}, "ConditionExpression": "attribute_not_exists(id)"}},
            ]
        )
        got = dynamodb.transact_get_items(
            TransactItems=[{"Get": {"TableName": table, "Key": {"id": {"S": name}}}} for name in ("new", "there", "none")]
        )
        assert got["Responses"] == [{"Item": {"id": {"S": "new"}}}, {"Item": {"id": {"S": "there"}, "n": {"N": "2"}}}, {}]
        with pytest.raises(dynamodb.exceptions.TransactionCanceledException) as raised:
            dynamodb.transact_write_items(
                TransactItems=[
                    {"Delete": {"TableName": table, "Key": {"id": {"S": "there"}}}},
                    {
                        "Put": {
                            "TableName": table,
                            "Item": {"id": {"S": "new"}},
                            "ConditionExpression": "attribute_not_exists(id)",
                            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
                        }
                    },
                ]
            )
        answer = raised.value.response
        assert answer["Error"]["Message"] == (
            "Transaction cancelled, please refer cancellation reasons for specific reasons [None, ConditionalCheckFailed]"
        )
        assert answer["CancellationReasons"][0] == {"Code": "None"}
        assert answer["CancellationReasons"][1] == {"Code": "ConditionalCheckFailed", "Message": FAILED, "Item": {"id": {"S": "new"}}}
        assert "Item" in dynamodb.get_item(TableName=table, Key={"id": {"S": "there"}})

    def test_one_item_twice(self, dynamodb, table):
        put = {"Put": {"TableName": table, "Item": {"id": {"S": "a"}}}}
        with refused("ValidationException", "Transaction request cannot include multiple operations on one item"):
            dynamodb.transact_write_items(TransactItems=[put, put])

    def test_a_token_makes_it_idempotent(self, dynamodb, table, unique):
        def add(amount: str):
            return dynamodb.transact_write_items(
                ClientRequestToken=unique,
                TransactItems=[
                    {
                        "Update": {
                            "TableName": table,
                            "Key": {"id": {"S": "a"}},
                            "UpdateExpression": "ADD n :v",
                            "ExpressionAttributeValues": {":v": {"N": amount}},
                        }
                    }
                ],
            )

        add("1")
        add("1")
        assert dynamodb.get_item(TableName=table, Key={"id": {"S": "a"}})["Item"]["n"] == {"N": "1"}
        with refused("IdempotentParameterMismatchException"):
            add("2")


class TestWhoMay:
    def test_nobody_without_permission(self, server, table, make_user):
        user = make_user()
        client = server.client("dynamodb", user.credentials)
        key = {"id": {"S": "a"}}
        for action, call in (
            ("GetItem", lambda: client.get_item(TableName=table, Key=key)),
            ("PutItem", lambda: client.put_item(TableName=table, Item=key)),
            ("UpdateItem", lambda: client.update_item(TableName=table, Key=key)),
            ("DeleteItem", lambda: client.delete_item(TableName=table, Key=key)),
            ("Scan", lambda: client.scan(TableName=table)),
            ("DescribeTable", lambda: client.describe_table(TableName=table)),
            ("DeleteTable", lambda: client.delete_table(TableName=table)),
            ("BatchGetItem", lambda: client.batch_get_item(RequestItems={table: {"Keys": [key]}})),
            ("BatchWriteItem", lambda: client.batch_write_item(RequestItems={table: [{"PutRequest": {"Item": key}}]})),
        ):
            with denied(user.arn, f"dynamodb:{action}", arn_of(table)):
                call()
        with denied(user.arn, "dynamodb:CreateTable", arn_of("new-table")):
            create(client, "new-table")
        with refused("AccessDeniedException", re.compile("dynamodb:ListTables")):
            client.list_tables()

    def test_a_missing_table_is_not_told_to_who_may_not_read_it(self, server, make_user):
        user = make_user()
        with denied(user.arn, "dynamodb:GetItem", arn_of("no-such-table")):
            server.client("dynamodb", user.credentials).get_item(TableName="no-such-table", Key={"id": {"S": "a"}})

    def test_the_scope_of_a_table_and_its_indexes(self, server, dynamodb, orders, make_user):
        user = make_user([allow(["dynamodb:Query", "dynamodb:GetItem"], arn_of(orders.name))])
        client = server.client("dynamodb", user.credentials)
        query = {"ExpressionAttributeValues": {":v": {"S": "ann"}}, "TableName": orders.name}
        assert client.query(**query, KeyConditionExpression="customer = :v")["Count"] == 7
        with denied(user.arn, "dynamodb:Query", f"{arn_of(orders.name)}/index/by-total"):
            client.query(**query, IndexName="by-total", KeyConditionExpression="customer = :v")

    def test_one_permission_a_table_of_a_batch(self, server, dynamodb, table, make_user, unique):
        create(dynamodb, f"{unique}-2")
        user = make_user([allow("dynamodb:BatchWriteItem", arn_of(table))])
        client = server.client("dynamodb", user.credentials)
        put = [{"PutRequest": {"Item": {"id": {"S": "a"}}}}]
        client.batch_write_item(RequestItems={table: put})
        with denied(user.arn, "dynamodb:BatchWriteItem", arn_of(f"{unique}-2")):
            client.batch_write_item(RequestItems={table: put, f"{unique}-2": put})

    def test_a_transaction_needs_the_permissions_of_its_parts(self, server, table, make_user):
        user = make_user([allow(["dynamodb:PutItem"], arn_of(table))])
        client = server.client("dynamodb", user.credentials)
        put = {"Put": {"TableName": table, "Item": {"id": {"S": "a"}}}}
        client.transact_write_items(TransactItems=[put])
        with denied(user.arn, "dynamodb:ConditionCheckItem", arn_of(table)):
            client.transact_write_items(
                TransactItems=[
                    put,
                    {"ConditionCheck": {"TableName": table, "Key": {"id": {"S": "b"}}, "ConditionExpression": "attribute_not_exists(id)"}},
                ]
            )

    def test_leading_keys(self, server, table, make_user):
        user = make_user(
            [
                statement(
                    "Allow",
                    Action=["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:BatchGetItem", "dynamodb:Query"],
                    Resource=arn_of(table),
                    Condition={"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["${aws:username}"]}},
                )
            ]
        )
        client = server.client("dynamodb", user.credentials)
        own, other = {"id": {"S": user.name}}, {"id": {"S": "somebody"}}
        client.put_item(TableName=table, Item=own)
        assert client.get_item(TableName=table, Key=own)["Item"] == own
        for call in (
            lambda: client.get_item(TableName=table, Key=other),
            lambda: client.put_item(TableName=table, Item=other),
        ):
            with refused("AccessDeniedException"):
                call()
        with denied(user.arn, "dynamodb:BatchGetItem", arn_of(table)):
            client.batch_get_item(RequestItems={table: {"Keys": [own, other]}})
        client.query(TableName=table, KeyConditionExpression="id = :v", ExpressionAttributeValues={":v": own["id"]})
        with denied(user.arn, "dynamodb:Query", arn_of(table)):
            client.query(TableName=table, KeyConditionExpression="id = :v", ExpressionAttributeValues={":v": other["id"]})

    def test_attributes(self, server, table, make_user):
        user = make_user(
            [
                statement(
                    "Allow",
                    Action="dynamodb:GetItem",
                    Resource=arn_of(table),
                    Condition={
                        "ForAllValues:StringEquals": {"dynamodb:Attributes": ["id", "open"]},
                        "StringEqualsIfExists": {"dynamodb:Select": "SPECIFIC_ATTRIBUTES"},
                    },
                )
            ]
        )
        client = server.client("dynamodb", user.credentials)
        client.get_item(TableName=table, Key={"id": {"S": "a"}}, ProjectionExpression="id, #o", ExpressionAttributeNames={"#o": "open"})
        for more in ({}, {"ProjectionExpression": "id, secret"}):
            with denied(user.arn, "dynamodb:GetItem", arn_of(table)):
                client.get_item(TableName=table, Key={"id": {"S": "a"}}, **more)

    def test_an_explicit_deny_and_a_boundary(self, server, dynamodb, table, make_user, unique):
        user = make_user([allow("dynamodb:*"), statement("Deny", Action="dynamodb:Delete*", Resource=arn_of(table))])
        client = server.client("dynamodb", user.credentials)
        with denied(user.arn, "dynamodb:DeleteItem", arn_of(table), explicit=True):
            client.delete_item(TableName=table, Key={"id": {"S": "a"}})
        iam = server.client("iam")
        boundary = iam.create_policy(PolicyName=f"b-{unique}", PolicyDocument=document(allow("dynamodb:GetItem")))["Policy"]["Arn"]
        iam.put_user_permissions_boundary(UserName=user.name, PermissionsBoundary=boundary)
        client.get_item(TableName=table, Key={"id": {"S": "a"}})
        with denied(user.arn, "dynamodb:PutItem", arn_of(table), "boundary"):
            client.put_item(TableName=table, Item={"id": {"S": "a"}})

    def test_a_table_with_tags_needs_the_permission_to_tag(self, server, make_user, unique):
        user = make_user(
            [
                allow("dynamodb:CreateTable"),
                statement(
                    "Allow", Action="dynamodb:TagResource", Resource="*", Condition={"StringEquals": {"aws:RequestTag/team": "orders"}}
                ),
            ]
        )
        client = server.client("dynamodb", user.credentials)
        with refused("AccessDeniedException", re.compile("dynamodb:TagResource")):
            create(client, unique, Tags=[{"Key": "team", "Value": "other"}])
        create(client, unique, Tags=[{"Key": "team", "Value": "orders"}])


def test_with_the_cli(server, table):
    server.aws("dynamodb", "put-item", "--table-name", table, "--item", '{"id":{"S":"a"},"n":{"N":"1"}}')
    got = json.loads(server.aws("dynamodb", "get-item", "--table-name", table, "--key", '{"id":{"S":"a"}}').stdout)
    assert got["Item"] == {"id": {"S": "a"}, "n": {"N": "1"}}
    done = server.aws(
        "dynamodb", "put-item", "--table-name", table, "--item", '{"id":{"S":"a"}}',
        "--condition-expression", "attribute_not_exists(id)", check=False,
    )  # fmt: skip
    assert done.returncode != 0 and "ConditionalCheckFailedException" in done.stderr


def test_with_the_resource(orders):
    assert orders.item_count >= 0 and orders.table_status == "ACTIVE"
    assert {"customer": "ann", "number": Decimal(1), "total": Decimal(99), "note": "n1"} in orders.scan()["Items"]
