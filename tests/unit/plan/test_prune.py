"""Which releases and versions may be forgotten."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manuel_release.model.release import Release, ReleaseState, Return
from manuel_release.model.traffic import Alias, ApiStage, Canary
from manuel_release.plan.prune import prunable, still_prunable, unnamed

NOW = datetime(2026, 11, 23, 6, tzinfo=UTC)
STAGE = ApiStage("api", "v1", "d1", {"release": "live", "current": "r-15", "previous": "r-14", "candidate": "none"})


def a_release(number: int, state: ReleaseState = ReleaseState.REPLACED, **more) -> Release:
    """A release that held 100 %, unless its state says that it never did; its version is its number."""
    never = {ReleaseState.FAILED, ReleaseState.STAGED, ReleaseState.DEPLOYING, ReleaseState.CANARY}
    live_at = None if state in never else NOW
    fields = {"live_at": live_at, "versions": {"f": str(number)}, **more}
    return Release(f"r-{number}", "production", "v1", state, NOW, "ann", **fields)


def history(**others: Release) -> list[Release]:
    """r-15 to r-1, newest first; `r3=...` takes the place of r-3."""
    return [others.get(f"r{n}", a_release(n)) for n in range(15, 0, -1)]


def chosen(releases=None, stage=STAGE, live=(), keep=10) -> tuple[str, ...]:
    return prunable(releases or history(), stage, live, keep)


def test_the_newest_are_kept_and_the_oldest_go_first() -> None:
    assert chosen() == ("r-1", "r-2", "r-3", "r-4", "r-5")
    assert chosen(keep=14) == ("r-1",)
    assert chosen(keep=15) == ()


def test_nothing_goes_while_the_stage_is_not_known() -> None:
    assert chosen(stage=None) == ()


@pytest.mark.parametrize("variable", ["release", "current", "previous", "candidate"])
def test_what_the_stage_names_stays_however_old_it_is(variable) -> None:
    stage = replace(STAGE, variables={**STAGE.variables, variable: "r-2"})

    assert chosen(stage=stage) == ("r-1", "r-3", "r-4", "r-5")


def test_what_the_canarys_override_names_stays() -> None:
    assert "r-2" not in chosen(stage=replace(STAGE, canary=Canary(0.0, "r-2")))
    assert "r-2" in chosen(stage=replace(STAGE, canary=Canary(0.0, None)))


def test_what_live_is_on_stays_also_where_it_is_only_a_share() -> None:
    assert "r-2" not in chosen(live=[Alias("f", "live", "2")])
    assert "r-2" not in chosen(live=[Alias("f", "live", "15", weights={"2": 0.1})])
    assert "r-2" in chosen(live=[Alias("g", "live", "2")])


@pytest.mark.parametrize("state", [ReleaseState.CANARY, ReleaseState.ROLLING_OUT, ReleaseState.LIVE])
def test_what_the_ledger_says_has_traffic_stays(state) -> None:
    assert "r-2" not in chosen(history(r2=a_release(2, state)))


def test_the_target_of_a_rollback_that_has_not_ended_stays() -> None:
    back = Return(NOW, "r-2", "ann")
    assert "r-2" not in chosen(history(r15=a_release(15, ReleaseState.ROLLED_BACK, returns=(back,))))

    done = replace(back, done=True)
    assert "r-2" in chosen(history(r15=a_release(15, ReleaseState.ROLLED_BACK, returns=(done,))))


def test_releases_that_failed_do_not_push_out_those_that_can_be_gone_back_to() -> None:
    bad = {f"r{n}": a_release(n, ReleaseState.FAILED) for n in range(4, 16)}

    assert chosen(history(**bad), keep=3) == ("r-4", "r-5", "r-6", "r-7", "r-8", "r-9", "r-10", "r-11", "r-12")


def test_what_was_rolled_back_is_nothing_to_go_back_to() -> None:
    bad = {f"r{n}": a_release(n, ReleaseState.ROLLED_BACK) for n in (1, 2)}

    assert chosen(history(**bad), keep=13) == ("r-1", "r-2")


def test_what_was_pruned_is_not_pruned_again() -> None:
    assert chosen(history(r1=a_release(1, pruned_at=NOW))) == ("r-2", "r-3", "r-4", "r-5")


numbers = st.integers(1, 15).map(lambda n: f"r-{n}")


@given(
    st.dictionaries(st.sampled_from(["release", "current", "previous", "candidate"]), numbers),
    st.one_of(st.none(), numbers),
    st.integers(1, 15),
    st.integers(1, 20),
    st.lists(st.sampled_from(ReleaseState), min_size=15, max_size=15),
)
def test_whatever_the_world_nothing_that_serves_or_could_be_gone_back_to_is_chosen(
    variables, override, version, keep, states
) -> None:
    releases = [a_release(15 - n, state) for n, state in enumerate(states)]
    stage = ApiStage("api", "v1", "d", variables, Canary(10.0, override) if override else None)

    gone = set(prunable(releases, stage, [Alias("f", "live", str(version))], keep))

    assert not gone & {*variables.values(), override, f"r-{version}", *(one.name for one in releases[:keep])}
    targets = [one.name for one in releases if one.held_all and one.state is not ReleaseState.ROLLED_BACK]
    assert not gone & set(targets[:keep])


def test_a_release_that_the_stage_names_by_now_is_not_prunable_any_more() -> None:
    assert still_prunable("r-2", STAGE)
    assert not still_prunable("r-14", STAGE)
    assert not still_prunable("r-2", None)


def test_versions_without_a_name_go_except_the_first_and_the_newest() -> None:
    aliases = [Alias("f", "live", "4", weights={"5": 0.1}), Alias("f", "r-9", "9")]

    assert unnamed(tuple(map(str, range(1, 13))), aliases) == ("2", "3", "6", "7", "8", "10", "11")
    assert unnamed(("1",), []) == ()
    assert unnamed((), []) == ()
