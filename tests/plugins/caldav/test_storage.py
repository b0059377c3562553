"""What is stored: bytes, tags, changes, queries."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text as sql

from atrio.kernel.testing.plugin import counting

from .conftest import NAMES, Desk, card, event, todo

Save = Callable[..., str]


def test_an_entry_comes_back_byte_for_byte_and_its_tag_is_that_of_the_bytes(desk: Desk, save: Save) -> None:
    me = desk.user
    odd = (
        event("odd")
        .replace(b"SUMMARY", b"X-Odd-Case;VALUE=URI:geo:1,2\nsummary")
        .replace(b"END:VEVENT\r\n", b"END:VEVENT\n")
    )
    etag = save(f"{me.calendar}/odd.ics", odd)
    got = me("GET", f"{me.calendar}/odd.ics")
    assert (got.status, got.body, got.headers["etag"]) == (200, odd, etag)
    assert got.headers["content-type"] == "text/calendar; charset=utf-8; component=VEVENT"
    assert got.headers["content-security-policy"].startswith("sandbox")
    assert me("HEAD", f"{me.calendar}/odd.ics").headers["content-length"] == str(len(odd))
    assert me("GET", f"{me.calendar}/odd.ics", if_none_match=etag).status == 304
    assert etag in me.props(f"{me.calendar}/odd.ics", "D:getetag").body.decode().replace("&quot;", '"')


def test_the_same_bytes_again_are_no_change(desk: Desk, save: Save, events: list[Any]) -> None:
    me = desk.user
    first = save(f"{me.calendar}/a.ics", event())
    token, _ = me.sync(me.calendar)
    assert save(f"{me.calendar}/a.ics", event()) == first
    assert me.sync(me.calendar, token) == (token, {})
    assert [e.name for e in events if e.name.startswith("calendar")] == ["calendar_item.created"]


def test_both_addresses_are_one_collection(desk: Desk, save: Save) -> None:
    me = desk.user
    save(f"{me.calendar}/a.ics", event())
    assert me("GET", f"/agenda/user/{me.uid}/a.ics").body == event()
    save(f"/addressbook/user/{me.uid}/c.vcf", card())
    assert me("GET", f"{me.book}/c.vcf").body == card()
    assert me.hrefs(f"/addressbook/user/{me.uid}/") == [
        f"/addressbook/user/{me.uid}/",
        f"/addressbook/user/{me.uid}/c.vcf",
    ]
    assert me.sync(me.calendar)[0] == me.sync(f"/agenda/user/{me.uid}")[0]


def test_sync_tells_what_changed_and_what_is_gone(desk: Desk, save: Save) -> None:
    me = desk.user
    start, nothing = me.sync(me.calendar)
    assert nothing == {}
    one = save(f"{me.calendar}/1.ics", event("1"))
    save(f"{me.calendar}/2.ics", event("2"))
    middle, all_ = me.sync(me.calendar, start)
    assert set(all_) == {f"{me.calendar}/1.ics", f"{me.calendar}/2.ics"}
    changed = save(f"{me.calendar}/2.ics", event("2", "20260106T100000Z", "20260106T110000Z"))
    save(f"{me.calendar}/3.ics", event("3"))
    assert me("DELETE", f"{me.calendar}/1.ics", if_match=one).status == 200
    end, found = me.sync(me.calendar, middle)
    assert found == {
        f"{me.calendar}/1.ics": None,
        f"{me.calendar}/2.ics": changed,
        f"{me.calendar}/3.ics": found[f"{me.calendar}/3.ics"],
    }
    assert me.sync(me.calendar, end) == (end, {})
    assert set(me.sync(me.calendar)[1]) == {f"{me.calendar}/2.ics", f"{me.calendar}/3.ics"}
    save(f"{me.calendar}/1.ics", event("1"))
    assert me.sync(me.calendar, end)[1] == {f"{me.calendar}/1.ics": one}


def test_tokens_that_never_were(desk: Desk, save: Save) -> None:
    me = desk.user
    save(f"{me.calendar}/1.ics", event("1"))
    token, _ = me.sync(me.calendar)
    number = token.removeprefix("data:,").partition("-")[0]
    for wrong in (
        "x",
        "data:,",
        "data:,1",
        f"data:,{number}-999",
        "data:,999-1",
        f"data:,{number}--1",
        "data:,²-1",
        "http://radicale.org/ns/sync/abc",
        "data:," + "9" * 80,
    ):
        body = f"<D:sync-collection {NAMES}><D:sync-token>{wrong}</D:sync-token><D:prop><D:getetag/></D:prop></D:sync-collection>"
        answer = me("REPORT", me.calendar, body)
        assert (answer.status, b"valid-sync-token" in answer.body) == (403, True), wrong


def test_forgotten_deletions_end_old_tokens(desk: Desk, save: Save, clock: Any) -> None:
    from atrio.plugins.caldav import services

    me = desk.user
    save(f"{me.calendar}/1.ics", event("1"))
    old, _ = me.sync(me.calendar)
    assert me("DELETE", f"{me.calendar}/1.ics").status == 200
    fresh, _ = me.sync(me.calendar)
    assert desk.kernel.run(lambda ctx: services.forget_deleted(ctx, 1)) == 0
    clock.move(2 * 86400)
    assert desk.kernel.run(lambda ctx: services.forget_deleted(ctx, 1)) == 1
    assert desk.kernel.run(lambda ctx: services.forget_deleted(ctx, 1)) == 0
    assert me.sync(me.calendar, fresh) == (fresh, {})
    body = f"<D:sync-collection {NAMES}><D:sync-token>{old}</D:sync-token><D:prop><D:getetag/></D:prop></D:sync-collection>"
    assert me("REPORT", me.calendar, body).status == 403


def test_conditions(desk: Desk, save: Save) -> None:
    me = desk.user
    path = f"{me.calendar}/a.ics"
    assert me("PUT", path, event(), if_match='"x"').status == 412
    first = save(path, event(), if_none_match="*")
    assert me("PUT", path, event("one", "20260107T100000Z", "20260107T110000Z"), if_none_match="*").status == 412
    second = save(path, event("one", "20260107T100000Z", "20260107T110000Z"), if_match=first)
    assert me("PUT", path, event(), if_match=first).status == 412
    assert me("DELETE", path, if_match=first).status == 412
    assert me("GET", path).headers["etag"] == second
    assert me("DELETE", path, if_match=second).status == 200
    assert me("GET", path).status == 404


def test_one_uid_is_one_entry(desk: Desk, save: Save) -> None:
    me = desk.user
    save(f"{me.calendar}/a.ics", event())
    answer = me("PUT", f"{me.calendar}/b.ics", event())
    assert (answer.status, b"no-uid-conflict" in answer.body) == (409, True)
    assert me("PUT", f"{me.calendar}/a.ics", event("two")).status == 409
    assert me("DELETE", f"{me.calendar}/a.ics").status == 200
    save(f"{me.calendar}/b.ics", event())


def test_queries_by_uid_and_time(desk: Desk, save: Save) -> None:
    me = desk.user
    for day in range(1, 9):
        save(f"{me.calendar}/{day}.ics", event(f"UID-{day}_x%", f"2026010{day}T100000Z", f"2026010{day}T110000Z"))
    save(f"{me.calendar}/weekly.ics", event("weekly", "20251201T090000Z", "20251201T093000Z", "RRULE:FREQ=WEEKLY"))
    save(f"{me.calendar}/t.ics", todo("UID-3", "DUE:20260103T000000Z"))

    def uid(text: str, more: str = "") -> list[str]:
        return me.query(
            me.calendar, f'<C:prop-filter name="UID"><C:text-match {more}>{text}</C:text-match></C:prop-filter>'
        )

    assert uid("uid-3_x%") == [f"{me.calendar}/3.ics"]
    assert uid("UID-3") == [f"{me.calendar}/3.ics"]
    assert uid("-3_X", 'collation="i;octet"') == []
    assert uid("%") == [f"{me.calendar}/{day}.ics" for day in range(1, 9)]
    assert uid("nobody") == []
    assert len(uid("nobody", 'negate-condition="yes"')) == 9

    def within(start: str, end: str, component: str = "VEVENT") -> list[str]:
        return me.query(me.calendar, f'<C:time-range start="{start}" end="{end}"/>', component)

    assert within("20260103T000000Z", "20260105T000000Z") == [f"{me.calendar}/3.ics", f"{me.calendar}/4.ics"]
    assert within("20260105T000000Z", "20260106T000000Z") == [f"{me.calendar}/5.ics", f"{me.calendar}/weekly.ics"]
    assert within("20300101T000000Z", "20300108T000000Z") == [f"{me.calendar}/weekly.ics"]
    assert within("20260102T000000Z", "20260104T000000Z", "VTODO") == [f"{me.calendar}/t.ics"]
    assert len(me.query(me.calendar, "")) == 9


def test_cards_are_found(desk: Desk, save: Save) -> None:
    me = desk.user
    save(f"{me.book}/a.vcf", card("a", "Ann Example"))
    save(f"{me.book}/b.vcf", card("b", "Bob Other"))
    body = (
        f'<CR:addressbook-query {NAMES}><D:prop><D:getetag/><CR:address-data/></D:prop><CR:filter><CR:prop-filter name="FN">'
        "<CR:text-match>bob</CR:text-match></CR:prop-filter></CR:filter></CR:addressbook-query>"
    )
    answer = me("REPORT", me.book, body, depth="1")
    assert (answer.status, b"FN:Bob Other" in answer.body, b"FN:Ann" in answer.body) == (207, True, False)


def test_multiget_gives_what_is_there(desk: Desk, save: Save) -> None:
    me = desk.user
    save(f"{me.calendar}/ä b.ics".replace("ä b", "%C3%A4%20b"), event("umlaut"))
    body = (
        f"<C:calendar-multiget {NAMES}><D:prop><D:getetag/><C:calendar-data/></D:prop><D:href>/dav{me.calendar}/%C3%A4%20b.ics</D:href>"
        f"<D:href>/dav{me.calendar}/none.ics</D:href><D:href>/dav{desk.reader.calendar}/x.ics</D:href></C:calendar-multiget>"
    )
    answer = me("REPORT", me.calendar, body)
    assert answer.status == 207
    assert answer.body.count(b"BEGIN:VEVENT") == 1
    assert answer.body.count(b"404 Not Found") == 2


def test_collections_of_ones_own(desk: Desk, save: Save) -> None:
    me = desk.user
    body = f"<D:mkcol {NAMES}><D:set><D:prop><D:resourcetype><D:collection/><CR:addressbook/></D:resourcetype><D:displayname>Friends</D:displayname></D:prop></D:set></D:mkcol>"
    assert me("MKCOL", f"{me.home}/friends/", body).status == 201
    assert me("MKCALENDAR", f"{me.home}/work/").status == 201
    assert me("MKCALENDAR", f"{me.home}/work/").status == 409
    assert me("MKCOL", f"{me.home}/plain/").status == 403
    assert b"Friends" in me.props(f"{me.home}/friends/", "D:displayname").body
    save(f"{me.home}/friends/a.vcf", card())
    save(f"{me.home}/work/a.ics", event())
    assert (
        me("MOVE", f"{me.home}/work/a.ics", destination=f"http://testserver/dav{me.calendar}/a.ics").status == 201
    )
    assert me("GET", f"{me.calendar}/a.ics").body == event()
    assert (
        me("MOVE", f"{me.calendar}/a.ics", destination=f"http://testserver/dav{me.home}/friends/a.ics").status
        == 403
    )
    assert me("DELETE", f"{me.home}/friends/").status == 200
    assert me("GET", f"{me.home}/friends/a.vcf").status == 404
    assert me("PUT", f"{me.home}/friends/a.vcf", card()).status in (403, 404, 409)
    assert desk.reader("PROPFIND", f"{me.home}/work/", depth="0").code == 5001


def test_own_properties_stay_and_others_follow(desk: Desk) -> None:
    me = desk.user
    patch = f"<D:propertyupdate {NAMES}><D:set><D:prop><ICAL:calendar-color>#ff0000ff</ICAL:calendar-color><D:displayname>Mine &amp; yours</D:displayname></D:prop></D:set></D:propertyupdate>"
    assert me("PROPPATCH", f"{me.calendar}/", patch).status == 207
    shown = me.props(
        f"{me.calendar}/", "D:displayname", "ICAL:calendar-color", "C:supported-calendar-component-set"
    ).body.decode()
    assert "Mine &amp; yours" in shown
    assert "#ff0000ff" in shown
    assert shown.count("C:comp name") == 3
    gone = f"<D:propertyupdate {NAMES}><D:remove><D:prop><D:displayname/></D:prop></D:remove></D:propertyupdate>"
    assert me("PROPPATCH", f"{me.calendar}/", gone).status == 207
    assert "Mine" not in me.props(f"{me.calendar}/", "D:displayname").body.decode()


def test_statements_do_not_grow(desk: Desk, save: Save) -> None:
    me = desk.user

    def told() -> dict[str, int]:
        counts = {}
        asks = {
            "poll": lambda: me.props(f"{me.calendar}/", "CS:getctag", "D:sync-token"),
            "list": lambda: me.hrefs(f"{me.calendar}/"),
            "home": lambda: me.hrefs(f"{me.home}/"),
            "sync": lambda: me.sync(me.calendar),
            "week": lambda: me.query(
                me.calendar, '<C:time-range start="20260101T000000Z" end="20260108T000000Z"/>'
            ),
            "uid": lambda: me.query(
                me.calendar, '<C:prop-filter name="UID"><C:text-match>u1</C:text-match></C:prop-filter>'
            ),
            "file": lambda: me("GET", f"{me.calendar}/"),
            "agenda": lambda: me.client.get(f"/api/users/{me.uid}/agenda"),
        }
        for name, ask in asks.items():
            ask()
            with counting(desk.kernel) as seen:
                ask()
            counts[name] = len(seen)
        return counts

    member = {"user_id": me.uid, "role": "reader"}
    assert desk.owner.post(f"/api/workspaces/{desk.space}/members", member).status == 200
    for number in range(3):
        save(f"{me.calendar}/{number}.ics", event(f"u{number}"))
    few = told()
    for number in range(3, 40):
        save(f"{me.calendar}/{number}.ics", event(f"u{number}"))
    for number in range(12):
        space = desk.owner.post(
            "/api/workspaces",
            {
                "label": f"S{number}",
                "description": "",
                "access_type": "confidential",
                "default_user_role": "reader",
            },
        ).json["workspace_id"]
        assert desk.owner.post(f"/api/workspaces/{space}/members", member).status == 200
    assert told() == few
    assert few["poll"] <= 5, few


def test_what_the_index_says_of_times_is_what_the_parser_says(
    desk: Desk, save: Save, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same windows, asked with the stored times and without them."""
    from atrio.plugins.caldav.adapters import collection

    me = desk.user
    rules = (
        "RRULE:FREQ=WEEKLY;COUNT=9", "RRULE:FREQ=DAILY", "RRULE:FREQ=MONTHLY;BYDAY=-1FR", "RRULE:FREQ=YEARLY", "RRULE:FREQ=WEEKLY;UNTIL=20260301T000000Z",
        "RDATE:20260210T100000Z,20260410T100000Z",
    )  # fmt: skip
    for number, line in enumerate(rules):
        exdate = ["EXDATE:20260112T100000Z"] if "WEEKLY" in line else []
        save(
            f"{me.calendar}/{number}.ics",
            event(f"r{number}", "20260105T100000Z", "20260105T110000Z", line, *exdate),
        )
    save(f"{me.calendar}/long.ics", event("long", "20260101T000000Z", "20260601T000000Z"))
    save(
        f"{me.calendar}/day.ics",
        event("day")
        .replace(b"DTSTART:20260105T100000Z", b"DTSTART;VALUE=DATE:20260207")
        .replace(b"DTEND:20260105T110000Z\r\n", b""),
    )
    for path in sorted((Path(__file__).parent / "corpus").glob("*.ics")):
        save(f"{me.calendar}/{path.name}", path.read_bytes())
    windows = [
        ("20260112T000000Z", "20260113T000000Z"), ("20260105T105959Z", "20260105T110000Z"), ("20260105T110000Z", "20260105T120000Z"), ("20260207T120000Z", "20260207T130000Z"),
        ("20260210T000000Z", "20260211T000000Z"), ("20260313T000000Z", "20260314T000000Z"), ("20261105T000000Z", "20261206T000000Z"), ("20350105T000000Z", "20350106T000000Z"), ("20250101T000000Z", "20260101T000000Z"),
    ]  # fmt: skip

    def asked() -> list[list[str]]:
        return [
            me.query(me.calendar, f'<C:time-range start="{start}" end="{end}"/>', component)
            for start, end in windows for component in ("VEVENT", "VTODO", "VJOURNAL")
        ]  # fmt: skip

    quick = asked()
    desk.natively(False)
    assert quick == asked()
    monkeypatch.setattr(collection, "_told", lambda *_, **__: None)
    assert quick == asked()
    assert sum(map(len, quick)) > 20


def test_hot_statements_walk_indexes(desk: Desk, save: Save) -> None:
    """No statement that every poll or sync runs scans a table, with and without statistics."""
    from atrio.plugins.caldav import queries

    if desk.kernel.db.dialect != "sqlite":
        pytest.skip("plans are read on SQLite")
    for number in range(60):
        save(f"{desk.user.calendar}/{number}.ics", event(f"u{number}"))
    for number in range(40):
        assert desk.user("MKCALENDAR", f"{desk.user.home}/c{number}/").status == 201
    statements = {
        name: getattr(queries, name)
        for name in (
            "BY_PATH",
            "BY_ID",
            "OF_USER",
            "ONE",
            "ALL",
            "IN_RANGE",
            "HREFS",
            "CHANGES",
            "WITH_UID",
            "STATE",
            "TAGS",
            "BY_TOKEN",
            "BRIEF",
            "BRIEF_ONE",
            "BRIEF_SINCE",
            "BRIEF_IN_RANGE",
            "UIDS",
            "UIDS_SINCE",
        )
    }
    for analyse in (False, True):
        if analyse:
            with desk.kernel.unit() as ctx:
                ctx.execute(sql("ANALYZE"))
        with desk.kernel.unit(writes=False) as ctx:
            for name, statement in statements.items():
                compiled = statement._for(ctx.kept.connection.dialect)
                values = [compiled.constants.get(n, 1) for n in compiled.positions or ()]
                plan = [row[3] for row in ctx.kept.raw.execute(f"EXPLAIN QUERY PLAN {compiled.text}", values)]
                assert plan, name
                assert not [line for line in plan if line.startswith("SCAN")], (name, plan)
