"""The table and the bucket behind the functions under test."""

from __future__ import annotations

from pathlib import Path
from typing import Any

APP = Path(__file__).resolve().parents[2] / "src" / "app"
TABLE = "manuel-usage-dev"
RATE_TABLE = "manuel-rate-limit-dev"
BUCKET = "manuel-manuals-dev-123456789012-eu-west-1"
AUDIO_BUCKET = "manuel-audio-dev-123456789012-eu-west-1"


def create_table(dynamodb: Any, name: str, keys: tuple[str, ...] = ("user_id", "period")) -> None:
    dynamodb.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
        KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in zip(keys, ("HASH", "RANGE"), strict=False)],
    )
