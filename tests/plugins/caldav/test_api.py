"""What a search finds in calendars and address books, and who."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from atrio.plugins.caldav.api import address_of, entries_seen_by
from atrio.plugins.caldav.words import Words, words_of

from .conftest import Desk, Person, card, event


def seen(desk: Desk, who: Person) -> dict[str, Any]:
    """Return what a user may find, by UID."""
    query = entries_seen_by(who.uid)
    with desk.kernel.unit(writes=False) as ctx:
        return {row.uid: row for row in ctx.execute(query)}


def test_each_finds_what_he_may_read(desk: Desk) -> None:
    me, boss, reader = desk.user, desk.boss, desk.reader
    text = event(
        "mine", "20260105T100000Z", "20260105T110000Z", "LOCATION:Room 5\\, left", "DESCRIPTION:Bring\\nbread"
    )
    assert me("PUT", f"{me.calendar}/1.ics", text).status == 201
    assert me("PUT", f"{me.book}/1.vcf", card("ann")).status == 201
    assert me("PUT", f"{me.calendar}/gone.ics", event("gone")).status == 201
    assert me("DELETE", f"{me.calendar}/gone.ics").status == 200
    assert boss("PUT", f"{boss.space(desk.space)}/a b.ics", event("shared")).status == 201
    todo = {"raw_content": "A task", "assignee_id": reader.uid}
    assert desk.owner.post(desk.world.path(f"/contents/{desk.world.note}/todos"), todo).status == 200
    assert len(reader.sync(f"{reader.home}/user_{reader.uid}_todos")[1]) == 1
    assert seen(desk, me).keys() == {"mine", "ann"}
    assert seen(desk, reader).keys() == {"shared"}, "a to-do is found as the content that it is"
    row = seen(desk, me)["mine"]
    assert (row.summary, row.description, row.location) == ("About mine", "Bring\nbread", "Room 5, left")
    assert (row.component, row.tag, row.owner_id, row.space_id) == ("VEVENT", "VCALENDAR", me.uid, None)
    assert (row.tstart, row.tend) == (1767607200, 1767610800)
    assert me("GET", address_of(me.uid, row).removeprefix("/dav")).body == text
    shared = seen(desk, reader)["shared"]
    assert reader("GET", address_of(reader.uid, shared).removeprefix("/dav")).body == event("shared")
    assert boss(
        "PUT", f"{boss.space(desk.space)}/a b.ics", event("shared").replace(b"About", b"News of")
    ).status in (201, 204)
    assert seen(desk, reader)["shared"].summary == "News of shared"
    desk.modify(agenda_enabled=False)
    assert seen(desk, reader) == {}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (event("x", "20260101T000000Z", "20260101T010000Z", "BEGIN:VALARM", "DESCRIPTION:Ring", "END:VALARM").decode(), Words("About x")),
        ("BEGIN:VEVENT\nSUMMARY;LANGUAGE=\"a:b\";X=y:Long\r\n er\\; one\r\nEND:VEVENT\r\nBEGIN:VEVENT\nSUMMARY:Other\nEND:VEVENT", Words("Longer; one")),
        ("BEGIN:VTIMEZONE\nCOMMENT:x\nEND:VTIMEZONE\nBEGIN:VTODO\nsummary:low\nEND:VTODO", Words("low")),
        ("BEGIN:VCARD\nFN:Ann\nORG:Firm;Shop\nitem1.EMAIL:a@b.org\nADR;TYPE=home:;;Street 1;City;;;\nNOTE:x\\\\y\nEND:VCARD", Words("Ann", "Firm Shop\na@b.org\nx\\y", "Street 1 City")),
        ("", Words()), ("BEGIN:VEVENT\nSUMMARY:\x00a\x07\nEND:VEVENT", Words("a")), ("BEGIN:VEVENT\nSUMMARY:" + "x" * 5000, Words("x" * 1000)),
    ],
)  # fmt: skip
def test_words(text: str, words: Words) -> None:
    assert words_of(text) == words


def test_words_of_what_programs_write() -> None:
    for path in (Path(__file__).parent / "corpus").iterdir():
        assert words_of(path.read_bytes().decode("utf-8", "replace")).summary, path.name


def test_what_was_stored_before_is_read_once(desk: Desk) -> None:
    """The step that adds words and bytes reads the entries that are there, and goes back."""
    from atrio.kernel.db import migrate
    from atrio.kernel.schema_state import lineages

    me = desk.user
    for number in range(3):
        assert me("PUT", f"{me.calendar}/{number}.ics", event(f"u{number}")).status == 201
    assert me("DELETE", f"{me.calendar}/2.ics").status == 200
    lineage = next(one for one in lineages(desk.kernel) if one.owner == "caldav")
    with migrate.migrating(desk.kernel.db) as connection:
        migrate.downgrade(connection, lineage, "c001")
    with migrate.migrating(desk.kernel.db) as connection:
        migrate.upgrade(connection, lineage)
    assert {row.summary for row in seen(desk, me).values()} == {"About u0", "About u1"}
    assert {row.words for row in seen(desk, me).values()} == {"about u0", "about u1"}
    assert desk.scalar("SELECT bytes FROM caldav_collection") == len(event("u0")) + len(event("u1"))


# -- the route -----------------------------------------------------------------------------------------------


def ask(desk: Desk, who: Person, words: str, **query: Any) -> Any:
    answer = who.client.get(f"/api/users/{who.uid}/calendar_entries", query={"search_string": words, **query})
    assert answer.status == 200, answer.body
    return answer.json


def uids(told: Any) -> list[str]:
    return [one["uid"] for one in told["entries"]]


def test_entries_are_found_by_words(desk: Desk) -> None:
    me, boss, reader = desk.user, desk.boss, desk.reader
    dinner = event(
        "dinner", "20260105T100000Z", "20260105T110000Z", "LOCATION:Café Été", "DESCRIPTION:100% bring_bread"
    )
    assert me("PUT", f"{me.calendar}/1.ics", dinner).status == 201
    assert me("PUT", f"{me.calendar}/2.ics", event("lunch")).status == 201
    assert me("PUT", f"{me.book}/1.vcf", card("ann")).status == 201
    assert boss("PUT", f"{boss.space(desk.space)}/1.ics", event("meeting")).status == 201
    assert uids(ask(desk, me, "ABOUT dinner")) == ["dinner"]
    assert uids(ask(desk, me, "cafe ÉTÉ")) == ["dinner"]
    assert uids(ask(desk, me, "0% g_b")) == ["dinner"]
    assert uids(ask(desk, me, "% _")) == ["dinner"], "signs of patterns mean themselves"
    assert ask(desk, me, "about nothing") == ask(desk, me, "  ") == {"entries": [], "total_hits": 0}
    assert sorted(uids(ask(desk, me, "about"))) == ["dinner", "lunch"]
    assert uids(ask(desk, reader, "about")) == ["meeting"]
    one = ask(desk, reader, "meeting")["entries"][0]
    assert (one["kind"], one["summary"], one["workspace_id"]) == ("event", "About meeting", desk.space)
    assert reader("GET", one["url"].partition("/dav")[2]).body == event("meeting")
    found = ask(desk, me, "dinner")["entries"][0]
    assert (found["start"], found["end"]) == ("2026-01-05T10:00:00Z", "2026-01-05T11:00:00Z")
    contact = ask(desk, me, "ann")["entries"][0]
    assert (contact["kind"], contact["start"], contact["end"]) == ("contact", None, None)
    assert me("DELETE", f"{me.calendar}/1.ics").status == 200
    assert uids(ask(desk, me, "dinner")) == []
    assert desk.scalar("SELECT count(*) FROM caldav_item WHERE deleted = 1 AND summary IS NOT NULL") == 0
    desk.modify(agenda_enabled=False)
    assert uids(ask(desk, reader, "meeting")) == []


def test_endless_rules_have_no_end(desk: Desk) -> None:
    me = desk.user
    daily = event("daily", "20260105T100000Z", "20260105T110000Z", "RRULE:FREQ=DAILY")
    assert me("PUT", f"{me.calendar}/1.ics", daily).status == 201
    one = ask(desk, me, "daily")["entries"][0]
    assert (one["start"], one["end"]) == ("2026-01-05T10:00:00Z", None)


def test_only_oneself_searches(desk: Desk) -> None:
    route = f"/api/users/{desk.user.uid}/calendar_entries"
    assert desk.owner.get(route, query={"search_string": "x"}).status == 403
    assert desk.user.client.get(route).status == 400
    assert desk.user.client.get(route, query={"search_string": "x", "size": 1001}).status == 400


def test_pages_and_statements(desk: Desk, statements: Any) -> None:
    me, costs = desk.user, []
    done = 0
    for number in (10, 300):
        body = b"".join(
            event(f"u{n}").partition(b"BEGIN:VEVENT")[1] + event(f"u{n}").partition(b"BEGIN:VEVENT")[2].partition(b"END:VCALENDAR")[0]
            for n in range(done, number)
        )  # fmt: skip
        file = b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n" + body + b"END:VCALENDAR\r\n"
        place = f"/api/users/{me.uid}/calendars/user_{me.uid}_calendar/import"
        told = me.client.request("POST", place, files={"files": ("a.ics", file, "text/calendar")}).json
        assert told["created"] == number - done, told
        done = number
        tries = []
        for _ in range(3):
            with statements() as ran:
                page = ask(desk, me, "about", size=1000)
            tries.append(len(ran))
        assert page["total_hits"] == len(page["entries"]) == number
        costs.append(min(tries))
    assert costs[0] == costs[1] <= 4
    first, second = (ask(desk, me, "about", size=200, page_nb=n) for n in (1, 2))
    assert len(first["entries"]) == 200
    assert len(second["entries"]) == 100
    assert not {*uids(first)} & {*uids(second)}
    assert ask(desk, me, "about", size=200, page_nb=3) == {"entries": [], "total_hits": 300}
    assert ask(desk, me, "about", size=0) == {"entries": [], "total_hits": 300}
