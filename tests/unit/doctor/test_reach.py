"""The check of the public URL, against a server on this machine."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from unit.doctor.patient import only

from manuel_release.doctor import reach
from manuel_release.model.check import Level
from manuel_release.observe.asking import RELEASE_HEADER


class Site(ThreadingHTTPServer):
    """Answers every request with `status`, as release r-2."""

    status = 200
    asked: list[str]

    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Answer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        self.send_response(self.server.status)
        self.send_header(RELEASE_HEADER, "r-2")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def site(monkeypatch):
    with Site(("127.0.0.1", 0), Answer) as server:
        server.asked = []
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        monkeypatch.setenv("MANUEL_API_URL", server.url() + "/{api_id}/{stage}/{region}")
        yield server
        server.shutdown()
        thread.join()


def test_an_environment_without_a_service_has_no_url(patient) -> None:
    assert list(reach.public_url(patient.subject())) == []


def test_a_url_that_answers_is_told_with_its_release(patient, site) -> None:
    patient.deployed("manuel-health-dev")
    check = only(reach.public_url(patient.subject()))

    assert check.level is Level.OK
    assert f"{site.url()}/api1/v1/eu-west-1/health answers HTTP 200 from r-2 in " in check.message
    assert site.asked == ["/api1/v1/eu-west-1/health"]


@pytest.mark.parametrize("status", [403, 500, 503])
def test_any_other_status_is_an_error(patient, site, status) -> None:
    site.status = status
    patient.deployed("manuel-health-dev")
    check = only(reach.public_url(patient.subject()))

    assert check.level is Level.ERROR
    assert f"answers HTTP {status} from r-2" in check.message


def test_a_slow_answer_is_a_warning(patient, site, monkeypatch) -> None:
    monkeypatch.setattr(reach, "SLOW_SECONDS", 0.0)
    patient.deployed("manuel-health-dev")

    assert only(reach.public_url(patient.subject())).level is Level.WARNING


def test_no_answer_is_an_error_with_the_reason(patient, monkeypatch) -> None:
    monkeypatch.setenv("MANUEL_API_URL", "http://127.0.0.1:1")
    patient.deployed("manuel-health-dev")
    check = only(reach.public_url(patient.subject()))

    assert check.level is Level.ERROR
    assert "http://127.0.0.1:1/health gives no answer" in check.message
    assert "refused" in check.message
