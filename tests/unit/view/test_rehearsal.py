"""The bootstrap's screens and the report of a rehearsal."""

from __future__ import annotations

from dataclasses import replace

import pytest

from manuel_release.model.bootstrap import BootstrapOutcome
from manuel_release.model.outcome import OutcomeStatus
from manuel_release.model.progress import StepResult
from manuel_release.model.rehearsal import Rehearsal, RehearsedAction, RehearsedStage, TrafficSpan
from manuel_release.model.stack import Action, Change, ChangeSet
from manuel_release.view import bootstrap, rehearsal

READY = BootstrapOutcome(
    OutcomeStatus.LIVE,
    "manuel-releases",
    "manuel-artifacts-1-eu-west-1",
    "operations/0123abcd.zip",
    "manuel-release.toml",
    (StepResult("Make ledger and artifact bucket", "done", 12.3456),),
)
DONE = Rehearsal(
    stages=(
        RehearsedStage("v1 to dev", (RehearsedAction("manuel-release deploy --env dev --yes", "done", 18.25),)),
        RehearsedStage(
            "A user", (RehearsedAction("sign up", "done", 0.25), RehearsedAction("upload a manual", "done", 0.5))
        ),
    ),
    seconds=19.0,
    releases={"dev": "r-2", "production": "r-1"},
    facts=("A user uploaded a manual.", "What this is no evidence for: WAF."),
    decided=("dora (devops) approved production: 5 of 5 quality gates passed.",),
    traffic=(
        TrafficSpan(1000.0, 10.0, {"r-1": 200}),
        TrafficSpan(1010.0, 10.0, {"r-1": 90, "r-2": 10}),
        TrafficSpan(1020.0, 10.0, {"r-1": 50, "r-2": 48, "nobody": 2}, failed=2),
        TrafficSpan(1030.0, 10.0, {"r-2": 200}),
    ),
    receipts=(
        {
            "from_release": "r-3",
            "to_release": "r-2",
            "by": "manuel-guard",
            "trigger": "alarm",
            "why": "5xx",
            "seconds_to_traffic_restored": 0.41,
            "seconds_to_last_bad_response": 0.2,
            "api_calls_before_restored": 2,
            "undo_command": "manuel-release rollback --to r-3",
        },
    ),
)
FAILED = replace(
    DONE,
    stages=(*DONE.stages[:1], RehearsedStage("A user", (RehearsedAction("sign up", "failed", 1.0),))),
    releases={},
    failure="the pool is not there",
    kept="somewhere",
)


def test_bootstrap_before_it_is_confirmed(golden, caller):
    changes = (Change(Action.ADD, "LedgerTable", "", "AWS::DynamoDB::Table", description="A table for releases."),)
    found = ChangeSet("cs", "manuel-operations", (*changes, Change(Action.ADD, "Plain", "", "AWS::SNS::Topic")), True)

    golden("bootstrap-changes", bootstrap.ChangesScreen(found, caller))


def test_bootstrap_after_it_has_ended(golden):
    golden("bootstrap-ready", bootstrap.OutcomeScreen(READY))


@pytest.mark.parametrize(
    ("status", "word"), [(OutcomeStatus.LIVE, "ready"), (OutcomeStatus.NOTHING_TO_DO, "nothing_to_do")]
)
def test_the_bootstrap_document_says_where_things_are(status, word):
    assert bootstrap.as_json(replace(READY, status=status)) == {
        "schema_version": 1,
        "status": word,
        "ledger": "manuel-releases",
        "artifact_bucket": "manuel-artifacts-1-eu-west-1",
        "guard": "operations/0123abcd.zip",
        "pipeline": None,
        "settings": "manuel-release.toml",
        "seconds": 12.346,
    }


def test_a_rehearsal_that_was_done(golden):
    golden("rehearsal-done", rehearsal.RehearsalScreen(DONE))


def test_a_rehearsal_that_failed(golden):
    golden("rehearsal-failed", rehearsal.RehearsalScreen(FAILED))


def test_the_rehearsal_document_is_the_one_that_the_design_names():
    document = rehearsal.as_json(DONE)

    assert {"ok", "stages", "release", "rollback", "seconds", "schema_version"} <= document.keys()
    assert (document["ok"], document["release"], document["rollback"]["to_release"]) == (True, "r-1", "r-2")
    assert document["traffic"][1] == {
        "at": "1970-01-01T00:16:50+00:00",
        "seconds": 10.0,
        "answers": {"r-1": 90, "r-2": 10},
        "failed": 0,
    }
    assert document["stages"][1] == {
        "name": "A user",
        "status": "done",
        "seconds": 0.75,
        "actions": [
            {"name": "sign up", "status": "done", "seconds": 0.25},
            {"name": "upload a manual", "status": "done", "seconds": 0.5},
        ],
    }


def test_a_failed_rehearsal_is_not_ok_and_says_where_its_logs_are():
    document = rehearsal.as_json(FAILED)

    assert (document["ok"], document["failure"], document["kept"]) == (False, "the pool is not there", "somewhere")
    assert document["stages"][1]["status"] == "failed"
