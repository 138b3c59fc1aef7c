"""A clock that is set by hand, and the ledger's two tables."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from moto import mock_aws
from unit.record.memory_table import MemoryTable

from manuel_release.aws import Aws, Session
from manuel_release.record import Ledger

if TYPE_CHECKING:
    from collections.abc import Iterator


class Clock:
    """Tells the time that it was set to."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 23, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def aws() -> Iterator[Aws]:
    session = Session(None, "eu-west-1", "eu-west-1")
    session._botocore.set_credentials("AKIDEXAMPLE", "secret")
    with Aws(session) as made:
        yield made


@pytest.fixture(params=["in memory", "DynamoDB"])
def table(request: pytest.FixtureRequest):
    """Each test that uses it runs twice: what holds for the fake holds for DynamoDB as moto plays it."""
    if request.param == "in memory":
        yield MemoryTable()
        return
    aws: Aws = request.getfixturevalue("aws")
    with mock_aws():
        aws.session.client("dynamodb").create_table(
            TableName="manuel-releases",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[
                {"AttributeName": "environment", "AttributeType": "S"},
                {"AttributeName": "entry", "AttributeType": "S"},
            ],
            KeySchema=[
                {"AttributeName": "environment", "KeyType": "HASH"},
                {"AttributeName": "entry", "KeyType": "RANGE"},
            ],
        )
        yield aws.table("manuel-releases")


@pytest.fixture
def ledger(table, clock: Clock) -> Ledger:
    return Ledger(table, clock)
