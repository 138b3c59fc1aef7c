"""What the pipeline's next step has to do about the release of its build."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from manuel_release.model.release import CanaryStep, Release, ReleaseState
from manuel_release.pipeline.standing import Need, standing

NOW = datetime(2026, 3, 2, 14, tzinfo=UTC)
STEP = (CanaryStep(10.0, NOW, "ann"),)


def release(name, state=ReleaseState.STAGED, code="code", stage="v1", steps=()):
    return Release(name, "production", stage, state, NOW, "ann", code_digest=code, steps=steps)


@pytest.mark.parametrize(
    ("state", "steps", "need"),
    [
        (ReleaseState.STAGED, (), Need.SHARE),
        (ReleaseState.STAGED, STEP, Need.SHARE),
        (ReleaseState.CANARY, STEP, Need.JUDGEMENT),
        (ReleaseState.ROLLING_OUT, STEP, Need.JUDGEMENT),
        (ReleaseState.LIVE, STEP, Need.JUDGEMENT),
        (ReleaseState.LIVE, (), Need.NOTHING),
        (ReleaseState.ROLLED_BACK, STEP, Need.A_PERSON),
        (ReleaseState.REPLACED, STEP, Need.A_PERSON),
        (ReleaseState.FAILED, (), Need.A_PERSON),
        (ReleaseState.DEPLOYING, (), Need.A_PERSON),
    ],
)
def test_the_state_says_what_is_needed(state, steps, need) -> None:
    found = standing([release("r-2", state, steps=steps)], "v1", "code")

    assert found is not None
    assert (found.release, found.need) == ("r-2", need)
    assert found.serves is (state is ReleaseState.LIVE)


def test_the_newest_release_of_this_very_build_counts() -> None:
    known = [release("r-5", code="other"), release("r-4", stage="v2"), release("r-3"), release("r-2")]

    found = standing(known, "v1", "code")

    assert found is not None
    assert found.release == "r-3"


def test_a_build_that_was_never_deployed_has_no_standing() -> None:
    assert standing([release("r-1", code="other")], "v1", "code") is None
