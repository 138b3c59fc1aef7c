"""Builds really run: their phases, environment, artifacts, reports, logs and events are CodeBuild's."""

from __future__ import annotations

import io
import json
import urllib.request
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from conftest import emulator_command
from emulator.codepipeline_world import ENVIRONMENT, PipelineWorld, approval, packed, refusal, unique, until

from manuel_release.rehearsal.process import EmbeddedCloud, Options

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.emulator

PHASES = (
    "SUBMITTED", "QUEUED", "PROVISIONING", "DOWNLOAD_SOURCE", "INSTALL", "PRE_BUILD", "BUILD", "POST_BUILD",
    "UPLOAD_ARTIFACTS", "FINALIZING", "COMPLETED",
)  # fmt: skip
SHOWS_ENVIRONMENT = """
version: 0.2
env:
  shell: bash
  variables: {A: buildspec, B: buildspec, C: buildspec}
  parameter-store: {P: /NAME}
  secrets-manager: {S: "NAME:key"}
  exported-variables: [A, B, C, P, S, Q]
phases: {build: {commands: ["env"]}}
"""
JUNIT = (
    '<testsuite name="s"><testcase name="a" time="1"/><testcase name="b"><failure message="no"/></testcase></testsuite>'
)
COVERAGE = '<coverage><class filename="a.py"><lines><line number="1" hits="1"/></lines></class></coverage>'


@pytest.fixture
def world(cloud: EmbeddedCloud) -> Iterator[PipelineWorld]:
    with PipelineWorld.of(cloud) as made:
        yield made  # type: ignore[misc]


def project(world: PipelineWorld, buildspec: str, **members: Any) -> str:
    """A project without a source."""
    source = {"type": "NO_SOURCE", "buildspec": buildspec}
    return world.make_project(source=source, artifacts=members.pop("artifacts", {"type": "NO_ARTIFACTS"}), **members)


def info(world: PipelineWorld, build: str) -> dict[str, Any]:
    found: dict[str, Any] = world.codebuild.batch_get_builds(ids=[build])["builds"][0]
    return found


def ended(world: PipelineWorld, build: str) -> dict[str, Any]:
    def done() -> dict[str, Any] | None:
        found = info(world, build)
        return found if found["buildComplete"] else None

    found: dict[str, Any] = until(done)
    return found


def run(world: PipelineWorld, name: str, **members: Any) -> dict[str, Any]:
    """Start a build and wait for its end."""
    return ended(world, world.codebuild.start_build(projectName=name, **members)["build"]["id"])


def log(world: PipelineWorld, build: dict[str, Any]) -> str:
    place = build["logs"]
    found = world.logs.get_log_events(logGroupName=place["groupName"], logStreamName=place["streamName"])
    return "".join(event["message"] for event in found["events"])


def exported(build: dict[str, Any]) -> dict[str, str]:
    return {one["name"]: one["value"] for one in build["exportedEnvironmentVariables"]}


def test_a_build_goes_through_every_phase(world: PipelineWorld) -> None:
    name = project(world, "version: 0.2\nphases: {build: {commands: [echo hello, sleep 1]}}")
    started = world.codebuild.start_build(projectName=name)["build"]
    assert (started["buildStatus"], started["buildNumber"], started["buildComplete"]) == ("IN_PROGRESS", 1, False)
    build = ended(world, started["id"])
    assert build["buildStatus"] == "SUCCEEDED"
    assert tuple(phase["phaseType"] for phase in build["phases"]) == PHASES
    took = {phase["phaseType"]: phase.get("durationInSeconds") for phase in build["phases"]}
    assert 1 <= took["BUILD"] < 30
    assert build["currentPhase"] == "COMPLETED"
    assert build["logs"]["groupName"] == f"/aws/codebuild/{name}"
    assert "Running command echo hello\nhello\n" in log(world, build)
    assert world.codebuild.list_builds_for_project(projectName=name)["ids"] == [build["id"]]


def test_the_log_stays_as_a_file_too(world: PipelineWorld, cloud: EmbeddedCloud) -> None:
    name = project(world, "version: 0.2\nphases: {build: {commands: [echo hello]}}")
    build = run(world, name)
    path = cloud.folder / "builds" / name / f"{build['id'].partition(':')[2]}.log"
    assert "\nhello\n" in path.read_text()


def test_a_failing_command_fails_the_build_and_says_which(world: PipelineWorld) -> None:
    build = run(world, project(world, "version: 0.2\nphases: {build: {commands: ['true', exit 3]}}"))
    assert build["buildStatus"] == "FAILED"
    failed = next(phase for phase in build["phases"] if phase["phaseType"] == "BUILD")
    assert failed["phaseStatus"] == "FAILED"
    assert failed["contexts"] == [
        {
            "statusCode": "COMMAND_EXECUTION_ERROR",
            "message": "Error while executing command: exit 3. Reason: exit status 3",
        }
    ]


def test_the_request_wins_over_the_project_and_that_over_the_buildspec(world: PipelineWorld) -> None:
    world.ssm.put_parameter(Name=f"/{world.name}", Value="parameter", Type="SecureString")
    world.secretsmanager.create_secret(Name=world.name, SecretString=json.dumps({"key": "secret"}))
    variables = [
        {"name": "B", "value": "project"},
        {"name": "C", "value": "project"},
        {"name": "Q", "value": f"/{world.name}", "type": "PARAMETER_STORE"},
    ]
    name = project(
        world,
        SHOWS_ENVIRONMENT.replace("NAME", world.name),
        environment={**ENVIRONMENT, "environmentVariables": variables},
    )
    build = run(world, name, environmentVariablesOverride=[{"name": "C", "value": "request"}])
    assert exported(build) == {
        "A": "buildspec",
        "B": "project",
        "C": "request",
        "P": "parameter",
        "S": "secret",
        "Q": "parameter",
    }
    lines = dict(line.partition("=")[::2] for line in log(world, build).splitlines() if "=" in line)
    assert lines["CODEBUILD_BUILD_ID"] == build["id"]
    assert lines["CODEBUILD_SRC_DIR"] == lines["PWD"]
    assert lines["AWS_ENDPOINT_URL"] == world.endpoint
    assert not Path(lines["HOME"]).exists()
    assert not Path(lines["TMPDIR"]).exists()
    assert {name for name in lines if name.startswith(("PYTHON", "MANUEL_", "COVERAGE"))} == {"MANUEL_API_URL"}


@pytest.mark.parametrize(
    ("env", "said"),
    [
        ("parameter-store: {P: /nowhere}", "Decrypted Variables Error: parameter does not exist: /nowhere"),
        ("secrets-manager: {S: nowhere}", "Decrypted Variables Error: Secrets Manager can't find the specified secret"),
    ],
)
def test_a_value_that_does_not_exist_fails_the_build_before_it_begins(
    world: PipelineWorld, env: str, said: str
) -> None:
    build = run(world, project(world, f"version: 0.2\nenv: {{{env}}}\nphases: {{build: {{commands: [env]}}}}"))
    assert build["buildStatus"] == "FAILED"
    context = next(phase for phase in build["phases"] if phase["phaseType"] == "DOWNLOAD_SOURCE")["contexts"][0]
    assert f"{context['statusCode']}: {context['message']}".startswith(said)
    assert "INSTALL" not in [phase["phaseType"] for phase in build["phases"]]


def test_a_source_in_s3_is_built_and_artifacts_go_to_s3(world: PipelineWorld) -> None:
    world.make_bucket()
    spec = "version: 0.2\nphases: {build: {commands: [cp in.txt out.txt]}}\nartifacts: {files: [out.txt], name: named}"
    body = packed({"ci/spec.yml": spec, "in.txt": "text"})
    world.s3.put_object(Bucket=world.bucket, Key="source.zip", Body=body)
    source = {"type": "S3", "location": f"{world.bucket}/source.zip", "buildspec": "ci/spec.yml"}
    artifacts = {
        "type": "S3",
        "location": world.bucket,
        "path": "built",
        "packaging": "ZIP",
        "overrideArtifactName": True,
    }
    name = world.make_project(source=source, artifacts=artifacts)
    build = run(world, name)
    assert build["buildStatus"] == "SUCCEEDED"
    assert build["artifacts"]["location"] == f"arn:aws:s3:::{world.bucket}/built/named"
    stored = world.s3.get_object(Bucket=world.bucket, Key="built/named")["Body"].read()
    with zipfile.ZipFile(io.BytesIO(stored)) as archive:
        assert archive.read("out.txt") == b"text"
    plain = {**artifacts, "packaging": "NONE", "namespaceType": "BUILD_ID", "name": "plain"}
    plain.pop("overrideArtifactName")
    build = run(world, name, artifactsOverride=plain)
    key = f"built/{build['id'].partition(':')[2]}/plain/out.txt"
    assert world.s3.get_object(Bucket=world.bucket, Key=key)["Body"].read() == b"text"


@pytest.mark.parametrize(
    ("files", "buildspec", "said"),
    [
        ({"a": "b"}, "", "YAML_FILE_ERROR: buildspec.yml: no such file or directory"),
        ({"buildspec.yml": "version: 0.1"}, "", "YAML_FILE_ERROR: buildspec version must be 0.2"),
        ({"a": "b"}, "other.yml", "YAML_FILE_ERROR: other.yml: no such file or directory"),
        (None, "", "CLIENT_ERROR: NoSuchKey"),
    ],
)
def test_a_source_or_buildspec_that_is_wrong_fails_the_download(
    world: PipelineWorld, files: dict[str, str] | None, buildspec: str, said: str
) -> None:
    world.make_bucket()
    if files is not None:
        world.s3.put_object(Bucket=world.bucket, Key="source.zip", Body=packed(files))
    source = {"type": "S3", "location": f"{world.bucket}/source.zip", **({"buildspec": buildspec} if buildspec else {})}
    build = run(world, world.make_project(source=source, artifacts={"type": "NO_ARTIFACTS"}))
    context = next(phase for phase in build["phases"] if phase["phaseType"] == "DOWNLOAD_SOURCE")["contexts"][0]
    assert f"{context['statusCode']}: {context['message']}".startswith(said)


def test_reports_are_counted_also_when_the_build_fails(world: PipelineWorld) -> None:
    spec = f"""
version: 0.2
phases:
  build:
    commands:
      - mkdir r && echo '{JUNIT}' > r/unit.xml && echo '{COVERAGE}' > r/cov.xml
      - exit 1
reports:
  unit: {{files: ["*.xml"], base-directory: r, file-format: JUNITXML}}
  cover: {{files: [r/cov.xml], file-format: COBERTURAXML}}
"""
    build = run(world, project(world, spec.replace('"*.xml"', "unit.xml")))
    assert build["buildStatus"] == "FAILED"
    reports = world.codebuild.batch_get_reports(reportArns=build["reportArns"])["reports"]
    tests, coverage = sorted(reports, key=lambda report: report["type"], reverse=True)
    assert (tests["status"], tests["testSummary"]["total"], tests["testSummary"]["statusCounts"]["FAILED"]) == (
        "FAILED",
        2,
        1,
    )
    assert tests["testSummary"]["durationInNanoSeconds"] == 1_000_000_000
    assert (coverage["status"], coverage["codeCoverageSummary"]["lineCoveragePercentage"]) == ("SUCCEEDED", 100.0)
    cases = world.codebuild.describe_test_cases(reportArn=tests["arn"], filter={"status": "FAILED"})["testCases"]
    assert [(case["name"], case["message"]) for case in cases] == [("b", "no")]
    (file,) = world.codebuild.describe_code_coverages(reportArn=coverage["arn"])["codeCoverages"]
    assert (file["filePath"], file["linesCovered"]) == ("a.py", 1)
    group = f"arn:aws:codebuild:eu-west-1:123456789012:report-group/{build['projectName']}-unit"
    assert world.codebuild.list_reports_for_report_group(reportGroupArn=group)["reports"] == [tests["arn"]]
    with pytest.raises(ClientError) as error:
        world.codebuild.delete_report_group(arn=group)
    assert refusal(error)[0] == "InvalidInputException"
    world.codebuild.delete_report_group(arn=group, deleteReports=True)
    assert world.codebuild.batch_get_reports(reportArns=[tests["arn"]])["reportsNotFound"] == [tests["arn"]]


@pytest.mark.parametrize(
    ("outputs", "said"),
    [
        (
            "reports: {unit: {files: [none.xml]}}",
            "Error in UPLOAD_ARTIFACTS phase: [unit: [report files not found in build]]",
        ),
        ("reports: {unit: {files: [bad.xml]}}", "bad.xml is not XML"),
        ("artifacts: {files: [none]}", "no matching artifact paths found for none"),
    ],
)
def test_what_was_promised_and_is_not_there_fails_the_build(world: PipelineWorld, outputs: str, said: str) -> None:
    world.make_bucket()
    spec = f"version: 0.2\nphases: {{build: {{commands: ['echo x > bad.xml']}}}}\n{outputs}\n"
    kind = {"type": "S3", "location": world.bucket} if "artifacts" in outputs else {"type": "NO_ARTIFACTS"}
    build = run(world, project(world, spec, artifacts=kind))
    assert build["buildStatus"] == "FAILED"
    context = next(phase for phase in build["phases"] if phase["phaseType"] == "UPLOAD_ARTIFACTS")["contexts"][0]
    assert (context["statusCode"], said in context["message"]) == ("CLIENT_ERROR", True)


def test_stopping_a_build_kills_what_it_started(world: PipelineWorld, tmp_path: Path) -> None:
    spec = f"version: 0.2\nphases: {{build: {{commands: ['sleep 62 & echo $! > {tmp_path}/pid; sleep 62']}}}}"
    build = world.codebuild.start_build(projectName=project(world, spec))["build"]["id"]
    pid = int(until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text().strip()))
    world.codebuild.stop_build(id=build)
    assert ended(world, build)["buildStatus"] == "STOPPED"
    until(lambda: not alive(pid))


def alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as stat:  # noqa: PTH123
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_build_is_retried_as_it_was(world: PipelineWorld) -> None:
    name = project(world, "version: 0.2\nenv: {exported-variables: [A]}\nphases: {build: {commands: [env]}}")
    first = run(world, name, environmentVariablesOverride=[{"name": "A", "value": "x"}])
    second = ended(world, world.codebuild.retry_build(id=first["id"])["build"]["id"])
    assert (second["buildNumber"], exported(second)) == (2, {"A": "x"})


def test_an_idempotency_token_starts_one_build(world: PipelineWorld) -> None:
    name = project(world, "version: 0.2\nphases: {build: {commands: ['true']}}")
    ids = {world.codebuild.start_build(projectName=name, idempotencyToken="t")["build"]["id"] for _ in range(2)}
    assert len(ids) == 1


def test_events_tell_of_builds_and_phases(world: PipelineWorld) -> None:
    url, arn = world.queue()
    name = project(world, "version: 0.2\nphases: {build: {commands: ['false']}}")
    pattern = {"source": ["aws.codebuild"], "detail": {"project-name": [name]}}
    world.events.put_rule(Name=world.name, EventPattern=json.dumps(pattern))
    world.events.put_targets(Rule=world.name, Targets=[{"Id": "it", "Arn": arn}])
    build = run(world, name)
    told: list[dict[str, Any]] = []

    def all_told() -> bool:
        told.extend(world.received(url))
        return any(event["detail"].get("build-status") == "FAILED" for event in told)

    until(all_told)
    states = [event["detail"] for event in told if event["detail-type"] == "CodeBuild Build State Change"]
    assert [one["build-status"] for one in states] == ["IN_PROGRESS", "FAILED"]
    assert (states[1]["build-id"], states[1]["current-phase"]) == (build["arn"], "COMPLETED")
    assert states[1]["additional-information"]["logs"]["group-name"] == f"/aws/codebuild/{name}"
    phases = {
        event["detail"]["completed-phase"]: event["detail"]["completed-phase-status"]
        for event in told
        if event["detail-type"] == "CodeBuild Build Phase Change"
    }
    assert (phases["BUILD"], phases["POST_BUILD"]) == ("FAILED", "SUCCEEDED")


def test_builds_are_deleted_and_unknown_ones_are_said(world: PipelineWorld) -> None:
    build = run(world, project(world, "version: 0.2\nphases: {build: {commands: ['true']}}"))["id"]
    answer = world.codebuild.batch_delete_builds(ids=[build, "no:body"])
    assert answer["buildsDeleted"] == [build]
    assert answer["buildsNotDeleted"] == [{"id": "no:body", "statusCode": "NOT_FOUND"}]
    assert world.codebuild.batch_get_builds(ids=[build])["buildsNotFound"] == [build]
    with pytest.raises(ClientError) as error:
        world.codebuild.stop_build(id=build)
    assert refusal(error)[0] == "ResourceNotFoundException"


def test_projects_are_changed_listed_and_deleted(world: PipelineWorld) -> None:
    name = world.make_project(timeoutInMinutes=20)
    world.codebuild.update_project(name=name, description="changed", timeoutInMinutes=30)
    answer = world.codebuild.batch_get_projects(names=[name, "nobody"])
    (found,) = answer["projects"]
    assert (found["description"], found["timeoutInMinutes"], found["queuedTimeoutInMinutes"]) == ("changed", 30, 480)
    assert answer["projectsNotFound"] == ["nobody"]
    assert name in world.codebuild.list_projects()["projects"]
    world.codebuild.delete_project(name=name)
    with pytest.raises(ClientError) as error:
        world.codebuild.start_build(projectName=name)
    assert refusal(error)[0] == "ResourceNotFoundException"


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"name": "x y"}, "Value 'x y' at 'name' failed to satisfy constraint"),
        ({"source": {"type": "NO_SOURCE"}, "artifacts": {"type": "NO_ARTIFACTS"}}, "a buildspec is required"),
        ({"artifacts": {"type": "NO_ARTIFACTS"}}, "if the source type is CODEPIPELINE"),
        ({"environment": {**ENVIRONMENT, "type": "ARM"}}, "Member must satisfy enum value set"),
        ({"timeoutInMinutes": 2161}, "less than or equal to 2160"),
        (
            {"environment": {**ENVIRONMENT, "environmentVariables": [{"name": "CODEBUILD_X", "value": ""}]}},
            "CODEBUILD_X: names that start with CODEBUILD_ are reserved",
        ),
    ],
)
def test_a_wrong_project_is_refused(world: PipelineWorld, members: dict[str, Any], said: str) -> None:
    with pytest.raises(ClientError) as error:
        world.make_project(**{"name": unique("project"), **members})
    assert refusal(error)[0] == "InvalidInputException"
    assert said in refusal(error)[1]


def test_a_project_of_a_pipeline_or_of_github_is_not_started_directly(world: PipelineWorld) -> None:
    with pytest.raises(ClientError) as error:
        world.codebuild.start_build(projectName=world.make_project())
    assert "cannot be started directly" in refusal(error)[1]
    source = {"type": "GITHUB", "location": "https://github.com/o/r"}
    name = world.make_project(source=source, artifacts={"type": "NO_ARTIFACTS"})
    with pytest.raises(ClientError) as error:
        world.codebuild.start_build(projectName=name)
    assert "Source type GITHUB is not emulated" in refusal(error)[1]


def test_logs_that_are_disabled_are_written_nowhere_but_to_the_file(world: PipelineWorld, cloud: EmbeddedCloud) -> None:
    disabled = {"cloudWatchLogs": {"status": "DISABLED"}}
    name = project(world, "version: 0.2\nphases: {build: {commands: [echo quiet]}}", logsConfig=disabled)
    build = run(world, name)
    assert build["buildStatus"] == "SUCCEEDED"
    assert "groupName" not in build["logs"]
    assert world.logs.describe_log_groups(logGroupNamePrefix=f"/aws/codebuild/{name}")["logGroups"] == []
    (path,) = (cloud.folder / "builds" / name).iterdir()
    assert "quiet" in path.read_text()


@pytest.mark.parametrize("how", ["reset", "stop"])
def test_no_build_outlives_the_embedded_aws(tmp_path: Path, how: str) -> None:
    options = Options(command=emulator_command(), build_environment={"FLAG": str(tmp_path / "pid")})
    with EmbeddedCloud.start(tmp_path / "cloud", options) as own, PipelineWorld.of(own) as world:
        assert isinstance(world, PipelineWorld)
        spec = "version: 0.2\nphases: {build: {commands: ['echo $$ > $FLAG; exec sleep 63']}}"
        world.codebuild.start_build(projectName=project(world, spec))
        world.make_pipeline({"name": "Gate", "actions": [approval()]})
        pid = int(until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text().strip()))
        assert alive(pid)
        if how == "reset":
            request = urllib.request.Request(f"{own.endpoint}/_ministack/reset", method="POST")
            with urllib.request.urlopen(request, timeout=30) as response:
                assert response.status == 200
            until(lambda: not alive(pid))
            assert world.codebuild.list_projects()["projects"] == []
            assert world.codebuild.list_builds()["ids"] == []
            assert world.codepipeline.list_pipelines()["pipelines"] == []
    until(lambda: not alive(pid))
