"""Versions and release aliases."""

from __future__ import annotations

from typing import TYPE_CHECKING

from manuel_release.apply.context import Context, Done
from manuel_release.observe.service import service_of

if TYPE_CHECKING:
    from manuel_release.model.plan import PublishRelease

SETTLE_SECONDS = 120.0


def publish_release(step: PublishRelease, context: Context) -> Done:
    """Publish a version of each function with the code the stack put there, and an alias of the release on it.

    A function that is new gets the aliases of the retained releases too, on its first version, so that a rollback
    to one of them finds every function. Raises ReleaseError when an alias of that name sits on another version.
    """
    service = service_of(context.aws, step.stack)
    functions = context.aws.functions
    made = 0
    for name in service.functions:
        alias = functions.alias(name, step.release)
        if alias is None:
            functions.wait_until_settled(name, SETTLE_SECONDS)
            version = functions.publish(name, functions.code_sha256(name), f"{service.api_stage} {step.release}")
            alias = functions.create_alias(name, step.release, version, f"{service.api_stage} {step.release}")
            context.progress.note(f"{name}: version {alias.version} is {step.release}")
            made += 1
        made += _backfill(step, name, alias.version, context)
    return Done(f"{len(service.functions)} functions", skipped=made == 0)


def _backfill(step: PublishRelease, function: str, version: str, context: Context) -> int:
    there = {alias.name for alias in context.aws.functions.aliases(function)}
    missing = [name for name in step.retained if name not in there]
    if len(missing) != len([name for name in step.retained if name != step.release]):
        return 0  # it has some of them: it is not new, and a missing alias is for `doctor` to explain
    for name in missing:
        context.aws.functions.create_alias(function, name, version, f"{name} did not have this function")
    return len(missing)
