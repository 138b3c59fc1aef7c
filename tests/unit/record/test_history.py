from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manuel_release.model.entry import Entry, EntryKind
from manuel_release.model.release import CanaryStep, Release, ReleaseState, Return
from manuel_release.record import entry_id, releases
from manuel_release.record.history import STATE_AFTER

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
STARTED, STAGED, LIVE = EntryKind.DEPLOY_STARTED, EntryKind.RELEASE_STAGED, EntryKind.RELEASE_LIVE
FAILED, RETURNED = EntryKind.DEPLOY_FAILED, EntryKind.TRAFFIC_RETURNED
CANARY, PROMOTED, EXTENDED = EntryKind.CANARY_STARTED, EntryKind.CANARY_PROMOTED, EntryKind.CANARY_EXTENDED
CANARY_ENDED, ROLLOUT = EntryKind.CANARY_ENDED, EntryKind.ROLLOUT_STARTED
BACK, BACK_DONE, BACK_LEFT = EntryKind.ROLLBACK_STARTED, EntryKind.ROLLED_BACK, EntryKind.ROLLBACK_UNFINISHED
ASIDE = [kind for kind, state in STATE_AFTER.items() if state is None]


def told(*happened, environment="dev", api_stage="v1") -> list[Entry]:
    """Entries a minute apart: (kind, release) or (kind, release, details)."""
    entries = []
    for minute, (kind, release, *details) in zip(count(), happened, strict=False):
        at = NOON + timedelta(minutes=minute)
        entries.append(
            Entry(entry_id(at), environment, api_stage, at, kind, release, "jane", "why", details[0] if details else {})
        )
    return entries


def states(entries) -> dict[str, ReleaseState]:
    return {release.name: release.state for release in releases(entries)}


def test_nothing_has_no_releases() -> None:
    assert releases([]) == ()


def test_a_deploy_without_an_end_is_deploying_with_everything_its_start_says() -> None:
    start = {"digest": "d" * 64, "code_digest": "c" * 64, "commit": "0a1b2c3", "steps": ["Build"]}

    (release,) = releases(told((STARTED, "r-1", start)))

    assert release == Release(
        name="r-1",
        environment="dev",
        api_stage="v1",
        state=ReleaseState.DEPLOYING,
        started_at=NOON,
        by="jane",
        digest="d" * 64,
        code_digest="c" * 64,
        commit="0a1b2c3",
        reason="why",
    )


def test_a_staged_release_holds_no_traffic_and_has_its_versions() -> None:
    (release,) = releases(told((STARTED, "r-1", {"commit": "0a1b2c3"}), (STAGED, "r-1", {"versions": {"f": "2"}})))

    assert (release.state, release.live_at, release.versions) == (ReleaseState.STAGED, None, {"f": "2"})
    assert (release.commit, release.started_at) == ("0a1b2c3", NOON)


def test_a_live_release_says_since_when() -> None:
    (release,) = releases(told((STARTED, "r-1"), (LIVE, "r-1", {"versions": {"f": "2"}})))

    assert (release.state, release.live_at) == (ReleaseState.LIVE, NOON + timedelta(minutes=1))
    assert release.versions == {"f": "2"}


def test_the_next_live_release_replaces_the_one_before() -> None:
    entries = told((STARTED, "r-1"), (LIVE, "r-1"), (STARTED, "r-2"), (LIVE, "r-2"))

    assert states(entries) == {"r-2": ReleaseState.LIVE, "r-1": ReleaseState.REPLACED}


def test_a_release_that_is_only_staged_or_failed_replaces_nothing() -> None:
    entries = told((LIVE, "r-1"), (STARTED, "r-2"), (STAGED, "r-2"), (STARTED, "r-3"), (FAILED, "r-3"))

    assert states(entries) == {
        "r-3": ReleaseState.FAILED,
        "r-2": ReleaseState.STAGED,
        "r-1": ReleaseState.LIVE,
    }


@pytest.mark.parametrize("other", [{"environment": "staging"}, {"api_stage": "v2"}])
def test_a_live_release_elsewhere_replaces_nothing(other) -> None:
    entries = told((LIVE, "r-1")) + told((LIVE, "r-1"), **other)

    assert [release.state for release in releases(entries)] == [ReleaseState.LIVE, ReleaseState.LIVE]


def test_a_failed_deploy_says_why() -> None:
    (release,) = releases(told((STARTED, "r-1"), (FAILED, "r-1", {"step": "Smoke-test", "message": "it answered 500"})))

    assert (release.state, release.failure) == (ReleaseState.FAILED, "it answered 500")


def test_a_deploy_that_is_taken_up_again_keeps_its_beginning_and_forgets_its_failure() -> None:
    (release,) = releases(told((STARTED, "r-1"), (FAILED, "r-1", {"message": "throttled"}), (STARTED, "r-1")))

    assert (release.state, release.failure, release.started_at) == (ReleaseState.DEPLOYING, "", NOON)


def test_returned_traffic_fails_the_release_and_makes_the_named_one_live_again() -> None:
    entries = told(
        (LIVE, "r-1"), (STARTED, "r-2"), (LIVE, "r-2"), (RETURNED, "r-2", {"to": "r-1", "message": "it answered 500"})
    )

    new, old = releases(entries)

    assert (new.state, new.failure) == (ReleaseState.FAILED, "it answered 500")
    assert new.rolled_back_at == NOON + timedelta(minutes=3)
    assert (old.state, old.live_at) == (ReleaseState.LIVE, NOON)


@pytest.mark.parametrize("to", [None, "", "r-99"])
def test_traffic_that_returned_to_nothing_known_makes_nothing_live(to) -> None:
    entries = told((LIVE, "r-1"), (LIVE, "r-2"), (RETURNED, "r-2", {"to": to}))

    assert states(entries) == {"r-2": ReleaseState.FAILED, "r-1": ReleaseState.REPLACED}


def test_traffic_that_returned_leaves_one_release_live_whichever_was_before() -> None:
    entries = told((LIVE, "r-1"), (LIVE, "r-2"), (RETURNED, "r-3", {"to": "r-1"}))

    assert states(entries) == {"r-3": ReleaseState.FAILED, "r-2": ReleaseState.REPLACED, "r-1": ReleaseState.LIVE}


def test_traffic_that_returned_in_one_stage_changes_nothing_in_another() -> None:
    entries = told((LIVE, "r-1"), (LIVE, "r-2"), api_stage="v2") + told((LIVE, "r-1"), (RETURNED, "r-3", {"to": "r-1"}))

    found = {(release.api_stage, release.name): release.state for release in releases(entries)}

    assert found["v2", "r-1"] is ReleaseState.REPLACED
    assert found["v1", "r-1"] is ReleaseState.LIVE


def test_newest_comes_first_and_ten_is_newer_than_nine() -> None:
    at_once = [Entry(entry_id(NOON), "dev", "v1", NOON, STARTED, name, "jane") for name in ("r-9", "r-10", "r-2")]

    assert [release.name for release in releases(at_once)] == ["r-10", "r-9", "r-2"]
    assert [release.name for release in releases(told((LIVE, "r-3"), (LIVE, "r-1")))] == ["r-1", "r-3"]


def test_a_history_whose_beginning_is_missing_is_told_from_its_first_entry() -> None:
    (release,) = releases(told((LIVE, "r-7", {"digest": "d", "versions": {"f": "2"}})))

    assert (release.state, release.started_at, release.digest) == (ReleaseState.LIVE, NOON, "d")


def test_every_kind_of_entry_is_either_about_a_release_or_beside_it() -> None:
    assert set(STATE_AFTER) == set(EntryKind)
    assert EntryKind.LEASE_TAKEN in ASIDE


def test_a_canary_has_its_shares_and_each_override_one_after_the_other() -> None:
    entries = told(
        (LIVE, "r-1"),
        (STAGED, "r-2"),
        (CANARY, "r-2", {"percent": 10, "stable": "r-1"}),
        (PROMOTED, "r-2", {"percent": 50, "override": "the fix cannot wait"}),
    )

    new, old = releases(entries)

    assert (new.state, old.state) == (ReleaseState.CANARY, ReleaseState.LIVE)
    assert new.steps == (
        CanaryStep(10.0, NOON + timedelta(minutes=2), "jane"),
        CanaryStep(50.0, NOON + timedelta(minutes=3), "jane", override="the fix cannot wait"),
    )


def test_an_extended_step_says_until_when_and_changes_no_state() -> None:
    until = NOON + timedelta(hours=2)
    extended = (EXTENDED, "r-2", {"until": until.isoformat(), "seconds": 1800})

    (canary,) = releases(told((CANARY, "r-2", {"percent": 10}), extended))
    (live,) = releases(told((CANARY, "r-2", {"percent": 10}), (LIVE, "r-2"), extended))
    (unknown,) = releases(told((STAGED, "r-2"), extended))

    assert [step.until for step in canary.steps] == [until]
    assert (canary.state, live.state, unknown.state) == (ReleaseState.CANARY, ReleaseState.LIVE, ReleaseState.STAGED)


def test_a_canary_that_was_ended_without_blame_is_staged_again() -> None:
    assert states(told((CANARY, "r-2", {"percent": 10}), (CANARY_ENDED, "r-2", {"to": "r-1"}))) == {
        "r-2": ReleaseState.STAGED
    }


def test_a_rollout_is_one_step_to_100_percent_however_often_it_is_taken_up_again() -> None:
    (release,) = releases(told((CANARY, "r-2", {"percent": 50}), (ROLLOUT, "r-2"), (ROLLOUT, "r-2")))

    assert release.state is ReleaseState.ROLLING_OUT
    assert [step.percent for step in release.steps] == [50.0, 100.0]


def test_only_one_release_has_a_share_beside_the_live_one() -> None:
    entries = told((LIVE, "r-1"), (CANARY, "r-2", {"percent": 10}), (CANARY, "r-3", {"percent": 10}))

    assert states(entries) == {"r-3": ReleaseState.CANARY, "r-2": ReleaseState.STAGED, "r-1": ReleaseState.LIVE}


def test_a_rollback_that_began_has_taken_the_traffic_back_already() -> None:
    entries = told(
        (LIVE, "r-1"),
        (LIVE, "r-2"),
        (BACK, "r-2", {"to": "r-1", "trigger": "manuel-prod-r-2-5xx", "incident": "i-20261123-1202-1f3a"}),
    )

    new, old = releases(entries)

    assert (new.state, old.state) == (ReleaseState.ROLLED_BACK, ReleaseState.LIVE)
    assert new.rolled_back_at == NOON + timedelta(minutes=2)
    assert new.returns == (
        Return(
            at=NOON + timedelta(minutes=2),
            to="r-1",
            by="jane",
            reason="why",
            trigger="manuel-prod-r-2-5xx",
            incident="i-20261123-1202-1f3a",
        ),
    )


def test_what_a_rollback_leaves_to_do_is_said_until_it_is_done() -> None:
    entries = told((BACK, "r-2", {"to": "r-1"}), (BACK_LEFT, "r-2", {"to": "r-1", "left": ["live of f", "unpin"]}))
    (unfinished,) = releases(entries)
    (finished,) = releases([*entries, *told(*[(BACK_DONE, "r-2", {"to": "r-1"})] * 3)[2:]])

    assert unfinished.failure == "left to do: live of f; unpin"
    assert [one.done for one in unfinished.returns] == [False]
    assert finished.failure == ""
    assert [(one.at, one.to, one.done) for one in finished.returns] == [(NOON, "r-1", True)]


def test_a_release_can_be_rolled_back_twice() -> None:
    entries = told(
        (BACK, "r-2", {"to": "r-1"}),
        (BACK_DONE, "r-2", {"to": "r-1"}),
        (LIVE, "r-2"),
        (BACK, "r-2", {"to": "r-1"}),
    )

    (release,) = releases(entries)

    assert [one.done for one in release.returns] == [True, False]
    assert (release.live_at, release.rolled_back_at) == (NOON + timedelta(minutes=2), NOON + timedelta(minutes=3))


def test_a_rollback_that_does_not_know_what_was_bad_still_says_who_serves() -> None:
    entries = told((LIVE, "r-1"), (LIVE, "r-2"), (BACK, "", {"to": "r-1"}))

    assert states(entries) == {"r-2": ReleaseState.REPLACED, "r-1": ReleaseState.LIVE}


def test_a_release_that_a_rollback_went_to_holds_100_percent_from_then_on() -> None:
    old = releases(told((STAGED, "r-1"), (LIVE, "r-2"), (BACK, "r-2", {"to": "r-1"})))[1]

    assert (old.state, old.live_at, old.held_all) == (ReleaseState.LIVE, NOON + timedelta(minutes=2), True)


def test_pruned_releases_say_since_when_and_unknown_ones_are_not_made_up() -> None:
    (release,) = releases(told((LIVE, "r-1"), (EntryKind.RELEASES_PRUNED, "r-12", {"releases": ["r-1", "r-99"]})))

    assert (release.name, release.pruned_at) == ("r-1", NOON + timedelta(minutes=1))


@pytest.mark.parametrize("kind", ASIDE)
def test_what_happens_beside_the_releases_changes_none_of_them(kind) -> None:
    known = told((STARTED, "r-1", {"digest": "d"}), (LIVE, "r-1"), (kind, "r-1", {"digest": "other", "message": "m"}))

    assert releases(known) == releases(known[:2])


def test_what_a_release_was_made_of_is_kept_with_it() -> None:
    (release,) = releases(
        told(
            (STARTED, "r-1", {"override_shared": "the table is empty"}),
            (STAGED, "r-1", {"api_deployment_id": "d-7", "versions": {"f": "2"}}),
            (BACK, "r-1", {"versions": {}}),
        )
    )

    assert (release.override_shared, release.api_deployment_id) == ("the table is empty", "d-7")
    assert release.versions == {"f": "2"}


happenings = st.lists(
    st.tuples(
        st.sampled_from(EntryKind),
        st.sampled_from(["r-1", "r-2", "r-3"]),
        st.fixed_dictionaries({"to": st.sampled_from(["r-1", "r-2", "r-3", ""])}),
    ),
    max_size=12,
)


@given(happenings)
def test_whatever_happened_each_release_appears_once_and_at_most_one_is_live(happened) -> None:
    found = releases(told(*happened))

    assert sorted(release.name for release in found) == sorted(
        {release for kind, release, _ in happened if kind not in ASIDE}
    )
    assert sum(release.state is ReleaseState.LIVE for release in found) <= 1
    assert sum(release.state in {ReleaseState.CANARY, ReleaseState.ROLLING_OUT} for release in found) <= 1


@given(happenings)
def test_two_stages_told_together_are_what_they_are_told_apart(happened) -> None:
    one, other = told(*happened), told(*happened, api_stage="v2")

    together = releases(entry for pair in zip(one, other, strict=True) for entry in pair)

    assert tuple(release for release in together if release.api_stage == "v1") == releases(one)
