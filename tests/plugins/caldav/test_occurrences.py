"""Rules that are moved ahead give what rules give that are followed from their beginning."""

from __future__ import annotations

import itertools
import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytest.importorskip("radicale")

from radicale.item import filter as radicale_filter

from atrio.plugins.caldav.adapters import occurrences
from atrio.plugins.caldav.adapters.occurrences import decide, look_ahead, parsed, spans_of
from atrio.plugins.caldav.places import CALENDAR

from .conftest import Desk, event

ZONE = (
    "BEGIN:VTIMEZONE\r\nTZID:Berlin\r\nBEGIN:DAYLIGHT\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200\r\n"
    "DTSTART:19700329T020000\r\nRRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU\r\nEND:DAYLIGHT\r\nBEGIN:STANDARD\r\n"
    "TZOFFSETFROM:+0200\r\nTZOFFSETTO:+0100\r\nDTSTART:19701025T030000\r\n"
    "RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"
)
PARTS = {
    "DAILY": ["", "", ";BYDAY=MO,WE,FR", ";BYMONTH=1,7", ";BYHOUR=6,18", ";BYMONTHDAY=13,-1"],
    "WEEKLY": ["", "", ";BYDAY=TU,SU", ";BYDAY=MO,FR;WKST=SU", ";BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", ";BYHOUR=0,23"],
    "MONTHLY": ["", "", ";BYDAY=2TU,-1FR", ";BYMONTHDAY=31", ";BYMONTHDAY=1,15,-1", ";BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1"],
    "YEARLY": ["", "", ";BYMONTH=2;BYMONTHDAY=29", ";BYYEARDAY=1,200,366", ";BYWEEKNO=1,53;BYDAY=MO", ";BYDAY=20MO"],
}  # fmt: skip
NUMBERS = itertools.count()


@st.composite
def entries(draw: st.DrawFn) -> tuple[str, str]:
    """Return an entry that began up to decades ago, and its component."""
    start = datetime(draw(st.integers(1950, 2020)), 1, 1) + timedelta(minutes=draw(st.integers(0, 365 * 1440)))
    frequency = draw(st.sampled_from(sorted(PARTS)))
    rule = f"FREQ={frequency};INTERVAL={draw(st.integers(1, 5))}{draw(st.sampled_from(PARTS[frequency]))}"
    ending = draw(st.sampled_from(["", "", "", "count", "until"]))
    form = draw(st.sampled_from(["utc", "zone", "floating", "day"]))
    if ending == "count":
        rule += f";COUNT={draw(st.integers(1, 9000))}"
    if ending == "until":
        until = start + timedelta(days=draw(st.integers(1, 30000)))
        rule += f";UNTIL={until:%Y%m%d}" if form == "day" else f";UNTIL={until:%Y%m%dT%H%M%S}Z"
    lines = [f"RRULE:{rule}"]
    near = datetime(2026, 1, 1, start.hour, start.minute, start.second)
    days = draw(st.lists(st.integers(-400, 800), max_size=6))
    for number, day in enumerate(days):
        kind = ("EXDATE", "RDATE")[number % 2]
        lines.append(f"{kind}{moment(near + timedelta(days=day), form)}")
    lasting = timedelta(minutes=draw(st.sampled_from([0, 30, 60, 1500, 60 * 24 * 40])))
    if draw(st.booleans()):
        end = start + max(lasting, timedelta(days=1) if form == "day" else timedelta(minutes=1))
        lines.append(f"DTEND{moment(end, form)}")
    elif lasting:
        lines.append(
            f"DURATION:P{max(lasting.days, 1)}D"
            if form == "day"
            else f"DURATION:PT{lasting.seconds // 60 + lasting.days * 1440}M"
        )
    head = f"UID:x\r\nDTSTAMP:20260101T000000Z\r\nDTSTART{moment(start, form)}\r\n"
    body = f"BEGIN:VEVENT\r\n{head}" + "".join(f"{line}\r\n" for line in lines) + "END:VEVENT\r\n"
    if draw(st.booleans()):
        other = near + timedelta(days=draw(st.integers(0, 300)))
        body += (
            f"BEGIN:VEVENT\r\nUID:x\r\nDTSTAMP:20260101T000000Z\r\nRECURRENCE-ID{moment(near, form)}\r\n"
            f"DTSTART{moment(other, form)}\r\nEND:VEVENT\r\n"
        )
    zone = ZONE if form == "zone" else ""
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//T//EN\r\n{zone}{body}END:VCALENDAR\r\n", "VEVENT"


def moment(when: datetime, form: str) -> str:
    """Return a value with its parameters."""
    if form == "day":
        return f";VALUE=DATE:{when:%Y%m%d}"
    return {"utc": f":{when:%Y%m%dT%H%M%S}Z", "zone": f";TZID=Berlin:{when:%Y%m%dT%H%M%S}"}.get(
        form, f":{when:%Y%m%dT%H%M%S}"
    )


def times(item: object, component: str, low: datetime, high: datetime) -> list[tuple[int, int]]:
    """Return the times that lie in a range, followed by the library."""
    found: list[tuple[int, int]] = []
    start, end = math.floor(low.timestamp()), math.ceil(high.timestamp())

    def note(begin: datetime, until: datetime, is_recurrence: bool) -> bool:
        pair = math.floor(begin.timestamp()), math.ceil(until.timestamp())
        if pair[0] < end and start < pair[1]:
            found.append(pair)
        return pair[0] >= end and not is_recurrence

    radicale_filter.visit_time_ranges(item, component, note, lambda _: False)
    return sorted(found)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(entries(), st.integers(0, 20_000), st.sampled_from([0, 1, 7, 31, 400]))
def test_moved_rules_give_the_same_times(entry: tuple[str, str], day: int, days: int) -> None:
    text, component = entry
    low = datetime(1990, 1, 1, 7, 30, tzinfo=UTC) + timedelta(days=day)
    high = low + timedelta(days=days, hours=1)
    try:
        expected = times(parsed(text, CALENDAR), component, low, high)
    except Exception:
        return  # the library refuses it, when it is stored too
    item = parsed(text, CALENDAR)
    look_ahead(item, low)
    assert times(item, component, low, high) == expected
    etag = f"{next(NUMBERS)}"  # what was computed for another is not ours
    start, end = math.floor(low.timestamp()), math.ceil(high.timestamp())
    for _ in range(2):  # computed, then remembered
        told = decide(etag, text, component, start, end)
        assert told is None or told == bool(expected)
        if told is None:
            assert not expected or len(expected) >= occurrences.COVERED


def test_what_lies_far_ahead_is_not_followed_there() -> None:
    """A daily event of 1950 costs some dozens of steps in 2040, not 30,000; with and without COUNT."""
    for more in ("", ";COUNT=9999"):
        text = (
            "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:x\r\nDTSTAMP:20260101T000000Z\r\n"
            f"DTSTART:19800101T100000Z\r\nDTEND:19800101T110000Z\r\nRRULE:FREQ=DAILY{more}\r\nEND:VEVENT\r\n"
            "END:VCALENDAR\r\n"
        )
        item = parsed(text, CALENDAR)
        start = datetime(2006, 1, 1, tzinfo=UTC)
        look_ahead(item, start)
        steps = [when for when, _ in zip(item.vevent.getrruleset(True), range(30), strict=False)]
        assert steps[0] == datetime(1980, 1, 1, 10, tzinfo=UTC) or steps[0] >= start - timedelta(days=10)
        assert steps[1] >= start - timedelta(days=10)
        assert any(when >= start for when in steps)


def test_spans_of_a_stored_entry_decide_what_lies_in_them() -> None:
    from radicale.item import Item

    from atrio.plugins.caldav.spans import happens

    text = (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:x\r\nDTSTAMP:20260101T000000Z\r\n"
        "DTSTART:19800101T100000Z\r\nDTEND:19800101T110000Z\r\nRRULE:FREQ=DAILY\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )
    spans = spans_of(Item(collection_path="", vobject_item=parsed(text, CALENDAR)))
    assert spans is not None
    first = int(datetime(1980, 1, 1, 10, tzinfo=UTC).timestamp())
    assert happens(spans, first, first + 1) is True
    assert happens(spans, first + 3600, first + 7200) is False
    assert happens(spans, first + 86400 * 1000, first + 86400 * 1001) is None


FREE = '<C:free-busy-query xmlns:C="urn:ietf:params:xml:ns:caldav"><C:time-range start="20260301T000000Z" end="20260401T000000Z"/></C:free-busy-query>'
EXPANDED = """<C:calendar-query xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><D:prop><C:calendar-data>
<C:expand start="20260301T000000Z" end="20260401T000000Z"/></C:calendar-data></D:prop><C:filter>
<C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT"><C:time-range start="20260301T000000Z" end="20260401T000000Z"/>
</C:comp-filter></C:comp-filter></C:filter></C:calendar-query>"""
ALARM = EXPANDED.replace('<C:expand start="20260301T000000Z" end="20260401T000000Z"/>', "").replace(
    '<C:time-range start="20260301T000000Z" end="20260401T000000Z"/>',
    '<C:comp-filter name="VALARM"><C:time-range start="20260301T000000Z" end="20260301T120000Z"/></C:comp-filter>',
)


def test_expansion_free_times_and_alarms(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """What else looks at rules gives the same with rules moved ahead."""
    from atrio.plugins.caldav.adapters import collection

    me = desk.user
    bell = ("BEGIN:VALARM", "ACTION:DISPLAY", "DESCRIPTION:x", "TRIGGER:-P2DT1H", "END:VALARM")
    for number, lines in enumerate(
        (
            ("RRULE:FREQ=DAILY", "EXDATE:20260310T100000Z", "RDATE:20260311T150000Z"), ("RRULE:FREQ=WEEKLY;INTERVAL=3;BYDAY=MO,TH",),
            ("RRULE:FREQ=DAILY;COUNT=9999",), ("RRULE:FREQ=MONTHLY;BYDAY=-1FR",), ("RRULE:FREQ=WEEKLY", *bell),
        )
    ):  # fmt: skip
        data = event(f"e{number}", "20000103T100000Z", "20000103T113000Z", *lines)
        assert me("PUT", f"{me.calendar}/{number}.ics", data).status == 201

    def asked() -> list[list[str]]:
        answers = [me("REPORT", me.calendar, body, depth="1") for body in (EXPANDED, FREE, ALARM)]
        assert [answer.status for answer in answers] == [207, 200, 207]
        lines = [answer.body.decode().splitlines() for answer in answers]
        return [[line for line in of if not line.startswith(("DTSTAMP", "UID"))] for of in lines]

    moved = asked()
    assert sum("RECURRENCE-ID" in line for line in moved[0]) > 60
    assert sum("FREEBUSY" in line for line in moved[1]) > 30
    monkeypatch.setattr(collection, "look_ahead", lambda *_: None)
    assert asked() == moved
