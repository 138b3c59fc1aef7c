"""The forms of parameter files: all are read, each can be written, and nothing in a file is lost in silence."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manuel_release.artifact.parameter_forms import Form, ParameterFile, parse, reference, written
from manuel_release.errors import UsageError

POLICY = {"Statement": [{"Effect": "Allow", "Action": "Update:*", "Principal": "*", "Resource": "*"}]}
names = st.from_regex(r"[A-Za-z][A-Za-z0-9]{0,20}", fullmatch=True)


def read(data: Any) -> ParameterFile:
    return parse(json.dumps(data), "p.json")


@pytest.mark.parametrize(
    "data",
    [
        {"A": "x", "B": 1},
        {"Parameters": {"A": "x", "B": "1"}},
        [{"ParameterKey": "A", "ParameterValue": "x"}, {"ParameterKey": "B", "ParameterValue": 1}],
        [
            {"ParameterKey": "A", "ParameterValue": "x", "UsePreviousValue": False, "ResolvedValue": "x"},
            {"ParameterKey": "B", "ParameterValue": "1"},
        ],
    ],
)
def test_every_form_says_the_same(data: Any) -> None:
    assert read(data).values == {"A": "x", "B": "1"}


def test_codepipelines_form_keeps_tags_and_stack_policy() -> None:
    found = read({"Parameters": {"A": "x"}, "Tags": {"team": "manuel"}, "StackPolicy": POLICY})

    assert (found.tags, found.stack_policy) == ({"team": "manuel"}, POLICY)


def test_codepipelines_form_needs_no_parameters() -> None:
    assert read({"Tags": {"team": "manuel"}}) == ParameterFile({}, {"team": "manuel"})


def test_parameters_that_have_the_names_of_sections_are_parameters_in_a_flat_file() -> None:
    assert read({"Parameters": "x", "Tags": "y"}).values == {"Parameters": "x", "Tags": "y"}


def test_numbers_booleans_and_null_become_the_text_that_cloudformation_takes() -> None:
    assert read({"Parameters": {"A": 1, "B": True, "C": None, "D": 1.5}}).values == {
        "A": "1",
        "B": "true",
        "C": "",
        "D": "1.5",
    }


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("{", "p.json is not valid JSON"),
        ('"text"', "neither an object nor a list"),
        ('{"A": "1", "A": "2"}', "A is given twice"),
        ('{"A": "1", "B": {"C": 1}, "D": []}', "more than a value in B, D"),
        ('{"Parameters": {"A": {"B": 1}}}', "more than a value in A"),
        ('{"Parameters": {"A": "1"}, "Extra": 1}', "Extra does not belong beside Parameters"),
        ('{"Parameters": {"A": "1"}, "Tags": []}', "Tags is no object"),
        ('[{"ParameterKey": "A"}]', "no ParameterValue for A"),
        ('[{"ParameterKey": "A", "ParameterValue": []}]', "more than a value in A"),
        ('[{"ParameterKey": "A", "ParameterValue": "1"}, {"ParameterKey": "A", "ParameterValue": "2"}]', "two entries"),
        ('[{"ParameterKey": "A", "UsePreviousValue": true}]', "takes the previous value of A"),
        ('[{"Key": "A", "Value": "1"}]', "not as the AWS CLI has it: entry 1"),
        ('["A=1"]', "not as the AWS CLI has it: entry 1"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(content: str, expected: str) -> None:
    with pytest.raises(UsageError, match=expected):
        parse(content, "p.json")


@given(st.dictionaries(names, st.text(max_size=20)), st.sampled_from(Form))
def test_what_is_written_in_any_form_is_read_again(values: dict[str, str], form: Form) -> None:
    assert read(written(ParameterFile(values), form)).values == values


@pytest.mark.parametrize("policy", [None, POLICY])
def test_codepipelines_form_is_written_with_all_that_was_in_it(policy: dict[str, Any] | None) -> None:
    file = ParameterFile({"A": "x"}, {"team": "manuel"}, policy)

    assert read(written(file, Form.CODEPIPELINE)) == file


def test_codepipelines_form_has_only_the_sections_that_codepipeline_knows() -> None:
    assert written(ParameterFile({"A": "x"}), Form.CODEPIPELINE) == {"Parameters": {"A": "x"}}


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("ssm:/manuel/dev/key", "/manuel/dev/key"),
        ("ssm:/manuel/dev/key:12", "/manuel/dev/key:12"),
        ("ssm:/a_b.c-d", "/a_b.c-d"),
        ("ssm:", None),
        ("ssm:/", None),
        ("ssm:manuel", None),
        ("ssm:/manuel/key:0", None),
        ("ssm:/manuel/key:label", None),
        ("ssm:/manuel/ key", None),
        ("x ssm:/manuel/key", None),
        ("", None),
    ],
)
def test_a_reference_is_the_whole_value(value: str, name: str | None) -> None:
    assert reference(value) == name
