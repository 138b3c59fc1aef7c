"""Fetching from an address that a user gave, from a server of our own with a certificate of our own."""

from __future__ import annotations

import datetime as dt
import http.server
import ipaddress
import socket
import ssl
import threading
import time
from typing import TYPE_CHECKING, ClassVar

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from manuel.errors import InvalidRequestError, TooLargeError
from manuel.store.source import SourceReader, public

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Site(http.server.BaseHTTPRequestHandler):
    """A web site with a manual, redirects, a missing page and an endless one."""

    protocol_version = "HTTP/1.1"
    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        type(self).asked.append(self.path)
        where = self.path.split("?")[0]
        if where == "/slow.pdf":
            self._drip()
        elif where.startswith("/to/"):
            self._redirect(self.path.removeprefix("/to/"))
        elif where == "/loop":
            self._redirect("/loop")
        else:
            self._answer(404 if where == "/missing.pdf" else 200, b"%PDF-" + b"x" * 995)

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _redirect(self, to: str) -> None:
        self.send_response(302)
        self.send_header("Location", to)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _drip(self) -> None:
        self.send_response(200)
        self.end_headers()
        try:
            for _ in range(300):
                self.wfile.write(b"x")
                self.wfile.flush()
                time.sleep(0.1)
        except OSError:
            self.close_connection = True

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for `localhost` with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "site.pem"
    file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return file


@pytest.fixture(scope="module")
def port(authority: Path) -> Iterator[int]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site)
    server.daemon_threads = True
    server.block_on_close = False
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # a client that refuses the certificate
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_port
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def context(authority: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(authority))


@pytest.fixture
def reader(port: int, context: ssl.SSLContext) -> SourceReader:
    """The reader as it is, on an internet in which this machine is a public one."""
    Site.asked.clear()
    return SourceReader(port=port, permitted=lambda address: address.is_loopback, context=context)


def test_a_file_is_fetched_with_the_name_that_its_address_ends_in(reader: SourceReader, port: int) -> None:
    fetched = reader.fetch(f"https://localhost:{port}/docs/K%C3%A4se%20%26%20Brot.pdf?v=2#page", max_bytes=1000)

    assert (len(fetched.content), fetched.file_name) == (1000, "Käse & Brot.pdf")
    assert Site.asked == ["/docs/K%C3%A4se%20%26%20Brot.pdf?v=2"]


def test_a_file_above_the_limit_is_refused(reader: SourceReader, port: int) -> None:
    with pytest.raises(TooLargeError):
        reader.fetch(f"https://localhost:{port}/kettle.pdf", max_bytes=999)


def test_a_redirect_is_followed(reader: SourceReader, port: int) -> None:
    fetched = reader.fetch(f"https://localhost:{port}/to//kettle.pdf", max_bytes=1000)

    assert fetched.file_name == "kettle.pdf"


def test_redirects_without_end_are_refused(reader: SourceReader, port: int) -> None:
    with pytest.raises(InvalidRequestError, match="more than 3 times"):
        reader.fetch(f"https://localhost:{port}/loop", max_bytes=1000)

    assert Site.asked == ["/loop"] * 4


@pytest.mark.parametrize("target", ["http://localhost/kettle.pdf", "https://10.0.0.1/kettle.pdf", "file:///etc/passwd"])
def test_a_redirect_to_where_nobody_may_go_is_refused(reader: SourceReader, port: int, target: str) -> None:
    with pytest.raises(InvalidRequestError):
        reader.fetch(f"https://localhost:{port}/to/{target}", max_bytes=1000)

    assert Site.asked == [f"/to/{target}"]


def test_a_missing_file_is_refused_with_its_status(reader: SourceReader, port: int) -> None:
    with pytest.raises(InvalidRequestError, match="404"):
        reader.fetch(f"https://localhost:{port}/missing.pdf", max_bytes=1000)


def test_a_server_that_drips_does_not_outlast_the_deadline(port: int, context: ssl.SSLContext) -> None:
    reader = SourceReader(seconds=1.0, port=port, permitted=lambda _: True, context=context)
    started = time.monotonic()

    with pytest.raises(InvalidRequestError, match="could not be fetched"):
        reader.fetch(f"https://localhost:{port}/slow.pdf", max_bytes=1000)

    assert time.monotonic() - started < 15  # the page takes 30 s


def test_a_certificate_for_another_name_is_refused(reader: SourceReader, port: int) -> None:
    with pytest.raises(InvalidRequestError, match="could not be fetched"):
        reader.fetch(f"https://127.0.0.1:{port}/kettle.pdf", max_bytes=1000)

    assert Site.asked == []


def test_a_certificate_that_nobody_vouches_for_is_refused(port: int) -> None:
    reader = SourceReader(port=port, permitted=lambda _: True)

    with pytest.raises(InvalidRequestError, match="could not be fetched"):
        reader.fetch(f"https://localhost:{port}/kettle.pdf", max_bytes=1000)


def test_an_address_that_is_not_public_is_never_asked(port: int, context: ssl.SSLContext) -> None:
    Site.asked.clear()
    reader = SourceReader(port=port, context=context)

    with pytest.raises(InvalidRequestError, match="public address"):
        reader.fetch(f"https://localhost:{port}/kettle.pdf", max_bytes=1000)

    assert Site.asked == []


@pytest.mark.parametrize("addresses", [["93.184.216.34", "10.0.0.1"], ["10.0.0.1", "93.184.216.34"]])
def test_a_name_with_one_address_inside_is_refused(addresses: list[str]) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443)) for address in addresses]
    reader = SourceReader(resolve=lambda *_, **__: found)

    with pytest.raises(InvalidRequestError, match="public address"):
        reader.fetch("https://manuals.example/kettle.pdf", max_bytes=1000)


def test_the_address_that_was_checked_is_the_one_that_is_asked(port: int, context: ssl.SSLContext) -> None:
    """A name that resolves to another address the second time gains nothing."""
    answers = iter(["127.0.0.1"])
    reader = SourceReader(
        port=port,
        permitted=lambda address: address.is_loopback,
        context=context,
        resolve=lambda *_, **__: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), port))],
    )

    assert reader.fetch(f"https://localhost:{port}/kettle.pdf", max_bytes=1000).file_name == "kettle.pdf"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "kettle.pdf",
        "http://example.com/kettle.pdf",
        "ftp://example.com/kettle.pdf",
        "https:///kettle.pdf",
        "https://user:secret@example.com/kettle.pdf",
        "https://example.com:8443/kettle.pdf",
        "https://example.com:x/kettle.pdf",
        "https://[::1/kettle.pdf",
        "https://example.com/a b.pdf",
        "https://example.com/a\r\nHost: evil",
        "https://example.com/ä.pdf",
    ],
)
def test_what_is_no_plain_https_address_is_refused(url: str) -> None:
    with pytest.raises(InvalidRequestError, match=r"must be|is not a URL"):
        SourceReader().fetch(url, max_bytes=1000)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "fe80::1",
        "fd00:ec2::254",
        "::ffff:169.254.169.254",
        "2002:7f00:1::",
        "ff02::1",
    ],
)
def test_addresses_inside_are_not_public(address: str) -> None:
    assert not public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:4700::1111", "::ffff:93.184.216.34"])
def test_addresses_of_the_internet_are_public(address: str) -> None:
    assert public(ipaddress.ip_address(address))
