"""`package`: SAM is called as a program; here it is one that only writes a template."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from cli.conftest import OfflineApp
from click.testing import CliRunner

from manuel_release.cli import root
from manuel_release.settings import Settings

SAM = """#!/bin/sh
while [ "$1" != --output-template-file ]; do
  case "$1" in --s3-bucket) shift; echo "$1" > bucket; ;; --s3-prefix) shift; echo "$1" > prefix; ;; esac
  shift
done
echo 'Resources: {packaged: {}}' > "$2"
"""


class Aws:
    class session:  # noqa: N801
        region = "eu-west-1"

    class parameters:  # noqa: N801
        @staticmethod
        def get(_name: str) -> str:
            return "manuel-artifacts"


@pytest.fixture
def package(tmp_path, monkeypatch):
    program = tmp_path / "envs" / "build" / "bin" / "sam"
    program.parent.mkdir(parents=True)
    program.write_text(SAM)
    program.chmod(0o755)
    monkeypatch.setenv("MANUEL_ENVS", str(tmp_path / "envs"))
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    monkeypatch.delenv("ARTIFACTS_BUCKET", raising=False)
    monkeypatch.delenv("CODEBUILD_RESOLVED_SOURCE_VERSION", raising=False)
    repository = tmp_path / "repository"
    (repository / ".aws-sam" / "build").mkdir(parents=True)
    (repository / ".aws-sam" / "build" / "template.yaml").write_text("Resources: {}")
    for environment in ("dev", "staging", "production"):
        (repository / f"parameters-{environment}.json").write_text("{}")

    def run(*arguments, **environ):
        def build(options, screen):
            app = OfflineApp(options, screen)
            app.aws = Aws()
            app.settings = replace(Settings(), root=repository)
            return app

        return CliRunner().invoke(root, ("package", "--no-build", *arguments), obj=build, env=environ)

    run.repository = repository
    return run


def test_the_artifact_can_be_deployed_everywhere_and_says_what_it_is(package) -> None:
    result = package("--output", "json")

    folder = package.repository / ".aws-sam" / "artifact"
    record = json.loads((folder / "artifact.json").read_text())
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["code_digest"] == record["code_digest"]
    assert {path.name for path in folder.iterdir()} == {
        "artifact.json",
        "packaged-template.yaml",
        "parameters-dev.json",
        "parameters-staging.json",
        "parameters-production.json",
    }
    assert "packaged" in (folder / "packaged-template.yaml").read_text()
    assert (package.repository / "prefix").read_text() == f"builds/{record['code_digest'][:16]}\n"
    assert (package.repository / "bucket").read_text() == "manuel-artifacts\n"


def test_the_build_may_be_told_its_bucket(package) -> None:
    package(ARTIFACTS_BUCKET="another")

    assert (package.repository / "bucket").read_text() == "another\n"


def test_an_unknown_author_is_said_because_nobody_could_approve_it(package) -> None:
    assert "nobody can approve this build" in package().stderr
