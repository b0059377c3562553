"""Which extractor reads a file: by its first bytes where they say it, else by its type and name.

A declared type that the bytes belie counts for nothing: uploads of programs that guess are common.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath

from .encodings import is_text

HERE = "atrio.plugins.search.extract"
PLAIN, MARKUP, MAIL = f"{HERE}.plain:pieces", f"{HERE}.markup:pieces", f"{HERE}.mail:pieces"
PACKAGE, PDF, RTF, TAR = (f"{HERE}.{name}:pieces" for name in ("package", "pdf", "rtf", "archives"))
BY_BYTES = (
    (b"PK\x03\x04", PACKAGE), (b"PK\x05\x06", PACKAGE), (b"{\\rtf", RTF), (b"\x1f\x8b", TAR), (b"BZh", TAR),
    (b"\xfd7zXZ\x00", TAR),
)  # fmt: skip
MARKED = frozenset({"text/html", "application/xhtml+xml", "application/xml", "text/xml", "image/svg+xml"})
HEAD = 8192
"""First bytes that are looked at."""


def extractor_of(head: bytes, mimetype: str, filename: str, offered: Mapping[str, str]) -> str | None:
    """Return the function that reads a file; None when nothing does. `offered` by other plugins comes first."""
    mimetype = mimetype.partition(";")[0].strip().lower()
    if mimetype in offered:
        return offered[mimetype]
    if b"%PDF-" in head[:1024]:
        return PDF
    for magic, target in BY_BYTES:
        if head.startswith(magic):
            return target
    if head[257:262] == b"ustar":
        return TAR
    if not (is_text(head) or _was_text(head, mimetype)):
        return None
    return _of_text(head, mimetype, PurePath(filename).suffix.lower())


def _of_text(head: bytes, mimetype: str, extension: str) -> str:
    if mimetype == "message/rfc822" or extension == ".eml":
        return MAIL
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:64].lower()
    if mimetype in MARKED or start.startswith((b"<!doctype html", b"<html", b"<?xml", b"<svg")):
        return MARKUP
    return PLAIN


def _was_text(head: bytes, mimetype: str) -> bool:
    """Tell whether a file that says it is text may be some in an old encoding: hardly any control characters."""
    if not mimetype.startswith("text/") and mimetype != "message/rfc822":
        return False
    strange = sum(head.count(code) for code in range(1, 32) if code not in (9, 10, 12, 13, 27))
    zeros = head.count(0)
    return strange * 50 <= len(head) and (zeros == 0 or abs(zeros * 2 - len(head)) < len(head) // 2)
