"""Start the embedded AWS; see the package. Settings come from the environment that `process.py` builds.

Exits 70 with a sentence per difference when ministack is not the version that the patches were written for.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import threading

from manuel_release.rehearsal.emulator import (
    accepted,
    access_log,
    ai_services,
    alarm_events,
    alarm_records,
    alarms,
    aliases,
    api_metrics,
    authorization,
    codedeploy,
    deployments,
    dropped,
    function_code,
    function_logs,
    gateway,
    guard,
    integration,
    invocations,
    metric_filters,
    metrics_api,
    parameter_patterns,
    recreation,
    rest_api,
    sandbox,
    scope,
    stage_template,
    stages,
    targets,
    transport,
    workers,
)
from manuel_release.rehearsal.emulator.codebuild import service as codebuild
from manuel_release.rehearsal.emulator.codepipeline import service as codepipeline

EXIT_UNKNOWN_MINISTACK = 70

PATCHES: tuple[guard.Patch, ...] = (
    scope,
    transport,
    function_code,
    sandbox,
    workers,
    metrics_api,
    metric_filters,
    function_logs,
    aliases,
    invocations,
    alarm_records,
    alarm_events,
    alarms,
    deployments,
    stages,
    stage_template,
    rest_api,
    gateway,
    integration,
    api_metrics,
    authorization,
    access_log,
    targets,
    codedeploy,
    accepted,
    parameter_patterns,
    codebuild,
    codepipeline,
    dropped,
    recreation,
    ai_services,
)


def stop_with_parent() -> None:
    """Wait for the end of standard input, which is the end of the process that started this one, and stop."""
    while os.read(0, 1024):  # not sys.stdin: a daemon thread inside its lock would abort the interpreter's end
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def main() -> int:
    """Check, patch, serve until SIGTERM; returns the exit code."""
    wrong = guard.complaints(PATCHES)
    if wrong:
        print("\n".join(wrong), file=sys.stderr)  # noqa: T201 - this is a program of its own
        return EXIT_UNKNOWN_MINISTACK
    for patch in PATCHES:
        patch.install()
    if os.environ.get("MANUEL_CLOUD_TIED") == "1":
        threading.Thread(target=stop_with_parent, daemon=True, name="stop-with-parent").start()
    from ministack import app  # noqa: PLC0415 - after the patches

    try:
        app.main()
    finally:
        shutil.rmtree(os.environ["TMPDIR"], ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
