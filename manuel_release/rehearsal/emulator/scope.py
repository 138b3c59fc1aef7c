"""Account and region of the request that a piece of work belongs to (ministack keeps both in context variables)."""

from __future__ import annotations

import contextvars
import os
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from ministack.core import responses

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
T = TypeVar("T")

REQUIRES = {
    "ministack.core.responses._request_account_id": None,
    "ministack.core.responses._request_region": None,
    "ministack.core.responses.get_account_id": (),
    "ministack.core.responses.get_region": (),
}


def install() -> None:
    """Nothing to replace; listed among the patches for its REQUIRES."""


def current() -> tuple[str, str]:
    """Account id and region of the request being served."""
    return str(responses.get_account_id()), str(responses.get_region())


def home() -> tuple[str, str]:
    """Account id and region that the server was started for."""
    return os.environ["MINISTACK_ACCOUNT_ID"], os.environ["MINISTACK_REGION"]


def scoped(account_id: str, region: str, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run `work` as if a request of that account and region had asked for it; for threads and timers."""

    def run() -> T:
        responses._request_account_id.set(account_id)
        responses._request_region.set(region)
        return work(*args, **kwargs)

    return contextvars.copy_context().run(run)
