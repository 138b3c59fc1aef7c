"""stdout has the answer and nothing else."""

from __future__ import annotations

import json

import pytest

from manuel_release.errors import Refused, UsageError
from manuel_release.model.options import GlobalOptions, Output
from manuel_release.view.console import Screen


@pytest.fixture
def screen(stream):
    """Make a screen: `screen(terminal=..., typed=..., ...)`."""

    def make(*, terminal=False, typed="", encoding="utf-8", **options):
        out, err = (stream(terminal=terminal, encoding=encoding) for _ in range(2))
        return Screen(out, err, stream(typed, terminal=terminal), **options)

    return make


@pytest.fixture
def from_options(stream):
    def make(environ, options=None, *, terminal=True):
        streams = {name: stream(terminal=terminal) for name in ("stdin", "stdout", "stderr")}
        return Screen.from_options(options or GlobalOptions(), environ=environ, **streams)

    return make


def test_an_answer_is_one_document_and_only_when_json_was_asked_for(screen):
    json_screen, table_screen = screen(json_output=True), screen()
    for one in (json_screen, table_screen):
        one.answer({"a": [1, "ü"]})

    assert json.loads(json_screen.stdout.getvalue()) == {"a": [1, "ü"]}
    assert json_screen.stdout.getvalue().endswith("}\n")
    assert table_screen.stdout.getvalue() == ""


def test_a_drawing_is_shown_only_when_json_was_not_asked_for(screen):
    json_screen, table_screen = screen(json_output=True), screen()
    for one in (json_screen, table_screen):
        one.show("text")

    assert json_screen.stdout.getvalue() == ""
    assert table_screen.stdout.getvalue() == "text\n"


def test_nothing_but_answers_reaches_stdout(screen):
    one = screen(verbose=True)
    one.say("said")
    one.warn("warned")
    one.trace("traced")
    one.aside("drawn")
    one.error(Refused("no", hint="wait"))

    assert one.stdout.getvalue() == ""
    assert one.stderr.getvalue() == "said\nWarning: warned\ntraced\ndrawn\nError: no\nNext: wait\n"


def test_quiet_leaves_warnings_and_errors(screen):
    one = screen(quiet=True)
    one.say("said")
    one.trace("traced")
    one.aside("drawn")
    one.warn("warned")
    one.error(Refused("no"))

    assert one.stderr.getvalue() == "Warning: warned\nError: no\n"


def test_a_plan_that_is_asked_about_is_shown_with_json_and_quiet_too(screen):
    one = screen(terminal=True, json_output=True, quiet=True)
    one.aside("the plan")

    assert "the plan" in one.stderr.getvalue()


def test_an_error_in_json_is_the_document_on_stdout(screen):
    one = screen(json_output=True)
    one.error(Refused("bob deploys", hint="wait"))

    assert json.loads(one.stdout.getvalue()) == {
        "schema_version": 1,
        "error": {"code": "refused", "message": "bob deploys", "hint": "wait", "exit_code": 3},
    }
    assert one.stderr.getvalue() == ""


def test_long_lines_of_errors_are_not_wrapped_so_that_commands_can_be_copied(screen):
    command = "aws lambda update-alias " + "--routing-config x " * 10
    one = screen(terminal=True, width=40)
    one.error(Refused("no", hint=command))

    assert command in one.stderr.getvalue()


@pytest.mark.parametrize(
    ("typed", "answer"),
    [("y\n", True), ("YES\n", True), ("n\n", False), ("\n", False), ("", False), ("perhaps\ny\n", True)],
)
def test_a_question_is_answered_with_yes_or_it_is_no(screen, typed, answer):
    one = screen(typed=typed, interactive=True)

    assert one.ask("Deploy?") is answer
    assert one.stderr.getvalue().startswith("Deploy? [y/N] ")
    assert one.stdout.getvalue() == ""


def test_the_end_of_the_input_leaves_no_half_line(screen):
    one = screen(typed="", interactive=True)
    one.ask("Deploy?")

    assert one.stderr.getvalue() == "Deploy? [y/N] \n"


def test_nobody_is_asked_off_a_terminal(screen):
    one = screen(typed="y\n")

    with pytest.raises(UsageError, match="nobody can be asked") as refused:
        one.ask("Deploy?")
    assert "--yes" in refused.value.hint
    assert one.stderr.getvalue() == ""


def test_a_build_service_with_a_terminal_is_nobody_to_ask_either(screen):
    assert screen(terminal=True).interactive
    assert not screen(terminal=True, ci=True).interactive


@pytest.mark.parametrize("environ", [{"NO_COLOR": "1", "TERM": "xterm"}, {"TERM": "dumb"}])
def test_no_colour_and_dumb_terminals_get_no_escape_codes(from_options, environ, troubled, now, monkeypatch):
    from manuel_release.view.status import StatusScreen  # noqa: PLC0415

    monkeypatch.setenv("TERM", "xterm-256color")
    one = from_options(environ)
    one.show(StatusScreen((troubled,), now))
    one.error(Refused("no"))

    assert "\x1b" not in one.stdout.getvalue() + one.stderr.getvalue()


def test_a_terminal_gets_colours(from_options, troubled, now, monkeypatch):
    from manuel_release.view.status import StatusScreen  # noqa: PLC0415

    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    one = from_options({"TERM": "xterm-256color"}, GlobalOptions(verbose=True))
    one.show(StatusScreen((troubled,), now))
    one.error(Refused("no"))
    one.trace("traced")

    assert "\x1b[90mtraced" in one.stderr.getvalue()
    assert "\x1b[31m✖" in one.stdout.getvalue()
    assert "\x1b[31mError: " in one.stderr.getvalue()


def test_a_pipe_gets_none_even_without_no_color(from_options, troubled, now):
    from manuel_release.view.status import StatusScreen  # noqa: PLC0415

    one = from_options({"TERM": "xterm-256color", "FORCE_COLOR": "1"}, terminal=False)
    one.show(StatusScreen((troubled,), now))

    assert "\x1b" not in one.stdout.getvalue()


def test_columns_are_kept_to_in_a_pipe_when_they_are_named(from_options):
    wide, narrow = from_options({}, terminal=False), from_options({"COLUMNS": "40"}, terminal=False)
    for one in (wide, narrow):
        one.show("word " * 20)

    assert len(wide.stdout.getvalue().splitlines()) == 1
    assert len(narrow.stdout.getvalue().splitlines()) == 3


@pytest.mark.parametrize(
    ("environ", "ci"),
    [
        ({"CI": "true"}, True),
        ({"CI": "1"}, True),
        ({"CI": "false"}, False),
        ({"CODEBUILD_BUILD_ID": "x:1"}, True),
        ({}, False),
    ],
)
def test_a_build_service_is_known_by_its_variables(from_options, environ, ci):
    assert from_options(environ).ci is ci


def test_the_options_reach_the_screen(from_options):
    one = from_options({}, GlobalOptions(output=Output.JSON, quiet=True, verbose=False))

    assert (one.json_output, one.quiet, one.verbose) == (True, True, False)
    assert from_options({}, GlobalOptions(verbose=True)).verbose


def test_what_an_encoding_cannot_show_stops_nothing(screen):
    one = screen(encoding="ascii")
    one.say("Müller")
    one.show("Müller")
    one.error(Refused("größer"))

    assert one.stderr.getvalue() == "M?ller\nError: gr??er\n"
    assert one.stdout.getvalue() == "M?ller\n"


def test_json_survives_an_ascii_stream_unharmed(screen):
    one = screen(encoding="ascii", json_output=True)
    one.answer({"by": "Müller"})

    assert json.loads(one.stdout.getvalue()) == {"by": "Müller"}


def test_markup_in_other_peoples_words_is_shown_as_it_is(screen):
    one = screen(terminal=True)
    one.warn("parameter [bold]x[/bold] :smile:")

    assert "[bold]x[/bold] :smile:" in one.stderr.getvalue()
