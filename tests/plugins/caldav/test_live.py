"""What others are told of changes."""

from __future__ import annotations

from typing import Any

from .conftest import NAMES, Desk, Person, event


def told(who: Person) -> list[Any]:
    answer = who.client.get(f"/api/users/{who.uid}/messages?include_event_types=calendar_item.*&count=50")
    assert answer.status == 200, answer.body
    return [(m["event_type"], m["fields"]["calendar_item"]["name"]) for m in answer.json["items"]]


def test_members_are_told_of_the_calendar_of_their_space(desk: Desk) -> None:
    path = f"{desk.contributor.space(desk.space)}/a.ics"
    assert desk.contributor("PUT", path, event()).status == 201
    assert desk.contributor("PUT", path, event("one", "20260107T100000Z", "20260107T110000Z")).status == 204
    assert desk.contributor("PUT", path, event("two")).status == 409
    assert desk.contributor("DELETE", path).status == 200
    wanted = [
        ("calendar_item.deleted", "a.ics"),
        ("calendar_item.modified", "a.ics"),
        ("calendar_item.created", "a.ics"),
    ]
    assert told(desk.reader) == wanted
    assert told(desk.user) == []


def test_an_own_calendar_is_nobody_else_s(desk: Desk) -> None:
    assert desk.user("PUT", f"{desk.user.calendar}/b.ics", event()).status == 201
    assert told(desk.user) == [("calendar_item.created", "b.ics")]
    assert told(desk.reader) == []


def test_collections_are_told_too(desk: Desk) -> None:
    me, boss = desk.user, desk.boss
    name = f"<D:propertyupdate {NAMES}><D:set><D:prop><D:displayname>x</D:displayname></D:prop></D:set></D:propertyupdate>"
    assert me("MKCALENDAR", f"{me.home}/mine/").status == 201
    assert me("PROPPATCH", f"{me.home}/mine/", name).status == 207
    assert me("DELETE", f"{me.home}/mine/").status == 200
    assert boss("PROPPATCH", f"{boss.space(desk.space)}/", name).status == 207

    def heard(who: Person) -> list[Any]:
        answer = who.client.get(f"/api/users/{who.uid}/messages?include_event_types=calendar.*&count=50")
        return [(m["event_type"], m["fields"]["calendar"]["workspace_id"]) for m in answer.json["items"]]

    assert heard(me) == [("calendar.deleted", None), ("calendar.modified", None), ("calendar.created", None)]
    assert heard(desk.reader) == [("calendar.modified", desk.space)]
