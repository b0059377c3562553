"""What every door asks of a request before a plugin sees it: proxies, origins, cross-origin answers."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ..config import Config, CorsConfig, ServerConfig, base_url
from .request import Request

if TYPE_CHECKING:
    from .router import Router

CORS_METHODS = "OPTIONS, HEAD, GET, POST, PUT, DELETE, PROPFIND, PROPPATCH, REPORT, MOVE, LOCK, UNLOCK"
CORS_HEADERS = (
    "Content-Type, Accept, Accept-Language, Authorization, X-Request-ID, X-client, Depth, Prefer, "
    "If-None-Match, If-match, X-Tracim-ClientToken"
)
CORS_EXPOSED = "Content-Type,Date,Content-Length,Authorization,X-Request-ID"
FORWARDED = (b"x-forwarded-", b"forwarded", b"x-real-ip", b"x-script-name", b"x-remote-user", b"remote-user")


class Gate:
    """Decides what of a request may be believed."""

    def __init__(self, config: Config) -> None:
        self.networks = [ipaddress.ip_network(name, strict=False) for name in config[ServerConfig].trusted_proxies]
        base = urlsplit(base_url(config))
        self.own_origin = f"{base.scheme}://{base.netloc}"
        self.origins = frozenset({self.own_origin, *config[CorsConfig].allowed_origins})

    def clean(self, scope: dict[str, Any]) -> dict[str, Any]:
        """Drop forwarding headers of strangers; take scheme and address from a trusted proxy."""
        headers = scope["headers"]
        if not any(name.startswith(FORWARDED) for name, _ in headers):
            return scope
        client = scope.get("client")
        if not self._trusted(client[0] if client else ""):
            kept = [(n, v) for n, v in headers if not n.startswith(FORWARDED)]
            return {**scope, "headers": kept}
        given = {n: v.decode("latin-1") for n, v in headers}
        changed = dict(scope)
        hops = [h.strip() for h in given.get(b"x-forwarded-for", "").split(",") if h.strip()]
        while hops and self._trusted(hops[-1]):
            hops.pop()
        if hops:
            changed["client"] = (hops[-1], 0)
        if given.get(b"x-forwarded-proto") in ("http", "https"):
            changed["scheme"] = given[b"x-forwarded-proto"]
        return changed

    def _trusted(self, address: str) -> bool:
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self.networks)

    def cors(self, request: Request) -> list[tuple[str, str]]:
        """Return the cross-origin headers of an answer; none for an origin that is not allowed."""
        origin = request.headers.get("origin")
        if origin is None or origin not in self.origins:
            return []
        return [
            ("access-control-allow-origin", origin),
            ("access-control-allow-credentials", "true"),
            ("access-control-expose-headers", CORS_EXPOSED),
            ("vary", "Origin"),
        ]

    def preflight(self, request: Request, router: Router | None = None) -> list[tuple[str, str]] | None:
        """Return the headers of a preflight answer, None when the request is none.

        The same on every path, but for a route that names request headers of its own: these and its method are
        added.
        """
        wanted = request.headers.get("access-control-request-method")
        if request.method != "OPTIONS" or wanted is None:
            return None
        headers = self.cors(request)
        if headers:
            methods, names = CORS_METHODS, CORS_HEADERS
            match = router.match(wanted, request.raw_path) if router is not None else None
            route = match.route if match is not None else None
            if route is not None and route.cors:
                methods = methods if wanted in methods.split(", ") else f"{methods}, {wanted}"
                names = ", ".join((names, *route.cors))
            headers += [("access-control-allow-methods", methods), ("access-control-allow-headers", names)]
        return headers

    def may_write_with_cookie(self, request: Request) -> bool:
        """Tell whether a cookie counts for a writing request (a browser of a foreign site sends it too)."""
        origin = request.headers.get("origin")
        if origin is not None and origin in self.origins:
            return True
        site = request.headers.get("sec-fetch-site")
        if site is not None:
            return site in ("same-origin", "same-site", "none")
        return origin is None


def header_pairs(headers: Sequence[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    """Return headers as ASGI wants them; characters outside Latin-1 are replaced."""
    return [(n.encode("latin-1"), v.encode("latin-1", "replace")) for n, v in headers]
