"""When an entry happens, as it lies beside its bytes: the first times, so that a query by time need not parse.

Pairs of seconds since 1970; a letter before them tells whether these are all. What a rule gives comes in order,
after the occurrences that were moved, so whatever ends before the last pair begins is decided.
"""

from __future__ import annotations

import struct
from typing import Any

MOST = 200
ALL, FIRST = b"A", b"F"
EVER = (-62_135_596_800, 253_402_300_800)
"""The years 1 to 9999 in seconds since 1970."""
_PAIR = struct.Struct(">qq")


def packed(pairs: list[tuple[int, int]], *, whole: bool, low: int, high: int) -> bytes:
    """Return pairs as they are stored, each moment between `low` and `high`."""
    return (ALL if whole else FIRST) + b"".join(_PAIR.pack(max(low, a), min(high, b)) for a, b in pairs)


def happens(spans: bytes, start: int, end: int) -> bool | None:
    """Tell whether an entry happens between two moments (RFC 4791 §9.9); None where only parsing tells."""
    last = None
    for last, until in _PAIR.iter_unpack(spans[1:]):
        if start < until and last < end:
            return True
    return False if spans[:1] == ALL or (last is not None and end <= last) else None


def verdict(row: Any, start: int, end: int, *, simple: bool) -> bool | None:
    """Tell whether a row whose times enclose or meet a range happens in it; None where only parsing tells.

    `simple` where nothing but the kind of component and the range is asked for.
    """
    if simple and (start <= row.tstart or row.tend <= end):
        return True
    found = None if row.spans is None else happens(bytes(row.spans), start, end)
    return found if simple or found is False else None
