"""The journal of a rehearsal: what is in it is not done again, and a line that was cut off counts as not written."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from manuel_release.rehearsal.journal import Journal

if TYPE_CHECKING:
    from pathlib import Path


def test_what_was_done_is_not_done_again_and_has_its_answer(tmp_path: Path) -> None:
    first = Journal(tmp_path / "journal")
    assert first.once("push v3", lambda: ["e-1"]) == ["e-1"]

    again = Journal(tmp_path / "journal")

    assert (first.resumed, again.resumed) == (False, True)
    assert again.once("push v3", lambda: ["e-2"]) == ["e-1"]
    assert again.once("push v4", lambda: ["e-3"]) == ["e-3"]


def test_what_failed_is_not_in_it(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal")

    def fails() -> str:
        raise ValueError

    with pytest.raises(ValueError):
        journal.once("push", fails)

    assert journal.once("push", lambda: "done") == "done"


def test_a_line_that_was_cut_off_counts_as_not_written(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    Journal(path).once("one", lambda: 1)
    with path.open("a") as file:
        file.write('{"key": "two", "answ')

    again = Journal(path)

    assert again.once("two", lambda: 2) == 2
    assert Journal(path).answers("") == (1, 2)


def test_time_goes_on_from_where_the_interrupted_run_was(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    lines = [{"key": key, "answer": None, "seconds": 2.5, "elapsed": at} for key, at in (("a", 100.0), ("b", 50.0))]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))

    again = Journal(path)

    assert 100.0 <= again.elapsed < 200.0
    assert again.timed("a", lambda: None) == (None, 2.5)


def test_answers_are_found_by_what_their_keys_begin_with(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal")
    for key in ("decided 1", "pushed", "decided 2"):
        journal.once(key, lambda key=key: key.upper())  # type: ignore[misc]

    assert journal.answers("decided ") == ("DECIDED 1", "DECIDED 2")
