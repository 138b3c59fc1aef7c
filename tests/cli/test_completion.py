"""Shell completion: the scripts, and what they complete."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from manuel_release.cli import COMMANDS
from manuel_release.cli.completion import SHELLS


@pytest.mark.parametrize("shell_name", SHELLS)
def test_each_shell_gets_a_script_that_names_the_program_and_its_variable(shell, shell_name) -> None:
    result = shell("completion", shell_name)

    assert (result.exit_code, result.stderr) == (0, "")
    assert "manuel-release" in result.stdout
    assert f"_MANUEL_RELEASE_COMPLETE={shell_name}_complete" in result.stdout


def test_json_has_the_same_script(shell) -> None:
    document = json.loads(shell("completion", "zsh", "--output", "json").stdout)

    assert document["script"] + "\n" == shell("completion", "zsh").stdout


def test_a_shell_that_is_not_known_is_wrong_usage(shell) -> None:
    assert shell("completion", "tcsh").exit_code == 2


CASES = [
    (("",), list(COMMANDS)),
    (("do",), ["doctor"]),
    (("cloud", ""), ["down", "env", "up"]),
    (("status", "--env", ""), ["dev", "staging", "production"]),
    (("--env", "p"), ["production"]),
    (("--env", "dev", "sta"), ["status"]),
    (("deploy", "--no-b"), ["--no-build"]),
    (("deploy", "--out"), ["--output"]),
    (("deploy", "--output", "j"), ["json"]),
    (("parameters", "--form", "c"), ["codepipeline", "cli"]),
    (("completion", ""), list(SHELLS)),
]


@pytest.mark.parametrize(("words", "offered"), CASES)
@pytest.mark.parametrize("shell_name", SHELLS)
def test_commands_options_and_environments_are_completed(shell, shell_name, words, offered) -> None:
    """The three shells hand over the words in their own ways (click's documentation, "Shell Completion")."""
    line = " ".join(("manuel-release", *words))
    asked = {"COMP_WORDS": line, "COMP_CWORD": str(len(words)) if shell_name != "fish" else words[-1]}
    lines = shell(_MANUEL_RELEASE_COMPLETE=f"{shell_name}_complete", **asked).stdout.splitlines()

    match shell_name:
        case "bash":
            found = [line.removeprefix("plain,") for line in lines]
        case "zsh":
            found = lines[1::3]
        case _:
            found = [line.removeprefix("plain,").split("\t")[0] for line in lines]
    assert sorted(found) == sorted(offered)


def test_a_file_is_completed_by_the_shell_itself(shell) -> None:
    asked = {"COMP_WORDS": "manuel-release status --config man", "COMP_CWORD": "3"}

    assert shell(_MANUEL_RELEASE_COMPLETE="bash_complete", **asked).stdout == "file,man\n"


@pytest.mark.parametrize(("words", "offered"), [(("status", "--env", "st"), "staging"), (("par",), "parameters")])
def test_bash_completes_with_the_script(words, offered) -> None:
    """The whole way: a shell evaluates the script and calls its function, as a tab does."""
    line = " ".join(("manuel-release", *words))
    script = (
        'eval "$(manuel-release completion bash)"\n'
        f"COMP_WORDS=({line}); COMP_CWORD={len(words)}\n"
        '_manuel_release_completion manuel-release; echo "${COMPREPLY[@]}"\n'
    )
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "--norc", "-c", script], env={**os.environ, "PATH": path}, capture_output=True, text=True, check=True
    )

    assert done.stdout.split() == [offered]
