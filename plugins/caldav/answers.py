"""Answers of the door: an entry as it is, a precondition that failed (RFC 4918 §16)."""

from __future__ import annotations

from email.utils import formatdate
from typing import Any
from xml.sax.saxutils import escape

from atrio.kernel.http.downloads import SANDBOX
from atrio.kernel.http.response import Response
from atrio.kernel.jobs import SECOND

from .conditions import Conditions
from .places import ADDRESSBOOK

XML = "application/xml; charset=utf-8"


def failed(name: str) -> bytes:
    """Return the body of a refusal; `name` with its prefix C, CR or D."""
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<D:error xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav" '
        f'xmlns:CR="urn:ietf:params:xml:ns:carddav"><{escape(name)}/></D:error>\n'
    ).encode()


def too_large(tag: str) -> str:
    """Return the precondition of an entry that is too large for a collection."""
    return "CR:max-resource-size" if tag == ADDRESSBOOK else "C:max-resource-size"


def entry_answer(item: Any, conditions: Conditions) -> Response:
    """Return the bytes of an entry as its client wrote them, never sniffed and sandboxed."""
    headers = [
        ("etag", f'"{item.etag}"'), ("last-modified", formatdate(item.modified // SECOND, usegmt=True)),
        ("cache-control", "private, no-cache"), ("x-content-type-options", "nosniff"),
        ("content-security-policy", SANDBOX),
    ]  # fmt: skip
    if conditions.is_stale(item.etag):
        return Response(412, b"The entry has changed.\n", headers, "text/plain")
    if conditions.is_known(item.etag):
        return Response(304, b"", headers)
    if item.component == "VCARD":
        return Response(200, bytes(item.body), headers, "text/vcard; charset=utf-8")
    return Response(200, bytes(item.body), headers, f"text/calendar; charset=utf-8; component={item.component}")
