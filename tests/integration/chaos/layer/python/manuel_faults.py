"""The fault layer: makes calls from a function to AWS fail as an SSM parameter says, and nothing else.

The parameter `/manuel/<environment>/faults` holds a plan (JSON, see `Plan`); without it every call goes through. It is
read at most once every POLL_SECONDS, and only when the function calls AWS. A plan ends by itself at its `until`, so
that a simulator that dies leaves nothing behind. Production is refused here as well as by the template's rule.

Faults are put in between botocore's retries and the network (the documented events `request-created` and
`before-send`), so the service's own timeouts, retries and circuit breakers meet them as they would meet the real ones.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import random
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

POLL_SECONDS = 1.0
READ_SECONDS = 1.0  # for one reading of the plan
FORBIDDEN = frozenset({"prod", "production"})
KINDS = frozenset({"error", "delay", "timeout", "refuse"})
NEVER = "ssm"  # how the plan itself is read


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong.

    dependency: the service as botocore's events name it, such as `bedrock-runtime`.
    kind: `error` answers with status and code, `delay` answers late, `timeout` never, `refuse` does not connect.
    percent: share of the calls, 0 to 100. delay_seconds: before an error or a late answer.
    functions: names between `manuel-` and the environment; empty for all of the stack.
    """

    dependency: str
    kind: str
    status: int = 500
    code: str = "InternalServerError"
    message: str = "An injected fault."
    delay_seconds: float = 0.0
    percent: float = 100.0
    functions: tuple[str, ...] = ()

    @classmethod
    def read(cls, members: Mapping[str, Any]) -> Fault:
        """A fault of a plan; raises TypeError or ValueError for what is none."""
        made = cls(**{**members, "functions": tuple(members.get("functions", ()))})
        if made.kind not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(sorted(KINDS))}, not {made.kind!r}")
        return made


@dataclass(frozen=True)
class Plan:
    """What goes wrong, until when (seconds since 1970)."""

    faults: tuple[Fault, ...] = ()
    until: float = 0.0

    @classmethod
    def read(cls, text: str) -> Plan:
        """The plan in the parameter; one that cannot be read is no plan."""
        try:
            document = json.loads(text)
            return cls(tuple(Fault.read(one) for one in document["faults"]), float(document["until"]))
        except (ValueError, TypeError, KeyError, AttributeError):
            return cls()


class Faults:
    """The plan that holds now, as one sandbox knows it, and what it does to a call.

    read: gives the parameter's text, None when there is none; raises anything when it cannot be read.
    """

    def __init__(
        self,
        function: str,
        read: Callable[[], str | None],
        *,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._function = function
        self._read = read
        self._clock = clock
        self._sleep = sleep
        self._random = random.Random()
        self._plan = Plan()
        self._next = 0.0
        self._here = threading.local()

    def created(self, request: Any, **_: object) -> None:
        """Remember the client's own time-out; comes before every attempt, in the same thread."""
        config = request.context.get("client_config")
        self._here.seconds = float(getattr(config, "read_timeout", None) or 60.0)

    def before_send(self, request: Any, event_name: str, **_: object) -> Any:
        """What the attempt meets instead of the network; None lets it through."""
        service = event_name.split(".")[1]
        if service == NEVER:
            return None
        for fault in self._now():
            meant = fault.dependency == service and (not fault.functions or self._function in fault.functions)
            if meant and self._random.uniform(0, 100) < fault.percent:
                return self._happen(fault, request, service)
        return None

    def _now(self) -> tuple[Fault, ...]:
        now = self._clock()
        if now >= self._next:
            self._next = now + POLL_SECONDS
            with contextlib.suppress(Exception):  # unread, the last plan holds until its own end
                text = self._read()
                self._plan = Plan() if text is None else Plan.read(text)
        return self._plan.faults if now < self._plan.until else ()

    def _happen(self, fault: Fault, request: Any, service: str) -> Any:
        from botocore import exceptions  # noqa: PLC0415 - this module is imported before boto3 is

        limit: float = getattr(self._here, "seconds", 60.0)
        if fault.kind == "refuse":
            raise exceptions.EndpointConnectionError(endpoint_url=request.url)
        if fault.kind == "timeout" or fault.delay_seconds >= limit:
            self._sleep(limit)
            raise exceptions.ReadTimeoutError(endpoint_url=request.url)
        if fault.delay_seconds:
            self._sleep(fault.delay_seconds)
        return _answer(fault, request.url, service) if fault.kind == "error" else None


class _Raw(io.BytesIO):
    """An answer's bytes, read as urllib3 has them read."""

    def stream(self, amt: int = 1024, **_: object) -> Iterator[bytes]:
        while chunk := self.read(amt):
            yield chunk


def _answer(fault: Fault, url: str, service: str) -> Any:
    """An error as the service would send it, in its own protocol (S3: XML, the others here: JSON)."""
    from botocore.awsrequest import AWSResponse  # noqa: PLC0415

    if service == "s3":
        inner = f"<Code>{escape(fault.code)}</Code><Message>{escape(fault.message)}</Message>"
        body, kind = f"<Error>{inner}</Error>", "application/xml"
    else:
        body, kind = json.dumps({"__type": fault.code, "message": fault.message}), "application/json"
    headers = {"Content-Type": kind, "x-amzn-ErrorType": fault.code, "x-amzn-RequestId": "injected"}
    return AWSResponse(url, fault.status, headers, _Raw(body.encode()))


def parameter_reader(name: str) -> Callable[[], str | None]:
    """Reads an SSM parameter; the client is made at the first reading."""
    clients: list[Any] = []

    def read() -> str | None:
        import botocore.config  # noqa: PLC0415 - this module is imported before boto3 is
        import botocore.session  # noqa: PLC0415

        if not clients:
            config = botocore.config.Config(
                connect_timeout=READ_SECONDS, read_timeout=READ_SECONDS, retries={"total_max_attempts": 1}
            )
            clients.append(botocore.session.get_session().create_client("ssm", config=config))
        try:
            text: str = clients[0].get_parameter(Name=name)["Parameter"]["Value"]
        except clients[0].exceptions.ParameterNotFound:
            return None
        return text

    return read


def install(environ: Mapping[str, str] = os.environ) -> bool:
    """Hook the faults into every session that is made from now on; False where they are not allowed."""
    environment = environ.get("MANUEL_ENVIRONMENT", "")
    if not environment or environment in FORBIDDEN:
        return False
    from botocore import handlers  # noqa: PLC0415

    name = environ.get("AWS_LAMBDA_FUNCTION_NAME", "")
    function = name.removeprefix("manuel-").removesuffix(f"-{environment}")
    faults = Faults(function, parameter_reader(f"/manuel/{environment}/faults"))
    handlers.BUILTIN_HANDLERS += [("request-created", faults.created), ("before-send", faults.before_send)]
    return True
