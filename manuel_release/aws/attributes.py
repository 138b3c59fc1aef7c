"""Plain values and DynamoDB's typed ones.

Numbers are text on the wire, so int and float go through without Decimal; DynamoDB keeps 38 digits, a float needs 17.
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_AttributeValue.html
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

Item = dict[str, Any]
"""An item: str, int, float, bool, None, and dicts and lists of them."""


def to_attribute(value: object) -> AttributeValueTypeDef:
    """The typed form of a value; raises TypeError or ValueError for what DynamoDB cannot keep."""
    if isinstance(value, str):
        return {"S": value}
    if value is None:
        return {"NULL": True}
    if isinstance(value, bool):  # before int, which it is as well
        return {"BOOL": value}
    if isinstance(value, (int, float)):
        if not math.isfinite(value):
            raise ValueError(f"DynamoDB has no number {value}")
        return {"N": repr(value)}
    if isinstance(value, dict):
        return {"M": {str(key): to_attribute(each) for key, each in value.items()}}
    if isinstance(value, (list, tuple)):
        return {"L": [to_attribute(each) for each in value]}
    raise TypeError(f"a {type(value).__name__} cannot be kept in DynamoDB")


def from_attribute(attribute: Mapping[str, Any]) -> Any:
    """The plain value of a typed one; a whole number is an int, whatever it was before."""
    kind, value = next(iter(attribute.items()))
    match kind:
        case "S" | "BOOL":
            return value
        case "NULL":
            return None
        case "N":
            return _number(value)
        case "M":
            return {key: from_attribute(each) for key, each in value.items()}
        case "L":
            return [from_attribute(each) for each in value]
        case _:
            raise TypeError(f"the table holds a value of DynamoDB type {kind}, which this product never writes")


def to_item(values: Mapping[str, object]) -> dict[str, AttributeValueTypeDef]:
    """An item as PutItem wants it."""
    return {key: to_attribute(value) for key, value in values.items()}


def from_item(attributes: Mapping[str, Mapping[str, Any]]) -> Item:
    """An item as GetItem returns it, plain."""
    return {key: from_attribute(value) for key, value in attributes.items()}


def _number(text: str) -> int | float:
    try:
        return int(text)
    except ValueError:
        return float(text)
