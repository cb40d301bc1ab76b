"""The bucket and the table: every AWS call the function makes is in this file."""

import enum
from datetime import datetime, timezone

from boto3.dynamodb.types import TypeSerializer
from botocore.exceptions import ClientError

serialize = TypeSerializer().serialize


class FileGone(Exception):
    """There is no file under this key any more."""


class FileTooLarge(Exception):
    """The file is larger than an order can be; it was not read."""


class Written(enum.Enum):
    NEW = "written now"
    SAME = "was there already, from the same file"
    CONFLICT = "another order has this number"


def read_file(s3, bucket, key, max_bytes):
    try:
        answer = s3.get_object(Bucket=bucket, Key=key)
    except s3.exceptions.NoSuchKey as error:
        raise FileGone(key) from error
    with answer["Body"] as body:
        if answer["ContentLength"] > max_bytes:
            raise FileTooLarge(f"the file has {answer['ContentLength']} bytes, more than {max_bytes}")
        return body.read()


def move_file(s3, bucket, key, new_key):
    """S3 has no rename. A crash between the two calls leaves a copy; the next delivery overwrites it with the same bytes."""
    s3.copy_object(Bucket=bucket, Key=new_key, CopySource={"Bucket": bucket, "Key": key})
    s3.delete_object(Bucket=bucket, Key=key)
    return new_key


def write_order(dynamodb, table, order, digest, source):
    """Write the order and all its lines in one transaction, unless an order with this number exists."""
    try:
        dynamodb.transact_write_items(TransactItems=[put(table, item) for item in items_of(order, digest, source)])
    except dynamodb.exceptions.TransactionCanceledException as error:
        existing = existing_order(error)
        if existing is None:
            raise
        return Written.SAME if existing["digest"] == {"S": digest} else Written.CONFLICT
    return Written.NEW


def items_of(order, digest, source):
    """The order itself (part ORDER), then one item a line (LINE#001 ...), so that one query reads all of it."""
    yield {
        "order_id": order["order_id"],
        "part": "ORDER",
        "customer_id": order["customer_id"],
        "placed_at": order["placed_at"].astimezone(timezone.utc).isoformat(),
        "received_at": datetime.now(timezone.utc).isoformat(),
        "currency": order["currency"],
        "shipping": order["shipping"],
        "total": order["total"],
        "line_count": len(order["lines"]),
        "digest": digest,
        "source": source,
    }
    for number, line in enumerate(order["lines"], start=1):
        yield {"order_id": order["order_id"], "part": f"LINE#{number:03}", **line}


def put(table, item):
    return {
        "Put": {
            "TableName": table,
            "Item": {name: serialize(value) for name, value in item.items()},
            "ConditionExpression": "attribute_not_exists(order_id)",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
    }


def existing_order(error: ClientError):
    """The order already in the table, or None if the transaction failed for another reason (a conflict, throttling)."""
    reason = error.response.get("CancellationReasons", [{}])[0]
    return reason.get("Item") if reason.get("Code") == "ConditionalCheckFailed" else None
