"""`manuel-release canary`, where AWS is not needed; tests/emulator/test_canary_watch.py has the rest."""

from __future__ import annotations

import json
import os

import pytest

from manuel_release.verdict import ArmCounts
from manuel_release.verdict.replay import RecordedInterval, Recording, write_csv


@pytest.fixture
def file(tmp_path):
    """Two releases: r-7 fails, r-8 does not."""

    def arm(requests: int, errors: int) -> ArmCounts:
        return ArmCounts(requests, 0, errors, (requests, 0), 0.1)

    def recorded(release: str, errors: int) -> Recording:
        times = [10.0 * n for n in range(1, 61)]
        return Recording(release, (), tuple(RecordedInterval(t, arm(900, 1), arm(100, errors)) for t in times))

    path = tmp_path / "releases.csv"
    path.write_text("\n".join(write_csv((recorded("r-7", 10), recorded("r-8", 0)))), encoding="utf-8")
    return path


def test_production_is_meant_where_none_is_named(shell) -> None:
    result = shell("canary", "status")

    assert result.exit_code == 1
    assert "the stack manuel-prod holds no service" in result.stderr


@pytest.mark.parametrize("command", ["status", "watch"])
def test_another_environment_can_be_named(shell, command, monkeypatch) -> None:
    assert "manuel-staging" in shell("canary", command, "--env", "staging").stderr
    assert "manuel-dev" in shell("canary", command, MANUEL_ENV="dev").stderr


def test_an_error_is_one_json_document(shell) -> None:
    document = json.loads(shell("canary", "watch", "--output", "json").stdout)

    assert document["error"]["exit_code"] == 1
    assert document["error"]["hint"]


def test_a_replay_says_what_would_have_been_stopped(shell, file) -> None:
    result = shell("canary", "replay", str(file), "--bad", "r-7")

    assert result.exit_code == 0
    assert "2 releases replayed" in result.stdout
    assert "Of 1 bad releases 1 would have been stopped" in result.stdout
    assert "of 1 good ones 0 would have been stopped for nothing" in result.stdout


def test_a_replay_as_json(shell, file) -> None:
    document = json.loads(shell("canary", "replay", str(file), "--bad", "r-7", "--output", "json").stdout)

    assert {one["release"]: one["value"] for one in document["releases"]} == {"r-7": "bad", "r-8": "good"}
    assert document["summary"]["bad_stopped"] == 1


def test_without_bad_releases_there_is_no_sum(shell, file) -> None:
    document = json.loads(shell("canary", "replay", str(file), "--output", "json").stdout)

    assert document["summary"] is None


def test_the_alpha_of_a_replay_counts(shell, file) -> None:
    def stopped(alpha: str) -> float:
        document = json.loads(shell("canary", "replay", str(file), "--alpha", alpha, "--output", "json").stdout)
        return document["releases"][0]["stopped_at_seconds"]

    assert stopped("0.000000001") > stopped("0.01")


def test_a_release_that_is_not_recorded_cannot_have_been_bad(shell, file) -> None:
    result = shell("canary", "replay", str(file), "--bad", "r-7,r-99")

    assert result.exit_code == 2
    assert "r-99" in result.stderr


def test_the_self_test_cuts_the_stable_arm(shell, file) -> None:
    arguments = ("canary", "replay", str(file), "--self-test", "--runs", "20", "--seed", "2", "--output", "json")
    document = json.loads(shell(*arguments).stdout)

    assert document["runs"] == 20
    assert document["good"] > 15
    assert document["holds"] is True
    assert shell("canary", "replay", str(file), "--self-test", "--runs", "3").stdout.startswith("✔ Self-test")


def test_a_self_test_needs_traffic(shell, tmp_path) -> None:
    path = tmp_path / "short.csv"
    path.write_text("t,arm,weight,requests,errors_4xx,errors_5xx\n10,stable,0.1,5,0,0\n")
    result = shell("canary", "replay", str(path), "--self-test")

    assert result.exit_code == 2
    assert "at least three intervals" in result.stderr


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("t,arm\n1,stable\n", "no column"),
        ("t,arm,weight,requests,errors_4xx,errors_5xx\n10,stable,0.1,many,0,0\n", "line 2"),
        ("t,arm,weight,requests,errors_4xx,errors_5xx\n", "holds no interval"),
        ("t,arm,weight,requests,errors_4xx,errors_5xx\n-10,stable,0,5,0,0\n", "holds no interval"),
    ],
)
def test_a_file_that_is_no_recording_is_a_usage_error(shell, tmp_path, text, told) -> None:
    path = tmp_path / "wrong.csv"
    path.write_text(text)
    result = shell("canary", "replay", str(path))

    assert result.exit_code == 2
    assert told in result.stderr
    assert "--help` shows the columns" in result.stderr


def test_a_file_that_does_not_exist_is_a_usage_error(shell) -> None:
    assert shell("canary", "replay", os.devnull + "/nothing").exit_code == 2
