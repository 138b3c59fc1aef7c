"""What people decide on, in a few sentences and without one report hiding another."""

from __future__ import annotations

from pathlib import Path

from manuel_release.pipeline import evidence

SUITE = '<testsuite><testcase name="a"/><testcase name="b"><failure/></testcase></testsuite>'


def test_reports_of_the_same_name_from_two_environments_are_both_counted(tmp_path) -> None:
    for environment in ("dev", "staging"):
        (tmp_path / environment).mkdir()
        (tmp_path / environment / "test-results.xml").write_text(SUITE)

    found = evidence.tests([("dev", tmp_path / "dev"), ("staging", tmp_path / "staging")])

    assert set(found) == {"dev/test-results", "staging/test-results"}
    assert evidence.summary(found, {}) == "4 tests, 2 failed."


def test_a_folder_may_have_a_name(tmp_path) -> None:
    assert evidence.labelled("dev=/a/b") == ("dev", Path("/a/b"))
    assert evidence.labelled("/a/b") == ("", Path("/a/b"))


def test_the_summary_says_what_the_gates_and_the_observation_say() -> None:
    parts = {
        "quality": {"summary": "11 of 11 quality gates passed"},
        "observation": {"message": "r-2 is good:\n no difference."},
        "change-set": {"plan": {}},
        "notes": ["not", "a", "document"],
    }

    assert evidence.summary({}, parts) == (
        "0 tests, 0 failed. 11 of 11 quality gates passed. r-2 is good: no difference."
    )


def test_a_long_summary_is_cut_to_what_a_notification_takes() -> None:
    text = evidence.summary({}, {"quality": {"summary": "x" * 1000}})

    assert len(text) == evidence.SUMMARY_CHARACTERS
    assert text.endswith("...")
