"""Reading a template with CloudFormation's short forms."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from manuel_release.artifact import template
from manuel_release.errors import SettingsError

if TYPE_CHECKING:
    from pathlib import Path

TEXT = """
Resources:
  Table:
    Type: AWS::DynamoDB::Table
    Metadata: {Description: A table for the ledger}
    Properties:
      Name: !Sub 'x-${AWS::Region}'
      Arn: !GetAtt Other.Nested.Arn
      Key: !Ref Key
      Choice: !If [HasKey, !Ref Key, !Ref AWS::NoValue]
  Plain: {Type: AWS::SNS::Topic}
"""


def test_short_forms_become_their_long_forms() -> None:
    properties = template.loads(TEXT, "t")["Resources"]["Table"]["Properties"]

    assert properties == {
        "Name": {"Fn::Sub": "x-${AWS::Region}"},
        "Arn": {"Fn::GetAtt": ["Other", "Nested.Arn"]},
        "Key": {"Ref": "Key"},
        "Choice": {"Fn::If": ["HasKey", {"Ref": "Key"}, {"Ref": "AWS::NoValue"}]},
    }


def test_descriptions_are_the_sentences_in_the_metadata() -> None:
    assert template.descriptions(template.loads(TEXT, "t")) == {"Table": "A table for the ledger"}


@pytest.mark.parametrize(
    ("text", "expected"), [("a: [", "not valid YAML"), ("a: 1", "no Resources"), ("", "no Resources")]
)
def test_what_is_no_template_is_said(text: str, expected: str) -> None:
    with pytest.raises(SettingsError, match=expected):
        template.loads(text, "t.yaml")


def test_python_objects_in_a_template_are_not_built() -> None:
    with pytest.raises(SettingsError):
        template.loads("Resources: !!python/object/apply:os.system ['true']", "t.yaml")


def test_a_missing_template_says_where_to_run(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        template.load(tmp_path / "template.yaml")

    assert "repository" in caught.value.hint
