"""When an entry happens, computed once when it is stored: a query by time then need not parse it.

The first times of an entry lie beside its bytes as pairs of seconds since 1970; a letter before them tells
whether these are all. What a rule gives comes in order, after the occurrences that were moved, so whatever ends
before the last pair begins is decided.
"""

from __future__ import annotations

import math
import struct
from datetime import datetime
from typing import Any

from radicale.item import filter as radicale_filter

from ..services import NO_TIME

MOST = 200
ALL, FIRST = b"A", b"F"
_PAIR = struct.Struct(">qq")


def spans_of(item: Any) -> bytes | None:
    """Return when an entry happens; None where it cannot be told."""
    name = item.component_name
    if not name:
        return None
    pairs: list[tuple[int, int]] = []

    def note(start: datetime, end: datetime, is_recurrence: bool) -> bool:
        pairs.append((math.floor(start.timestamp()), math.ceil(end.timestamp())))
        return len(pairs) >= MOST

    try:
        radicale_filter.visit_time_ranges(item.vobject_item, name, note, lambda _: False)
    except Exception:  # noqa: BLE001 - what cannot be told is parsed when somebody asks
        return None
    letter = FIRST if len(pairs) >= MOST else ALL
    low, high = NO_TIME
    return letter + b"".join(_PAIR.pack(max(low, a), min(high, b)) for a, b in pairs)


def happens(spans: bytes, start: int, end: int) -> bool | None:
    """Tell whether an entry happens between two moments (RFC 4791 §9.9); None where only parsing tells."""
    last = None
    for last, until in _PAIR.iter_unpack(spans[1:]):
        if start < until and last < end:
            return True
    return False if spans[:1] == ALL or (last is not None and end <= last) else None
