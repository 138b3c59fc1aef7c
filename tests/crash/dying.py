"""A process that runs commands of the tool and ends them at one of their AWS calls that change something.

    python tests/crash/dying.py          reads one request (JSON) from each line of stdin, answers each with a line

Everything is imported once and each command runs in a fork: its start costs nothing, and its end is that of a process,
as by `kill -9`: before a request is sent, or after it was answered and before anything was done with the answer.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import pkgutil
import sys
import threading
import traceback
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import botocore.session
from botocore.loaders import Loader

import manuel_release
from manuel_release.__main__ import main
from manuel_release.aws.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable

    from botocore.model import OperationModel

DIED = 75
READING_METHODS = {"GET", "HEAD"}
READING_VERBS = ("Get", "List", "Describe", "BatchGet", "Head", "Query", "Scan", "Filter", "Lookup", "Simulate")
"""What the names of operations begin with that change nothing. Of any other it is assumed that it does."""
SERVICES = (
    *("apigateway", "cloudformation", "cloudwatch", "codedeploy", "dynamodb", "iam", "lambda", "logs", "s3", "sns"),
    *("ssm", "sts"),
)
"""Whose models are read before the first fork; another one works as well, and takes longer."""
_LABEL = "crash_label"
_LAST = "crash_is_the_end"


@dataclass(frozen=True)
class Request:
    """One command: where it runs, its words, and which of its changing calls it ends at.

    at: the call's name, as in the log; empty to live. number: which of the calls with that name, from 1.
    when: `before` it is sent, or `after` it was answered. log: gets the name of every changing call, one in a line.
    """

    folder: str
    environment: dict[str, str]
    arguments: list[str]
    out: str
    err: str
    log: str
    at: str = ""
    number: int = 0
    when: str = "before"


def changes(operation: OperationModel) -> bool:
    """Whether a call may change anything, by what AWS's own model says of it."""
    if operation.http.get("method") in READING_METHODS:
        return False
    return not operation.name.startswith(READING_VERBS)


def label(operation: OperationModel, parameters: dict[str, Any]) -> str:
    """`lambda.CreateAlias`; items of a table are told apart by the beginning of their key and the kind of entry."""
    name = f"{operation.service_model.service_name}.{operation.name}"
    item = parameters.get("Item") or parameters.get("Key") or {}
    if not isinstance(item, dict) or "entry" not in item:
        return name
    key = str(item["entry"].get("S", "")).split("#")[0]
    kind = str(item.get("kind", {}).get("S", "")) if key == "log" else ""
    return f"{name} {key}{f' {kind}' if kind else ''}"


class Mortality:
    """Writes down the changing calls, and ends the process at one of them."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._seen: Counter[str] = Counter()
        self._lock = threading.Lock()

    def attach(self, client: Any) -> None:
        """See every call of this client, retries not counted."""
        events = client.meta.events
        events.register_first("before-parameter-build", self._name)
        events.register_first("before-call", self._before)
        events.register_first("after-call", self._after)

    def _name(self, model: OperationModel, params: dict[str, Any], context: dict[str, Any], **_: object) -> None:
        if changes(model):
            context[_LABEL] = label(model, params)

    def _before(self, context: dict[str, Any], **_: object) -> None:
        named = context.get(_LABEL)
        if named is None:
            return
        with self._lock:
            self._seen[named] += 1
            number = self._seen[named]
            with Path(self._request.log).open("a", encoding="utf-8") as log:
                log.write(f"{named}\n")
        if (named, number) == (self._request.at, self._request.number):
            if self._request.when == "before":
                os._exit(DIED)
            context[_LAST] = True

    def _after(self, context: dict[str, Any], **_: object) -> None:
        if context.get(_LAST):
            os._exit(DIED)


def mortal(make: Callable[[Session, str, int], Any], fate: Mortality) -> Callable[[Session, str, int], Any]:
    """The session's way to make a client, with every client made mortal."""

    def made(self: Session, name: str, read_seconds: int) -> Any:
        client = make(self, name, read_seconds)
        fate.attach(client)
        return client

    return made


def warm() -> None:
    """Import all of the tool, and have botocore read the models of AWS's services, once for all forks."""
    for module in pkgutil.walk_packages(manuel_release.__path__, "manuel_release."):
        if not module.name.startswith("manuel_release.rehearsal") and not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    loader = Loader()
    loader.search_paths.extend(botocore.session.Session().get_component("data_loader").search_paths)
    botocore.session.create_loader = lambda *_: loader
    session = botocore.session.Session()
    for name in SERVICES:
        session.create_client(name, "eu-west-1", aws_access_key_id="-", aws_secret_access_key="-").close()


def child(request: Request) -> int:
    """In the fork: be the command; its exit code."""
    for number, (path, flags) in enumerate(
        [(os.devnull, os.O_RDONLY), (request.out, os.O_WRONLY), (request.err, os.O_WRONLY)]
    ):
        opened = os.open(path, flags | (os.O_CREAT | os.O_TRUNC if number else 0), 0o600)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w")  # noqa: SIM115
    os.environ.clear()
    os.environ.update(request.environment)
    os.chdir(request.folder)
    Session._new_client = mortal(Session._new_client, Mortality(request))  # type: ignore[method-assign]
    Session._pace = lambda *_, **__: None  # type: ignore[method-assign]  # three seconds of each deploy's alarms
    sys.argv = ["manuel-release", *request.arguments]
    try:
        main()
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def serve() -> None:
    """Run what stdin asks for, one after the other."""
    warm()
    gc.collect()
    gc.freeze()  # what is never looked at by the collector is not copied by a fork
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for line in sys.stdin:
        request = Request(**json.loads(line))
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                code = child(request)
                sys.stdout.flush()
                sys.stderr.flush()
            finally:
                os._exit(code)
        _, status = os.waitpid(pid, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    serve()
