"""The digest that tells releases apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from manuel_release.artifact.digest import digest, tree

if TYPE_CHECKING:
    from pathlib import Path

NAMES = st.text(min_size=1, max_size=8)


def test_the_tree_is_sorted_and_has_no_byte_code(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "x.py").write_bytes(b"1")
    (tmp_path / "a.py").write_bytes(b"2")
    (tmp_path / "b" / "__pycache__").mkdir()
    (tmp_path / "b" / "__pycache__" / "x.pyc").write_bytes(b"time")

    assert list(tree(tmp_path)) == [("a.py", b"2"), ("b/x.py", b"1")]


def test_the_release_id_does_not_count() -> None:
    assert digest([], {"A": "1", "ReleaseId": "r-1"}) == digest([], {"A": "1", "ReleaseId": "r-2"})


def test_the_order_of_parameters_does_not_count() -> None:
    assert digest([], {"A": "1", "B": "2"}) == digest([], {"B": "2", "A": "1"})


@given(
    one=st.tuples(
        st.lists(st.tuples(NAMES, st.binary(max_size=8)), max_size=3), st.dictionaries(NAMES, NAMES, max_size=3)
    ),
    other=st.tuples(
        st.lists(st.tuples(NAMES, st.binary(max_size=8)), max_size=3), st.dictionaries(NAMES, NAMES, max_size=3)
    ),
)
def test_different_content_has_different_digests(
    one: tuple[list[tuple[str, bytes]], dict[str, str]], other: tuple[list[tuple[str, bytes]], dict[str, str]]
) -> None:
    same = one[0] == other[0] and {k: v for k, v in one[1].items() if k != "ReleaseId"} == {
        k: v for k, v in other[1].items() if k != "ReleaseId"
    }

    assert (digest(*one) == digest(*other)) is same


def test_a_byte_moved_from_the_name_to_the_content_changes_the_digest() -> None:
    assert digest([("ab", b"c")]) != digest([("a", b"bc")])
