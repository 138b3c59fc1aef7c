"""The quality gates as a person sees them."""

from __future__ import annotations

from manuel_release.gates.quality import Counts, Evidence, Stage, decide, summary
from manuel_release.view.quality import QualityScreen, document

GOOD = decide(Evidence(Counts(10), 91.25, Counts(3, skipped=2), Counts(5)), Stage.BUILD)
RED = decide(Evidence(Counts(10, failed=1), 79.0, dependencies=Counts(1, skipped=1, reasons=("no net",))), Stage.BUILD)


def test_a_build_that_is_good_enough(golden):
    golden("quality-good", QualityScreen(GOOD, summary(GOOD)))


def test_a_build_that_is_not_and_what_to_do_next(golden):
    golden("quality-red", QualityScreen(RED, summary(RED)))


def test_the_document_says_what_counts_first():
    found = document(RED, "build", summary(RED))

    assert (found["good_enough"], found["stage"]) == (False, "build")
    assert [gate["state"] for gate in found["gates"]] == ["failed", "failed", "missing", "told"]
    assert document(GOOD, "build", "")["good_enough"] is True
