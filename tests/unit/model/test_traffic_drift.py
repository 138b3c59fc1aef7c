"""Whether the stage's canary is what the ledger said last."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from manuel_release.model.canary_run import CanaryRun, Share
from manuel_release.model.entry import Entry, EntryKind
from manuel_release.model.traffic import ApiStage, Canary
from manuel_release.model.traffic_drift import traffic_drift

AT = datetime(2026, 11, 23, 6, tzinfo=UTC)
MOVED = datetime(2026, 11, 23, 6, 30, tzinfo=UTC)
STAGE = ApiStage("api1", "v1", "d1", {"release": "live", "current": "r-1"}, updated_at=MOVED)
AT_10 = CanaryRun("r-2", "r-1", (Share(10.0, AT, "ann", EntryKind.CANARY_STARTED),))


def entry(kind: EntryKind, **details: object) -> Entry:
    return Entry("e", "production", "v1", AT, kind, "r-2", "ann", "", details)


def with_canary(percent: float, release: str | None = "r-2") -> ApiStage:
    return replace(STAGE, canary=Canary(percent, release))


ENDED = replace(AT_10, ended=entry(EntryKind.CANARY_ENDED))
FLIPPED = replace(AT_10, rollout=entry(EntryKind.ROLLOUT_STARTED, order="flip"))
GRADUAL = replace(AT_10, rollout=entry(EntryKind.ROLLOUT_STARTED, order="gradual"))


@pytest.mark.parametrize(
    ("stage", "run"),
    [
        (STAGE, None),
        (STAGE, ENDED),
        (with_canary(10.0), AT_10),
        (with_canary(10.0), GRADUAL),
        (with_canary(100.0), FLIPPED),
        (with_canary(0.0), None),  # gives nobody anything
        (with_canary(0.0), ENDED),
    ],
)
def test_a_stage_that_is_as_the_ledger_says_has_none(stage: ApiStage, run: CanaryRun | None) -> None:
    assert traffic_drift(stage, run) == ""


@pytest.mark.parametrize(
    ("stage", "run", "found", "said"),
    [
        (with_canary(25.0), AT_10, "the stage gives r-2 25 %", "by the ledger r-2 has 10 % (ann, 2026-11-23 06:00:00"),
        (with_canary(10.0, "r-3"), AT_10, "the stage gives r-3 10 %", "by the ledger r-2 has 10 %"),
        (with_canary(10.0, None), AT_10, "the stage gives no release 10 %", "by the ledger r-2 has 10 %"),
        (with_canary(0.0), AT_10, "the stage has no canary", "by the ledger r-2 has 10 %"),
        (STAGE, AT_10, "the stage has no canary", "by the ledger r-2 has 10 %"),
        (with_canary(10.0), None, "the stage gives r-2 10 %", "by the ledger there is no canary"),
        (with_canary(10.0), ENDED, "the stage gives r-2 10 %", "by the ledger the canary of r-2 ended"),
        (with_canary(10.0), FLIPPED, "the stage gives r-2 10 %", "by the ledger r-2 has 100 %"),
    ],
)
def test_what_somebody_else_moved_is_told_with_both_sides_and_when(
    stage: ApiStage, run: CanaryRun | None, found: str, said: str
) -> None:
    told = traffic_drift(stage, run)

    assert told.startswith(f"{found}, and {said}")
    assert told.endswith("somebody else moved the traffic; the stage was last changed at 2026-11-23 06:30:00 UTC")


def test_a_rollback_that_has_pinned_the_stage_is_no_drift() -> None:
    pinned = replace(with_canary(0.0, "r-1"), variables={"release": "r-1", "current": "r-1"})

    assert traffic_drift(pinned, AT_10) == ""


def test_the_last_act_of_a_rollout_is_no_drift_while_its_entry_is_not_written() -> None:
    held = replace(STAGE, variables={"release": "live", "current": "r-2", "previous": "r-1"})

    assert traffic_drift(held, GRADUAL) == ""
