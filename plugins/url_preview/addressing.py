"""Addresses of pages: taken apart once, so that what is checked is what is fetched."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import quote, urljoin, urlsplit

LONGEST = 2048
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f-\xa0\u2028\u2029\\]")
_HOST = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?|[0-9a-f.]*:[0-9a-f:.]*")
PORTS = {"http": 80, "https": 443}


class Target(NamedTuple):
    """A page on the wire: a lower-case ASCII host, a port, and the path with its query."""

    scheme: str
    host: str
    port: int
    path: str
    credentials: bool = False

    @property
    def authority(self) -> str:
        """The value of the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The address as text."""
        return f"{self.scheme}://{self.authority}{self.path}"


def target_of(url: str) -> Target:
    """Return the parts of an http or https address; ValueError for anything else."""
    if len(url) > LONGEST or _FORBIDDEN.search(url):
        raise ValueError("not an address")
    parts = urlsplit(url)
    if parts.scheme not in PORTS or not parts.hostname:
        raise ValueError("not an address of the web")
    host = parts.hostname
    if not host.isascii():
        host = host.encode("idna").decode("ascii")
    host = host.lower()
    if len(host) > 253 or not _HOST.fullmatch(host):
        raise ValueError("not a host")
    port = parts.port or PORTS[parts.scheme]
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._[]")
    query = quote(parts.query, safe="/%:@!$&'()*+,;=~-._?[]|")
    return Target(parts.scheme, host, port, f"{path}?{query}" if query else path, "@" in parts.netloc)


def joined(base: str, link: str) -> str | None:
    """Return a link of a page as an absolute http or https address, or None where it is none."""
    try:
        url = urljoin(base, link.strip().replace(" ", "%20"))
        target = target_of(url)
    except ValueError:
        return None
    return None if target.credentials else target.url
