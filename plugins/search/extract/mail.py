"""Text of mails (RFC 5322): subject, people, what is written, and the names of what is attached."""

from __future__ import annotations

import email
import email.policy
from collections.abc import Iterator
from email.message import EmailMessage

from .markup import shown

MOST = 16 * 1024 * 1024
"""Bytes that are read: texts come before what is attached."""
PARTS = 1_000


def pieces(path: str, limit: int) -> Iterator[str]:
    """Yield the text."""
    with open(path, "rb") as file:
        message = email.message_from_bytes(file.read(MOST), policy=email.policy.default)
    if not message.keys():
        raise ValueError("no mail")
    for header in ("Subject", "From", "To", "Cc"):
        yield from (f"{value}\n" for value in _header(message, header))
    for number, part in enumerate(message.walk()):
        if number >= PARTS:
            return
        name = part.get_filename()
        if name:
            yield f"{name}\n"
        elif part.get_content_maintype() == "text":
            yield from _written(part)
            yield "\n"


def _header(message: EmailMessage, name: str) -> list[str]:
    try:
        return [str(value) for value in message.get_all(name, [])]
    except Exception:  # noqa: BLE001 - the parser of headers fails in many ways
        return []


def _written(part: EmailMessage) -> Iterator[str]:
    try:
        text = part.get_content()
    except (LookupError, ValueError, KeyError):
        payload = part.get_payload(decode=True)
        text = payload.decode("utf-8", "replace") if isinstance(payload, bytes) else ""
    if part.get_content_subtype() == "html":
        yield from shown([text])
    else:
        yield text
