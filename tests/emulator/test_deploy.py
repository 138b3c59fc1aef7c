"""`bootstrap`, `deploy`, `status` and `history` as people run them, on the embedded AWS, one after the other.

The tests of this module tell one story and run in its order; each starts where the one before ended.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest
from tests_root import ROOT

from manuel_release.rehearsal import workspace
from manuel_release.rehearsal.process import EmbeddedCloud, Options
from manuel_release.rehearsal.visitor import Watcher, send

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.emulator, pytest.mark.story]


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def answer(self) -> Any:
        return json.loads(self.out)


@dataclass
class Desk:
    """A checkout of the service and an embedded AWS that its commands talk to."""

    folder: Path
    cloud: EmbeddedCloud

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-P", "-m", "manuel_release", *arguments]

    def run(self, *arguments: str) -> Ran:
        done = subprocess.run(
            self.command(*arguments),
            cwd=self.folder,
            env=self.cloud.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    def json(self, *arguments: str) -> Any:
        ran = self.run(*arguments, "--output", "json")
        assert ran.code == 0, ran.out + ran.err
        return ran.answer

    def url(self, environment: str = "dev") -> str:
        (status,) = self.json("status", "--env", environment)["environments"]
        found = subprocess.run(
            [sys.executable, "-c", OUTPUTS, status["stack"]],
            env=self.cloud.environment(),
            capture_output=True,
            text=True,
            check=True,
        )
        outputs = json.loads(found.stdout)
        return f"{self.cloud.endpoint}/_aws/execute-api/{outputs['ApiId']}/{outputs['ApiStage']}"

    def serving(self) -> str:
        return send("GET", self.url() + "/health").release

    def edit(self, name: str, old: str, new: str) -> None:
        path = self.folder / name
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))


OUTPUTS = (
    "import boto3, json, sys; s = boto3.client('cloudformation').describe_stacks(StackName=sys.argv[1])['Stacks'][0];"
    "print(json.dumps({o['OutputKey']: o['OutputValue'] for o in s['Outputs']}))"
)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp("desk")
    workspace.copy_tree(ROOT, folder / "service")
    with EmbeddedCloud.start(folder / "cloud", Options()) as cloud:
        yield Desk(folder / "service", cloud)


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
    answer = desk.json("deploy", "--env", "dev")

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
    desk.edit("src/app/manuel/health.py", '"""', '"""A second release. ')
    with Watcher(desk.url() + "/health") as watcher:
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
    desk.edit("src/app/manuel/health.py", '"""', '"""A third release. ')
    with subprocess.Popen(
        desk.command("deploy", "--env", "dev"),
        cwd=desk.folder,
        env=desk.cloud.environment() | {"CI": ""},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as deploy:
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
    program = (
        "import boto3; t = boto3.resource('dynamodb').Table('manuel-releases')\n"
        "q = 'environment = :e AND begins_with(entry, :p)'\n"
        "values = {':e': 'dev', ':p': 'lease#'}\n"
        "for i in t.query(KeyConditionExpression=q, ExpressionAttributeValues=values)['Items']:\n"
        "    t.delete_item(Key={'environment': 'dev', 'entry': i['entry']})"
    )
    subprocess.run([sys.executable, "-c", program], env=desk.cloud.environment(), check=True)


def test_production_serves_its_first_release_and_holds_the_second_at_0_percent(desk: Desk) -> None:
    first = desk.json("deploy", "--env", "production", "--yes")
    desk.edit("src/app/manuel/health.py", '"""', '"""Another release. ')
    second = desk.json("deploy", "--env", "prod", "--yes")

    assert (first["release"], first["status"]) == ("r-1", "live")
    assert (second["release"], second["status"], second["environment"]) == ("r-2", "staged", "production")
    answers = {send("GET", desk.url("production") + "/health").release for _ in range(20)}
    assert answers == {"r-1"}


def test_production_is_not_deployed_to_without_a_yes(desk: Desk) -> None:
    desk.edit("src/app/manuel/health.py", '"""', '"""Yet another release. ')

    ran = desk.run("deploy", "--env", "production")

    assert ran.code == 2
    assert "--yes" in ran.err
    releases = desk.json("history", "--env", "production")["releases"]
    assert [release["release"] for release in releases] == ["r-2", "r-1"]


def test_the_state_on_the_screen_fits_80_columns(desk: Desk) -> None:
    done = subprocess.run(
        desk.command("status"),
        cwd=desk.folder,
        env=desk.cloud.environment() | {"COLUMNS": "80"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert max(len(line) for line in done.stdout.splitlines()) <= 80
    assert "production" in done.stdout
