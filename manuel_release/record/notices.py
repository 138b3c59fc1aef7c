"""What people were told, kept beside the ledger's entries: `notice#<time>#<random>`, newest last."""

from __future__ import annotations

from typing import TYPE_CHECKING

from manuel_release.model.environment import canonical
from manuel_release.model.notice import Notice, NoticeKind
from manuel_release.record import codec
from manuel_release.record.ledger import entry_id

if TYPE_CHECKING:
    from manuel_release.record.ledger import Table

NOTICE = "notice#"


class Notices:
    """Notices in the ledger's table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def keep(self, notice: Notice) -> None:
        """Write down a notice, sent or not; raises ReleaseError."""
        self._table.put_new(
            {
                "environment": canonical(notice.environment),
                "entry": NOTICE + entry_id(notice.at),
                "at": codec.to_text(notice.at),
                "kind": notice.kind.name.lower(),
                "release": notice.release,
                "text": notice.text,
                "details": dict(notice.details),
                "problem": notice.problem,
            }
        )

    def of(self, environment: str) -> tuple[Notice, ...]:
        """The notices about an environment, oldest first; raises ReleaseError."""
        return tuple(
            Notice(
                kind=NoticeKind[str(item["kind"]).upper()],
                environment=str(item["environment"]),
                release=str(item["release"]),
                at=codec.to_moment(item["at"]),
                text=str(item["text"]),
                details=dict(item["details"]),
                problem=str(item["problem"]),
            )
            for item in self._table.query(canonical(environment), NOTICE)
        )
