"""References to variables are replaced, or said to be wrong."""

from __future__ import annotations

import pytest

from manuel_release.rehearsal.emulator.codepipeline.variables import UnresolvedError, references, resolve

KNOWN = {"Source": {"CommitId": "abc", "Path": r"a\1#{x"}, "variables": {"who": "me"}, "codepipeline": {}}


def test_every_reference_of_a_text_is_replaced() -> None:
    assert resolve("#{Source.CommitId} by #{ variables.who }, #no {reference}", KNOWN) == "abc by me, #no {reference}"


def test_a_value_is_taken_as_it_is() -> None:
    assert resolve("[#{Source.Path}]", KNOWN) == r"[a\1#{x]"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("#{Other.CommitId}", "refers to a namespace that no action has written"),
        ("#{Source.Commit}", "refers to a variable that the namespace does not have"),
        ("#{codepipeline.PipelineExecutionId}", "does not have"),
        ("#{nothing}", "is not a valid variable reference"),
        ("#{a.b.c}", "is not a valid variable reference"),
        ("#{}", "is not a valid variable reference"),
    ],
)
def test_a_reference_to_nothing_is_an_error(text: str, said: str) -> None:
    with pytest.raises(UnresolvedError, match=said):
        resolve(text, KNOWN)


def test_references_are_listed() -> None:
    assert list(references("a #{B.c} d #{E.f}")) == [("B", "c"), ("E", "f")]
