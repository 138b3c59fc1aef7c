"""`bootstrap`, `deploy`, `status` and `history` as people run them, on the embedded AWS, one after the other.

The tests of this module tell one story and run in its order; each starts where the one before ended.
"""

from __future__ import annotations

import json
import os
import re
from datetime import datetime
from typing import TYPE_CHECKING

import pytest
from emulator.desk_world import Desk
from emulator.watcher import Watcher

from manuel_release.rehearsal.visitor import send

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.emulator, pytest.mark.story]


def edit(desk: Desk, name: str, old: str, new: str) -> None:
    """Change a file of the checkout in its first fitting place."""
    path = desk.folder / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with Desk.of_checkout(tmp_path_factory.mktemp("deploy")) as made:
        yield made


def test_before_a_bootstrap_deploy_names_the_command_to_run(desk: Desk) -> None:
    ran = desk.run("deploy", "--env", "dev")

    assert ran.code == 4
    assert "manuel-release bootstrap" in ran.err
    assert ran.out == ""


def test_a_bootstrap_off_a_terminal_needs_a_yes(desk: Desk) -> None:
    ran = desk.run("bootstrap")

    assert ran.code == 2
    assert "--yes" in ran.err


def test_bootstrap_makes_what_releases_need_and_again_is_nothing_to_do(desk: Desk) -> None:
    first, second = desk.json("bootstrap", "--yes"), desk.json("bootstrap", "--yes")

    assert first["ledger"] == "manuel-releases"
    assert re.fullmatch(r"manuel-artifacts-\d{12}-eu-west-1", first["artifact_bucket"])
    assert second["status"] == "nothing_to_do"


def test_a_dry_run_shows_every_resource_and_leaves_nothing(desk: Desk) -> None:
    answer = desk.json("deploy", "--env", "dev", "--dry-run")

    assert answer["status"] == "planned"
    assert answer["plan"]["creates_stack"]
    sentences = {change["logical_id"]: change["description"] for change in answer["plan"]["changes"]}
    assert sentences["HealthFunction"].startswith("A function")
    (status,) = desk.json("status", "--env", "dev")["environments"]
    assert status["stack_status"] is None


def test_the_first_release_serves_the_public_url(desk: Desk) -> None:
    answer = desk.json("deploy", "--env", "dev", "--no-build")

    assert (answer["release"], answer["status"]) == ("r-1", "live")
    assert send("GET", answer["url"] + "/health").release == "r-1"


def test_nothing_changed_is_nothing_to_do(desk: Desk) -> None:
    answer = desk.json("deploy", "--env", "dev")

    assert (answer["release"], answer["status"]) == ("r-1", "nothing_to_do")


def test_status_and_history_are_the_documents_that_the_design_names(desk: Desk) -> None:
    (status,) = desk.json("status", "--env", "dev")["environments"]
    (release,) = desk.json("history", "--env", "dev")["releases"]

    named = {"name", "stack", "stack_status", "live_release", "pinned_release", "canary", "alarms", "lease", "freeze"}
    assert named <= status.keys()
    assert (status["name"], status["stack"], status["live_release"]) == ("dev", "manuel-dev", "r-1")
    assert (status["canary"], status["pinned_release"], status["lease"]) == (None, None, None)
    assert status["pending_approvals"] == []
    assert {alarm["name"].startswith("manuel-dev-") for alarm in status["alarms"]} == {True}
    wanted = {"release", "commit", "state", "started_at", "live_at", "rolled_back_at", "by", "reason"}
    assert wanted <= release.keys()
    assert (release["release"], release["state"], release["rolled_back_at"]) == ("r-1", "live", None)
    assert len(release["commit"]) == 40
    assert datetime.fromisoformat(release["started_at"]) < datetime.fromisoformat(release["live_at"])


def test_a_second_release_replaces_the_first_and_no_request_fails(desk: Desk) -> None:
    edit(desk, "src/app/manuel/health.py", '"""', '"""A second release. ')
    with Watcher(desk.api_url() + "/health") as watcher:
        answer = desk.json("deploy", "--env", "dev", "--reason", "second")

    assert (answer["release"], answer["previous_release"]) == ("r-2", "r-1")
    assert watcher.failures == []
    assert set(watcher.answers) == {"r-1", "r-2"}
    assert desk.serving() == "r-2"
    newest, older = desk.json("history", "--env", "dev")["releases"]
    assert (newest["release"], newest["state"], newest["reason"]) == ("r-2", "live", "second")
    assert (older["release"], older["state"]) == ("r-1", "replaced")
    assert newest["commit"].endswith("-dirty")


def test_a_function_that_fails_its_smoke_test_gets_no_traffic(desk: Desk) -> None:
    source = (desk.folder / "src/app/manuel/usage.py").read_text()
    (desk.folder / "src/app/manuel/usage.py").write_text("raise RuntimeError('planted')\n")
    ran = desk.run("deploy", "--env", "dev")
    (desk.folder / "src/app/manuel/usage.py").write_text(source)

    assert ran.code == 1
    assert "manuel-usage-dev:r-3" in ran.err
    assert "planted" in ran.err
    assert desk.serving() == "r-2"


def test_a_stack_that_fails_says_why_and_leaves_the_old_release(desk: Desk) -> None:
    template = (desk.folder / "template.yaml").read_text()
    broken = "  Clash:\n    Type: AWS::SSM::Parameter\n    Metadata: {Description: A parameter that clashes.}\n"
    broken += "    Properties: {Name: /manuel/operations/ledger, Type: String, Value: x}\n"
    (desk.folder / "template.yaml").write_text(re.sub(r"\nResources:\n", f"\nResources:\n{broken}", template))
    ran = desk.run("deploy", "--env", "dev")
    (desk.folder / "template.yaml").write_text(template)

    assert ran.code == 1
    assert "A parameter that clashes." in ran.err
    assert "already exists" in ran.err
    assert "run the same command again" in ran.err
    assert desk.serving() == "r-2"
    newest = desk.json("history", "--env", "dev")["releases"][0]
    assert newest["state"] == "failed"


def test_wrong_parameters_are_all_said_before_anything_is_called(desk: Desk) -> None:
    path = desk.folder / "wrong.json"
    path.write_text(
        json.dumps({"Environment": "dev", "LambdaMemorySize": "1", "EnableXRayTracng": "true", "DailyQuotaLimit": "-1"})
    )

    ran = desk.run("deploy", "--env", "dev", "--parameters", "wrong.json")

    assert ran.code == 2
    for text in ("LambdaMemorySize must be", "is EnableXRayTracing meant?", "DailyQuotaLimit must be at least"):
        assert text in ran.err


def test_a_killed_deploy_is_shown_and_gone_on_with(desk: Desk) -> None:
    edit(desk, "src/app/manuel/health.py", '"""', '"""A third release. ')
    with desk.start("deploy", "--env", "dev", CI="") as deploy:
        assert deploy.stderr is not None
        for line in deploy.stderr:
            if line.startswith("Update the stack"):
                os.kill(deploy.pid, 9)
    (status,) = desk.json("status", "--env", "dev")["environments"]
    unfinished = desk.json("history", "--env", "dev")["releases"][0]
    assert unfinished["state"] == "deploying"
    assert status["lease"] is not None

    refused = desk.run("deploy", "--env", "dev")

    assert refused.code == 3
    assert "manuel-release" in refused.err or "expires" in refused.err
    assert desk.serving() == "r-2"


def test_when_the_lease_has_expired_the_same_release_is_finished(desk: Desk) -> None:
    began = desk.json("history", "--env", "dev")["releases"][0]["release"]
    _expire_lease(desk)

    answer = desk.json("deploy", "--env", "dev")

    assert (answer["release"], answer["status"]) == (began, "live")
    assert desk.serving() == began


def _expire_lease(desk: Desk) -> None:
    table, key = desk.client("dynamodb"), {"environment": {"S": "dev"}, "entry": {"S": "lease#dev"}}
    assert "Item" in table.get_item(TableName="manuel-releases", Key=key)
    table.delete_item(TableName="manuel-releases", Key=key)


def test_production_serves_its_first_release_and_holds_the_second_at_0_percent(desk: Desk) -> None:
    first = desk.json("deploy", "--env", "production", "--yes", "--no-build")
    edit(desk, "src/app/manuel/health.py", '"""', '"""Another release. ')
    second = desk.json("deploy", "--env", "prod", "--yes")

    assert (first["release"], first["status"]) == ("r-1", "live")
    assert (second["release"], second["status"], second["environment"]) == ("r-2", "staged", "production")
    answers = {send("GET", desk.api_url("manuel-prod") + "/health").release for _ in range(20)}
    assert answers == {"r-1"}


def test_production_is_not_deployed_to_without_a_yes(desk: Desk) -> None:
    edit(desk, "src/app/manuel/health.py", '"""', '"""Yet another release. ')

    ran = desk.run("deploy", "--env", "production")

    assert ran.code == 2
    assert "--yes" in ran.err
    releases = desk.json("history", "--env", "production")["releases"]
    assert [release["release"] for release in releases] == ["r-2", "r-1"]


def test_the_state_on_the_screen_fits_80_columns(desk: Desk) -> None:
    done = desk.run("status", COLUMNS="80")

    assert max(len(line) for line in done.out.splitlines()) <= 80
    assert "production" in done.out
