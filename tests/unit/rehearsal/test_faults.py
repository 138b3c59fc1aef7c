"""Which bad day is meant."""

from __future__ import annotations

import pytest
from tests_root import ROOT

from manuel_release.cli import rehearse
from manuel_release.errors import UsageError
from manuel_release.pipeline.load import load
from manuel_release.rehearsal import faults
from manuel_release.rehearsal.run import Pace, pace_for


@pytest.mark.parametrize(
    ("kind", "stage", "found"),
    [
        ("errors", None, ("errors", "DeployCanary")),
        ("tests", None, ("tests", "IntegrationTestDev")),
        ("stack", "DeployDev", ("stack", "DeployDev")),
        (None, "FullProduction", ("latency", "FullProduction")),
        (None, "CanaryApproval", ("approval", "CanaryApproval")),
        ("observer", "DeployCanary", ("observer", "DeployCanary")),
    ],
)
def test_a_kind_a_stage_or_both_name_a_bad_day(kind, stage, found) -> None:
    fault = faults.chosen(kind, stage)

    assert (fault.kind, fault.stage) == found


def test_what_cannot_go_wrong_there_is_refused_with_what_can() -> None:
    with pytest.raises(UsageError, match=r"latency cannot be rehearsed in Build.*latency: FullProduction"):
        faults.chosen("latency", "Build")


def test_the_command_offers_every_kind() -> None:
    offered = next(option.type for option in rehearse.command.params if option.name == "fault")
    assert tuple(offered.choices) == faults.KINDS


def test_every_bad_day_is_at_an_action_of_the_pipeline_and_has_its_version() -> None:
    known = {action.where for action in load(ROOT).pipeline.actions}

    assert {f"{fault.stage}/{fault.action}" for fault in faults.FAULTS} <= known
    versions = {path.stem for path in (ROOT / "tests/situations/releases").glob("*.patch")}
    assert {fault.version for fault in faults.FAULTS} <= versions


@pytest.mark.parametrize(("stage", "minutes"), [("ProductionApproval", 1440), ("CanaryApproval", 120)])
def test_an_approval_that_nobody_gives_times_out_in_seconds(stage, minutes) -> None:
    pace = pace_for(faults.chosen("approval", stage))

    assert 5 <= pace.approval * minutes <= 30


def test_every_other_day_leaves_people_all_their_time() -> None:
    assert pace_for(None) == pace_for(faults.chosen("errors", None)) == Pace()
