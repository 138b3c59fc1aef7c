"""`doctor`, and values from SSM in a deploy, as people run them against an embedded AWS of their own.

The tests of this module tell one story and run in its order. The service is a small stack: one function and a mock API.
"""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from emulator.codedeploy_world import World
from emulator.desk_world import Desk
from emulator.gateway_templates import HELLO, said, template
from emulator.stack_world import Stack, resource
from tests_root import ROOT

from manuel_release.rehearsal.process import EmbeddedCloud, Options

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.emulator, pytest.mark.story]

FUNCTION = "manuel-health-dev"
SECRET = "hunter2-the-secret-itself"
FILES = ("manuel-release.toml", "template.yaml", "operations.yaml", *(p.name for p in ROOT.glob("parameters-*.json")))


class Practice(Desk):
    """The files that a doctor reads, and an embedded AWS."""

    def __init__(self, folder: Path, cloud: EmbeddedCloud, world: World) -> None:
        super().__init__(folder, cloud)
        self.world = world

    def doctor(self, *arguments: str, ends: int = 0) -> dict[tuple[str, str], dict[str, Any]]:
        """The checks by environment and title."""
        done = self.run("doctor", "--output", "json", *arguments)
        assert done.code == ends, done.out + done.err
        return {(check["environment"] or "", check["title"]): check for check in json.loads(done.out)["checks"]}

    def stack(self, name: str) -> Stack:
        made = Stack(self.world)
        made.name = name
        return made


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Practice]:
    folder = tmp_path_factory.mktemp("doctor")
    (folder / "service").mkdir()
    for name in FILES:
        shutil.copy(ROOT / name, folder / "service" / name)
    shutil.copytree(ROOT / "src" / "operations", folder / "service" / "src" / "operations")
    with EmbeddedCloud.start(folder / "cloud", Options()) as cloud, World.of(cloud) as world:
        yield Practice(folder / "service", cloud, world)


def service(**function: Any) -> dict[str, dict[str, Any]]:
    """As far as traffic is concerned: a function with version 1 and `live`, an API, a CodeDeploy application."""
    api = template({**HELLO, "/health": {"get": said("fine")}}, Variables={"release": "live"})["Resources"]
    return {
        **api,
        "Application": resource("CodeDeploy::Application", {"ComputePlatform": "Lambda"}),
        "Health": resource(
            "Lambda::Function",
            {
                "FunctionName": FUNCTION,
                "Runtime": "python3.11",
                "Handler": "index.handler",
                "Role": "arn:aws:iam::123456789012:role/health",
                "MemorySize": 128,
                "Code": {"ZipFile": "def handler(event, context):\n    return {}\n"},
                **function,
            },
        ),
        "First": resource("Lambda::Version", {"FunctionName": {"Ref": "Health"}}),
        "Live": resource(
            "Lambda::Alias",
            {
                "FunctionName": {"Ref": "Health"},
                "FunctionVersion": {"Fn::GetAtt": ["First", "Version"]},
                "Name": "live",
            },
        ),
    }


OUTPUTS = {"ApiId": {"Ref": "Api"}, "ApiStage": "prod", "CodeDeployApplicationName": {"Ref": "Application"}}


def test_without_a_bootstrap_that_is_what_it_says_and_ends_with_4(desk: Practice) -> None:
    found = desk.doctor(ends=4)

    bootstrap = found["", "Bootstrap"]
    assert (bootstrap["level"], "manuel-release bootstrap" in bootstrap["hint"]) == ("error", True)
    assert [check["level"] for check in found.values()].count("error") == 1
    assert f"sends every call to {desk.cloud.endpoint}" in found["", "Region"]["message"]
    assert found["", "Credentials"]["message"].startswith("root of account 123456789012")
    assert (found["", "Clock"]["level"], found["", "Clock"]["message"]) == ("ok", "it agrees with AWS's")


def test_without_credentials_it_ends_with_4_and_looks_at_the_machine(desk: Practice) -> None:
    done = desk.run("doctor", "--output", "json", AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="")
    levels = {check["title"]: check["level"] for check in json.loads(done.out)["checks"]}

    assert done.code == 4
    assert (levels["Credentials"], levels["Bootstrap"], levels["AWS"]) == ("error", "skipped", "skipped")
    assert (levels["SAM CLI"], levels["Template"], levels["Parameters"]) == ("ok", "ok", "ok")


def test_a_bootstrapped_account_without_stacks_is_fine(desk: Practice) -> None:
    assert desk.run("bootstrap", "--yes").code == 0

    found = desk.doctor()
    assert {check["level"] for check in found.values()} == {"ok"}
    assert "manuel-release deploy --env dev" in found["dev", "Stack"]["message"]


def test_other_settings_than_those_in_ssm_are_told(desk: Practice) -> None:
    path = desk.folder / "manuel-release.toml"
    text = path.read_text()
    path.write_text(text + "\n[smoke.manuel-new]\nmethod = 'GET'\npath = '/'\nstatus = 200\n")
    found = desk.doctor("--env", "dev")
    path.write_text(text)

    assert found["", "Settings in SSM"]["level"] == "warning"


def test_a_service_that_is_as_it_should_be_is_fine(desk: Practice) -> None:
    assert desk.stack("manuel-dev").put(service(), OUTPUTS) == "CREATE_COMPLETE"
    found = desk.doctor("--env", "dev")

    assert {check["level"] for check in found.values()} == {"ok"}
    assert found["dev", "Aliases"]["message"].startswith("1 function has `live`")
    assert "/prod/health answers HTTP 200" in found["dev", "Public URL"]["message"]
    assert "as the template says" in found["dev", "Drift"]["message"]


def test_a_function_that_was_changed_by_hand_is_drift(desk: Practice) -> None:
    desk.world.lambda_.update_function_configuration(FunctionName=FUNCTION, MemorySize=512)
    drift = desk.doctor("--env", "dev")["dev", "Drift"]
    desk.world.lambda_.update_function_configuration(FunctionName=FUNCTION, MemorySize=128)

    assert (drift["level"], drift["message"]) == ("warning", "Health (AWS::Lambda::Function) differs in /MemorySize")
    assert "REVERT_DRIFT" in drift["hint"]


def test_weights_that_nobody_moves_are_an_error_with_the_command_that_clears_them(desk: Practice) -> None:
    desk.world.lambda_.update_function_configuration(FunctionName=FUNCTION, Description="second")
    second = desk.world.lambda_.publish_version(FunctionName=FUNCTION)["Version"]
    weights = {"AdditionalVersionWeights": {second: 0.5}}
    desk.world.lambda_.update_alias(FunctionName=FUNCTION, Name="live", RoutingConfig=weights)
    aliases = desk.doctor("--env", "dev", ends=1)["dev", "Aliases"]
    desk.world.lambda_.update_alias(FunctionName=FUNCTION, Name="live", RoutingConfig={"AdditionalVersionWeights": {}})

    assert aliases["level"] == "error"
    assert f"--function-name {FUNCTION} --name live" in aliases["hint"]


def test_a_function_without_live_is_an_error(desk: Practice) -> None:
    desk.world.lambda_.delete_alias(FunctionName=FUNCTION, Name="live")
    aliases = desk.doctor("--env", "dev", ends=1)["dev", "Aliases"]
    desk.world.lambda_.create_alias(FunctionName=FUNCTION, Name="live", FunctionVersion="1")

    assert aliases["message"] == f"`live` is missing on {FUNCTION}: the API answers 500 for them"


def test_a_stack_that_was_never_made_says_why_and_what_to_run(desk: Practice) -> None:
    taken = resource("SSM::Parameter", {"Name": "/manuel/operations/ledger", "Type": "String", "Value": "x"})
    assert desk.stack("manuel-staging").put({"Taken": taken}) == "ROLLBACK_COMPLETE"
    stack = desk.doctor("--env", "staging", ends=1)["staging", "Stack"]

    assert "already exists" in stack["message"]
    assert "aws cloudformation delete-stack --stack-name manuel-staging" in stack["hint"]
    assert "manuel-release deploy --env staging" in stack["hint"]


def test_an_api_that_is_gone_is_an_error_of_its_url(desk: Practice) -> None:
    done = desk.run("doctor", "--env", "dev", "--output", "json", MANUEL_API_URL=desk.cloud.endpoint + "/nothing")
    (url,) = [check for check in json.loads(done.out)["checks"] if check["title"] == "Public URL"]

    assert (done.code, url["level"]) == (1, "error")


def test_a_bucket_and_a_table_that_are_gone_are_errors(desk: Practice) -> None:
    ledger = desk.world.ssm.get_parameter(Name="/manuel/operations/ledger")["Parameter"]["Value"]
    desk.world.ssm.put_parameter(Name="/manuel/operations/ledger", Value="nothing", Overwrite=True)
    desk.world.ssm.put_parameter(Name="/manuel/operations/artifacts", Value="no-such-bucket-of-ours", Overwrite=True)
    found = desk.doctor("--env", "dev", ends=4)
    bucket = "manuel-artifacts-123456789012-eu-west-1"
    desk.world.ssm.put_parameter(Name="/manuel/operations/ledger", Value=ledger, Overwrite=True)
    desk.world.ssm.put_parameter(Name="/manuel/operations/artifacts", Value=bucket, Overwrite=True)

    assert (found["", "Ledger"]["level"], found["", "Artifacts"]["level"]) == ("error", "error")
    assert "table nothing does not exist" in found["", "Ledger"]["message"]
    assert "the ledger does not tell" in found["dev", "Aliases"]["message"]


def test_the_report_on_the_screen_fits_80_columns(desk: Practice) -> None:
    done = desk.run("doctor", COLUMNS="80")

    assert max(len(line) for line in done.out.splitlines()) <= 80
    assert done.out.splitlines()[-1].startswith("✖ 1 error")


ARTIFACT = """
Parameters:
  Environment: {Type: String}
  ApiVersionStage: {Type: String, Default: v1}
  ReleaseId: {Type: String, Default: r-1}
  Key: {Type: String, NoEcho: true}
Resources:
  Kept:
    Type: AWS::SSM::Parameter
    Metadata: {Description: A parameter that keeps what the functions sign with.}
    Properties: {Name: /manuel/prod/kept, Type: String, Value: !Ref Key}
"""


def _texts(desk: Practice) -> str:
    """Everything that the ledger and the bucket keep, and what the other commands say."""
    items = desk.world.dynamodb.scan(TableName="manuel-releases")["Items"]
    bucket = "manuel-artifacts-123456789012-eu-west-1"
    objects = [
        desk.world.s3.get_object(Bucket=bucket, Key=each["Key"])["Body"].read().decode(errors="replace")
        for each in desk.world.s3.list_objects_v2(Bucket=bucket).get("Contents", [])
    ]
    said_later = [desk.run(*command.split(), "--output", "json").out for command in ("status", "history", "doctor")]
    return json.dumps([items, objects, said_later], default=str)


def _artifact(desk: Practice, text: str) -> str:
    folder = desk.folder / "artifact"
    folder.mkdir(exist_ok=True)
    (folder / "packaged-template.yaml").write_text(text)
    (folder / "artifact.json").write_text('{"code_digest": "c0de", "commit": "abc1234"}')
    values = {"Parameters": {"Environment": "prod", "Key": "ssm:/manuel/key"}, "Tags": {"team": "manuel"}}
    (folder / "parameters-production.json").write_text(json.dumps(values))
    return str(folder)


def test_a_secret_in_ssm_that_the_template_would_show_is_refused(desk: Practice) -> None:
    desk.world.ssm.put_parameter(Name="/manuel/key", Value=SECRET, Type="SecureString")
    folder = _artifact(desk, ARTIFACT.replace(", NoEcho: true", ""))
    done = desk.run("deploy", "--env", "production", "--artifact", folder, "--dry-run")

    assert done.code == 2
    assert "NoEcho: true" in done.err
    assert SECRET not in done.out + done.err


def test_a_secret_in_ssm_reaches_the_stack_and_nothing_else(desk: Practice) -> None:
    folder = _artifact(desk, ARTIFACT)
    shown = [
        desk.run("deploy", "--env", "production", "--artifact", folder, "--dry-run", "--verbose", *more)
        for more in ((), ("--output", "json"))
    ]
    done = desk.run("deploy", "--env", "production", "--artifact", folder, "--yes", "--verbose")

    assert [one.code for one in shown] == [0, 0], shown
    assert "holds no service" in done.err  # as far as a stack without functions gets
    assert desk.world.ssm.get_parameter(Name="/manuel/prod/kept")["Parameter"]["Value"] == SECRET
    assert SECRET not in "".join(one.out + one.err for one in (*shown, done))
    assert SECRET not in _texts(desk)
    (stack,) = desk.world.cloudformation.describe_stacks(StackName="manuel-prod")["Stacks"]
    assert {"Key": "team", "Value": "manuel"} in stack["Tags"]


def test_codepipelines_form_is_refused_with_a_secret_in_it_and_the_flat_one_keeps_the_reference(desk: Practice) -> None:
    (desk.folder / "template.yaml").write_text(ARTIFACT)
    (desk.folder / "parameters-production.json").write_text('{"Environment": "prod", "Key": "ssm:/manuel/key"}')
    pipeline = desk.run("parameters", "--env", "production")
    flat = desk.run("parameters", "--env", "production", "--form", "flat")

    assert (pipeline.code, pipeline.out) == (2, "")
    assert json.loads(flat.out)["Key"] == "ssm:/manuel/key"
    assert SECRET not in pipeline.err + flat.out
