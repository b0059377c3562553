"""How clients find the calendars when they are told the host alone (RFC 6764 §5, §6)."""

from __future__ import annotations

from typing import Any
from xml.sax.saxutils import escape

from atrio.kernel.context import Context
from atrio.kernel.http.guards import PUBLIC, Guard
from atrio.kernel.http.response import Response
from atrio.kernel.http.route import Answer, Call, Route

from .door import CAPABILITIES, public_prefix
from .errors import CaldavNotAuthenticated

GROUP = "Calendars"
AWAY = Answer(shape="redirect", status=301, doc="Where calendars and address books are.")
TOLD = Answer(shape="any", status=207, media="application/xml", doc="Who asks, and where his home is.")
FOUND = Answer(shape="any", doc="What there is.")


def moved(ctx: Context, call: Call) -> Response:
    """Send a client to the mount: for good, and to the same host."""
    headers = [("location", f"{public_prefix(ctx.kernel, call.http.root_path)}/")]
    return Response(301, b"", [*headers, ("cache-control", "max-age=3600")])


def _known(ctx: Context, call: Call) -> None:
    if ctx.actor.anonymous:
        raise CaldavNotAuthenticated("sign in with your Atrio account")


KNOWN = Guard("signed-in, or asked for Basic credentials", _known, (CaldavNotAuthenticated,), public=True)
"""Not SIGNED_IN: clients wait for the challenge that its 401 has not."""


def principal(ctx: Context, call: Call) -> Response:
    """Tell who asks and where his calendars are, whatever properties were asked for."""
    prefix = escape(public_prefix(ctx.kernel, call.http.root_path))
    home = f"<D:href>{prefix}/user_{ctx.actor.id}/</D:href>"
    here = escape(f"{prefix.removesuffix('/dav')}/")
    body = (
        '<?xml version="1.0" encoding="utf-8"?>\n<D:multistatus xmlns:D="DAV:" '
        'xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:CR="urn:ietf:params:xml:ns:carddav"><D:response>'
        f"<D:href>{here}</D:href><D:propstat><D:prop><D:resourcetype><D:collection/></D:resourcetype>"
        f"<D:current-user-principal>{home}</D:current-user-principal><D:principal-URL>{home}</D:principal-URL>"
        f"<C:calendar-home-set>{home}</C:calendar-home-set>"
        f"<CR:addressbook-home-set>{home}</CR:addressbook-home-set></D:prop>"
        "<D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response></D:multistatus>\n"
    )
    return Response(207, body.encode(), [("dav", CAPABILITIES)], "application/xml; charset=utf-8")


def options(ctx: Context, call: Call) -> Response:
    """Tell that this host speaks CalDAV and CardDAV."""
    return Response(200, b"", [("dav", CAPABILITIES), ("allow", "GET, HEAD, OPTIONS, PROPFIND")])


def _well_known(name: str, method: str) -> Route:
    return Route(
        method, f"/.well-known/{name}", moved, (PUBLIC,), AWAY, writes=False, hidden=True,
        summary=f"Where {name} is", group=GROUP,
    )  # fmt: skip


ROUTES: tuple[Any, ...] = (
    *(_well_known(name, m) for name in ("caldav", "carddav") for m in ("GET", "OPTIONS", "PROPFIND")),
    Route("PROPFIND", "/", principal, (KNOWN,), TOLD, hidden=True, summary="Who asks", group=GROUP),
    Route("OPTIONS", "/", options, (PUBLIC,), FOUND, hidden=True, summary="What this host speaks", group=GROUP),
)
