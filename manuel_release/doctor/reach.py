"""The environment's public URL, asked as its users do."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from manuel_release.doctor.results import error, ok, warning
from manuel_release.observe.asking import ask

if TYPE_CHECKING:
    from collections.abc import Iterator

    from manuel_release.doctor.subject import Subject
    from manuel_release.model.check import Check

TITLE = "Public URL"
SLOW_SECONDS = 5.0
"""The specification's limit of the 95th percentile."""


def public_url(subject: Subject) -> Iterator[Check]:
    """`GET /health` at the public URL."""
    service, app = subject.service, subject.app
    if service is None:
        return
    url = app.settings.public_url(service.rest_api_id, service.api_stage, app.aws.session.region) + "/health"
    began = time.monotonic()
    answer = ask(url)
    if answer.status == 0:
        yield error(
            TITLE,
            f"{url} gives no answer: {answer.problem}",
            "Check the network (VPN, proxy) and `api_url` in the settings; `manuel-release status` shows the stack.",
        )
        return
    seconds = time.monotonic() - began
    told = f"{url} answers HTTP {answer.status} from {answer.release or 'no release'} in {seconds:.1f} s"
    if answer.status != 200:
        yield error(TITLE, told, "The access log of the API, and the logs of the health function, say why.")
    elif seconds > SLOW_SECONDS:
        yield warning(TITLE, told, "A cold start takes that long, or the way there does; ask again.")
    else:
        yield ok(TITLE, told)
