"""S3 tells that a manual was uploaded or deleted: mark whose it is, and have the knowledge base read the bucket again.

S3 calls asynchronously, at least once and in any order. A failure is raised, so that Lambda calls again (twice, after
one and two minutes) and then gives the event to the failure queue; doing it again changes nothing.
https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from enum import Enum
from functools import cache
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from manuel.errors import DependencyBusyError
from manuel.http import Request
from manuel.logic import content, notices
from manuel.service import Service
from manuel.settings import Settings
from manuel.store.knowledge import Ingestion
from manuel.store.manuals import ManualStore

if TYPE_CHECKING:
    from collections.abc import Mapping

    from manuel.logic.notices import Notice


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any] | None:
    """Lambda's entry point. A request over HTTP (the release tool's smoke test) gets the API's 404."""
    endpoint, service = parts()
    if not notices.is_notice(event):
        return service.serve(event, context)
    started = time.perf_counter()
    request = Request(method="S3", route=event["Records"][0]["eventName"], request_id=context.aws_request_id)
    status = 500
    try:
        endpoint.process(notices.read(event), request)
        status = 200
    except DependencyBusyError:
        status = DependencyBusyError.status
        raise
    finally:
        milliseconds = (time.perf_counter() - started) * 1000
        service.observer.served(request, status=status, code=None, milliseconds=milliseconds)
    return None


@cache
def parts() -> tuple[Endpoint, Service]:
    """What handles S3's events, and what answers anything else; made once per sandbox."""
    settings = Settings.read()
    endpoint = Endpoint(
        manuals=ManualStore(settings.manuals_bucket),
        ingestion=Ingestion(settings.knowledge_base, settings.data_source),
        check_content=settings.advanced_security,
    )
    return endpoint, Service(settings, {})


class Fate(Enum):
    """What became of a notice; a manual that is gone again before it was processed is the work of its deletion."""

    PROCESSED = "processed"
    REJECTED = "rejected"
    GONE = "gone"


@dataclass(frozen=True)
class Endpoint:
    """What the processing needs."""

    manuals: ManualStore
    ingestion: Ingestion
    check_content: bool

    def process(self, found: list[Notice], request: Request) -> None:
        """Mark new manuals and start one ingestion; raises DependencyBusyError while another ingestion runs."""
        fates = [(notice, self._removed(notice) if notice.removed else self._marked(notice)) for notice in found]
        changed = [notice for notice, fate in fates if fate is Fate.PROCESSED]
        request.measures.count("ManualsProcessed", len(changed))
        request.measures.count("ManualsRejected", sum(fate is Fate.REJECTED for _, fate in fates))
        if changed and self.ingestion.configured and not self.ingestion.start(changed[0].token):
            raise DependencyBusyError("The knowledge base is reading the bucket already.")

    def _marked(self, notice: Notice) -> Fate:
        """Write the side file. A file that is not what its name says gets none, so that no search ever finds it.

        Its user may delete the manual at any moment. So whether it is there is asked again after writing; the deletion
        removes the file before the side file, and one of the two sees the other.
        """
        if self._gone(notice):
            return Fate.GONE
        if self.check_content:
            head = self.manuals.head(notice.key, content.HEAD_BYTES)
            suffix = PurePosixPath(notice.manual.file_name).suffix.lower()
            if head is None or not content.document(suffix, head):
                return Fate.REJECTED
        self.manuals.mark(notice.key, notices.side_file(notice.manual))
        return Fate.GONE if self._gone(notice) else Fate.PROCESSED

    def _removed(self, notice: Notice) -> Fate:
        """The knowledge base has to forget the manual; one that is there again meanwhile keeps its side file."""
        self._gone(notice)
        return Fate.PROCESSED

    def _gone(self, notice: Notice) -> bool:
        """Whether the manual is not there any more; then its side file goes too."""
        there, marked = self.manuals.present(notice.key)
        if marked and not there:
            self.manuals.unmark(notice.key)
        return not there
