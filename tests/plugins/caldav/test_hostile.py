"""Broken, huge and hostile input: the protocol's own refusal, nothing stored, nobody waits."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import NAMES, Desk, card, event, todo

pytestmark = pytest.mark.any_engine

ITEMS = "SELECT count(*) FROM caldav_item"


def rule(value: str, start: str = "20260105T100000Z") -> bytes:
    return event("bomb", start, start, f"RRULE:{value}").replace(
        f"DTEND:{start}\r\n".encode(), b"DURATION:PT1H\r\n"
    )


BOMBS = [
    "FREQ=SECONDLY", "FREQ=MINUTELY", "FREQ=HOURLY", "FREQ=SECONDLY;COUNT=5", "FREQ=DAILY;COUNT=2000000000", "FREQ=DAILY;COUNT=100000",
    "FREQ=HOURLY;UNTIL=99991231T000000Z", "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30;COUNT=1",
    "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=31;COUNT=2", "FREQ=DAILY;BYHOUR=0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23;BYMINUTE=0,10,20,30,40,50",
    "FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=30;COUNT=1",
]  # fmt: skip


def test_rules_without_an_end(desk: Desk) -> None:
    me = desk.user
    for value in BOMBS:
        answer = me("PUT", f"{me.calendar}/bomb.ics", rule(value))
        assert (answer.status, b"max-instances" in answer.body) == (403, True), (value, answer.body)
    assert desk.scalar(ITEMS) == 0


NO_RULES = [
    "FREQ=DAILY;INTERVAL=0", "FREQ=WEEKLY;INTERVAL=-1", "FREQ=SOMETIMES;BYDAY=1", "FREQ=DAILY;BYMONTHDAY=x",
    "FREQ=DAILY;UNTIL=never;BYMONTHDAY=1", "FREQ=YEARLY;BYDAY=53MO;BYMONTH=2", "FREQ=DAILY;COUNT=x", "",
]  # fmt: skip


def test_rules_that_are_none(desk: Desk) -> None:
    me = desk.user
    for value in NO_RULES:
        answer = me("PUT", f"{me.calendar}/bomb.ics", rule(value))
        assert answer.status == 403, (value, answer.body)
    assert desk.scalar(ITEMS) == 0


def test_bombs_in_other_places(desk: Desk) -> None:
    me = desk.user
    zone = (
        "BEGIN:VTIMEZONE\r\nTZID:Evil\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0100\r\n"
        "RRULE:FREQ=SECONDLY\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"
    )  # fmt: skip
    hidden = (
        event("z")
        .decode()
        .replace("BEGIN:VEVENT", f"{zone}BEGIN:VEVENT")
        .replace("DTSTART:20260105T100000Z", "DTSTART;TZID=Evil:20260105T100000")
    )
    dates = ",".join(["20260105T100000Z"] * 10_001)
    for body in (
        hidden.encode(), rule("FREQ=DAILY", "00010101T000000Z"), rule("FREQ=DAILY").replace(b"RRULE:", b"rrule;X=1:").replace(b"DAILY", b"SEC\r\n ONDLY"),
        event("d", "20260105T100000Z", "20260105T110000Z", f"RDATE:{dates}"), event("e", "20260105T100000Z", "20260105T110000Z", *["RRULE:FREQ=DAILY;COUNT=2"] * 300),
        rule("FREQ=DAILY").replace(b"RRULE", b"EXRULE").replace(b"DAILY", b"SECONDLY"),
        todo("t", "DTSTART:20260105T100000Z", "RRULE:FREQ=MINUTELY"),
    ):  # fmt: skip
        answer = me("PUT", f"{me.calendar}/bomb.ics", body)
        assert (answer.status, b"max-instances" in answer.body) == (403, True), body[:300]
    assert desk.scalar(ITEMS) == 0


def test_honest_rules_are_taken(desk: Desk) -> None:
    me = desk.user
    honest = [
        "FREQ=DAILY", "FREQ=WEEKLY;BYDAY=MO,WE;UNTIL=20301231T235959Z", "FREQ=MONTHLY;BYDAY=-1FR", "FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU",
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", "FREQ=MONTHLY;BYMONTHDAY=31;COUNT=12", "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
        "FREQ=HOURLY;INTERVAL=4;COUNT=20", "FREQ=DAILY;BYHOUR=8,12,20", "FREQ=DAILY;COUNT=3650", "FREQ=WEEKLY;WKST=SU;INTERVAL=2;BYDAY=TU",
    ]  # fmt: skip
    for number, value in enumerate(honest):
        body = rule(value).replace(b"UID:bomb", f"UID:r{number}".encode())
        assert me("PUT", f"{me.calendar}/{number}.ics", body).status == 201, value
    assert (
        me(
            "PUT", f"{me.calendar}/old.ics", rule("FREQ=YEARLY", "16040229T000000Z").replace(b"bomb", b"old")
        ).status
        == 201
    )
    found = me.query(me.calendar, '<C:time-range start="20280201T000000Z" end="20280301T000000Z"/>')
    assert len(found) >= 7


BROKEN = [
    b"", b"nonsense", b"BEGIN:VCALENDAR\r\n", b"BEGIN:VCALENDAR\r\nEND:VEVENT\r\n", b"\x00\x01\x02", b"\xff\xfeB\x00E\x00", b"BEGIN:VEVENT\r\nUID:x\r\nEND:VEVENT\r\n",
    event().replace(b"UID:one\r\n", b""), event().replace(b"DTSTART:20260105T100000Z", b"DTSTART:yesterday"),
    event().replace(b"END:VCALENDAR\r\n", b"BEGIN:VEVENT\r\nUID:other\r\nDTSTART:20260101\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"),
    event().replace(b"END:VCALENDAR\r\n", b"BEGIN:VTODO\r\nUID:one\r\nEND:VTODO\r\nEND:VCALENDAR\r\n"), event() + event("second"),
    event().replace(b"SUMMARY:About one", b"DURATION:PT99999999999999H"), b"BEGIN:" * 5000, b"BEGIN:X\r\n" * 5000, b"[" * 10000, b"<xml/>",
    event().replace(b"DTEND:20260105T110000Z", b"DTEND;TZID=No/Where:20260105T110000"), event("u" * 3000),
]  # fmt: skip


def test_broken_entries(desk: Desk) -> None:
    me = desk.user
    taken = 0
    for number, body in enumerate(BROKEN):
        path = f"{me.calendar}/{number}.ics"
        answer = me("PUT", path, body, content_type="text/calendar")
        assert answer.status in (201, 403), (body[:80], answer.status, answer.body)
        if answer.status == 403:
            assert b"<C:" in answer.body
            continue
        taken += 1
        assert me("GET", path).body == body
        assert path in me.query(me.calendar, '<C:time-range start="20260101T000000Z" end="20270101T000000Z"/>')
        assert me("DELETE", path).status == 200
    assert desk.scalar(f"{ITEMS} WHERE deleted = 0") == 0
    assert taken < 4


def test_the_wrong_kind_for_a_collection(desk: Desk) -> None:
    me = desk.user
    for path, body, name in (
        (f"{me.calendar}/a.vcf", card(), b"C:supported-calendar-data"), (f"{me.book}/a.ics", event(), b"CR:supported-address-data"),
        (f"{me.book}/a.vcf", b"BEGIN:VCARD\r\n", b"CR:valid-address-data"), (f"{me.book}/a.vcf", card().replace(b"UID:card\r\n", b""), b"CR:valid-address-data"),
    ):  # fmt: skip
        answer = me("PUT", path, body)
        assert (answer.status, name in answer.body) == (403, True), answer.body
    made = f'<C:mkcalendar {NAMES}><D:set><D:prop><C:supported-calendar-component-set><C:comp name="VTODO"/></C:supported-calendar-component-set></D:prop></D:set></C:mkcalendar>'
    assert me("MKCALENDAR", f"{me.home}/tasks/", made).status == 201
    answer = me("PUT", f"{me.home}/tasks/a.ics", event())
    assert (answer.status, b"supported-calendar-component" in answer.body) == (403, True)
    assert me("PUT", f"{me.home}/tasks/a.ics", todo()).status == 201


def test_charsets(desk: Desk) -> None:
    me = desk.user
    text = event("u", "20260105T100000Z", "20260105T110000Z", "LOCATION:Zürich").decode()
    latin = me(
        "PUT", f"{me.calendar}/latin.ics", text.encode("latin-1"), content_type="text/calendar; charset=ISO-8859-1"
    )
    assert (latin.status, "etag" in latin.headers) == (201, False)
    assert me("GET", f"{me.calendar}/latin.ics").body.decode() == text
    silent = me(
        "PUT",
        f"{me.calendar}/silent.ics",
        text.replace("UID:u", "UID:s").encode("cp1252"),
        content_type="text/calendar",
    )
    assert (silent.status, "etag" in silent.headers) == (201, False)
    assert "Zürich" in me("GET", f"{me.calendar}/silent.ics").body.decode()
    unknown = me(
        "PUT",
        f"{me.calendar}/unknown.ics",
        text.replace("UID:u", "UID:k").encode(),
        content_type="text/calendar; charset=klingon",
    )
    assert unknown.status == 201
    marked = b"\xef\xbb\xbf" + text.replace("UID:u", "UID:m").encode()
    assert "etag" in me("PUT", f"{me.calendar}/marked.ics", marked).headers
    assert me("GET", f"{me.calendar}/marked.ics").body == marked


def test_characters_that_xml_cannot_hold(desk: Desk) -> None:
    from xml.etree import ElementTree

    me = desk.user
    body = event("c", "20260105T100000Z", "20260105T110000Z", "LOCATION:a\x0bb\x01\ufffe]]>&<")
    assert me("PUT", f"{me.calendar}/c.ics", body).status == 201
    assert me("GET", f"{me.calendar}/c.ics").body == body
    ask = f"<C:calendar-multiget {NAMES}><D:prop><C:calendar-data/></D:prop><D:href>/dav{me.calendar}/c.ics</D:href></C:calendar-multiget>"
    told = me("REPORT", me.calendar, ask)
    assert "LOCATION:ab]]>&<" in "".join(ElementTree.fromstring(told.body).itertext())


@pytest.mark.atrio_config(caldav__item_bytes=65536)
def test_sizes(desk: Desk) -> None:
    me = desk.user
    large = event(
        "l", "20260105T100000Z", "20260105T110000Z", "ATTACH;ENCODING=BASE64;VALUE=BINARY:" + "A" * 70_000
    )
    answer = me("PUT", f"{me.calendar}/l.ics", large)
    assert (answer.status, b"C:max-resource-size" in answer.body) == (403, True)
    assert me("PUT", f"{me.calendar}/l.ics", large * 3).status == 403
    fits = event(
        "f", "20260105T100000Z", "20260105T110000Z", "ATTACH;ENCODING=BASE64;VALUE=BINARY:" + "A" * 60_000
    )
    assert me("PUT", f"{me.calendar}/f.ics", fits).status == 201
    assert me("PROPFIND", f"{me.calendar}/", b"<" + b"a" * 1_100_000).status == 413
    assert me("PUT", f"{me.calendar}/{'n' * 300}.ics", event()).status == 403
    assert me("MKCALENDAR", f"{me.home}/{'n' * 300}/").status == 404
    assert desk.scalar(ITEMS) == 1


def test_many_lines_and_large_attachments_cost_little(desk: Desk) -> None:
    """What parses for minutes is refused before; three megabytes on folded lines are not such a thing."""
    me = desk.user
    many = event("m").replace(b"END:VEVENT", b"X-A:1\r\n" * 25_000 + b"END:VEVENT")
    answer = me("PUT", f"{me.calendar}/m.ics", many)
    assert (answer.status, b"max-resource-size" in answer.body) == (403, True)
    folded = b"ATTACH;ENCODING=BASE64;VALUE=BINARY:" + b"\r\n ".join([b"A" * 74] * 40_000) + b"\r\n"
    assert (
        me("PUT", f"{me.calendar}/a.ics", event("a").replace(b"END:VEVENT", folded + b"END:VEVENT")).status == 201
    )
    assert me("GET", f"{me.calendar}/a.ics").body.count(b"A" * 74) == 40_000


BAD_XML = [
    b"<", b"<a/>", b"not xml", b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', b"\x00", b"\xff\xff",
    f"<D:propfind {NAMES}/>".encode(), f"<C:calendar-query {NAMES}><C:filter/></C:calendar-query>".encode(),
    f'<C:calendar-query {NAMES}><C:filter><C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT"><C:time-range start="x" end="y"/></C:comp-filter></C:comp-filter></C:filter></C:calendar-query>'.encode(),
    f"<C:calendar-query {NAMES}><C:filter><C:prop-filter/></C:filter></C:calendar-query>".encode(),
    f"<C:calendar-query {NAMES}><D:prop><C:calendar-data><C:expand start='1' end='2'/></C:calendar-data></D:prop></C:calendar-query>".encode(),
    f"<C:free-busy-query {NAMES}/>".encode(), f"<C:calendar-multiget {NAMES}><D:href/></C:calendar-multiget>".encode(),
    f"<C:calendar-multiget {NAMES}><D:href>http://[</D:href></C:calendar-multiget>".encode(), f"<D:sync-collection {NAMES}/>".encode(),
    f"<D:propertyupdate {NAMES}><D:set><D:prop><C:supported-calendar-component-set/></D:prop></D:set></D:propertyupdate>".encode(),
    b"<a>" * 50_000, f"<D:propertyupdate {NAMES}><D:set><D:prop><D:displayname>{'x' * 300_000}</D:displayname></D:prop></D:set></D:propertyupdate>".encode(),
]  # fmt: skip


def test_bad_xml_is_never_a_fault_of_the_server(desk: Desk, caplog: Any) -> None:
    me = desk.user
    assert me("PUT", f"{me.calendar}/a.ics", event()).status == 201
    for number, body in enumerate(BAD_XML):
        for method, path in (
            ("PROPFIND", f"{me.calendar}/"), ("REPORT", f"{me.calendar}/"), ("PROPPATCH", f"{me.calendar}/"), ("MKCALENDAR", f"{me.home}/n{number}/"),
            ("MKCOL", f"{me.home}/m{number}/"), ("REPORT", f"{me.calendar}/a.ics"), ("REPORT", f"{me.book}/"), ("REPORT", f"{me.home}/"), ("PROPFIND", "/"),
        ):  # fmt: skip
            answer = me(method, path, body)
            assert answer.status < 500, (method, path, answer.status, body[:200])
            assert b"Traceback" not in answer.body
            assert b"root:" not in answer.body
    assert "Traceback" not in caplog.text
    assert me("GET", f"{me.calendar}/a.ics").body == event()
    assert b"About" not in me.props(f"{me.calendar}/", "D:displayname").body


def test_paths(desk: Desk) -> None:
    me = desk.user
    for path in (
        "/user_01/",
        "/user_0/",
        "/users/",
        "/agenda/",
        "/agenda/user/",
        f"{me.calendar}/a/b/c",
        "/agenda/user/1/2/3/4",
        "/.web/",
        "/.token/",
        "/.sharing/v1/",
        "/user_x/",
        "/agenda/planet/1/",
        "/%00",
        f"{me.home}/%00/",
    ):
        for method in ("GET", "PROPFIND", "PUT", "DELETE", "REPORT", "POST", "MKCALENDAR"):
            assert me(method, path, event()).status in (403, 404), (method, path)
    assert me("PROPFIND", f"{me.calendar}/%ff.ics").status == 400
    assert me("PUT", f"{me.calendar}/%2e%2e%2fx.ics", event()).status < 500
    assert me("GET", f"{me.calendar}/../../etc/passwd").status in (400, 403, 404)


def test_the_number_of_own_collections_is_bounded(desk: Desk) -> None:
    from atrio.plugins.caldav import config

    me = desk.user
    limit = desk.kernel.config[config.CaldavConfig].own_collections
    for number in range(limit):
        assert me("MKCALENDAR", f"{me.home}/c{number}/").status == 201
    assert me("MKCALENDAR", f"{me.home}/more/").status == 507
    assert me("DELETE", f"{me.home}/c0/").status == 200
    assert me("MKCALENDAR", f"{me.home}/more/").status == 201


def test_an_upload_that_breaks_off_changes_nothing(desk: Desk) -> None:
    me = desk.user
    body = event()
    path = f"/dav{me.calendar}/a.ics"
    for cut in (1, 100, len(body) - 1):
        me.client.request("PUT", path, body=body, announce=len(body), cut_after=cut)
    me.client.request("PUT", path, body=body, announce=len(body) + 5)
    assert desk.scalar(ITEMS) == 0
