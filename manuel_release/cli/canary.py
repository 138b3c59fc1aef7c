"""`canary`: what is known about a canary, moving it, and what the judge says of recorded ones."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import click

from manuel_release.cli import canary_moves as moves
from manuel_release.cli.options import settle_environment, shared_options

if TYPE_CHECKING:
    from manuel_release.app import App
    from manuel_release.verdict.replay import Recording
    from manuel_release.verdict.selftest import SelfTest

TIMEOUT_SECONDS = 7200.0
"""A gate of the pipeline waits as long for a person."""


@click.group("canary")
@shared_options
def command() -> None:
    """Give a release a share of the traffic, watch it, and decide.

    Production's, unless --env or MANUEL_ENV names another environment.
    """


for _one in (moves.start, moves.promote, moves.extend, moves.abort):
    command.add_command(_one)


@command.command("status")
@shared_options
@click.pass_obj
def status(app: App) -> None:
    """Show both arms, the evidence, and what the next step may cost.

    Counts begin when the canary started by the ledger, else when the stage was last changed. It changes nothing.
    """
    from manuel_release.judging import observation  # noqa: PLC0415 - `--help` stays fast
    from manuel_release.view import canary_json  # noqa: PLC0415
    from manuel_release.view.canary import CanaryScreen  # noqa: PLC0415

    settle_environment(app)
    found = observation(app, app.environment, app.screen.warn).observer.look(app.now())
    app.screen.answer(canary_json.canary(found))
    app.screen.show(CanaryScreen(found))


@command.command("watch")
@shared_options
@click.option("--observe", is_flag=True, help="To the end of this step; a bad release is rolled back.")
@click.pass_context
def watch(ctx: click.Context, observe: bool) -> None:
    """Watch a canary until it is good or bad.

    A screen on a terminal; in a pipe, or with --output json, one JSON document in a line for every interval. Ends with
    0 (good, or given all requests), 5 (bad) or 8 (neither: --timeout is over, 2 h by default, or somebody ended it).
    What it judges is kept in the ledger, and so is that somebody watches. It does not change the traffic.

    With --observe it is what the pipeline runs after every move: it ends when the step's time is over, honours `canary
    extend`, rolls a bad release back before it ends with 5, and after 100 % watches the release's alarms.
    """
    settle_environment(ctx.obj)
    ctx.exit((_observed if observe else _watched)(ctx.obj))


def _watched(app: App) -> int:
    from datetime import timedelta  # noqa: PLC0415 - `--help` stays fast

    from manuel_release import observing  # noqa: PLC0415
    from manuel_release.judging import observation  # noqa: PLC0415
    from manuel_release.view.watch import WatchScreen  # noqa: PLC0415

    found = observation(app, app.environment, app.screen.warn)
    until = app.now() + timedelta(seconds=app.options.timeout or TIMEOUT_SECONDS)
    with WatchScreen(app.screen) as screen:
        last = observing.watch(app, found, lambda: until, screen.look, screen.warn)
        if last is not None:
            screen.look(last, last=True)
    return last.exit_code if last is not None else 8


def _observed(app: App) -> int:
    from manuel_release import observing  # noqa: PLC0415 - `--help` stays fast
    from manuel_release.view.canary_change import ObservedScreen  # noqa: PLC0415
    from manuel_release.view.canary_change_json import observed  # noqa: PLC0415
    from manuel_release.view.progress import progress_for  # noqa: PLC0415
    from manuel_release.view.watch import WatchScreen  # noqa: PLC0415

    with WatchScreen(app.screen) as screen:
        end = observing.observe(app, screen.look, screen.warn, progress_for(app.screen))
        screen.line(observed(end))
    app.screen.show(ObservedScreen(end))
    return end.exit_code


@command.command("replay")
@shared_options
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--bad", metavar="RELEASES", default="", help="Releases that were bad, such as r-7,r-12.")
@click.option(
    "--alpha",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.01,
    show_default=True,
    help="Probability (0-1) of rolling back a release that is not worse.",
)
@click.option("--self-test", is_flag=True, help="Cut the stable arm's traffic in two instead: nothing is worse.")
@click.option("--runs", type=click.IntRange(min=1), default=200, show_default=True, help="Of the self-test.")
@click.option("--seed", type=int, default=1, show_default=True, help="Of the self-test's lot.")
@click.option(
    "--run-length", type=click.IntRange(min=1), default=1, show_default=True, help="Errors dealt out together."
)
@click.pass_obj
def replay(
    app: App, *, file: Path, bad: str, alpha: float, self_test: bool, runs: int, seed: int, run_length: int
) -> None:
    """Ask the judge about recorded releases: would it have stopped these?

    FILE is a CSV file with a header and a row for each arm and interval:

    \b
    release,t,arm,weight,requests,errors_4xx,errors_5xx,hist,complete
    r-13,-10,stable,0,180,2,0,3 90 70 15 2,1
    r-13,10,stable,0.1,160,1,0,2 80 65 12 1,1
    r-13,10,canary,0.1,21,0,1,0 11 8 1 1,1

    `t` is the interval's end in seconds since the canary started, `arm` stable or canary, `weight` the canary's share
    0-1, `hist` latency counts with spaces. `release`, `hist` and `complete` may be absent; other columns are counters.
    """  # noqa: D301 - click's mark for lines that are not wrapped
    from manuel_release.verdict.replay import replay as judged  # noqa: PLC0415
    from manuel_release.verdict.replay import summarise  # noqa: PLC0415 - `--help` stays fast
    from manuel_release.view import canary_json  # noqa: PLC0415
    from manuel_release.view.replay import ReplayScreen, SelfTestScreen  # noqa: PLC0415

    recordings = _recordings(file)
    if self_test:
        found = _self_test(recordings, runs=runs, seed=seed, alpha=alpha, run_length=run_length)
        app.screen.answer(canary_json.self_test(found))
        app.screen.show(SelfTestScreen(found))
        return
    known = _known(recordings, bad)
    replays = tuple(judged(recording, alpha) for recording in recordings if recording.intervals)
    summary = summarise(replays, known) if known else None
    app.screen.answer(canary_json.replays(replays, summary))
    app.screen.show(ReplayScreen(replays, summary))


def _recordings(file: Path) -> tuple[Recording, ...]:
    from manuel_release.errors import UsageError  # noqa: PLC0415
    from manuel_release.verdict.replay import read_csv  # noqa: PLC0415

    try:
        found = read_csv(file.read_text(encoding="utf-8").splitlines())
    except ValueError as error:
        raise UsageError(f"{file}: {error}", hint="`manuel-release canary replay --help` shows the columns.") from error
    if not any(recording.intervals for recording in found):
        raise UsageError(f"{file} holds no interval", hint="`manuel-release canary replay --help` shows the columns.")
    return found


def _known(recordings: tuple[Recording, ...], bad: str) -> frozenset[str]:
    """The releases that were bad; raises UsageError for one that is not recorded."""
    from manuel_release.errors import UsageError  # noqa: PLC0415

    named = frozenset(name.strip() for name in bad.split(",") if name.strip())
    unknown = sorted(named - {recording.release for recording in recordings})
    if unknown:
        raise UsageError(f"--bad names releases that are not in the file: {', '.join(unknown)}")
    return named


def _self_test(recordings: tuple[Recording, ...], *, runs: int, seed: int, alpha: float, run_length: int) -> SelfTest:
    """The self-test on the stable arm of every recording, one after the other."""
    from manuel_release.errors import UsageError  # noqa: PLC0415
    from manuel_release.verdict.selftest import self_test  # noqa: PLC0415

    rows = [interval for one in recordings for interval in (*one.warmup, *one.intervals)]
    traffic = [interval.stable for interval in rows if interval.stable is not None]
    steps = [after.t - before.t for before, after in pairwise(rows) if after.t > before.t]
    try:
        return self_test(
            traffic,
            runs=runs,
            seed=seed,
            alpha=alpha,
            interval_seconds=min(steps, default=10.0),
            run_length=run_length,
        )
    except ValueError as error:
        raise UsageError(str(error)) from error
