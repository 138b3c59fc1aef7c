"""What a test gets: people, a client, and the means to make things fail. Only test_runner.py runs these tests."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

sys.path[:0] = [path for path in [str(Path(__file__).resolve().parent.parent)] if path not in sys.path]

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from integration.suites.client import Client
    from integration.suites.config import Config
    from integration.suites.contract import Contract
    from integration.suites.faults import Faults
    from integration.suites.person import Person
    from integration.suites.session import Session


def pytest_ignore_collect(config: pytest.Config) -> bool | None:
    """These tests need a deployed environment; every other run of pytest passes them by."""
    return None if config.pluginmanager.has_plugin("manuel-suites") else True


@pytest.fixture(scope="session")
def suites(pytestconfig: pytest.Config) -> Session:
    """The run."""
    session: Session | None = pytestconfig.pluginmanager.get_plugin("manuel-suites")
    assert session is not None  # or nothing here would have been collected
    return session


@pytest.fixture(scope="session")
def config(suites: Session) -> Config:
    """The environment's configuration."""
    return suites.config


@pytest.fixture(scope="session")
def contract(suites: Session) -> Contract:
    """The API's contract."""
    return suites.contract


@pytest.fixture(scope="session")
def client(suites: Session) -> Client:
    """Requests without a token."""
    return suites.client


@pytest.fixture(scope="session")
def faults(suites: Session) -> Faults:
    """The dependencies that can be made to fail here."""
    return suites.faults


@pytest.fixture
def people(suites: Session) -> Iterator[Callable[[], Person]]:
    """Makes people: new ones where that is allowed, else the given accounts one after the other. Tidied up after."""
    from integration.suites.person import Person  # noqa: PLC0415 - the path is set above

    config = suites.config
    met: list[tuple[Person, frozenset[str]]] = []

    def make() -> Person:
        if config.make_users:
            person, keep = Person(suites.client, suites.accounts.make(), config.learning_seconds), frozenset[str]()
        else:
            if len(met) >= len(suites.given):
                pytest.skip(f"needs {len(met) + 1} test accounts (MANUEL_TEST_ACCOUNTS), has {len(suites.given)}")
            person = Person(suites.client, suites.given[len(met)], config.learning_seconds)
            keep = frozenset(one["manual_id"] for one in person.manuals())
        met.append((person, keep))
        return person

    yield make
    for person, keep in met:
        if person.uploads:
            person.impatient = False
            suites.leftovers += person.tidy(keep)
        if person.account.made:
            suites.accounts.forget(person.account)


@pytest.fixture
def person(people: Callable[[], Person]) -> Person:
    """Somebody who is signed in."""
    return people()


@pytest.fixture
def other(people: Callable[[], Person], person: Person) -> Person:
    """Somebody else, who is signed in as well."""
    assert person
    return people()
