"""Shared options count on both sides of a command's name."""

from __future__ import annotations

import pytest

from manuel_release.model.options import GlobalOptions, Output

OPTIONS = [
    (("--env", "dev"), {"environment": "dev"}),
    (("--env", "prod"), {"environment": "production"}),
    (("--region", "eu-central-1"), {"region": "eu-central-1"}),
    (("--profile", "work"), {"profile": "work"}),
    (("--output", "json"), {"output": Output.JSON}),
    (("--yes",), {"yes": True}),
    (("-y",), {"yes": True}),
    (("--dry-run",), {"dry_run": True}),
    (("--reason", "faster answers"), {"reason": "faster answers"}),
    (("--timeout", "15m"), {"timeout": 900.0}),
    (("--quiet",), {"quiet": True}),
    (("--verbose",), {"verbose": True}),
    (("--no-color",), {"no_color": True}),
    (("--config", "a.toml"), {"config": "a.toml"}),
]


@pytest.mark.parametrize(("given", "expected"), OPTIONS)
def test_an_option_counts_before_and_after_the_command(shell, given, expected):
    shell(*given, "status")
    before = shell.options
    shell("status", *given)

    assert before == shell.options == GlobalOptions(**expected)


def test_without_options_the_defaults_count(shell):
    shell("status")

    assert shell.options == GlobalOptions()


def test_the_option_nearest_to_the_command_wins(shell):
    shell("--env", "dev", "--region", "eu-west-1", "status", "--env", "staging")

    assert (shell.options.environment, shell.options.region) == ("staging", "eu-west-1")


def test_options_count_between_a_group_and_its_command_too(shell):
    shell("--env", "dev", "cloud", "--env", "staging", "--quiet", "env")

    assert (shell.options.environment, shell.options.quiet) == ("staging", True)


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("15m", 900), ("2h", 7200), ("1h30m", 5400), ("2H", 7200)])
def test_durations_have_units(shell, text, seconds):
    shell("status", "--timeout", text)

    assert shell.options.timeout == seconds


@pytest.mark.parametrize("text", ["90", "", "0s", "-5m", "1.5h", "10 min", "5m2h"])
def test_a_duration_without_a_unit_is_wrong_usage(shell, text):
    result = shell("status", "--timeout", text)

    assert result.exit_code == 2
    assert "write 90s, 15m, 2h or 1h30m" in result.stderr


def test_quiet_and_verbose_contradict_each_other(shell):
    result = shell("--quiet", "status", "--verbose")

    assert (result.exit_code, result.stdout) == (2, "")
    assert "contradict" in result.stderr
