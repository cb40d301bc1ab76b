"""What an order file must look like, and nothing about where it is kept."""

import hashlib
import json
from datetime import datetime
from decimal import Decimal

import fastjsonschema

MAX_FILE_BYTES = 256 * 1024
# One transaction writes the order and its lines, and DynamoDB takes at most 100 items in one.
MAX_LINES = 99
MAX_TOTAL = Decimal("100000")
DECIMALS = {"CHF": 2, "EUR": 2, "GBP": 2, "JPY": 0, "USD": 2}

# Amounts are strings: a JSON number would pass through binary floating point in most shops' software.
AMOUNT = {"type": "string", "pattern": r"\A[0-9]{1,9}(\.[0-9]{1,2})?\Z"}

check_schema = fastjsonschema.compile(
    {
        "type": "object",
        "required": ["order_id", "customer_id", "placed_at", "currency", "lines", "shipping", "total"],
        "additionalProperties": False,
        "properties": {
            "order_id": {"type": "string", "pattern": r"\A[A-Z0-9-]{1,40}\Z"},
            "customer_id": {"type": "string", "pattern": r"\A[A-Z0-9-]{1,40}\Z"},
            "placed_at": {"type": "string", "maxLength": 40},
            "currency": {"enum": sorted(DECIMALS)},
            "lines": {
                "type": "array",
                "minItems": 1,
                "maxItems": MAX_LINES,
                "items": {
                    "type": "object",
                    "required": ["sku", "quantity", "unit_price"],
                    "additionalProperties": False,
                    "properties": {
                        "sku": {"type": "string", "pattern": r"\A[A-Z0-9-]{1,40}\Z"},
                        "description": {"type": "string", "maxLength": 200},
                        "quantity": {"type": "integer", "minimum": 1, "maximum": 1000},
                        "unit_price": AMOUNT,
                    },
                },
            },
            "shipping": AMOUNT,
            "total": AMOUNT,
        },
    }
)


class InvalidOrder(ValueError):
    """The file is no order this shop takes; the message says why. Trying again cannot help."""


def parse(body):
    """Return the order in `body` (bytes of JSON) with its amounts as Decimal and its time in UTC-comparable form."""
    try:
        order = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise InvalidOrder(f"not JSON: {error}") from error
    try:
        check_schema(order)
    except fastjsonschema.JsonSchemaValueException as error:
        raise InvalidOrder(error.message) from error

    for holder, field in amounts_of(order):
        holder[field] = amount(holder[field], order["currency"])
    order["placed_at"] = moment(order["placed_at"])
    check_total(order)
    return order


def amounts_of(order):
    yield from ((order, "shipping"), (order, "total"))
    yield from ((line, "unit_price") for line in order["lines"])


def amount(text, currency):
    value = Decimal(text)
    if -value.as_tuple().exponent > DECIMALS[currency]:
        raise InvalidOrder(f"{text} has more decimals than {currency} allows")
    return value


def moment(text):
    try:
        value = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidOrder(f"placed_at is no ISO 8601 time: {text}") from error
    if value.tzinfo is None:
        raise InvalidOrder(f"placed_at has no time zone: {text}")
    return value


def check_total(order):
    computed = order["shipping"] + sum(line["quantity"] * line["unit_price"] for line in order["lines"])
    if computed != order["total"]:
        raise InvalidOrder(f"total is {order['total']}, but shipping and lines add up to {computed}")
    if order["total"] > MAX_TOTAL:
        raise InvalidOrder(f"total {order['total']} is over the limit of {MAX_TOTAL}")


def digest(body):
    """Tell a redelivery of the same file from another order with the same number."""
    return hashlib.sha256(body).hexdigest()
