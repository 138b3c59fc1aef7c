"""Every dead end of a deploy as people and scripts meet it: the exact words, and the next command.

The errors come out of the code that raises them, on an AWS in memory or on recorded answers. The embedded AWS gets into
those that it can in tests/emulator/test_dead_ends.py. After a wanted change:

    WRITE_GOLDEN=1 .venv/bin/pytest tests/unit/test_dead_ends.py && git diff tests/unit/golden
"""

from __future__ import annotations

import io
import os
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.stub import Stubber
from click.testing import CliRunner
from deploy_world import World

from manuel_release.app import App
from manuel_release.aws import Aws, Session
from manuel_release.cli import COMMANDS, root
from manuel_release.errors import ReleaseError
from manuel_release.model.options import GlobalOptions, Output
from manuel_release.model.stack import VALIDATION_FAILED, Action, Change, PropertyChange, Replacement, Stack, StackEvent
from manuel_release.model.traffic import Alias, Canary
from manuel_release.settings import Settings
from manuel_release.view.console import Screen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

GOLDEN = Path(__file__).parent / "golden" / "dead-ends"
FUNCTION_ARN = "arn:aws:lambda:eu-west-1:123456789012:function:manuel-health-dev"

DEAD_ENDS: dict[str, Callable[[World, pytest.MonkeyPatch], Any]] = {}


def dead_end(get_into: Callable[[World, pytest.MonkeyPatch], Any]) -> Callable[[World, pytest.MonkeyPatch], Any]:
    DEAD_ENDS[get_into.__name__.replace("_", "-")] = get_into
    return get_into


def live(world: World) -> None:
    """r-1 serves, and the next artifact is another one."""
    world.deploy()
    world.artifact("two")


def stack(world: World, status: str, *events: StackEvent) -> None:
    there = world.aws.stacks.there["manuel-dev"]
    world.aws.stacks.there["manuel-dev"] = replace(there, status=status)
    world.aws.stacks.past.extend(events)


def event(world: World, logical_id: str, kind: str, status: str, reason: str) -> StackEvent:
    physical = world.aws.stacks.there["manuel-dev"].id if logical_id == "manuel-dev" else logical_id
    return StackEvent(f"{logical_id}-{status}", world.clock.at, logical_id, physical, kind, status, reason, "token")


@dead_end
def rollback_complete(world: World, _: pytest.MonkeyPatch) -> None:
    world.aws.stack_fault = "User: arn:aws:iam::123456789012:user/ann is not authorized to perform: lambda:TagResource"
    with pytest.raises(ReleaseError):
        world.deploy()
    world.deploy()


@dead_end
def creation_failed(world: World, _: pytest.MonkeyPatch) -> None:
    world.aws.stack_fault = "User: arn:aws:iam::123456789012:user/ann is not authorized to perform: lambda:TagResource"
    world.deploy()


@dead_end
def update_failed(world: World, _: pytest.MonkeyPatch) -> None:
    live(world)
    world.aws.stack_fault = "The role defined for the function cannot be assumed by Lambda."
    world.deploy()


@dead_end
def update_rollback_failed(world: World, _: pytest.MonkeyPatch) -> None:
    live(world)
    gone = "No Deployment Group found for name: manuel-usage-dev"
    stack(
        world,
        "UPDATE_ROLLBACK_FAILED",
        event(world, "UsageTable", "AWS::DynamoDB::Table", "UPDATE_FAILED", "Subscriber limit exceeded"),
        event(world, "manuel-dev", "AWS::CloudFormation::Stack", "UPDATE_ROLLBACK_IN_PROGRESS", "UsageTable failed"),
        event(world, "UsageDeploymentGroup", "AWS::CodeDeploy::DeploymentGroup", "UPDATE_FAILED", gone),
    )
    world.deploy()


@dead_end
def update_left_as_it_was(world: World, _: pytest.MonkeyPatch) -> None:
    live(world)
    stack(world, "UPDATE_FAILED", event(world, "UsageTable", "AWS::DynamoDB::Table", "UPDATE_FAILED", "no"))
    world.deploy()


@dead_end
def delete_failed(world: World, _: pytest.MonkeyPatch) -> None:
    live(world)
    reason = "The bucket you tried to delete is not empty"
    stack(world, "DELETE_FAILED", event(world, "ManualsBucket", "AWS::S3::Bucket", "DELETE_FAILED", reason))
    world.deploy()


@dead_end
def some_other_state(world: World, _: pytest.MonkeyPatch) -> None:
    live(world)
    stack(world, "IMPORT_ROLLBACK_FAILED")
    world.deploy()


@dead_end
def retained_name(world: World, _: pytest.MonkeyPatch) -> None:
    """CloudFormation looks for taken names before it begins; its own events are the only place that says which."""
    world.aws.stack_fault = "Validation failed with 1 error(s)."
    told = "Resource of type 'AWS::S3::Bucket' with identifier 'manuel-manuals-dev-1' already exists."
    path = "/Resources/ManualsBucket"
    objection = StackEvent("e", world.clock.at, "ManualsBucket", path, "AWS::S3::Bucket", VALIDATION_FAILED, told)
    world.aws.stacks.objected = (objection,)
    events = world.aws.stacks._event
    monkey = {"HealthFunction": "manuel-dev", "UsageFunction": "UsageFunction"}
    world.aws.stacks._event = lambda name, *rest: None if name in monkey else events(name, *rest)
    world.deploy()


@dead_end
def retained_name_of_a_table(world: World, _: pytest.MonkeyPatch) -> None:
    live(world)
    taken = "manuel-usage-dev already exists in stack arn:aws:cloudformation:eu-west-1:123456789012:stack/old/1"
    failed = event(world, "UsageTable", "AWS::DynamoDB::Table", "CREATE_FAILED", taken)
    stack(world, "ROLLBACK_COMPLETE", failed)
    world.deploy()


@dead_end
def busy_with_something_else(world: World, _: pytest.MonkeyPatch) -> None:
    live(world)
    stack(world, "UPDATE_IN_PROGRESS")
    world.deploy()


@dead_end
def busy_with_other_code(world: World, _: pytest.MonkeyPatch) -> None:
    live(world)
    world.aws.stack_seconds = 600
    with pytest.raises(ReleaseError):
        world.deploy(timeout=10.0)
    world.artifact("three")
    world.deploy()


@dead_end
def a_dry_run_meanwhile(world: World, _: pytest.MonkeyPatch) -> None:
    live(world)
    world.aws.stack_seconds = 600
    with pytest.raises(ReleaseError):
        world.deploy(timeout=10.0)
    world.deploy(dry_run=True)


@dead_end
def time_is_up(world: World, _: pytest.MonkeyPatch) -> None:
    live(world)
    world.aws.stack_seconds = 600
    world.deploy(timeout=10.0)


@dead_end
def time_is_up_before_anything(world: World, _: pytest.MonkeyPatch) -> None:
    world.deploy(timeout=0.0)


@dead_end
def somebody_else_deploys(world: World, _: pytest.MonkeyPatch) -> None:
    world.app().ledger.acquire("dev", "dev", "bea (bea@build-7)", "hotfix", 900, "token")
    world.deploy()


@dead_end
def canary_active(world: World, _: pytest.MonkeyPatch) -> None:
    live(world)
    stage = world.aws.gateway.stages["api1"]
    world.aws.gateway.stages["api1"] = replace(stage, canary=Canary(10.0, "r-9"))
    world.deploy()


@dead_end
def codedeploy_active(world: World, _: pytest.MonkeyPatch) -> None:
    live(world)
    world.aws.codedeploy_seconds = 600
    group, version = "manuel-health-dev", "1"
    world.aws.deployments.create(function=group, group=group, current_version=version, target_version=version)
    world.deploy()


@dead_end
def live_with_weights(world: World, _: pytest.MonkeyPatch) -> None:
    live(world)
    function = world.aws.functions.all["manuel-usage-dev"]
    function.aliases["live"] = Alias("manuel-usage-dev", "live", "1", weights={"2": 0.1})
    world.deploy()


@dead_end
def live_would_change(world: World, _: pytest.MonkeyPatch) -> None:
    live(world)
    scope = ("Properties",)
    world.aws.other_changes = (
        Change(
            Action.MODIFY,
            "HealthLiveAlias",
            f"{FUNCTION_ARN}:live",
            "AWS::Lambda::Alias",
            properties=("Description",),
            scope=scope,
        ),
        Change(
            Action.MODIFY,
            "HealthFirstVersion",
            f"{FUNCTION_ARN}:1",
            "AWS::Lambda::Version",
            Replacement.YES,
            scope=scope,
        ),
    )
    world.deploy()


@dead_end
def function_would_be_replaced(world: World, _: pytest.MonkeyPatch) -> None:
    live(world)
    detail = PropertyChange("FunctionName", recreation="Always")
    kind = "AWS::Lambda::Function"
    world.aws.other_changes = (
        Change(
            Action.MODIFY,
            "UsageFunction",
            "u",
            kind,
            Replacement.YES,
            ("FunctionName",),
            ("Properties",),
            "",
            (detail,),
        ),
    )
    world.deploy()


@dead_end
def shared_change_that_takes_away(world: World, _: pytest.MonkeyPatch) -> None:
    live(world)
    world.aws.other_changes = (
        Change(Action.REMOVE, "UsageTable", "manuel-usage-dev", "AWS::DynamoDB::Table", policy="Retain"),
        Change(Action.MODIFY, "ManuelApi", "abc", "AWS::ApiGateway::RestApi", gone=("GET /api/usage",)),
    )
    world.deploy()


@dead_end
def no_bootstrap(world: World, _: pytest.MonkeyPatch) -> None:
    world.aws.parameters.values.clear()
    world.deploy()


@dead_end
def wrong_region(world: World, _: pytest.MonkeyPatch) -> None:
    world.aws.parameters.values.clear()
    world.aws.session.region = "us-east-1"
    world.deploy()


@dead_end
def wrong_account(world: World, _: pytest.MonkeyPatch) -> None:
    world.account_id = "999999999999"
    world.deploy()


@dead_end
def template_too_large(world: World, _: pytest.MonkeyPatch) -> None:
    template = world.folder / "packaged-template.yaml"
    template.write_text(f"{template.read_text()}\n# {'x' * 1_000_000}\n")
    world.deploy()


def on_aws(world: World, operation: str, code: str, message: str) -> None:
    """The deploy meets an error that AWS answers with."""
    session = Session(None, "eu-west-1", "eu-west-1")
    session._botocore.set_credentials("AKIDEXAMPLE", "secret")
    service = "ssm" if operation == "get_parameter" else "cloudformation"
    aws = Aws(session)
    stubber = Stubber(session.client(service))  # type: ignore[call-overload]
    stubber.add_client_error(operation, code, message)
    with aws, stubber:
        if service == "ssm":
            world.aws.parameters.get = aws.parameters.get  # type: ignore[method-assign]
        else:
            world.aws.stacks.create_change_set = aws.stacks.create_change_set  # type: ignore[method-assign]
        world.deploy()


@dead_end
def credentials_expired(world: World, _: pytest.MonkeyPatch) -> None:
    on_aws(world, "get_parameter", "ExpiredTokenException", "The security token included in the request is expired")


@dead_end
def credentials_expired_meanwhile(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from manuel_release.errors import AccessError  # noqa: PLC0415

    def expired(*_: object) -> None:
        raise AccessError("cannot read function manuel-health-dev: the credentials have expired", hint="Sign in.")

    live(world)
    monkeypatch.setattr(world.aws.functions, "publish", expired)
    world.deploy()


@dead_end
def capability_missing(world: World, _: pytest.MonkeyPatch) -> None:
    on_aws(world, "create_change_set", "InsufficientCapabilitiesException", "Requires capabilities : [CAPABILITY_X]")


@dead_end
def template_too_large_for_aws(world: World, _: pytest.MonkeyPatch) -> None:
    on_aws(world, "create_change_set", "ValidationError", "Template may not exceed 1000000 bytes in size.")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(error: ReleaseError, where: str) -> str:
    """The error on a terminal of that many columns, in a pipe, or as JSON."""
    out, err = io.StringIO(), io.StringIO() if where == "pipe" else Terminal()
    width = int(where) if where.isdigit() else None
    screen = Screen(out, err, json_output=where == "json", width=width, no_color=True)
    screen.error(error)
    return out.getvalue() + err.getvalue()


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(App, "holder", "ann (ann@laptop)")
    return World(tmp_path / "artifact", monkeypatch)


@pytest.mark.parametrize("name", sorted(DEAD_ENDS))
def test_a_dead_end_says_what_it_is_and_what_to_run(name: str, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ReleaseError) as met:
        DEAD_ENDS[name](world, monkeypatch)

    texts = {where: shown(met.value, where) for where in ("80", "120", "pipe", "json")}
    assert texts["80"] == texts["120"] == texts["pipe"]  # lines are never wrapped, so that commands can be copied
    for where, suffix in (("pipe", "txt"), ("json", "json")):
        path = GOLDEN / f"{name}.{suffix}"
        if os.environ.get("WRITE_GOLDEN"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(texts[where], encoding="utf-8")
        assert texts[where] == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(DEAD_ENDS))
def test_nothing_is_left_behind_by_a_refusal(name: str, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ReleaseError) as met:
        DEAD_ENDS[name](world, monkeypatch)

    if met.value.exit_code in {2, 3, 4}:
        assert world.aws.stacks.change_sets == {}
        assert "REVIEW_IN_PROGRESS" not in {one.status for one in world.aws.stacks.there.values()}


def commands_in(text: str) -> Iterator[list[str]]:
    for quoted in re.findall(r"`([^`]+)`", text):
        words = quoted.split()
        if words[0] in {"aws", "manuel-release"}:
            yield words


def test_every_dead_end_names_a_command() -> None:
    for path in GOLDEN.glob("*.txt"):
        hint = path.read_text().partition("\nNext: ")[2]
        assert list(commands_in(hint)) or "same command" in hint, path.name


def test_every_command_of_this_tool_that_is_named_exists() -> None:
    for path in GOLDEN.glob("*.txt"):
        for words in commands_in(path.read_text()):
            if words[0] == "manuel-release":
                assert words[1] in COMMANDS, path.name
                options = [word for word in words if word.startswith("--")]
                help_text = CliRunner().invoke(root, [words[1], "--help"]).output
                assert all(option in help_text for option in options), path.name


def test_every_aws_command_that_is_named_is_an_operation() -> None:
    import botocore.session  # noqa: PLC0415

    session = botocore.session.Session()
    services = {"deploy": "codedeploy"}  # the AWS CLI's own name
    for path in GOLDEN.glob("*.txt"):
        for words in commands_in(path.read_text()):
            service, operation = (*words[1:3], "")[:2]
            if words[0] != "aws" or service in {"s3", "sso", "login", "configure"} or operation == "wait":
                continue
            model = session.get_service_model(services.get(service, service))
            known = {name.lower() for name in model.operation_names}
            assert operation.replace("-", "") in known, f"{path.name}: {service} {operation}"


def test_no_golden_screen_is_left_of_a_dead_end_that_is_gone() -> None:
    assert {path.stem for path in GOLDEN.glob("*.txt")} == set(DEAD_ENDS)


def test_a_script_meets_a_dead_end_as_one_document(world: World) -> None:
    world.aws.parameters.values.clear()
    app = world.app(output=Output.JSON)
    app.screen = Screen(io.StringIO(), io.StringIO(), json_output=True)

    def build(options: GlobalOptions, screen: Screen) -> App:
        app.options, app.screen = options, screen
        return app

    ran = CliRunner().invoke(
        root, ["deploy", "--env", "dev", "--artifact", str(world.folder), "--output", "json"], obj=build
    )

    assert ran.exit_code == 4
    assert '"code": "settings"' in ran.stdout


def test_the_settings_of_another_account_are_asked_before_anything_else(world: World) -> None:
    world.account_id = "999999999999"
    (world.folder / "parameters-dev.json").write_text("{}")
    world.aws.stacks.describe = lambda _: pytest.fail("the stack was read")  # type: ignore[method-assign]

    with pytest.raises(ReleaseError, match="belongs to account 999999999999"):
        world.deploy()


def test_the_default_settings_name_no_account() -> None:
    assert {one.account_id for one in Settings().environments} == {""}


def test_a_stack_that_was_only_reviewed_is_no_dead_end(world: World) -> None:
    world.aws.stacks.there["manuel-dev"] = Stack("manuel-dev", "arn:stack", "REVIEW_IN_PROGRESS")

    assert world.deploy().release == "r-1"
