"""A session whose clients are real, with botocore's Stubber where the network would be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from botocore.stub import Stubber

from manuel_release.aws import Aws, Session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

REGION = "eu-west-1"


@pytest.fixture(scope="session")
def shared_session() -> Iterator[Session]:
    """One for the run: making a client takes longer than most tests."""
    made = Session(None, REGION, REGION)
    made._botocore.set_credentials("AKIDEXAMPLE", "secret")
    yield made
    made.close()


@pytest.fixture
def session(shared_session: Session) -> Session:
    shared_session._calls.clear()
    return shared_session


@pytest.fixture
def pauses() -> list[float]:
    """What `aws` slept, instead of sleeping."""
    return []


@pytest.fixture
def aws(session: Session, pauses: list[float]) -> Aws:
    return Aws(session, pauses.append)


@pytest.fixture
def stub(session: Session) -> Iterator[Callable[..., Stubber]]:
    """`stub("lambda")` answers that service's calls in order, checks their parameters, and wants each to be made."""
    made: list[Stubber] = []

    def stubbed(service, **how):
        stubber = Stubber(session.client(service, **how))
        stubber.activate()
        made.append(stubber)
        return stubber

    yield stubbed
    for stubber in made:
        stubber.assert_no_pending_responses()
        stubber.deactivate()
