"""What a rollback reads: the stage or the ledger, and it does not wait long for either."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, TypeVar

from manuel_release.errors import Pending, ReleaseError
from manuel_release.model.rollback import Past
from manuel_release.record.history import releases

if TYPE_CHECKING:
    from collections.abc import Callable

    from manuel_release.aws import Aws
    from manuel_release.model.environment import Environment
    from manuel_release.model.location import Location
    from manuel_release.model.traffic import ApiStage
    from manuel_release.record.ledger import Ledger

T = TypeVar("T")

READ_SECONDS = 5.0
"""Botocore would try a throttled read for half a minute; users meet the bad release meanwhile."""


def in_time(read: Callable[[], T], what: str, seconds: float = READ_SECONDS) -> T:
    """What `read` returns or raises; raises Pending when neither happened in `seconds`, and lets it go on alone."""
    answers: list[T] = []
    errors: list[BaseException] = []

    def ask() -> None:
        try:
            answers.append(read())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=ask, name="read", daemon=True)
    thread.start()
    thread.join(seconds)
    if errors:
        raise errors[0]
    if not answers:
        raise Pending(f"{what} did not answer in {seconds:g} s")
    return answers[0]


def observe_stage(aws: Aws, location: Location) -> ApiStage:
    """The stage; raises ReleaseError when it cannot be read, or `Missing` when it is not there."""
    found = in_time(lambda: aws.gateway.stage(location.rest_api_id, location.api_stage), "API Gateway")
    if found is None:
        raise missing(location)
    return found


class Missing(ReleaseError):  # noqa: N818 - an answer
    """The API or its stage does not exist."""


def missing(location: Location) -> Missing:
    """The error for an API that is not where it should be."""
    return Missing(
        f"there is no API {location.rest_api_id} with a stage {location.api_stage}",
        hint="Check --env, --region and --profile; `manuel-release status` shows what is there.",
    )


def observe_past(ledger: Callable[[], Ledger], environment: Environment, api_stage: str | None = None) -> Past:
    """The releases as the ledger tells them; raises ReleaseError when it cannot be asked."""
    return in_time(lambda: Past(releases(ledger().entries(environment.name, api_stage))), "the ledger")
