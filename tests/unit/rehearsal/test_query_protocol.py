"""CloudWatch's older wire form."""

from __future__ import annotations

from manuel_release.rehearsal.emulator.query_protocol import expand, to_xml


def test_flattened_members_become_lists_in_the_order_of_their_numbers() -> None:
    params = {f"A.member.{index}.Name": [f"n{index}"] for index in (10, 2, 1)} | {"B": "x", "C.D": ["y"]}
    assert expand(params) == {"A": [{"Name": "n1"}, {"Name": "n2"}, {"Name": "n10"}], "B": "x", "C": {"D": "y"}}


def test_answers_become_elements_with_members_and_escaped_text() -> None:
    answer = {"Ids": ["a<b", 2], "Done": True, "Missing": None}
    assert to_xml(answer) == "<Ids><member>a&lt;b</member><member>2</member></Ids><Done>true</Done>"
