"""docs/commands.md is what the commands' help says."""

from __future__ import annotations

import subprocess
import sys

import click
import pytest
from tests_root import ROOT

from manuel_release.cli import COMMANDS, reference, root

PAGE = ROOT / "docs" / "commands.md"


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == reference.document(), "run `make docs`"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_a_section_with_its_sentence_and_its_options(name) -> None:
    command = root.get_command(click.Context(root), name)
    sections = {part.split("\n")[0]: part for part in ("\n" + reference.document()).split("\n## ")}
    shared = {param.name for param in root.params}

    assert f"{COMMANDS[name]}.\n" in sections[name]
    own = [one.opts[0] for one in command.params if isinstance(one, click.Option) and one.name not in shared]
    rows = [line.split("`")[1].split()[0] for line in sections[name].splitlines() if line.startswith("| `-")]
    inner = [one for nested in getattr(command, "commands", {}).values() for one in nested.params]
    own += [one.opts[0] for one in inner if isinstance(one, click.Option) and one.name not in shared]
    assert rows == own


def test_lines_that_are_not_wrapped_are_code_and_clicks_mark_is_gone() -> None:
    assert "\n    manuel-release deploy --env staging\n" in reference.document()
    assert "\b" not in reference.document()


def test_make_docs_writes_it(tmp_path) -> None:
    path = tmp_path / "commands.md"
    subprocess.run([sys.executable, "-m", "manuel_release.cli.reference", str(path)], check=True)

    assert path.read_text(encoding="utf-8") == reference.document()
    assert "manuel_release.cli.reference docs/commands.md" in (ROOT / "Makefile").read_text(encoding="utf-8")
