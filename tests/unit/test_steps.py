"""The pipeline's builds wait their turn, and touch only the release of their own build."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from cli.conftest import EmptyAws
from fakes import Clock
from unit.record.memory_table import MemoryTable

from manuel_release import steps
from manuel_release.errors import Pending, Refused
from manuel_release.flow import PlanRefused
from manuel_release.model.entry import Entry, EntryKind
from manuel_release.model.plan import Refusal
from manuel_release.observing import Observed
from manuel_release.record import Ledger, entry_id
from manuel_release.settings import Settings

NO = Refused("it must not be", hint="not now")


class Desk:
    """As much of an App as the steps use: a ledger in memory, and a clock that moves when somebody sleeps."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.now = self.clock.now
        self.ledger = Ledger(MemoryTable(), self.clock.now)
        self.settings = Settings()
        self.environment = self.settings.environment("production")
        self.said: list[str] = []
        self.tries = 0

    def sleep(self, seconds: float) -> None:
        self.clock.sleep(seconds)

    def write(self, kind: EntryKind, release: str, **details: object) -> None:
        self.sleep(1)  # two entries of one moment have no order
        now = self.now()
        self.ledger.append(Entry(entry_id(now), "production", "v1", now, kind, release, "ann", details=details))

    def try_(self, until, *, seconds=3600.0, own=""):
        """Do something that is refused until `until()` is true."""

        def do() -> str:
            self.tries += 1
            if until():
                return "done"
            raise NO

        return steps.patiently(self, do, seconds, own, self.said.append)


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_what_is_not_refused_is_done_at_once(desk) -> None:
    assert (desk.try_(lambda: True), desk.said) == ("done", [])


def test_it_waits_for_a_lease_and_says_so_once(desk) -> None:
    desk.ledger.acquire("production", "v1", "bob", "a hotfix", 300, "token")

    assert desk.try_(lambda: not desk.ledger.leases("production")) == "done"
    assert len(desk.said) == 1
    assert "bob has the lease of production" in desk.said[0]
    assert "a hotfix" in desk.said[0]


@pytest.fixture
def undecided(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is refused is refused for want of requests."""
    monkeypatch.setattr(NO, "passing", True)


@pytest.mark.usefixtures("undecided")
def test_a_verdict_that_needs_more_requests_is_waited_for(desk) -> None:
    began = desk.now()

    assert desk.try_(lambda: desk.now() - began > timedelta(seconds=200), own="r-4") == "done"
    assert desk.said == ["Waiting: the verdict on the canary needs more requests."]


@pytest.mark.usefixtures("undecided")
def test_it_is_waited_for_no_longer_than_a_step_is_observed_at_the_least(desk) -> None:
    began = desk.now()

    with pytest.raises(Refused):
        desk.try_(lambda: False, own="r-4")
    assert timedelta(seconds=300) <= desk.now() - began < timedelta(seconds=330)


def test_it_waits_for_the_canary_of_an_earlier_execution(desk) -> None:
    desk.write(EntryKind.CANARY_STARTED, "r-4", percent=10, stable="r-3")
    began = desk.now()

    def over() -> bool:
        return desk.now() - began > timedelta(minutes=30)

    assert desk.try_(over) == "done"
    assert desk.said == ["Waiting: r-4 is a canary in production."]


def test_its_own_canary_is_nothing_to_wait_for(desk) -> None:
    desk.write(EntryKind.CANARY_STARTED, "r-4", percent=10, stable="r-3")

    with pytest.raises(Refused):
        desk.try_(lambda: False, own="r-4")
    assert desk.said == []


def test_a_canary_that_ended_is_nothing_to_wait_for(desk) -> None:
    desk.write(EntryKind.CANARY_STARTED, "r-4", percent=10, stable="r-3")
    desk.write(EntryKind.CANARY_ENDED, "r-4", to="r-3")

    with pytest.raises(Refused):
        desk.try_(lambda: False)


@pytest.fixture
def proving(desk) -> Desk:
    """r-4 holds 100 % since a second ago."""
    desk.write(EntryKind.CANARY_STARTED, "r-4", percent=10, stable="r-3")
    desk.write(EntryKind.ROLLOUT_STARTED, "r-4", stable="r-3")
    desk.write(EntryKind.RELEASE_LIVE, "r-4", previous="r-3")
    return desk


def test_the_next_canary_waits_for_the_trial_of_the_release_with_100_percent(proving) -> None:
    began = proving.now()

    def over() -> bool:
        return proving.now() - began >= timedelta(seconds=1800)

    assert proving.try_(over, own="r-5") == "done"
    assert proving.said == [
        f"Waiting: r-4 holds 100 % of production and is on trial until {began + timedelta(seconds=1800):%H:%M:%S} UTC."
    ]
    assert steps.in_the_way(proving, "r-5") is None


@pytest.mark.parametrize("own", ["r-4", ""])
def test_a_trial_is_in_the_way_of_other_canaries_only(proving, own) -> None:
    assert steps.in_the_way(proving, own) is None


def test_a_trial_that_ended_is_nothing_to_wait_for(proving) -> None:
    now = proving.now()
    proving.ledger.beat("production", "v1", "r-4", now, now, "observer")

    assert steps.in_the_way(proving, "r-5") is None


def test_the_trial_of_a_release_that_was_taken_back_is_nothing_to_wait_for(proving) -> None:
    proving.write(EntryKind.ROLLED_BACK, "r-4", to="r-3", receipt={})

    assert steps.in_the_way(proving, "r-5") is None


def test_what_does_not_end_by_itself_is_refused_after_one_more_try(desk) -> None:
    with pytest.raises(Refused):
        desk.try_(lambda: False)
    assert desk.tries == 2


def test_what_ended_between_the_refusal_and_the_look_is_tried_again(desk) -> None:
    assert desk.try_(lambda: desk.tries == 2) == "done"


def test_after_its_patience_it_is_pending(desk) -> None:
    desk.ledger.acquire("production", "v1", "bob", "a hotfix", 7200, "token")

    with pytest.raises(Pending, match="it must not be"):
        desk.try_(lambda: False, seconds=60.0)


def test_a_change_that_must_not_be_made_is_not_waited_for(desk) -> None:
    desk.ledger.acquire("production", "v1", "bob", "a hotfix", 300, "token")

    def do() -> None:
        desk.tries += 1
        raise PlanRefused(None, Refusal("it takes something away", "never"))  # type: ignore[arg-type]

    with pytest.raises(PlanRefused):
        steps.patiently(desk, do, 3600.0, "", desk.said.append)  # type: ignore[arg-type]
    assert desk.tries == 1


@pytest.mark.parametrize(
    ("code", "kinds", "expected"),
    [
        (8, (EntryKind.CANARY_STARTED,), True),
        (8, (EntryKind.CANARY_STARTED, EntryKind.CANARY_ENDED), False),
        (5, (EntryKind.CANARY_STARTED,), False),
        (0, (EntryKind.CANARY_STARTED,), False),
        (8, (), False),
    ],
)
def test_only_a_canary_that_goes_on_without_a_verdict_is_left_to_people(desk, code, kinds, expected) -> None:
    assert desk.ledger.reserve("production", "v1", "ann", desk.now()) == "r-1"
    for kind in kinds:
        desk.write(kind, "r-1", percent=10, stable="r-0", to="r-0")

    assert steps.undecided(desk, Observed("production", "r-1", code, "", "")) is expected


def test_before_the_first_release_everything_in_the_template_is_new(desk, tmp_path) -> None:
    desk.aws = EmptyAws()
    (tmp_path / "packaged-template.yaml").write_text(
        "Resources: {Table: {Type: 'AWS::DynamoDB::Table', Metadata: {Description: A table.}}}"
    )

    document = steps.everything_new(desk, tmp_path)

    assert document is not None
    assert json.loads(json.dumps(document))["resources"] == [
        {"logical_id": "Table", "type": "AWS::DynamoDB::Table", "description": "A table."}
    ]
    assert "manuel-prod does not exist" in document["not_computed"]
