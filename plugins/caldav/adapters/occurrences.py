"""When an entry happens: computed when it is stored, and later for days that lie far behind its beginning.

The library follows a rule from its beginning at each question. A rule that began decades ago is moved here by
whole periods to shortly before the days that are asked for (RFC 5545 §3.3.10: the interval counts from the
beginning, so a whole number of intervals changes nothing that comes after it).
"""

from __future__ import annotations

import copy
import math
import threading
from collections import OrderedDict
from datetime import UTC, datetime, timedelta
from typing import Any

import radicale.item as radicale_item
from dateutil import rrule
from radicale.item import filter as radicale_filter
from vobject.icalendar import RecurringComponent

from ..places import CALENDAR
from ..services import NO_TIME
from ..spans import EVER, MOST, happens, packed
from ..texts import BOM

COVERED = 400
"""Times of an entry that are computed at once for days that are asked for."""
ENTRIES_COVERED = 2000
"""Entries of which a process remembers such times."""
FEW = 100
"""Periods of a rule, or times that it counts, that are followed rather than left out."""
SLACK = timedelta(days=2)
"""More than clocks of two time zones can differ."""
LISTS = ("vevent_list", "vtodo_list", "vjournal_list")


class Ahead(RecurringComponent):  # type: ignore[misc]
    """A component whose rules begin shortly before a moment, `asked_from`; what ends before it may be missing."""

    def getrruleset(self, addRDate: bool = False) -> Any:  # noqa: N803
        """Return the dates of the component, those of long ago left out."""
        dates = super().getrruleset(addRDate)
        if dates is not None:
            floor = self.__dict__["asked_from"]
            dates._rrule = [moved(rule, floor) for rule in dates._rrule]
            dates._exrule = [moved(rule, floor) for rule in dates._exrule]
        return dates


def look_ahead(item: Any, start: datetime) -> None:
    """Let the rules of a parsed entry begin shortly before a moment."""
    for name in LISTS:
        for component in getattr(item, name, ()):
            if "rrule" in component.contents:
                object.__setattr__(component, "__class__", Ahead)
                component.__dict__["asked_from"] = _before(component, start)


def _before(component: Any, start: datetime) -> datetime:
    """Return a moment before which nothing can matter: what began then has ended, and no alarm rings for it."""
    lasting = timedelta(0)
    for first, last in (("dtstart", "dtend"), ("dtstart", "due")):
        if hasattr(component, first) and hasattr(component, last):
            begin, end = (_naive(getattr(component, name).value) for name in (first, last))
            lasting = max(lasting, abs(end - begin))
    for owner, name in [(component, "duration"), *((a, "trigger") for a in getattr(component, "valarm_list", ()))]:
        value = getattr(getattr(owner, name, None), "value", None)
        if isinstance(value, timedelta):
            lasting += abs(value)
    floor = datetime(1, 1, 1) + lasting + SLACK
    start = start.astimezone(UTC).replace(tzinfo=None)
    return start - lasting - SLACK if start > floor else datetime(1, 1, 1)


def _naive(moment: Any) -> datetime:
    return datetime(*moment.timetuple()[:6])


def moved(rule: Any, floor: datetime) -> Any:
    """Return a rule of which only what comes before a moment, in its own time of day, may be missing."""
    start = rule._dtstart.replace(tzinfo=None)
    if floor <= start or (rule._count is not None and rule._count <= FEW):
        return rule
    begin = _moved_start(rule, start, floor)
    if begin is None:
        return rule
    ahead = copy.copy(rule)
    if rule._count is not None:  # counts from the beginning: its last time says the same
        ahead._count, ahead._until = None, _last(rule)
    ahead._dtstart = begin.replace(tzinfo=rule._dtstart.tzinfo)
    return ahead


def _moved_start(rule: Any, start: datetime, floor: datetime) -> datetime | None:
    """Return where a rule may begin: at the first day of a period, whole intervals later; None to leave it.

    Days and times that a rule takes from its beginning were taken when it was made.
    """
    step, day = rule._interval, start.replace(hour=0, minute=0, second=0, microsecond=0)
    days = (floor - day).days
    if rule._freq == rrule.HOURLY:
        skipped = (days - 1) * 24 // step - 1
        return start + timedelta(hours=skipped * step) if skipped > FEW else None
    if rule._freq in (rrule.DAILY, rrule.WEEKLY):
        period = step * (7 if rule._freq == rrule.WEEKLY else 1)
        skipped = days // period - 2
        return day + timedelta(days=skipped * period) if skipped > FEW else None
    if rule._freq == rrule.MONTHLY:
        skipped = ((floor.year - start.year) * 12 + floor.month - start.month) // step - 2
        months = start.month - 1 + skipped * step
        return day.replace(year=start.year + months // 12, month=months % 12 + 1, day=1) if skipped > 0 else None
    if rule._freq == rrule.YEARLY:
        skipped = (floor.year - start.year) // step - 2
        return day.replace(year=start.year + skipped * step, month=1, day=1) if skipped > 0 else None
    return None


class _Lately:
    """A bounded memory of what was computed, for all threads."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._lock = threading.Lock()
        self._kept: OrderedDict[Any, Any] = OrderedDict()

    def get(self, key: Any) -> Any:
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def put(self, key: Any, value: Any) -> None:
        with self._lock:
            self._kept[key] = value
            self._kept.move_to_end(key)
            while len(self._kept) > self.most:
                self._kept.popitem(last=False)


_LASTS = _Lately(ENTRIES_COVERED)
_COVERAGE = _Lately(ENTRIES_COVERED)


def _last(rule: Any) -> datetime:
    """Return the last time of a rule that counts; followed once, then remembered."""
    key = str(rule), rule._count, rule._dtstart.replace(tzinfo=None)
    found = _LASTS.get(key)
    if found is None:
        found = max(rule, default=rule._dtstart).replace(tzinfo=None)
        _LASTS.put(key, found)
    last: datetime = found.replace(tzinfo=rule._dtstart.tzinfo)
    return last


def times_of(item: Any, name: str, most: int, low: int = NO_TIME[0]) -> tuple[list[tuple[int, int]], bool]:
    """Return the first times of a parsed entry that end after a moment, and whether these are all."""
    pairs: list[tuple[int, int]] = []

    def note(start: datetime, end: datetime, is_recurrence: bool) -> bool:
        if (until := math.ceil(end.timestamp())) > low:
            pairs.append((math.floor(start.timestamp()), until))
        return len(pairs) >= most

    radicale_filter.visit_time_ranges(item, name, note, lambda _: False)
    return pairs, len(pairs) < most


def spans_of(item: Any) -> bytes | None:
    """Return when an entry happens; None where it cannot be told."""
    if not item.component_name:
        return None
    low, high = NO_TIME
    try:
        pairs, whole = times_of(item.vobject_item, item.component_name, MOST)
    except Exception:  # noqa: BLE001 - what cannot be told is parsed when somebody asks
        return None
    return packed(pairs, whole=whole, low=low, high=high)


def parsed(text: str, tag: str) -> Any:
    """Return an entry as the library sees it, repaired in the same way as when it came in."""
    found = radicale_item.read_components(text.removeprefix(BOM))
    radicale_item.check_and_sanitize_items(found, max_vevent_rrule_occurrence=0, tag=tag)
    return found[0]


def decide(etag: str, text: str, component: str, start: int, end: int) -> bool | None:
    """Tell whether an entry happens between two moments in seconds; None where the library has to.

    What was computed is remembered by the ETag, which stands for the bytes.
    """
    known = _COVERAGE.get(etag)
    if known is not None and known[0] <= start:
        told = happens(known[1], start, end)
        if told is not None:
            return told
    start = max(start, EVER[0])
    try:
        item = parsed(text, CALENDAR)
        look_ahead(item, datetime.fromtimestamp(start, UTC))
        pairs, whole = times_of(item, component, COVERED, start)
    except Exception:  # noqa: BLE001 - then the library says what is wrong with it
        return None
    spans = packed(pairs, whole=whole, low=NO_TIME[0], high=NO_TIME[1])
    _COVERAGE.put(etag, (start, spans))
    return happens(spans, start, end)
