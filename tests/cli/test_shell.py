"""What holds for every command: one exit code for one kind of end, and who reads stdout reads the answer."""

from __future__ import annotations

import json
import signal
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from manuel_release import __version__, errors
from manuel_release.cli import root

EXIT_CODES = {
    errors.ReleaseError: 1,
    errors.UsageError: 2,
    errors.Refused: 3,
    errors.AccessError: 4,
    errors.SettingsError: 4,
    errors.GateFailed: 5,
    errors.Partial: 6,
    errors.Pending: 8,
    errors.EmulatorError: 1,
}


def kinds(of):
    return {of}.union(*(kinds(one) for one in of.__subclasses__()))


def test_no_kind_of_error_is_missing_here():
    assert {kind for kind in kinds(errors.ReleaseError) if kind.__module__ == errors.__name__} == set(EXIT_CODES)


@pytest.mark.parametrize(("kind", "code"), EXIT_CODES.items())
def test_every_error_has_its_exit_code_and_two_lines_on_stderr(shell, kind, code):
    shell.fail = kind("it happened: because", hint="do this")
    result = shell("status")

    assert (result.exit_code, result.stdout) == (code, "")
    assert result.stderr == "Error: it happened: because\nNext: do this\n"


@pytest.mark.parametrize(("kind", "code"), EXIT_CODES.items())
@pytest.mark.parametrize("arguments", [("--output", "json", "status"), ("status", "--output=json")])
def test_every_error_is_one_document_with_json(shell, kind, code, arguments):
    shell.fail = kind("it happened", hint="do this")
    result = shell(*arguments)

    assert (result.exit_code, result.stderr) == (code, "")
    assert json.loads(result.stdout) == {
        "schema_version": 1,
        "error": {"code": kind.code, "message": "it happened", "hint": "do this", "exit_code": code},
    }


def test_an_error_is_a_sentence_again_when_the_last_output_is_a_table(shell):
    shell.fail = errors.Refused("no")
    result = shell("--output", "json", "status", "--output", "table")

    assert (result.stdout, result.stderr) == ("", "Error: no\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("deploi",), "There is no command 'deploi'. Did you mean 'deploy'?"),
        (("xyz",), "There is no command 'xyz'."),
        (("status", "--nothing"), "No such option '--nothing'"),
        (("--output", "xml", "status"), "'xml' is not one of"),
        (("status", "extra"), "unexpected extra argument"),
        (("history", "--limit", "0"), "--limit"),
        (("--env", "dev"), "Missing command"),
    ],
)
def test_wrong_usage_is_said_and_points_to_the_help(shell, arguments, message):
    result = shell(*arguments)

    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr
    assert "--help` shows what it accepts" in result.stderr
    assert shell.seen == []


def test_wrong_usage_is_a_document_with_json(shell):
    result = shell("status", "--nothing", "--output", "json")

    assert result.exit_code == 2
    assert json.loads(result.stdout)["error"]["code"] == "usage"
    assert result.stderr == ""


def test_what_click_complains_of_outside_a_command_line_is_said_without_a_hint(shell):
    shell.fail = click.ClickException("a file cannot be opened")

    assert shell("status").stderr == "Error: a file cannot be opened\n"


def test_an_unknown_environment_is_wrong_usage(shell):
    result = shell("status", "--env", "mars")

    assert result.exit_code == 2
    assert "dev, staging, production" in result.stderr


def test_an_app_of_ones_own_is_made_when_nobody_brings_one(tmp_path, monkeypatch):
    (tmp_path / "manuel-release.toml").write_text("", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(root, ["status", "--env", "mars"])

    assert result.exit_code == 2
    assert "dev, staging, production" in result.stderr


def test_the_shell_completes_commands_and_options(shell):
    def completed(words):
        return shell(_MANUEL_RELEASE_COMPLETE="bash_complete", COMP_WORDS=words, COMP_CWORD="1").stdout.split()

    assert completed("manuel-release sta") == ["plain,status"]
    assert completed("manuel-release --dry") == ["plain,--dry-run"]
    assert completed("manuel-release nonsense") == []


def test_nothing_at_all_shows_the_help(shell):
    result = shell()

    assert (result.exit_code, result.stdout) == (2, "")
    assert "Usage: manuel-release" in result.stderr


def test_an_interruption_says_what_the_command_knows(shell):
    shell.fail = KeyboardInterrupt()
    shell.fail.add_note("The stack update goes on without you.")
    result = shell("status")

    assert result.exit_code == 130
    assert "Error: interrupted. The stack update goes on without you.\n" in result.stderr
    assert "manuel-release status" in result.stderr


def test_an_interruption_is_a_document_with_json(shell):
    shell.fail = KeyboardInterrupt()
    result = shell("status", "--output", "json")

    assert result.exit_code == 130
    assert json.loads(result.stdout)["error"] == {
        "code": "interrupted",
        "message": "interrupted.",
        "hint": "`manuel-release status` shows what is unfinished and how to finish it.",
        "exit_code": 130,
    }


def test_ctrl_c_ends_the_process_with_130():
    script = (
        "import signal, time\n"
        "from manuel_release.cli import root\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # what runs in the background inherits none
        "def build(options, screen):\n"
        "    print('ready', flush=True)\n"
        "    time.sleep(60)\n"
        "root.main(['status'], obj=build)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=30)

    assert process.returncode == 130
    assert "Error: interrupted." in told
    assert "Traceback" not in told


def test_a_fault_of_our_own_is_a_sentence_and_with_verbose_a_traceback(shell):
    shell.fail = ZeroDivisionError("oh")
    short, long = shell("status"), shell("status", "--verbose")

    assert short.exit_code == long.exit_code == 1
    assert "ZeroDivisionError: oh" in short.stderr
    assert "Traceback" not in short.stderr
    assert "Traceback" in long.stderr


def test_a_reader_that_goes_away_makes_no_noise():
    script = (
        "import sys\n"
        "from manuel_release.cli import root\n"
        "def build(options, screen):\n"
        "    sys.stdin.readline()\n"
        "    screen.answer({'much': 'x' * 1000000})\n"
        "root.main(['status', '--output', 'json'], obj=build)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        process.stdout.close()
        told = process.stderr
        process.stdin.write("go\n")
        process.stdin.close()
        assert told.read() == ""
        assert process.wait(timeout=30) == 1


@pytest.mark.parametrize("arguments", [("--version",), ("status", "--version")])
def test_the_version_is_told_anywhere(shell, arguments):
    result = shell(*arguments)

    assert (result.exit_code, result.stdout) == (0, f"manuel-release {__version__}\n")


def test_without_standalone_mode_the_exit_code_is_returned(capsys):
    assert root.main(["--version"], standalone_mode=False) == 0
    assert root.main(["nonsense"], standalone_mode=False) == 2


def test_python_m_is_the_same_program():
    done = subprocess.run(
        [sys.executable, "-m", "manuel_release", "--version"], capture_output=True, text=True, check=True
    )

    assert done.stdout == f"manuel-release {__version__}\n"
