"""The people of a run: how many sign in, and that what they had before is theirs afterwards."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest
from integration.performance import run
from integration.performance.cohort import Cohort, NotReadyError
from integration.performance.plans import SCENARIOS
from integration.suites.accounts import Account

if TYPE_CHECKING:
    from integration.suites.config import Config


@dataclass
class Reply:
    status: int
    json: dict[str, Any]
    code: str = ""


@dataclass
class Api:
    """A client of a service whose people have manuals; `knows` is what a question is answered from."""

    manuals: dict[str, list[str]]
    sources: list[str] = field(default_factory=lambda: ["kettle"])
    asked: list[tuple[str, str]] = field(default_factory=list)
    undeletable: bool = False

    def send(self, method: str, path: str, *, token: str, **_: Any) -> Reply:
        self.asked.append((method, path))
        mine = self.manuals.setdefault(token, [])
        if path == "/api/manuals/upload":
            return Reply(400, {"error": {"code": "invalid_request"}})
        if method == "DELETE":
            if self.undeletable:
                raise ConnectionResetError
            mine.remove(path.rpartition("/")[2])
            return Reply(204, {})
        if path == "/api/query":
            return Reply(200, {"sources": self.sources})
        return Reply(200, {"manuals": [{"manual_id": one} for one in mine], "next_cursor": None})


@dataclass
class People:
    """Accounts, given ones or made."""

    emails: list[str]
    made: int = 0
    closed: bool = False
    leftovers: list[str] = field(default_factory=list)

    def given(self) -> list[Account]:
        return [self._account(one, made=False) for one in self.emails]

    def make(self) -> Account:
        self.made += 1
        return self._account(f"made-{self.made}@example.com", made=True)

    def close(self) -> None:
        self.closed = True
        self.leftovers.append("user made-1@example.com: denied")

    def _account(self, email: str, *, made: bool) -> Account:
        return Account(email, "password", made, email, "access", "refresh")


def cohort(config: Config, api: Api, people: People) -> Cohort:
    return Cohort(config, people, api)  # type: ignore[arg-type]


def test_as_many_people_are_made_as_are_wanted(config: Config) -> None:
    made = cohort(replace(config, make_users=True), Api({}), People(["given@example.com"]))

    made.gather(3)

    assert made.tokens == [f"made-{number}@example.com" for number in (1, 2, 3)]


def test_given_accounts_are_all_used_and_none_are_made(config: Config) -> None:
    given = cohort(config, Api({}), People(["a@example.com", "b@example.com"]))

    given.gather(9)

    assert given.tokens == ["a@example.com", "b@example.com"]


def test_without_any_account_the_way_out_is_named(config: Config) -> None:
    with pytest.raises(NotReadyError, match="MANUEL_TEST_ACCOUNTS"):
        cohort(config, Api({}), People([])).gather(1)


def test_what_a_given_account_had_before_it_still_has_afterwards(config: Config) -> None:
    api = Api({"a@example.com": ["old", "new"]})
    given = cohort(config, api, People(["a@example.com"]))
    given.gather(1)
    given.people[0].uploads = True
    given._kept["a@example.com"] = frozenset({"old"})

    given.leave()

    assert api.manuals == {"a@example.com": ["old"]}


def test_what_cannot_be_taken_away_is_told_and_the_accounts_are_closed_all_the_same(config: Config) -> None:
    people = People([])
    made = cohort(replace(config, make_users=True), Api({"made-1@example.com": ["m"]}, undeletable=True), people)
    made.gather(1)
    made.people[0].uploads = True
    made._kept["made-1@example.com"] = frozenset()

    made.leave()

    assert people.closed
    assert [one.partition(":")[0] for one in made.leftovers] == [
        "manuals of made-1@example.com",
        "user made-1@example.com",
    ]


def test_a_manual_that_cannot_be_uploaded_is_said(config: Config) -> None:
    given = cohort(config, Api({}), People(["a@example.com"]))
    given.gather(1)

    with pytest.raises(NotReadyError, match="the question cannot be asked"):
        given.learn()


def test_every_scenario_is_asked_once_before_the_crowd_comes(config: Config) -> None:
    api = Api({})
    given = cohort(config, api, People(["a@example.com"]))
    given.gather(1)

    given.warm_up(SCENARIOS)

    assert api.asked == [(one.method, one.path) for one in SCENARIOS]


@pytest.mark.parametrize(
    ("make_users", "profile", "left_out"),
    [(True, "smoke", set()), (False, "smoke", {"query"}), (False, "full", set())],
)
def test_given_accounts_are_spared_questions_in_the_smoke_profile(
    config: Config, make_users: bool, profile: str, left_out: set[str]
) -> None:
    chosen, why = run.scenarios(replace(config, make_users=make_users, profile=profile))

    assert set(why) == left_out
    assert {one.name for one in chosen} == {one.name for one in SCENARIOS} - left_out
