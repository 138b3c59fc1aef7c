"""What a team chooses in the settings reaches the judge."""

from __future__ import annotations

import pytest

from manuel_release import settings
from manuel_release.observe.judged import judged_by
from manuel_release.verdict import Routing


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("canary_margin_5xx_percent", "margin_5xx_percent"),
        ("canary_margin_4xx_percent", "margin_4xx_percent"),
        ("canary_margin_slow_percent", "margin_slow_percent"),
        ("canary_start_grace_seconds", "start_grace_seconds"),
        ("canary_step_grace_seconds", "step_grace_seconds"),
        ("canary_stale_seconds", "stale_seconds"),
    ],
)
def test_a_number_of_the_settings_is_the_judges(name, told) -> None:
    chosen = settings.parse(f"{name} = 7.5\n", "a test")

    assert getattr(judged_by(chosen), told) == 7.5


def test_what_limits_may_do_is_the_judges() -> None:
    assert judged_by(settings.parse('limits = "absolute"\n', "a test")).limits.value == "absolute"


def test_the_judge_knows_that_api_gateway_draws_request_by_request() -> None:
    assert judged_by(settings.Settings()).routing is Routing.PER_REQUEST
