"""`rollback`: away from a release."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import click

from manuel_release.cli.options import settle_environment, shared_options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from manuel_release.app import App
    from manuel_release.model.preview import JudgedChange
    from manuel_release.model.progress import Progress
    from manuel_release.model.rollback import Restored


@click.command("rollback")
@shared_options
@click.option("--to", metavar="RELEASE", help="Go to this release instead of the last one that held 100 %.")
@click.option("--infrastructure", is_flag=True, help="Restore that release's template and parameters too, afterwards.")
@click.option("--no-probe", is_flag=True, help="Do not ask the public URL who answers.")
@click.pass_context
def command(ctx: click.Context, to: str | None, infrastructure: bool, no_probe: bool) -> None:
    """Take traffic back, in one call.

    Production's, unless --env or MANUEL_ENV names another environment. It asks nothing. The newest release loses its
    traffic to the last one that held 100 %; the API answers from there as soon as the line `traffic restored` appears.
    Then the rest is cleaned up, checked, and written down. Typed again, it finishes what was interrupted.

    Ends with 0 (done), 6 (traffic is back, and something is left to a person), 3 (no release to go back to) or 4
    (credentials or permissions; nothing was changed).

    \b
    manuel-release rollback
    manuel-release rollback --to r-12 --reason "wrong prices"
    manuel-release rollback --dry-run
    """  # noqa: D301 - click's mark for lines that are not wrapped
    began = _key_pressed()
    from manuel_release import rollback  # noqa: PLC0415 - `--help` stays fast
    from manuel_release.model.rollback import RollbackRequest  # noqa: PLC0415
    from manuel_release.view.rollback import LateProgress, restored_line  # noqa: PLC0415

    app: App = ctx.obj
    screen, asked = app.screen, app.options
    settle_environment(app)
    request = RollbackRequest(
        to=to,
        infrastructure=infrastructure,
        reason=asked.reason,
        dry_run=asked.dry_run,
        probe=not no_probe,
        insist=asked.yes,
        began=began,
    )

    def show(restored: Restored) -> None:
        screen.say(restored_line(restored))
        if restored.note:
            screen.warn(restored.note)

    def agree(release: str, changes: Sequence[JudgedChange]) -> bool:
        from manuel_release.view.rollback import StackScreen  # noqa: PLC0415

        screen.aside(StackScreen(release, changes))
        return asked.yes or not app.environment.asks or screen.ask(f"Restore the stack of {release}?")

    def progress() -> Progress:
        from manuel_release.view.progress import progress_for  # noqa: PLC0415

        return progress_for(screen)

    receipt = rollback.roll_back(app, request, LateProgress(progress), show, agree)
    from manuel_release.view.rollback import ReceiptScreen  # noqa: PLC0415
    from manuel_release.view.rollback_json import document  # noqa: PLC0415

    screen.answer(document(receipt))
    screen.show(ReceiptScreen(receipt))
    if receipt.left:
        ctx.exit(6)


def _key_pressed() -> float:
    """When this process began, in the time of `time.monotonic`; now where nothing tells that (proc(5))."""
    try:
        with open("/proc/self/stat", encoding="ascii", errors="replace") as stat:  # noqa: PTH123 - pathlib takes longer
            ticks = int(stat.read().rpartition(")")[2].split()[19])
        age = time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError, AttributeError):
        age = 0.0
    return time.monotonic() - age
