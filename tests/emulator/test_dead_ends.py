"""Getting into the dead ends of a deploy for real, and out of them by the commands that it prints.

The tests of this module tell one story and run in its order; each starts where the one before ended. Only the first
release is built; the others are edited copies of its packaged template. What people read is kept in golden/; after a
wanted change:

    WRITE_GOLDEN=1 .venv/bin/pytest tests/emulator/test_dead_ends.py && git diff tests/emulator/golden
"""

from __future__ import annotations

import copy
import json
import os
import re
import shutil
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from emulator.builders import until
from emulator.desk_world import Desk

from manuel_release.artifact import template

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from manuel_release.rehearsal.process import EmbeddedCloud

pytestmark = [pytest.mark.emulator, pytest.mark.story]

GOLDEN = Path(__file__).parent / "golden"
VARYING = (
    (r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", "UUID"),
    (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", "TIME"),
    (r"\(in \d+ s\)", "(in N s)"),
    (r"\d[\d,]{6,} bytes", "N bytes"),
    (r"\S+ \(\S+@\S+\)", "SOMEBODY"),
    (r"/\S+/manuel-release\.toml", "manuel-release.toml"),
)

Template = dict[str, Any]


def golden(name: str, text: str) -> None:
    """Compare what people read with its golden file, apart from what differs from run to run."""
    for pattern, word in VARYING:
        text = re.sub(pattern, word, text)
    path = GOLDEN / f"{name}.txt"
    if os.environ.get("WRITE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


class Workbench(Desk):
    """A desk with packaged artifacts that are made of the first build, `base`."""

    def __init__(self, folder: Path, cloud: EmbeddedCloud) -> None:
        super().__init__(folder, cloud)
        self.base: Template = {}

    def artifact(self, name: str, edit: Callable[[Template], None] = lambda _: None) -> str:
        """The folder of an artifact whose template is the first one with an edit; its digest is its name."""
        folder = self.folder / "artifacts" / name
        folder.mkdir(parents=True)
        for parameters in self.folder.glob("parameters-*.json"):
            shutil.copy2(parameters, folder)
        made = copy.deepcopy(self.base)
        edit(made)
        (folder / "packaged-template.yaml").write_text(json.dumps(made))
        (folder / "artifact.json").write_text(json.dumps({"code_digest": name.ljust(16, "0"), "commit": "abc1234"}))
        return str(folder)

    def status(self, stack: str) -> str:
        found = self.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
        return str(found[0]["StackStatus"])

    def changed(self, stack: str, logical_id: str) -> bool:
        """Whether the update that runs is past this resource."""
        events = self.client("cloudformation").describe_stack_events(StackName=stack)["StackEvents"]
        ours = [one for one in events if one.get("ClientRequestToken") == events[0].get("ClientRequestToken")]
        return ("UPDATE_COMPLETE", logical_id) in {(one["ResourceStatus"], one["LogicalResourceId"]) for one in ours}

    def change_sets(self, stack: str) -> list[str]:
        """Change sets that were never executed."""
        found = self.client("cloudformation").list_change_sets(StackName=stack)["Summaries"]
        return [one["ChangeSetName"] for one in found if one["ExecutionStatus"] == "AVAILABLE"]

    def do(self, printed: str, wanted: str) -> None:
        """Run a command that was printed (aws cloudformation ... as it stands)."""
        (command,) = re.findall(rf"`(aws cloudformation {wanted}[^`]*)`", printed)
        words = command.split()
        name = words[words.index("--stack-name") + 1]
        assert words[words.index("--region") + 1] == "eu-west-1"
        getattr(self.client("cloudformation"), wanted.replace("-", "_"))(StackName=name)

    def unfinished(self) -> str:
        (name,) = [name for name, state in self.releases().items() if state == "deploying"]
        return name

    def leased(self, environment: str) -> bool:
        (status,) = self.json("status", "--env", environment)["environments"]
        return status["lease"] is not None

    def nobody_holds(self, environment: str) -> None:
        """What fifteen minutes would do: the leases of processes that died are over."""
        table, key = "manuel-releases", {"environment": {"S": environment}, "entry": {"S": "lease#dev"}}
        self.client("dynamodb").delete_item(TableName=table, Key=key)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workbench]:
    with Workbench.of_checkout(tmp_path_factory.mktemp("workbench")) as made:
        yield made


def resources(made: Template) -> dict[str, Any]:
    found: dict[str, Any] = made["Resources"]
    return found


def test_in_another_region_the_settings_region_is_named(desk: Workbench) -> None:
    ran = desk.run("deploy", "--env", "dev", AWS_REGION="us-east-1")

    assert ran.code == 4
    assert "no ledger in us-east-1" in ran.error
    assert "`--region eu-west-1`" in ran.error
    golden("wrong-region", ran.error)


def test_without_a_bootstrap_the_command_to_run_is_named(desk: Workbench) -> None:
    ran = desk.run("deploy", "--env", "dev")

    assert ran.code == 4
    assert "`manuel-release bootstrap`" in ran.error
    golden("no-bootstrap", ran.error)
    desk.json("bootstrap", "--yes")


def test_a_first_release_is_live(desk: Workbench) -> None:
    answer = desk.json("deploy", "--env", "dev")

    assert (answer["release"], answer["status"]) == ("r-1", "live")
    packaged = desk.folder / ".aws-sam" / "packaged-template.yaml"
    desk.base = template.loads(packaged.read_text(), packaged.name)


def test_a_function_that_would_be_replaced_is_refused_and_nothing_is_left_behind(desk: Workbench) -> None:
    def rename(made: Template) -> None:
        resources(made)["UsageFunction"]["Properties"]["FunctionName"] = "manuel-consumption-dev"

    ran = desk.run("deploy", "--env", "dev", "--artifact", desk.artifact("renamed", rename))

    assert ran.code == 3
    assert "A function that answers what a user used and may use (UsageFunction" in ran.error
    assert "must not be changed by a stack update" in ran.error
    assert "aws cloudformation get-template --stack-name manuel-dev" in ran.error
    assert "It is not deployed like this" in ran.err
    golden("function-replaced", ran.error)
    assert desk.change_sets("manuel-dev") == []
    assert desk.releases() == {"r-1": "live"}


def test_a_change_of_live_is_refused_with_the_plan_in_the_document(desk: Workbench) -> None:
    def describe(made: Template) -> None:
        resources(made)["HealthLiveAlias"]["Properties"]["Description"] = "It serves."

    folder = desk.artifact("described", describe)
    ran = desk.run("deploy", "--env", "dev", "--artifact", folder, "--override-shared", "no", "--output", "json")

    assert ran.code == 3
    assert ran.answer["error"]["code"] == "refused"
    (alias,) = [one for one in ran.answer["plan"]["changes"] if one["logical_id"] == "HealthLiveAlias"]
    assert (alias["area"], alias["effect"], alias["overridable"]) == ("functions", "breaking", False)
    assert "HealthLiveAlias" in ran.answer["error"]["hint"]
    golden("live-json", json.dumps(ran.answer["error"], indent=2) + "\n")
    assert desk.change_sets("manuel-dev") == []


def without_parameter(made: Template) -> None:
    del resources(made)["ApiParameter"]


def test_a_removal_is_refused_in_a_dry_run_too(desk: Workbench) -> None:
    folder = desk.artifact("without-parameter", without_parameter)

    for columns in ("80", "120", ""):
        dry = desk.run("deploy", "--env", "dev", "--artifact", folder, "--dry-run", COLUMNS=columns)
        golden(f"removal-{columns or 'pipe'}", dry.out[dry.out.index("  Shared:") :])
    ran = desk.run("deploy", "--env", "dev", "--artifact", folder)

    assert (dry.code, ran.code) == (3, 3)
    assert "configuration: is deleted" in dry.out
    golden("removal", ran.error)
    assert dry.error == ran.error
    assert "A parameter that tells the release tool which API and stage" in ran.error
    assert "(ApiParameter) is deleted" in ran.error
    assert '--override-shared "why"`' in ran.error
    assert desk.change_sets("manuel-dev") == []


def test_a_path_that_is_taken_away_from_the_api_is_refused(desk: Workbench) -> None:
    def forget(made: Template) -> None:
        del resources(made)["ManuelApi"]["Properties"]["DefinitionBody"]["paths"]["/api/usage"]

    answer = desk.run(
        "deploy", "--env", "dev", "--artifact", desk.artifact("forgetful", forget), "--dry-run", "--output", "json"
    ).answer

    (api,) = [one for one in answer["plan"]["changes"] if one["logical_id"] == "ManuelApi"]
    assert (api["subject"], api["effect"], api["overridable"]) == ("API", "breaking", True)
    assert "GET /api/usage" in api["objection"]


def test_a_path_that_is_added_to_the_api_only_adds(desk: Workbench) -> None:
    def add(made: Template) -> None:
        paths = resources(made)["ManuelApi"]["Properties"]["DefinitionBody"]["paths"]
        paths["/healthz"] = copy.deepcopy(paths["/health"])

    answer = desk.json("deploy", "--env", "dev", "--artifact", desk.artifact("grown", add), "--dry-run", "--details")

    effects = {one["logical_id"]: one["effect"] for one in answer["plan"]["changes"]}
    assert effects["ManuelApi"] == "additive"
    assert answer["plan"]["refusal"] is None
    (api,) = [one for one in answer["plan"]["changes"] if one["logical_id"] == "ManuelApi"]
    assert [(one["property"], one["before"]) for one in api["differences"]] == [("Body", None)]


def test_a_removal_goes_through_with_a_reason_that_is_kept(desk: Workbench) -> None:
    folder = str(desk.folder / "artifacts" / "without-parameter")

    ran = desk.run("deploy", "--env", "dev", "--artifact", folder, "--override-shared", "read from the stack now")

    assert ran.code == 0, ran.err
    assert "allowed because: read from the stack now (ApiParameter)" in ran.err
    found = desk.client("dynamodb").query(
        TableName="manuel-releases",
        KeyConditionExpression="environment = :e AND begins_with(entry, :p)",
        ExpressionAttributeValues={":e": {"S": "dev"}, ":p": {"S": "log#"}},
    )["Items"]
    started = [one["details"]["M"] for one in found if one["kind"]["S"] == "deploy_started"]
    assert started[-1]["override_shared"]["S"] == "read from the stack now"
    desk.base = template.loads((desk.folder / "artifacts/without-parameter/packaged-template.yaml").read_text(), "base")


def test_a_template_that_is_too_large_is_refused_before_aws_is_asked(desk: Workbench) -> None:
    def grow(made: Template) -> None:
        made["Metadata"] = {"Filler": "x" * 1_000_000}

    ran = desk.run("deploy", "--env", "dev", "--artifact", desk.artifact("large", grow))

    assert ran.code == 1
    assert "CloudFormation takes 1,000,000" in ran.error
    assert "`manuel-release deploy --env dev`" in ran.error
    golden("too-large", ran.error)
    assert desk.change_sets("manuel-dev") == []


def test_what_a_change_set_that_nobody_executed_left_is_no_obstacle(desk: Workbench) -> None:
    nothing = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}
    desk.client("cloudformation").create_change_set(
        StackName="manuel-staging", ChangeSetName="left", ChangeSetType="CREATE", TemplateBody=json.dumps(nothing)
    )
    assert desk.status("manuel-staging") == "REVIEW_IN_PROGRESS"

    answer = desk.json("deploy", "--env", "staging", "--artifact", desk.artifact("staging"))

    assert (answer["release"], answer["status"]) == ("r-1", "live")
    assert desk.status("manuel-staging") == "CREATE_COMPLETE"


def test_a_name_that_an_earlier_stack_kept_is_told_with_the_way_out(desk: Workbench) -> None:
    bucket = "manuel-manuals-prod-123456789012-eu-west-1"
    desk.client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})

    ran = desk.run("deploy", "--env", "production", "--yes", "--artifact", desk.artifact("production"))

    assert ran.code == 1
    assert "A bucket that keeps the manuals" in ran.error
    assert f"`aws s3 ls s3://{bucket} --region eu-west-1`" in ran.error
    assert "aws cloudformation delete-stack --stack-name manuel-prod" in ran.error
    golden("retained-name", ran.error)


def test_a_stack_that_was_never_made_is_deleted_with_the_printed_command_and_then_made(desk: Workbench) -> None:
    folder = str(desk.folder / "artifacts" / "production")
    assert desk.status("manuel-prod") == "ROLLBACK_COMPLETE"

    ran = desk.run("deploy", "--env", "production", "--yes", "--artifact", folder)

    assert ran.code == 3
    assert "AWS updates no stack that is ROLLBACK_COMPLETE" in ran.error
    assert "already exists" in ran.error
    golden("rollback-complete", ran.error)
    desk.client("s3").delete_bucket(Bucket="manuel-manuals-prod-123456789012-eu-west-1")
    desk.do(ran.error, "delete-stack")
    gone = desk.client("cloudformation").get_waiter("stack_delete_complete")
    gone.wait(StackName="manuel-prod", WaiterConfig={"Delay": 1, "MaxAttempts": 30})
    answer = desk.json("deploy", "--env", "production", "--yes", "--artifact", folder)
    assert (answer["release"], answer["status"]) == ("r-2", "live")
    assert desk.releases("production") == {"r-2": "live", "r-1": "failed"}


def waits(name: str) -> Callable[[Template], None]:
    """The edit that makes a stack update wait for a signal."""

    def edit(made: Template) -> None:
        found = resources(made)
        found[f"{name}Handle"] = {"Type": "AWS::CloudFormation::WaitConditionHandle"}
        found[f"{name}Condition"] = {
            "Type": "AWS::CloudFormation::WaitCondition",
            "Metadata": {"Description": "A wait for a signal."},
            "Properties": {"Handle": {"Ref": f"{name}Handle"}, "Timeout": "3000"},
        }

    return edit


def signal(desk: Workbench, stack: str, name: str, status: str = "SUCCESS") -> None:
    """What the update waits for, or what makes it fail."""
    found = desk.client("cloudformation").describe_stack_resource(StackName=stack, LogicalResourceId=f"{name}Handle")
    url = found["StackResourceDetail"]["PhysicalResourceId"]
    body = json.dumps({"Status": status, "Reason": "planted", "UniqueId": "1", "Data": ""}).encode()
    asked = urllib.request.Request(url, data=body, headers={"Content-Type": ""}, method="PUT")
    with urllib.request.urlopen(asked, timeout=10) as answer:
        assert answer.status == 200


def test_a_killed_deploy_is_refused_while_its_lease_lasts_and_can_be_followed(desk: Workbench) -> None:
    folder = desk.artifact("slow", waits("Slow"))
    with desk.start("deploy", "--env", "dev", "--artifact", folder) as killed:
        until(lambda: desk.status("manuel-dev") == "UPDATE_IN_PROGRESS")
        os.kill(killed.pid, 9)

    again = desk.run("deploy", "--env", "dev", "--artifact", folder)
    follow = desk.run("deploy", "--env", "dev", "--attach", "--timeout", "2s")

    assert again.code == 3
    assert "is being changed by" in again.error
    assert "`manuel-release deploy --env dev --attach`" in again.error
    golden("leased", again.error)
    assert follow.code == 8
    assert f"{desk.unfinished()} is still being deployed; it goes on without this command" in follow.error


def test_when_the_lease_is_over_other_code_still_waits_and_is_told_for_whom(desk: Workbench) -> None:
    desk.nobody_holds("dev")

    ran = desk.run("deploy", "--env", "dev", "--artifact", desk.artifact("other"))

    assert ran.code == 3
    assert f"AWS is still at work on {desk.unfinished()}" in ran.error
    golden("other-code", ran.error)
    assert desk.status("manuel-dev") == "UPDATE_IN_PROGRESS"


def test_the_same_deploy_from_elsewhere_follows_and_gives_up_in_time(desk: Workbench) -> None:
    for time_limit in ("4s", "20s", "100s"):
        ran = desk.run(
            "deploy", "--env", "dev", "--artifact", str(desk.folder / "artifacts/slow"), f"--timeout={time_limit}"
        )
        if "nothing was changed" not in ran.err:  # a busy machine needs longer to get so far
            break

    assert ran.code == 8, ran.err
    assert "Follow the update of the stack that is under way" in ran.err
    assert f"{desk.unfinished()} is unfinished" in ran.error
    assert "CloudFormation goes on with the stack by itself" in ran.error
    golden("time-is-up", ran.error)


def test_the_same_deploy_from_elsewhere_goes_on_and_a_watcher_sees_it_end(desk: Workbench) -> None:
    folder, release = str(desk.folder / "artifacts/slow"), desk.unfinished()
    with desk.start("deploy", "--env", "dev", "--artifact", folder, "--output", "json") as deploy:
        until(lambda: desk.leased("dev"))
        with desk.start("deploy", "--env", "dev", "--attach") as watcher:
            assert watcher.stderr is not None
            assert any(line.startswith(f"Follow {release}: CloudFormation") for line in watcher.stderr)
            signal(desk, "manuel-dev", "Slow")
            out, err = deploy.communicate(timeout=120)
            seen, told = watcher.communicate(timeout=120)

    assert deploy.returncode == 0, err
    answer = json.loads(out)
    assert (answer["release"], answer["status"]) == (release, "live")
    assert watcher.returncode == 0, told
    assert f"✔ Follow {release}: CloudFormation: done" in told
    assert f"{release} is live in dev" in seen


def test_where_nothing_runs_there_is_nothing_to_follow(desk: Workbench) -> None:
    answer = desk.json("deploy", "--env", "dev", "--attach")

    assert answer["status"] == "nothing_to_do"
    assert answer["message"] == f"no deploy runs in dev; {answer['release']} is live"


GROUP = "UsageDeploymentGroup"


def test_a_rollback_that_failed_is_continued_with_the_printed_command(desk: Workbench) -> None:
    def change(made: Template) -> None:
        waits("Broken")(made)
        resources(made)[GROUP]["Properties"]["AutoRollbackConfiguration"]["Events"] = ["DEPLOYMENT_FAILURE"]
        resources(made)["BrokenCondition"]["DependsOn"] = [GROUP]

    names = {"applicationName": "manuel-serverless-app-staging", "deploymentGroupName": "manuel-usage-staging"}
    codedeploy = desk.client("codedeploy")
    group = codedeploy.get_deployment_group(**names)["deploymentGroupInfo"]
    with desk.start("deploy", "--env", "staging", "--artifact", desk.artifact("broken", change)) as deploy:
        until(lambda: desk.changed("manuel-staging", GROUP))
        codedeploy.delete_deployment_group(**names)
        signal(desk, "manuel-staging", "Broken", "FAILURE")
        _, told = deploy.communicate(timeout=120)

    assert deploy.returncode == 1
    assert "could not put the old state back (UPDATE_ROLLBACK_FAILED)" in told
    assert "A wait for a signal." in told
    refused = desk.run("deploy", "--env", "staging", "--artifact", desk.artifact("after"))
    assert refused.code == 3
    assert f"--resources-to-skip {GROUP}" in refused.error
    golden("rollback-failed", refused.error)
    told_back = ("serviceRoleArn", "deploymentConfigName", "deploymentStyle", "alarmConfiguration")
    codedeploy.create_deployment_group(**names, **{name: group[name] for name in told_back})
    desk.do(refused.error, "continue-update-rollback")
    until(lambda: desk.status("manuel-staging") == "UPDATE_ROLLBACK_COMPLETE")
    answer = desk.json("deploy", "--env", "staging", "--artifact", str(desk.folder / "artifacts/after"))
    assert answer["status"] == "live"
