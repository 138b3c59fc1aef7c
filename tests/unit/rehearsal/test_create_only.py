"""The embedded AWS says of a property what the resource type's schema says."""

from __future__ import annotations

import json
from pathlib import Path

import cfnlint
import pytest
from tests_root import ROOT

from manuel_release.artifact import template
from manuel_release.rehearsal.emulator.create_only import CREATE_ONLY

SCHEMAS = Path(cfnlint.__file__).parent / "data" / "schemas"
PROVIDERS = json.loads((SCHEMAS / "providers" / "us-east-1.json").read_text())


@pytest.mark.parametrize("kind", sorted(CREATE_ONLY))
def test_the_properties_that_replace_a_resource_are_those_of_its_schema(kind: str) -> None:
    (path,) = (SCHEMAS / "resources").glob(f"{PROVIDERS[kind]}*")
    schema = json.loads(path.read_text())

    wanted = {pointer.removeprefix("/properties/") for pointer in schema.get("createOnlyProperties") or ()}
    assert CREATE_ONLY[kind] == wanted


def test_the_types_that_the_template_changes_most_are_known() -> None:
    made = template.load(ROOT / "template.yaml")["Resources"].values()
    kinds = {one["Type"] for one in made if one["Type"].startswith(("AWS::ApiGateway", "AWS::Logs", "AWS::S3"))}

    assert kinds <= CREATE_ONLY.keys()
