"""What goes into a release's digest and what into its change set, when the parameter file leaves values to SSM."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pytest
from fakes import CALLER, FakeAws

from manuel_release import settings
from manuel_release.app import App
from manuel_release.apply import prepare
from manuel_release.errors import UsageError
from manuel_release.model.deploy import DeployRequest, DeployState
from manuel_release.model.options import GlobalOptions
from manuel_release.model.parameter import StoredValue
from manuel_release.settings import Settings
from manuel_release.view.console import Screen

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

TEMPLATE = """
Parameters:
  Environment: {Type: String}
  ApiVersionStage: {Type: String, Default: dev}
  ReleaseId: {Type: String, Default: r-1}
  Key: {Type: String, NoEcho: true, Default: ''}
Resources: {}
"""
SECRET = "hunter2-secret"


class Desk:
    """An artifact with a parameter file, and an account whose SSM has the versions of one secret."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.aws, self.told = folder, FakeAws(), io.StringIO()
        (folder / "packaged-template.yaml").write_text(TEMPLATE)
        (folder / "artifact.json").write_text(json.dumps({"code_digest": "c0de", "commit": "abc1234"}))
        self.aws.parameters.values[settings.ARTIFACTS_PARAMETER] = "artifacts"
        self.app = App(GlobalOptions(environment="dev"), Screen(io.StringIO(), self.told))
        self.app.__dict__.update(settings=Settings(root=folder), aws=self.aws, caller=CALLER)

    def store(self, version: int, value: str) -> None:
        one = StoredValue("/manuel/key", version, secret=True, value=value)
        self.aws.parameters.stored.update({"/manuel/key": one, f"/manuel/key:{version}": one})

    def write(self, data: object) -> None:
        (self.folder / "parameters-dev.json").write_text(json.dumps(data))

    def candidate(self) -> prepare.Candidate:
        request = DeployRequest(artifact=self.folder)
        return prepare.candidate(self.app, request, prepare.checked_parameters(self.app, request))

    def asked(self, what: prepare.Candidate) -> Mapping[str, Any]:
        """The request for the change set of this candidate."""
        state = DeployState(self.app.environment, "dev", CALLER, None)
        return self.aws.stacks.change_sets[prepare.change_set(self.app, state, what, "r-1", ()).id]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    made = Desk(tmp_path)
    made.store(1, SECRET)
    made.write({"Environment": "dev", "Key": "ssm:/manuel/key"})
    return made


def test_a_candidate_names_the_version_and_never_has_the_secret(desk: Desk) -> None:
    what = desk.candidate()

    assert what.values["Key"] == "ssm:/manuel/key:1"
    assert SECRET not in repr(what)


def test_the_change_set_gets_the_secret(desk: Desk) -> None:
    assert desk.asked(desk.candidate())["parameters"]["Key"] == SECRET


def test_the_change_set_gets_the_version_that_was_checked_even_when_a_newer_one_came(desk: Desk) -> None:
    what = desk.candidate()
    desk.store(2, "another-secret")

    assert desk.asked(what)["parameters"]["Key"] == SECRET


def test_a_new_version_in_ssm_is_another_digest_and_the_same_one_is_not(desk: Desk) -> None:
    first, again = desk.candidate().digest, desk.candidate().digest
    desk.store(2, SECRET)

    assert first == again != desk.candidate().digest


def test_a_secret_that_the_template_shows_is_refused(desk: Desk) -> None:
    (desk.folder / "packaged-template.yaml").write_text(TEMPLATE.replace("NoEcho: true, ", ""))

    with pytest.raises(UsageError, match="NoEcho: true") as raised:
        desk.candidate()
    assert SECRET not in raised.value.message


def test_tags_of_codepipelines_form_are_the_stacks_and_part_of_the_digest(desk: Desk) -> None:
    before = desk.candidate()
    desk.write({"Parameters": {"Environment": "dev", "Key": "ssm:/manuel/key"}, "Tags": {"team": "manuel"}})
    what = desk.candidate()

    assert desk.asked(what)["tags"] == {"team": "manuel", "manuel:environment": "dev"}
    assert (before.values, before.digest != what.digest) == (what.values, True)


def test_a_stack_policy_is_not_dropped_in_silence(desk: Desk) -> None:
    desk.write({"Parameters": {"Environment": "dev"}, "StackPolicy": {"Statement": []}})
    desk.candidate()

    assert "StackPolicy is for CodePipeline" in desk.told.getvalue()
