"""The environment's public URL, asked as its users do."""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

from manuel_release.doctor.results import error, ok, warning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from manuel_release.doctor.subject import Subject
    from manuel_release.model.check import Check

TITLE = "Public URL"
REQUEST_SECONDS = 10.0
SLOW_SECONDS = 5.0
"""The specification's limit of the 95th percentile."""
RELEASE_HEADER = "X-Manuel-Release"


def public_url(subject: Subject) -> Iterator[Check]:
    """`GET /health` at the public URL."""
    service, app = subject.service, subject.app
    if service is None:
        return
    url = app.settings.public_url(service.rest_api_id, service.api_stage, app.aws.session.region) + "/health"
    began = time.monotonic()
    try:
        status, release = _ask(url)
    except OSError as problem:  # URLError and time-outs too
        yield error(
            TITLE,
            f"{url} gives no answer: {getattr(problem, 'reason', problem)}",
            "Check the network (VPN, proxy) and `api_url` in the settings; `manuel-release status` shows the stack.",
        )
        return
    seconds = time.monotonic() - began
    told = f"{url} answers HTTP {status} from {release or 'no release'} in {seconds:.1f} s"
    if status != 200:
        yield error(TITLE, told, "The access log of the API, and the logs of the health function, say why.")
    elif seconds > SLOW_SECONDS:
        yield warning(TITLE, told, "A cold start takes that long, or the way there does; ask again.")
    else:
        yield ok(TITLE, told)


def _ask(url: str) -> tuple[int, str]:
    """HTTP status and release of one answer; raises OSError when there is none."""
    request = urllib.request.Request(url, headers={"Accept": "application/json", "Cache-Control": "no-cache"})
    try:
        with urllib.request.urlopen(request, timeout=REQUEST_SECONDS) as response:
            return response.status, response.headers.get(RELEASE_HEADER, "")
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.headers.get(RELEASE_HEADER, "")
