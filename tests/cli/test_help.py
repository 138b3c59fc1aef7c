"""Every command has help, and help is quick."""

from __future__ import annotations

import os
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from manuel_release import errors
from manuel_release.cli import COMMANDS, root


@pytest.mark.parametrize(("columns", "width"), [("60", 58), ("500", 78), ("many", 78)])
def test_help_fits_the_terminal(shell, columns, width):
    lines = shell("--help", COLUMNS=columns).stdout.splitlines()

    assert width - 10 < max(map(len, lines)) <= width


def test_help_is_never_squeezed_below_50_columns(shell):
    assert shell("--help", COLUMNS="10").stdout == shell("--help", COLUMNS="52").stdout


def test_help_lists_the_commands_in_the_order_of_a_users_life(shell):
    text = shell("--help").stdout

    places = [text.index(f"\n  {name} ") for name in COMMANDS]
    assert places == sorted(places)
    assert list(COMMANDS) == [
        "bootstrap",
        "deploy",
        "status",
        "history",
        "canary",
        "rollback",
        "approval",
        "pipeline",
        "incident",
        "freeze",
        "lease",
        "quarantine",
        "doctor",
        "package",
        "step",
        "quality",
        "parameters",
        "rehearse",
        "cloud",
        "completion",
    ]


def test_help_tells_every_exit_code(shell):
    text = shell("--help").stdout

    for code in {0, 130, *(kind.exit_code for kind in vars(errors).values() if hasattr(kind, "exit_code"))}:
        assert f"\n    {code} " in text


def commands():
    """Every command and its path, groups and what is in them included."""
    ctx = click.Context(root)
    for name in COMMANDS:
        command = root.get_command(ctx, name)
        yield (name,), command
        for inner, nested in getattr(command, "commands", {}).items():
            yield (name, inner), nested


ALL = {" ".join(path): (path, command) for path, command in commands()}


@pytest.mark.parametrize("name", COMMANDS)
def test_the_line_in_the_list_is_the_first_sentence_of_the_commands_own_help(name):
    first = ALL[name][1].help.splitlines()[0]

    assert first == f"{COMMANDS[name]}."


@pytest.mark.parametrize("name", ALL)
def test_every_command_and_every_option_has_help(name):
    _, command = ALL[name]

    assert command.help
    for param in command.params:
        assert isinstance(param, click.Argument) or param.help, param.name


@pytest.mark.parametrize("name", ALL)
def test_every_command_accepts_every_shared_option(name):
    _, command = ALL[name]
    shared = {param.name for param in root.params}

    assert shared <= {param.name for param in command.params}
    assert {"environment", "output", "yes", "dry_run", "reason", "timeout", "version"} <= shared


@pytest.mark.parametrize("name", ALL)
def test_help_of_a_command_shows_its_own_options_before_the_shared_ones(name):
    path, command = ALL[name]
    text = CliRunner().invoke(root, [*path, "--help"]).stdout
    shared = {one.name for one in root.params}
    own = [one for one in command.params if isinstance(one, click.Option) and one.name not in shared]

    for param in own:
        named = param.human_readable_name if isinstance(param, click.Argument) else param.opts[0]
        assert text.index(named) < text.index("--env ENV")


@pytest.mark.parametrize("name", ALL)
def test_no_help_shows_clicks_own_markers(name):
    assert "\\b" not in CliRunner().invoke(root, [*ALL[name][0], "--help"]).stdout


HEAVY = "('rich', 'boto3', 'botocore', 'yaml')"


def loaded_by(*arguments, build="None"):
    """Which heavy packages a run of the command line imports, in a process of its own."""
    script = (
        "import sys\n"
        "from types import SimpleNamespace\n"
        "from manuel_release.cli import root\n"
        "try:\n"
        f"    root.main({list(arguments)!r}, obj={build})\n"
        "except SystemExit:\n"
        "    pass\n"
        f"sys.stderr.write(' '.join(name for name in {HEAVY} if name in sys.modules))\n"
    )
    environ = {name: value for name, value in os.environ.items() if name != "COVERAGE_PROCESS_START"}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=environ)
    return done.stderr


@pytest.mark.parametrize("name", ["", *ALL])
def test_help_imports_neither_rich_nor_boto3(name):
    assert loaded_by(*name.split(), "--help") == ""


def test_errors_in_json_import_neither_rich_nor_boto3():
    assert loaded_by("--output", "json", "nonsense") == ""


def test_an_answer_in_json_imports_no_rich_and_a_table_does():
    build = "lambda options, screen: SimpleNamespace(screen=screen, environments=(), now=lambda: None)"

    assert loaded_by("history", "--output", "json", build=build) == ""
    assert loaded_by("history", build=build) == "rich"
