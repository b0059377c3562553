"""UIDs of collections in the memory of a process: a query for one looks through a text, not through rows.

RFC 4791 §9.7.5 asks for texts that contain what is wanted, in any case of letters, which no index of a database
answers. What is remembered carries the number of the last change that is in it; only later ones are read.
"""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections import OrderedDict
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from atrio.kernel.context import Context

from . import queries

MOST = 200_000
"""UIDs that a process remembers, of all collections together."""
_END = "\x00"
"""Stands in no UID."""


@dataclass(frozen=True)
class UidFilter:
    """A filter that wants a text in the UID; `alone` where it wants nothing else but the kind of component."""

    text: str
    exact_case: bool
    alone: bool

    def matches(self, uid: str) -> bool:
        """Tell whether a UID has the text in it (RFC 4791 §9.7.5)."""
        return self.text in uid if self.exact_case else self.text.lower() in uid.lower()


class Uids:
    """The UIDs of one collection as they were at a change; never changed once it is made."""

    def __init__(self, seq: int, by_href: dict[str, str]) -> None:
        self.seq = seq
        self.by_href = by_href
        self._hrefs = list(by_href)
        self._exact = _END.join(by_href.values())
        self._starts = list(accumulate((len(uid) + 1 for uid in by_href.values()), initial=0))
        lowered = [uid.lower() for uid in by_href.values()]
        self._lower = _END.join(lowered)
        self._lower_starts = list(accumulate((len(uid) + 1 for uid in lowered), initial=0))

    def find(self, wanted: UidFilter) -> list[str]:
        """Return the names of the entries whose UID has a text in it, sorted."""
        text, starts, whole = wanted.text, self._starts, self._exact
        if not wanted.exact_case:
            text, starts, whole = text.lower(), self._lower_starts, self._lower
        found, at = [], whole.find(text)
        while at >= 0:
            number = bisect_right(starts, at) - 1
            found.append(self._hrefs[number])
            at = whole.find(text, starts[number + 1])
        return sorted(found)


class Remembered:
    """What a process remembers of UIDs: the collections that were asked for last."""

    def __init__(self, most: int = MOST) -> None:
        self.most = most
        self._lock = threading.Lock()
        self._kept: OrderedDict[int, Uids] = OrderedDict()

    def of(self, ctx: Context, collection: Any) -> Uids:
        """Return the UIDs of a collection, given its row as this unit, which only reads, sees it."""
        number = int(collection.collection_id)
        with self._lock:
            kept = self._kept.get(number)
            if kept is not None:
                self._kept.move_to_end(number)
                if kept.seq == collection.seq:
                    return kept
        if kept is None or not collection.floor <= kept.seq <= collection.seq:
            by_href = {row.href: row.uid for row in queries.UIDS.all(ctx, collection_id=number)}
        else:
            by_href = dict(kept.by_href)
            for row in queries.UIDS_SINCE.all(ctx, collection_id=number, since=kept.seq):
                by_href.pop(row.href, None)
                if not row.deleted:
                    by_href[row.href] = row.uid
        made = Uids(collection.seq, by_href)
        if not ctx.writes:
            self._keep(number, made)
        return made

    def _keep(self, number: int, made: Uids) -> None:
        with self._lock:
            self._kept[number] = made
            self._kept.move_to_end(number)
            size = sum(len(uids.by_href) for uids in self._kept.values())
            while size > self.most and self._kept:
                _, gone = self._kept.popitem(last=False)
                size -= len(gone.by_href)


def find(ctx: Context, collection: Any, wanted: UidFilter) -> list[str]:
    """Return the names of the entries of a collection whose UID has a text in it, sorted."""
    return ctx.kernel.part("caldav.uids", Remembered).of(ctx, collection).find(wanted)
