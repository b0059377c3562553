"""Fetches one page with httpcore2.

The library is used below its pool: the place where it would resolve a name and connect is ours. A name is resolved
once, every address it has is checked, and the connection goes to one that was checked; the name stays for the Host
header and the certificate. Redirects are followed here, one by one, so each is checked the same way.
"""

from __future__ import annotations

import socket
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import httpcore2

import atrio

from ..addresses import Policy
from ..addressing import Target, target_of

REDIRECTS = 5
MOVED = (301, 302, 303, 307, 308)
PAGES = ("text/html", "application/xhtml+xml")
AGENT = f"Atrio-Link-Preview/{atrio.__version__} (bot)"


class Refused(Exception):
    """The page may not be fetched, or is none; the text says why, for the log."""


@dataclass(frozen=True)
class Page:
    """A page as it came: the address it came from at last, the encoding of its header, its bytes."""

    url: str
    encoding: str | None
    body: bytes


@dataclass(frozen=True)
class Limits:
    """What fetching may cost: seconds in all, bytes before and after decompression."""

    seconds: float
    size: int


class Deadline:
    """The moment at which everything ends."""

    def __init__(self, seconds: float) -> None:
        self.end = time.monotonic() + seconds

    def left(self) -> float:
        """Return the seconds that are left; Refused when there are none."""
        left = self.end - time.monotonic()
        if left <= 0:
            raise Refused("out of time")
        return left


class TimedStream(httpcore2.NetworkStream):
    """A connection whose every step has only the time that is left of the whole."""

    def __init__(self, inner: httpcore2.NetworkStream, deadline: Deadline) -> None:
        self.inner = inner
        self.deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read what is there."""
        return self.inner.read(max_bytes, self.deadline.left())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write everything."""
        self.inner.write(buffer, self.deadline.left())

    def close(self) -> None:
        """Close."""
        self.inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        """Begin TLS with the name that was asked for, not the address."""
        inner = self.inner.start_tls(ssl_context, server_hostname, self.deadline.left())
        return TimedStream(inner, self.deadline)

    def get_extra_info(self, info: str) -> Any:
        """Return what the library wants to know of the socket."""
        return self.inner.get_extra_info(info)


class CheckedNetwork(httpcore2.NetworkBackend):
    """Connects to addresses that the policy allows, and to no others."""

    def __init__(self, policy: Policy, deadline: Deadline) -> None:
        self.policy = policy
        self.deadline = deadline
        self.plain = httpcore2.SyncBackend()

    def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:  # fmt: skip
        """Resolve the name once, check all of its addresses, connect to the first that answers."""
        addresses = resolve(host, port, self.deadline)
        if not addresses or not all(self.policy.allows(address) for address in addresses):
            raise Refused("an address that is not public")
        last: Exception | None = None
        for address in addresses[:3]:
            try:
                return TimedStream(self.plain.connect_tcp(address, port, self.deadline.left()), self.deadline)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                last = error
        raise Refused("no connection") from last


def resolve(host: str, port: int, deadline: Deadline) -> list[str]:
    """Return the numeric addresses of a name, in a thread of its own: a resolver knows no deadline."""
    found: list[str] = []

    def ask() -> None:
        try:
            answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            return
        found.extend(dict.fromkeys(str(answer[4][0]) for answer in answers))

    thread = threading.Thread(target=ask, name="url-preview-resolver", daemon=True)
    thread.start()
    thread.join(deadline.left())
    return [] if thread.is_alive() else found


def fetch(target: Target, policy: Policy, limits: Limits, tls: ssl.SSLContext) -> Page:
    """Return the page of an address, over at most five redirects; Refused for whatever stands in the way."""
    deadline = Deadline(limits.seconds)
    for _ in range(REDIRECTS + 1):
        if target.credentials or target.port not in policy.ports:
            raise Refused("credentials in the address, or a port that is not allowed")
        found = _ask(target, policy, limits, deadline, tls)
        if isinstance(found, Page):
            return found
        try:
            target = target_of(found)
        except ValueError as error:
            raise Refused("a redirect to no address of the web") from error
    raise Refused("too many redirects")


def _ask(target: Target, policy: Policy, limits: Limits, deadline: Deadline, tls: ssl.SSLContext) -> Page | str:
    """Ask once: a page, or the address of a redirect."""
    headers = [
        ("Host", target.authority), ("User-Agent", AGENT), ("Accept", ", ".join(PAGES)),
        ("Accept-Encoding", "gzip, deflate"), ("Connection", "close"),
    ]  # fmt: skip
    url = httpcore2.URL(scheme=target.scheme, host=target.host, port=target.port, target=target.path)
    network = CheckedNetwork(policy, deadline)
    try:
        with (
            httpcore2.ConnectionPool(
                ssl_context=tls, max_connections=1, retries=0, network_backend=network
            ) as pool,
            pool.stream("GET", url, headers=headers) as response,
        ):
            given = {name.lower().decode("latin-1"): value.decode("latin-1") for name, value in response.headers}
            if response.status in MOVED:
                return _redirect(target, given.get("location", ""))
            if not 200 <= response.status < 300:
                raise Refused(f"status {response.status}")
            return Page(target.url, _encoding(given.get("content-type", "")), _body(response, given, limits.size))
    except (
        httpcore2.NetworkError,
        httpcore2.ProtocolError,
        httpcore2.TimeoutException,
        OSError,
        ValueError,
    ) as error:
        raise Refused(type(error).__name__) from error


def _redirect(target: Target, location: str) -> str:
    from urllib.parse import urljoin

    text = location.encode("latin-1").decode("utf-8", "replace").strip()
    return urljoin(target.url, text)


def _encoding(content_type: str) -> str | None:
    """Return the charset of a page's media type; Refused when it is no page."""
    media, _, rest = content_type.partition(";")
    if media.strip().lower() not in PAGES:
        raise Refused("no page")
    for parameter in rest.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            return value.strip()
    return None


def _body(response: httpcore2.Response, headers: dict[str, str], size: int) -> bytes:
    """Return the beginning of a body: what comes after `size` bytes, raw or unpacked, is not read."""
    unpack = _unpacker(headers.get("content-encoding", "").strip().lower())
    raw, parts, unpacked = 0, [], 0
    for chunk in response.iter_stream():
        raw += len(chunk)
        part = unpack(chunk, size - unpacked)
        parts.append(part)
        unpacked += len(part)
        if raw >= size or unpacked >= size:
            break
    return b"".join(parts)[:size]


def _unpacker(encoding: str) -> Callable[[bytes, int], bytes]:
    """Return what unpacks one chunk into at most so many bytes."""
    if encoding in ("", "identity"):
        return lambda chunk, room: chunk[:room]
    if encoding not in ("gzip", "x-gzip", "deflate"):
        raise Refused("an encoding nobody asked for")
    stream = zlib.decompressobj(47)

    def unpack(chunk: bytes, room: int) -> bytes:
        if stream.eof:
            return b""
        try:
            return stream.decompress(chunk, room)
        except zlib.error as error:
            raise Refused("broken compression") from error

    return unpack
