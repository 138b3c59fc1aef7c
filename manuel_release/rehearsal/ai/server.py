"""The HTTP server: which call is which, faults before answers, and what rehearsals may ask of it besides.

`PUT /_rehearsal/faults/<service>` plans faults, `DELETE /_rehearsal/faults` ends them, `GET` shows plans and counts;
`POST /_rehearsal/knowledge-bases` with {"bucket": NAME} makes a knowledge base with a data source and tells their ids.
"""

from __future__ import annotations

import contextlib
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from manuel_release.rehearsal.ai import model
from manuel_release.rehearsal.ai.faults import Faults
from manuel_release.rehearsal.ai.knowledge import KnowledgeBases
from manuel_release.rehearsal.ai.speech import Transcriptions
from manuel_release.rehearsal.ai.wire import Answer, AwsError, refused

if TYPE_CHECKING:
    from manuel_release.rehearsal.ai.objects import Objects

BASE = r"/knowledgebases/([^/]+)"
CONTROL = "/_rehearsal/"


class AiServices:
    """Everything that the server answers from."""

    def __init__(self, objects: Objects) -> None:
        self.faults = Faults()
        self.knowledge = KnowledgeBases(objects)
        self.transcriptions = Transcriptions(objects)

    def clear(self) -> None:
        """Forget everything, as after a reset of the embedded AWS."""
        self.faults.clear()
        self.knowledge.clear()
        self.transcriptions.clear()

    def answer(self, method: str, path: str, target: str, body: bytes) -> Answer:
        """Answer one request; `target` is its X-Amz-Target header."""
        try:
            request: dict[str, Any] = json.loads(body or b"{}")
            if path.startswith(CONTROL):
                return self._control(method, path.removeprefix(CONTROL), request)
            return Answer(200, self._call(method, path, target, request))
        except AwsError as error:
            return refused(error)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            return refused(AwsError(400, "ValidationException", f"{type(error).__name__}: {error}"))

    def _control(self, method: str, path: str, request: dict[str, Any]) -> Answer:
        if method == "POST" and path == "knowledge-bases":
            return Answer(200, self.knowledge.register(request["bucket"]))
        if method == "PUT" and path.startswith("faults/"):
            self.faults.plan(path.removeprefix("faults/"), request)
        elif method == "DELETE" and path == "faults":
            self.faults.clear()
        elif method != "GET" or path != "faults":
            raise AwsError(404, "UnknownOperationException", f"{method} {CONTROL}{path} is not known.")
        return Answer(200, self.faults.state())

    def _call(self, method: str, path: str, target: str, request: dict[str, Any]) -> dict[str, Any]:
        if target.startswith("Transcribe."):
            self.faults.meet("transcribe")
            return self.transcriptions.answer(target.removeprefix("Transcribe."), request)
        if method == "POST" and (found := re.fullmatch(f"{BASE}/retrieve", path)):
            self.faults.meet("bedrock-agent-runtime")
            return self.knowledge.retrieve(found[1], request)
        if method == "PUT" and (found := re.fullmatch(f"{BASE}/datasources/([^/]+)/ingestionjobs/?", path)):
            self.faults.meet("bedrock-agent")
            return self.knowledge.start(found[1], found[2], request.get("clientToken", ""))
        if method == "GET" and (found := re.fullmatch(BASE, path)):
            self.faults.meet("bedrock-agent")
            return self.knowledge.describe(found[1])
        if method == "POST" and re.fullmatch(r"/model/[^/]+/converse", path):
            self.faults.meet("bedrock-runtime")
            return model.converse(request)
        raise AwsError(404, "UnknownOperationException", f"{method} {path} is not known here.")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60  # seconds that an idle connection is kept

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        server = self.server
        assert isinstance(server, _Server)  # noqa: S101 - nothing else makes handlers
        path = unquote(self.path.partition("?")[0])
        answer = server.services.answer(self.command, path, self.headers.get("X-Amz-Target", ""), body)
        content = answer.encoded()
        with contextlib.suppress(ConnectionError):  # a caller that gave up
            self.send_response(answer.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            if answer.code:
                self.send_header("x-amzn-ErrorType", answer.code)
            self.end_headers()
            self.wfile.write(content)

    do_GET = do_PUT = do_POST = do_DELETE = _serve  # noqa: N815 - the base class's names

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, port: int, services: AiServices) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.services = services

    def handle_error(self, request: object, client_address: object) -> None:
        """A connection that breaks is its caller's affair."""


@contextlib.contextmanager
def running(services: AiServices, port: int = 0) -> Any:
    """Serve on 127.0.0.1 while the block lasts; gives the endpoint."""
    server = start(services, port)
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def start(services: AiServices, port: int) -> ThreadingHTTPServer:
    """Serve on 127.0.0.1 from a daemon thread; port 0 takes any that is free."""
    server = _Server(port, services)
    threading.Thread(target=server.serve_forever, daemon=True, name="ai-services").start()
    return server
