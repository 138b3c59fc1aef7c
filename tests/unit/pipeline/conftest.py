"""Our own pipeline.yaml and buildspecs, which a test breaks in one place."""

from __future__ import annotations

import copy
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from tests_root import ROOT

from manuel_release.artifact import template
from manuel_release.pipeline import makefile
from manuel_release.pipeline.load import delivery
from manuel_release.pipeline.validate import validate

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from manuel_release.model.pipeline import Delivery, Finding

TARGETS = (
    "setup-build setup-tool setup-integration lint types templates pipeline-validate security-scan "
    "dependency-audit test-unit build package parameter-forms pipeline-deploy test-integration "
    "test-performance test-security test-chaos test-e2e test-failure-scenarios approval-change-set approval-package "
    "approval-check pipeline-canary pipeline-observe pipeline-promote mirror expected-release"
)


def stored(name: str, value: str) -> dict[str, Any]:
    return {"Type": "AWS::SSM::Parameter", "Properties": {"Name": f"/manuel/operations/{name}", "Value": value}}


OPERATIONS = {
    "Resources": {
        "Ledger": stored("ledger", "manuel-releases"),
        "Artifacts": stored("artifacts", "manuel-artifacts-123456789012-eu-west-1"),
        "Topic": stored("topic", "arn:aws:sns:eu-west-1:123456789012:manuel-deployment-notifications"),
    }
}


@pytest.fixture(scope="session")
def loaded() -> dict[str, Any]:
    return template.load(ROOT / "pipeline.yaml")


@pytest.fixture
def written(loaded: dict[str, Any]) -> dict[str, Any]:
    """pipeline.yaml as data, to be broken."""
    return copy.deepcopy(loaded)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository with our buildspecs and a Makefile that has every target."""
    shutil.copytree(ROOT / "buildspecs", tmp_path / "buildspecs")
    (tmp_path / "Makefile").write_text("".join(f"{target}: ## x\n\t@true\n" for target in TARGETS.split()))
    assert makefile.targets((tmp_path / "Makefile").read_text()) == set(TARGETS.split())
    return tmp_path


@pytest.fixture
def load(written: dict[str, Any], root: Path) -> Callable[[], Delivery]:
    return lambda: delivery(written, OPERATIONS, root)


@pytest.fixture
def findings(load: Callable[[], Delivery]) -> Callable[[], tuple[Finding, ...]]:
    return lambda: validate(load())
