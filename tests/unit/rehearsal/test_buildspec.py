"""A buildspec is read as CodeBuild reads it, and what is not emulated is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manuel_release.rehearsal.emulator.codebuild import buildspec
from manuel_release.rehearsal.emulator.codebuild.buildspec import BuildspecError, parse

PHASES = "phases: {build: {commands: [make]}}\n"


def refused(text: str) -> str:
    with pytest.raises(BuildspecError) as error:
        parse(text)
    return str(error.value)


def test_everything_that_a_buildspec_says_is_kept() -> None:
    spec = parse("""
version: 0.2
env:
  shell: bash
  variables: {NUMBER: 3, FLAG: true, EMPTY: ""}
  parameter-store: {URL: /manuel/url}
  secrets-manager: {KEY: "name:json"}
  exported-variables: [VERSION]
phases:
  install:
    runtime-versions: {python: 3.13}
  pre_build:
    on-failure: ABORT
    commands: [one, two]
    finally: [three]
  build:
    commands:
      - |
        several
        lines
reports:
  unit: {files: ["junit.xml"], base-directory: reports}
  arn:aws:codebuild:eu-west-1:1:report-group/cover: {files: "cov.xml", file-format: CoberturaXml}
artifacts:
  files: ["**/*"]
  base-directory: build
  exclude-paths: ["**/*.pyc"]
  discard-paths: yes
  name: built
  secondary-artifacts:
    Config: {files: [config.json]}
cache: {paths: ["/root/.cache/**/*"]}
""")

    assert spec.shell == "bash"
    assert spec.variables == {"NUMBER": "3", "FLAG": "true", "EMPTY": ""}
    assert (spec.parameters, spec.secrets) == ({"URL": "/manuel/url"}, {"KEY": "name:json"})
    assert spec.exported == ("VERSION",)
    install, pre_build, build, post_build = spec.phases
    assert install.runtimes == {"python": "3.13"}
    assert (pre_build.commands, pre_build.last, pre_build.on_failure.action) == (("one", "two"), ("three",), "ABORT")
    assert build.commands == ("several\nlines\n",)
    assert (post_build.name, post_build.commands) == ("post_build", ())
    assert [(report.group, report.kind, report.base) for report in spec.reports] == [
        ("unit", "TEST", "reports"),
        ("arn:aws:codebuild:eu-west-1:1:report-group/cover", "CODE_COVERAGE", ""),
    ]
    assert spec.artifacts == buildspec.Artifacts(("**/*",), "built", "build", ("**/*.pyc",), discard_paths=True)
    assert spec.secondary == {"Config": buildspec.Artifacts(("config.json",))}


@pytest.mark.parametrize(
    ("text", "action", "retries", "pattern"),
    [
        ("CONTINUE", "CONTINUE", 0, ""),
        ("RETRY", "RETRY", 3, ""),
        ("RETRY-5", "RETRY", 5, ""),
        ("RETRY-2-timed? out", "RETRY", 2, "timed? out"),
        ("RETRY-rate exceeded", "RETRY", 3, "rate exceeded"),
    ],
)
def test_what_follows_a_failed_phase_is_read(text: str, action: str, retries: int, pattern: str) -> None:
    spec = parse(f'version: 0.2\nphases: {{build: {{commands: [make], on-failure: "{text}"}}}}')
    assert spec.phases[2].on_failure == buildspec.OnFailure(action, retries, pattern)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("version: 0.1\n" + PHASES, "must be 0.2"),
        ("version: 0.2\n", "at least one phase is required"),
        ("version: 0.2\nphases: {biuld: {commands: [make]}}", "unknown key biuld in phases"),
        ("version: 0.2\nphases: {build: {command: [make]}}", "unknown key command in phases/build"),
        ("version: 0.2\nphases: {build: {}}", "phases/build requires commands"),
        ("version: 0.2\nphases: {build: {commands: [echo a: b]}}", "needs quotes"),
        ("version: 0.2\nphases: {build: {commands: [make], runtime-versions: {python: 3}}}", "only the install phase"),
        ("version: 0.2\nphases: {build: {commands: [make], on-failure: IGNORE}}", "is none of ABORT"),
        ("version: 0.2\nphases: {build: {commands: [make], on-failure: RETRY-101}}", "at most 100 retries"),
        ("version: 0.2\nrun-as: root\n" + PHASES, "run-as is not emulated"),
        ("version: 0.2\nbatch: {fast-fail: true}\n" + PHASES, "batch is not emulated"),
        ("version: 0.2\nenv: {shell: powershell.exe}\n" + PHASES, "powershell.exe is not emulated"),
        ("version: 0.2\nenv: {variables: {CODEBUILD_X: 1}}\n" + PHASES, "reserved"),
        ("version: 0.2\nreports: {a: {files: [x], file-format: JSON}}\n" + PHASES, "file-format JSON is none of"),
        ("version: 0.2\nreports: {a: {}}\n" + PHASES, "reports/a requires files"),
        ("version: 0.2\nartifacts: {base-directory: x}\n" + PHASES, "artifacts requires files"),
        ("version: 0.2\nartifacts: {files: [a], enable-symlinks: yes}\n" + PHASES, "enable-symlinks is not emulated"),
        ("version: 0.2\n  bad: [", "Could not parse"),
        ("[]", "buildspec must be a map"),
    ],
)
def test_a_buildspec_that_cannot_be_done_is_refused_with_what_is_wrong(text: str, said: str) -> None:
    assert said in refused(text)


@given(st.text())
def test_any_text_is_either_a_buildspec_or_refused(text: str) -> None:
    try:
        parse(text)
    except BuildspecError as error:
        said = str(error)
    else:
        return
    assert said
