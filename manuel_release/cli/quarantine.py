"""`quarantine`: code that was rolled back and may not come again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from manuel_release.cli.options import shared_options
from manuel_release.cli.reason import reason_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from manuel_release.app import App
    from manuel_release.model.entry import Quarantine

LEAST = 8


@click.group("quarantine")
@shared_options
def command() -> None:
    """See which code may not be released again, and lift that.

    A rollback puts the code of the release that it takes back into quarantine, in all environments.
    """


@command.command("list")
@shared_options
@click.pass_obj
def list_(app: App) -> None:
    """List the code in quarantine, newest first.

    All of it, wherever it was rolled back: it counts in every environment.
    """
    from manuel_release.view import ledger_json  # noqa: PLC0415 - `--help` stays fast
    from manuel_release.view.quarantine import QuarantinesScreen  # noqa: PLC0415

    found = app.ledger.quarantines()
    app.screen.answer(ledger_json.quarantines(found))
    app.screen.show(QuarantinesScreen(found, app.now()))


@command.command("lift")
@shared_options
@click.argument("digest")
@click.pass_obj
def lift(app: App, digest: str) -> None:
    """Let code be released again; needs --reason.

    DIGEST is the code's, as `quarantine list` shows it; its first eight digits are enough.
    """
    from manuel_release.view import ledger_json  # noqa: PLC0415 - `--help` stays fast
    from manuel_release.view.quarantine import LiftedScreen  # noqa: PLC0415

    reason = reason_of(app, "lifting a quarantine")
    found = _meant(app.ledger.quarantines(), digest)
    done = not app.options.dry_run
    if done:
        app.ledger.lift(found.code_digest, app.holder, reason)
    app.screen.answer(ledger_json.lifted(found, changed=done))
    app.screen.show(LiftedScreen(found, done=done))


def _meant(known: Sequence[Quarantine], digest: str) -> Quarantine:
    """The one that begins with these digits; raises UsageError."""
    from manuel_release.errors import UsageError  # noqa: PLC0415 - `--help` stays fast

    hint = "`manuel-release quarantine list` shows what is in quarantine."
    if len(digest) < LEAST:
        raise UsageError(f"{digest!r} is too short: write at least {LEAST} digits of the digest", hint=hint)
    found = [one for one in known if one.code_digest.startswith(digest.lower())]
    if len(found) != 1:
        many = f"{len(found)} digests begin with {digest}" if found else f"no code that begins with {digest} is there"
        raise UsageError(f"nothing was lifted: {many}", hint=hint)
    return found[0]
