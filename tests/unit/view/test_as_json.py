"""The documents that scripts read, key by key."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone

from manuel_release.model.outcome import DeployOutcome, OutcomeStatus
from manuel_release.view import as_json


def test_status_has_the_documented_keys(troubled):
    document = as_json.status((troubled,))

    assert list(document) == ["schema_version", "environments"]
    assert document["schema_version"] == 1
    (one,) = document["environments"]
    assert one | {"unfinished": []} == {
        "name": "production",
        "api_stage": "v1",
        "condition": "attention",
        "stack": "manuel-prod",
        "stack_status": "UPDATE_ROLLBACK_COMPLETE",
        "live_release": "r-17",
        "pinned_release": "r-14",
        "canary": {"release": "r-18", "percent": 10.0, "actual_percent": None},
        "traffic_drift": "",
        "alarms": [
            {"name": "manuel-prod-errors-too-high", "state": "ALARM"},
            {"name": "manuel-prod-b", "state": "OK"},
            {"name": "manuel-prod-latency-too-high", "state": "ALARM"},
        ],
        "lease": None,
        "freeze": {
            "by": "bob",
            "reason": "fair in Cologne",
            "since": "2026-03-02T09:00:00Z",
            "until": "2026-03-05T14:00:00Z",
        },
        "pending_approvals": ["DevOps"],
        "unfinished": [],
        "staged_release": "r-18",
        "serving_differs": [
            {"function": "manuel-usage-prod", "alias": "live", "version": "7", "expected_version": "9"}
        ],
        "note": "the alarms of r-18 could not be read",
    }
    assert [release["release"] for release in one["unfinished"]] == ["r-19"]


def test_what_is_not_there_is_null(empty):
    (one,) = as_json.status((empty,))["environments"]

    for key in ("stack_status", "live_release", "pinned_release", "canary", "lease", "freeze", "staged_release"):
        assert one[key] is None
    assert one["alarms"] == one["pending_approvals"] == one["unfinished"] == one["serving_differs"] == []
    assert one["condition"] == "empty"


def test_a_lease_is_told_without_its_token(busy):
    (one,) = as_json.status((busy,))["environments"]

    assert one["lease"] == {
        "holder": "bob (bob@build-7)",
        "reason": "deploy 1111111aaaaa",
        "taken_at": "2026-03-02T13:58:00Z",
        "expires_at": "2026-03-02T14:13:00Z",
    }


def test_history_has_the_documented_keys(releases):
    document = as_json.history(releases)

    assert list(document) == ["schema_version", "releases"]
    assert document["releases"][2] == {
        "release": "r-17",
        "environment": "production",
        "api_stage": "v1",
        "commit": "3333333aaaaaaa-dirty",
        "state": "live",
        "started_at": "2026-03-01T12:00:00Z",
        "live_at": "2026-03-01T13:00:00Z",
        "rolled_back_at": None,
        "by": "alice (alice@laptop)",
        "reason": "The quota counter no longer loses a request when two arrive at once",
        "failure": "",
        "digest": "d17",
        "code_digest": "c17",
        "versions": {"manuel-health-prod": "17"},
        "api_deployment_id": "",
        "override_shared": "",
        "canary_steps": [],
        "rollbacks": [],
        "pruned_at": None,
    }
    assert document["releases"][4]["rolled_back_at"] == "2026-02-27T16:00:00Z"
    assert document["releases"][3]["failure"].startswith("smoke test")


def test_a_deploy_tells_plan_steps_and_seconds(staged):
    document = as_json.deployed(staged)

    plan = document.pop("plan")
    assert document == {
        "schema_version": 1,
        "environment": "production",
        "api_stage": "v1",
        "release": "r-14",
        "previous_release": "r-13",
        "status": "staged",
        "message": "",
        "url": "https://abc123.execute-api.eu-west-1.amazonaws.com/v1",
        "seconds": 61.75,
        "steps": [
            {"name": "Update the stack", "status": "done", "seconds": 61.5, "detail": "6 resources"},
            {"name": "Publish versions and release aliases", "status": "skipped", "seconds": 0.25, "detail": ""},
        ],
        "next_command": "manuel-release status --env production",
    }
    changes = plan.pop("changes")
    assert plan == {
        "commit": "9d01c22f00ba4de9d01c22f00ba4de9d01c22f00-dirty",
        "digest": "d" * 64,
        "code_digest": "c" * 64,
        "stack": "manuel-prod",
        "creates_stack": False,
        "refusal": None,
        "override_shared": "",
        "steps": [
            "Update the stack",
            "Publish versions and release aliases",
            "Smoke-test the release by direct invocation",
        ],
        "serves_at_end": False,
        "warnings": ["red before this deploy, and so not watched by it: manuel-prod-health-errors-too-high"],
    }
    assert changes[4] == {
        "action": "Modify",
        "logical_id": "ManualsBucketNotificationPermission",
        "physical_id": "x",
        "type": "AWS::Lambda::Permission",
        "replacement": "True",
        "properties": ["SourceArn"],
        "description": "Lets the manuals bucket call the function",
        "area": "shared",
        "subject": "permissions",
        "effect": "breaking",
        "iam": True,
        "objection": "is replaced by a new one",
        "overridable": True,
        "kept_in_aws": False,
        "differences": None,
    }
    assert [(change["area"], change["effect"]) for change in changes[:2]] == [
        ("functions", "in_place"),
        ("shared", "additive"),
    ]


def test_nothing_to_do_has_no_plan():
    document = as_json.deployed(DeployOutcome("dev", "v1", "r-3", OutcomeStatus.NOTHING_TO_DO, message="same digest"))

    assert document["plan"] is None
    assert (document["status"], document["seconds"], document["steps"]) == ("nothing_to_do", 0, [])


def test_times_are_utc_wherever_they_were_taken(releases):
    berlin = timezone(timedelta(hours=2))
    release = replace(releases[0], started_at=datetime(2026, 7, 1, 1, 30, tzinfo=berlin))

    assert as_json.history((release,))["releases"][0]["started_at"] == "2026-06-30T23:30:00Z"
