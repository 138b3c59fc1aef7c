"""Fetching a manual from an address that a user gave, without letting the address reach anything of ours.

Only `https` on port 443 and only public addresses; the connection goes to the very address that was checked, so a name
that resolves differently a moment later gains nothing; every redirect is checked in the same way.
https://cheatsheetseries.owasp.org/cheatsheets/Server_Side_Request_Forgery_Prevention_Cheat_Sheet.html
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import time
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, unquote, urljoin, urlsplit

from manuel.errors import InvalidRequestError, TooLargeError

if TYPE_CHECKING:
    from collections.abc import Callable

    Address = ipaddress.IPv4Address | ipaddress.IPv6Address

REDIRECTS = frozenset({301, 302, 303, 307, 308})
MAX_REDIRECTS = 3
CHUNK_BYTES = 64 * 1024


@dataclass(frozen=True)
class Fetched:
    """A fetched file: its bytes and the last part of the address that gave it."""

    content: bytes
    file_name: str


def public(address: Address) -> bool:
    """Whether an address belongs to the public internet; a tunnelled address counts as what it carries."""
    inner = getattr(address, "ipv4_mapped", None) or getattr(address, "sixtofour", None) or address
    return inner.is_global and not inner.is_multicast


@dataclass(frozen=True)
class SourceReader:
    """Fetches files within `seconds` in all. The other fields say where it may go; tests have another internet."""

    seconds: float = 8.0
    port: int = 443
    permitted: Callable[[Address], bool] = public
    resolve: Callable[..., list[Any]] = socket.getaddrinfo
    context: ssl.SSLContext = field(default_factory=ssl.create_default_context)

    def fetch(self, url: str, *, max_bytes: int) -> Fetched:
        """Fetch `url`; raises InvalidRequestError when that is not allowed or fails, TooLargeError above that."""
        deadline = time.monotonic() + self.seconds
        try:
            for _ in range(MAX_REDIRECTS + 1):
                parts = self._checked(url)
                connection = _PinnedConnection(parts.hostname or "", self.port, self._address(parts), self.context)
                connection.timeout = self._remaining(deadline)
                try:
                    connection.request("GET", parts._replace(scheme="", netloc="", fragment="").geturl() or "/")
                    response = connection.getresponse()
                    if response.status in REDIRECTS:
                        url = urljoin(url, response.headers.get("Location", ""))
                        continue
                    if response.status != 200:
                        raise InvalidRequestError(f"source_url answered with status {response.status}.")
                    content = self._body(connection, response, max_bytes, deadline)
                    return Fetched(content, unquote(PurePosixPath(parts.path).name))
                finally:
                    connection.close()
        except (OSError, http.client.HTTPException):
            raise InvalidRequestError("source_url could not be fetched.") from None
        raise InvalidRequestError(f"source_url redirects more than {MAX_REDIRECTS} times.")

    def _checked(self, url: str) -> SplitResult:
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise InvalidRequestError("source_url is not a URL.") from None
        if parts.scheme != "https" or not parts.hostname or port not in {None, self.port} or "@" in parts.netloc:
            raise InvalidRequestError("source_url must be a plain https address.")
        if not url.isascii() or any(c <= " " for c in url):
            raise InvalidRequestError("source_url must be percent-encoded.")
        return parts

    def _address(self, parts: SplitResult) -> str:
        found = self.resolve(parts.hostname, self.port, type=socket.SOCK_STREAM)
        addresses = [str(entry[4][0]) for entry in found]
        if not all(self.permitted(ipaddress.ip_address(a)) for a in addresses):
            raise InvalidRequestError("source_url must be a public address.")
        return addresses[0]

    def _remaining(self, deadline: float) -> float:
        remaining = deadline - time.monotonic()
        if remaining <= 0:
            raise TimeoutError
        return remaining

    def _body(
        self, connection: _PinnedConnection, response: http.client.HTTPResponse, max_bytes: int, deadline: float
    ) -> bytes:
        content = bytearray()
        while chunk := response.read1(CHUNK_BYTES):
            content += chunk
            if len(content) > max_bytes:
                raise TooLargeError(f"A fetched manual may have at most {max_bytes} bytes; upload it instead.")
            remaining = self._remaining(deadline)  # a server that sends a byte a second does not outlast the deadline
            if connection.sock is not None:
                connection.sock.settimeout(remaining)
        return bytes(content)


class _PinnedConnection(http.client.HTTPSConnection):
    """TLS to one address, with the certificate checked against the name."""

    def __init__(self, host: str, port: int, address: str, context: ssl.SSLContext) -> None:
        super().__init__(host, port, context=context)
        self._pinned_address = address
        self._pinned_context = context

    def connect(self) -> None:
        plain = socket.create_connection((self._pinned_address, self.port), self.timeout)
        self.sock = self._pinned_context.wrap_socket(plain, server_hostname=self.host)
