"""Entries that come from files: judged and indexed like those that a client saves."""

from __future__ import annotations

import radicale.item as radicale_item

from ..places import CALENDAR
from ..services import NO_TIME, Entry
from ..texts import BOM, Unreadable
from . import limits
from .occurrences import spans_of


def entry_of(text: str, tag: str) -> Entry:
    """Return an entry ready to be stored; Unreadable, with the precondition that fails, for what is refused."""
    why = limits.refusal(text.removeprefix(BOM), tag, None)
    if why is not None:
        raise Unreadable(why)
    try:
        found = radicale_item.read_components(text.removeprefix(BOM))
        radicale_item.check_and_sanitize_items(found, limits.MAX_INSTANCES, tag=tag)
        item = radicale_item.Item(collection_path="", vobject_item=found[0])
        component = (item.component_name if tag == CALENDAR else "") or item.name
        start, end = item.time_range
        spans = spans_of(item)
    except Exception as error:
        raise Unreadable(limits.invalid(tag)) from error
    times = max(NO_TIME[0], int(start)), min(NO_TIME[1], int(end))
    return Entry(text.encode("utf-8", "replace"), item.uid, component, times, spans)
