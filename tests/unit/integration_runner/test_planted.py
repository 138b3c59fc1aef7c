"""The catalogue of planted faults fits the service as it is, and each would break something."""

from __future__ import annotations

import ast
from collections import Counter

import planted
import pytest
from integration.suites.config import CATEGORIES

from manuel_release.artifact import template

EVERY = planted.every()


def test_there_are_at_least_25_and_some_for_every_category() -> None:
    counted = Counter(fault.category for fault in EVERY)

    assert len(EVERY) >= 25
    assert set(counted) == set(CATEGORIES) == set(planted.CATEGORIES)
    assert min(counted.values()) >= 3
    assert any(fault.in_template for fault in EVERY)


@pytest.mark.parametrize("fault", EVERY, ids=lambda fault: fault.name)
def test_a_fault_fits_the_service_as_it_is(fault: planted.Fault) -> None:
    for file, text in planted.broken(fault).items():
        original = (planted.ROOT / file).read_text(encoding="utf-8")
        assert text != original
        if file.endswith(".py"):
            assert ast.dump(ast.parse(text)) != ast.dump(ast.parse(original))
        else:
            assert template.loads(text, file) != template.loads(original, file)
    assert fault.says.endswith(".")


def test_a_text_that_is_not_there_once_is_told() -> None:
    fault = planted.Fault("x", "It is.", "api", (planted.Change("template.yaml", "Type: String", "Type: Number"),))

    with pytest.raises(ValueError, match=r"x: template\.yaml holds the text to replace \d+ times"):
        planted.broken(fault)


def test_the_page_says_which_fault_no_suite_saw() -> None:
    seen = planted.Outcome(EVERY[0], "test_x[a]", "because", 1.0)
    unseen = planted.Outcome(EVERY[1], "", "", 1.0)

    text = planted.page([seen, unseen])

    assert "1 of 2 faults" in text
    assert f"| {EVERY[0].says} |" in text
    assert "`test_x`" in text
    assert "**not caught**" in text
