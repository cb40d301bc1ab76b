"""Lambda handler: one S3 event in, every order file it names checked, stored once and filed away."""

import json
import os
from urllib.parse import unquote_plus

import boto3

import orders
import storage

INCOMING, ACCEPTED, REJECTED = "incoming/", "accepted/", "rejected/"

TABLE_NAME = os.environ["TABLE_NAME"]
s3 = boto3.client("s3")
dynamodb = boto3.client("dynamodb")


def handler(event, context):
    """Return how many files were accepted, duplicate, rejected or ignored, and why.

    An error that a retry may cure (throttling, a missing permission) is raised: Lambda then delivers the event again, and
    the conditional write makes that harmless.
    """
    results = [handle_record(record, context.aws_request_id) for record in event.get("Records", [])]
    counts = {outcome: 0 for outcome in ("accepted", "duplicate", "rejected", "ignored")}
    for result in results:
        counts[result["outcome"]] += 1
    return {**counts, "files": results}


def handle_record(record, request_id):
    bucket = record["s3"]["bucket"]["name"]
    # S3 writes keys in events the way HTML forms do: a space is "+", the rest percent-encoded.
    key = unquote_plus(record["s3"]["object"]["key"])
    result = {"key": key, **take_in(record["eventName"], bucket, key)}
    log(result["outcome"], request_id, bucket=bucket, **{k: v for k, v in result.items() if k != "outcome"})
    return result


def take_in(event_name, bucket, key):
    if not event_name.startswith("ObjectCreated:") or not key.startswith(INCOMING):
        return {"outcome": "ignored", "reason": f"{event_name} is not a new file under {INCOMING}"}

    try:
        body = storage.read_file(s3, bucket, key, orders.MAX_FILE_BYTES)
    except storage.FileGone:
        # A redelivery after the file was moved: the first delivery did the work.
        return {"outcome": "duplicate", "reason": "the file was already filed away"}
    except storage.FileTooLarge as error:
        return reject(bucket, key, str(error))

    try:
        order = orders.parse(body)
    except orders.InvalidOrder as error:
        return reject(bucket, key, str(error))

    written = storage.write_order(dynamodb, TABLE_NAME, order, orders.digest(body), f"s3://{bucket}/{key}")
    if written is storage.Written.CONFLICT:
        return reject(bucket, key, f"order {order['order_id']} exists with other content", order["order_id"])

    moved_to = storage.move_file(s3, bucket, key, ACCEPTED + key.removeprefix(INCOMING))
    outcome = "accepted" if written is storage.Written.NEW else "duplicate"
    return {"outcome": outcome, "order_id": order["order_id"], "moved_to": moved_to}


def reject(bucket, key, reason, order_id=None):
    moved_to = storage.move_file(s3, bucket, key, REJECTED + key.removeprefix(INCOMING))
    result = {"outcome": "rejected", "reason": reason, "moved_to": moved_to}
    return result if order_id is None else {**result, "order_id": order_id}


def log(outcome, request_id, **fields):
    level = "WARNING" if outcome == "rejected" else "INFO"
    print(json.dumps({"level": level, "message": f"order file {outcome}", "request_id": request_id, **fields}), flush=True)
