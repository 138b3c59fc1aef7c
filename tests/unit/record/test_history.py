from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manuel_release.model.entry import Entry, EntryKind
from manuel_release.model.release import Release, ReleaseState
from manuel_release.record import entry_id, releases

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
STARTED, STAGED, LIVE, FAILED, RETURNED = EntryKind


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

    assert sorted(release.name for release in found) == sorted({release for _, release, _ in happened})
    assert sum(release.state is ReleaseState.LIVE for release in found) <= 1


@given(happenings)
def test_two_stages_told_together_are_what_they_are_told_apart(happened) -> None:
    one, other = told(*happened), told(*happened, api_stage="v2")

    together = releases(entry for pair in zip(one, other, strict=True) for entry in pair)

    assert tuple(release for release in together if release.api_stage == "v1") == releases(one)
