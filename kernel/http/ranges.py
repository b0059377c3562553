"""Byte ranges of a file (RFC 9110, section 14): one range, or several as `multipart/byteranges`."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Literal

MOST = 64
"""How many ranges are looked at; a header with more is ignored, as the RFC allows."""
GAP = 128
"""Ranges that are nearer to each other than this are answered as one: what is between weighs less than a head."""

Bounds = tuple[int, int]


@dataclass(frozen=True)
class Piece:
    """Some bytes of our own, and then a part of the file."""

    head: bytes
    start: int
    length: int


def parse_ranges(header: str, size: int) -> list[Bounds] | Literal["unsatisfiable"] | None:
    """Return the bounds of the wanted parts in the order of the header, or None for what is to be ignored.

    Both bounds are part of the range. Ranges that overlap or nearly touch come as one, so that no header makes an
    answer larger than the file and its heads.
    """
    unit, _, specs = header.partition("=")
    if unit.strip().lower() != "bytes" or specs.count(",") >= MOST:
        return None
    found: list[Bounds] = []
    named = False
    for spec in specs.split(","):
        if not spec.strip(" \t"):
            continue  # RFC 9110 §5.6.1.2: empty elements of a list count for nothing
        bounds = _bounds(spec.strip(" \t"), size)
        if bounds is None:
            return None
        named = True
        if bounds != "unsatisfiable":
            found.append(bounds)
    if not named:
        return None
    return _joined(found) or "unsatisfiable"


def _bounds(spec: str, size: int) -> Bounds | Literal["unsatisfiable"] | None:
    first, dash, last = spec.partition("-")
    if not dash or not all(p == "" or (p.isascii() and p.isdigit() and len(p) < 19) for p in (first, last)):
        return None
    if first == "":
        if last == "":
            return None
        length = int(last)
        return "unsatisfiable" if length == 0 or size == 0 else (max(0, size - length), size - 1)
    start = int(first)
    if last and int(last) < start:
        return None
    end = min(int(last), size - 1) if last else size - 1
    return "unsatisfiable" if start >= size else (start, end)


def _joined(found: list[Bounds]) -> list[Bounds]:
    """Join what overlaps or nearly touches; each group stands where its first member stood."""
    order = sorted(range(len(found)), key=lambda i: found[i])
    groups: list[tuple[int, int, int]] = []
    for i in order:
        start, end = found[i]
        if groups and start <= groups[-1][1] + GAP:
            before, until, place = groups[-1]
            groups[-1] = (before, max(until, end), min(place, i))
        else:
            groups.append((start, end, i))
    return [(start, end) for start, end, _ in sorted(groups, key=lambda g: g[2])]


def multipart(parts: list[Bounds], size: int, kind: str) -> tuple[str, list[Piece]]:
    """Return media type and pieces of an answer with several parts (RFC 9110, section 14.6).

    The last piece has a closing line alone. `size` is that of the whole file, `kind` its media type.
    """
    boundary = secrets.token_hex(16)
    pieces: list[Piece] = []
    for start, end in parts:
        head = (
            f"{'' if not pieces else chr(13) + chr(10)}--{boundary}\r\nContent-Type: {kind}\r\n"
            f"Content-Range: bytes {start}-{end}/{size}\r\n\r\n"
        )
        pieces.append(Piece(head.encode("latin-1"), start, end - start + 1))
    pieces.append(Piece(f"\r\n--{boundary}--\r\n".encode(), 0, 0))
    return f"multipart/byteranges; boundary={boundary}", pieces
