"""Answers that name a precondition that failed (RFC 4918 §16)."""

from __future__ import annotations

from xml.sax.saxutils import escape

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
