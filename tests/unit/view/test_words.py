"""Durations, times and counts in words."""

from __future__ import annotations

from datetime import timedelta

import pytest

from manuel_release.view import words


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (-1, "0.0 s"),
        (0.44, "0.4 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (59.4, "59 s"),
        (59.6, "1 min"),
        (61, "1 min 1 s"),
        (3599.7, "1 h"),
        (3661, "1 h 1 min"),
        (90000, "1 d 1 h"),
    ],
)
def test_a_duration_has_at_most_two_units(seconds, told):
    assert words.duration(seconds) == told


@pytest.mark.parametrize(
    ("seconds", "behind", "before"),
    [
        (-5, "just now", "now"),
        (0.5, "just now", "now"),
        (59, "59 s ago", "in 59 s"),
        (60, "1 min ago", "in 1 min"),
        (7199, "1 h ago", "in 1 h"),
        (86400 * 40, "40 d ago", "in 40 d"),
    ],
)
def test_a_moment_is_told_by_its_distance(now, seconds, behind, before):
    distance = timedelta(seconds=seconds)

    assert words.ago(now - distance, now) == behind
    assert words.ahead(now + distance, now) == before


def test_one_is_singular():
    assert (words.count(1, "alarm"), words.count(0, "alarm"), words.count(2, "alarm")) == (
        "1 alarm",
        "0 alarms",
        "2 alarms",
    )


def test_a_percentage_has_no_needless_decimals():
    assert (words.percent(10.0), words.percent(12.5)) == ("10 %", "12.5 %")


def test_a_commit_is_shortened_and_its_dirt_is_not():
    assert words.short_commit("0123456789abcdef-dirty") == "0123456-dirty"
    assert words.short_commit("") == ""
