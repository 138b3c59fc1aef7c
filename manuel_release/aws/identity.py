"""STS: whose credentials these are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from manuel_release.aws.errors import translated
from manuel_release.model.caller import Caller

if TYPE_CHECKING:
    from manuel_release.aws.session import Session


class Identity:
    """Knows the caller."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def caller(self) -> Caller:
        """The principal behind the credentials; raises AccessError when there is none or it is not accepted."""
        with translated("cannot find out who you are on AWS"):
            answer = self._session.client("sts").get_caller_identity()
        return Caller(account_id=answer["Account"], arn=answer["Arn"], region=self._session.region)
