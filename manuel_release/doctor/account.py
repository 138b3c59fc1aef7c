"""The account: who is asking, where, what bootstrap made there, and whether this machine's clock agrees with AWS's."""

from __future__ import annotations

import os
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from manuel_release import settings as settings_module
from manuel_release.doctor.results import attempted, error, ok, skipped, warning
from manuel_release.doctor.stack import stack_check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from manuel_release.app import App
    from manuel_release.model.check import Check

BOOTSTRAP_HINT = "Run `manuel-release bootstrap` once in this account and region."
CLOCK_WARNING_SECONDS = 30.0
CLOCK_ERROR_SECONDS = 300.0
"""AWS refuses a request that reaches it more than five minutes after its signature.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv4-troubleshooting.html
"""


def credentials(app: App) -> Iterator[Check]:
    """Who is asking; raises AccessError."""
    caller = app.caller
    yield ok("Credentials", f"{caller.name} of account {caller.account_id} ({caller.arn})")


def region(app: App) -> Iterator[Check]:
    """Where commands work, and who said so."""
    where, wanted = app.aws.session.region, app.settings.region
    named = (("--region", app.options.region), *((v, os.environ.get(v)) for v in ("AWS_REGION", "AWS_DEFAULT_REGION")))
    by = next((name for name, value in named if value), "the settings" if where == wanted else "the profile")
    message = f"{where}, from {by}"
    endpoint = os.environ.get("AWS_ENDPOINT_URL")
    if endpoint:
        message += f"; AWS_ENDPOINT_URL sends every call to {endpoint}"
    if where != wanted:
        yield warning(
            "Region",
            f"{message}; the settings say {wanted}, and the ledger and stacks of that region are not seen from here",
            "Leave the other region out, or change `region` in the settings.",
        )
        return
    yield ok("Region", message)


def bootstrap(app: App) -> Iterator[Check]:
    """Operations stack, ledger, artifact bucket, and the settings in SSM."""
    name = settings_module.OPERATIONS_STACK
    stack = app.aws.stacks.describe(name)
    if stack is None:
        yield error("Bootstrap", f"there is no stack {name} in {app.aws.session.region}", BOOTSTRAP_HINT, access=True)
        return
    yield stack_check("Bootstrap", app.aws, stack, "manuel-release bootstrap")
    for title, check in (("Ledger", _ledger), ("Artifacts", _artifacts), ("Settings in SSM", _settings_copy)):
        yield from attempted(title, partial(check, app))


def _ledger(app: App) -> Iterator[Check]:
    numbers = [(one.name, app.ledger.last_number(one.name)) for one in app.environments]
    given = ", ".join(f"r-{number} in {name}" for name, number in numbers if number)
    yield ok("Ledger", f"it answers; last number given: {given or 'none yet'}")


def _artifacts(app: App) -> Iterator[Check]:
    bucket = app.artifact_bucket
    if app.aws.buckets.exists(bucket):
        yield ok("Artifacts", f"bucket {bucket}")
    else:
        yield error("Artifacts", f"the bucket {bucket} does not exist", BOOTSTRAP_HINT, access=True)


def _settings_copy(app: App) -> Iterator[Check]:
    """Laptops without the repository read the copy in SSM."""
    title, name = "Settings in SSM", settings_module.SSM_NAME
    copy = app.aws.parameters.get(name)
    path = settings_module.find_file(app.options.config, app.root)
    hint = "Run `manuel-release bootstrap` in the repository; it writes them."
    if copy is None:
        yield warning(title, f"{name} does not exist: a laptop without the repository works with the defaults", hint)
    elif path is not None and path.read_text(encoding="utf-8") != copy:
        yield warning(title, f"{name} differs from {path}: a laptop without the repository works with that one", hint)
    else:
        yield ok(title, name)


def clock(app: App) -> Iterator[Check]:
    """This machine's clock against the `Date` of AWS's answers, the closest of all that came."""
    apart = [
        (call.answered_at + timedelta(seconds=0.5) - call.at).total_seconds() - call.seconds
        for call in app.aws.session.calls
        if call.answered_at is not None
    ]
    if not apart:
        yield skipped("Clock", "not compared: AWS has not answered")
        return
    seconds = min(apart, key=abs)
    told = f"{abs(seconds):.0f} s {'behind' if seconds > 0 else 'ahead of'} AWS's"
    hint = "Set this machine's clock, or switch its time synchronisation on."
    if abs(seconds) >= CLOCK_ERROR_SECONDS:
        yield error("Clock", f"it is {told}: AWS refuses requests that are 5 minutes off", hint, access=True)
    elif abs(seconds) >= CLOCK_WARNING_SECONDS:
        yield warning("Clock", f"it is {told}: leases begin and expire by it", hint)
    else:
        yield ok("Clock", "it agrees with AWS's" if abs(seconds) < 2 else told)
