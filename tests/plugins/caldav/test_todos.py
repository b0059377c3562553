"""The to-dos of spaces as a task list, both ways."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import Desk, todo


@pytest.fixture
def assigned(desk: Desk) -> Any:
    """`assigned("Text")` gives the reader a to-do on the note of the space; gives its id."""

    def make(text: str, who: int | None = None) -> int:
        answer = desk.owner.post(
            desk.world.path(f"/contents/{desk.world.note}/todos"),
            {"raw_content": text, "assignee_id": who or desk.reader.uid},
        )
        assert answer.status == 200, answer.body
        return int(answer.json["content_id"])

    return make


def tasks(who: Any) -> str:
    return f"{who.home}/user_{who.uid}_todos"


def state(desk: Desk, number: int) -> str:
    answer = desk.owner.get(desk.world.path(f"/contents/{desk.world.note}/todos/{number}"))
    return str(answer.json["status"])


def test_a_task_appears_changes_and_goes(desk: Desk, assigned: Any) -> None:
    me = desk.reader
    assert me.hrefs(f"{tasks(me)}/") == [f"{tasks(me)}/"]
    token, _ = me.sync(tasks(me))
    number = assigned("<p>Buy; <b>bread</b>, &amp; milk</p>")
    path = f"{tasks(me)}/todo-{number}.ics"
    middle, found = me.sync(tasks(me), token)
    assert list(found) == [path]
    body = me("GET", path).body.decode()
    assert "SUMMARY:Buy\\; bread\\, & milk\r\n" in body
    assert "STATUS:NEEDS-ACTION\r\n" in body
    assert f"/ui/contents/{desk.world.note}" in body
    assert me.sync(tasks(me), middle) == (middle, {})
    done = desk.owner.put(
        desk.world.path(f"/contents/{desk.world.note}/todos/{number}"), {"status": "closed-validated"}
    )
    assert done.status == 204
    later, found = me.sync(tasks(me), middle)
    assert (list(found), b"STATUS:COMPLETED" in me("GET", path).body) == ([path], True)
    assert desk.owner.delete(desk.world.path(f"/contents/{desk.world.note}/todos/{number}")).status == 204
    assert me.sync(tasks(me), later)[1] == {path: None}
    assert f"{tasks(me)}/" in me.hrefs(f"{me.home}/")


def test_its_status_goes_back(desk: Desk, assigned: Any) -> None:
    me = desk.reader
    number = assigned("Do it")
    path = f"{tasks(me)}/todo-{number}.ics"
    me.hrefs(f"{tasks(me)}/")
    for word, wanted in (
        ("COMPLETED", "closed-validated"),
        ("NEEDS-ACTION", "open"),
        ("CANCELLED", "closed-deprecated"),
        ("IN-PROCESS", "open"),
    ):
        old = me("GET", path)
        answer = me("PUT", path, todo(f"atrio-todo-{number}", f"STATUS:{word}"), if_match=old.headers["etag"])
        assert (answer.status, "etag" in answer.headers) == (204, False)
        assert state(desk, number) == wanted
        fresh = me("GET", path)
        assert fresh.headers["etag"] != old.headers["etag"] or word == "IN-PROCESS"
        assert b"SUMMARY:Do it" in fresh.body
    assert me("PUT", path, todo("x", "STATUS:COMPLETED"), if_match='"old"').status == 412
    assert me("PUT", path, todo("x", "STATUS:COMPLETED"), if_none_match="*").status == 412
    assert state(desk, number) == "open"
    for body in (b"", b"x", b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"):
        assert me("PUT", path, body).status == 403
    for method, where in (
        ("DELETE", path),
        ("MOVE", path),
        ("DELETE", f"{tasks(me)}/"),
        ("MKCALENDAR", f"{tasks(me)}/"),
    ):
        assert me(method, where, destination=f"http://testserver/dav{me.calendar}/a.ics").code == 5001
    assert me("PUT", f"{tasks(me)}/new.ics", todo()).status == 403
    assert me("PUT", f"{tasks(me)}/todo-99999.ics", todo()).status == 404


def test_rights_decide_what_is_listed(desk: Desk, assigned: Any) -> None:
    me = desk.reader
    number = assigned("Mine")
    other = assigned("Not mine", desk.contributor.uid)
    path = f"{tasks(me)}/todo-{number}.ics"
    assert me.hrefs(f"{tasks(me)}/")[1:] == [path]
    assert me("PUT", f"{tasks(me)}/todo-{other}.ics", todo("t", "STATUS:COMPLETED")).status == 404
    assert state(desk, other) == "open"
    assert desk.contributor("GET", path).code == 5001
    assert desk.owner.put(desk.world.path(f"/contents/{desk.world.note}/trashed")).status == 204
    assert me.hrefs(f"{tasks(me)}/")[1:] == []
    assert desk.owner.put(desk.world.path(f"/contents/{desk.world.note}/trashed/restore")).status == 204
    assert me.hrefs(f"{tasks(me)}/")[1:] == [path]
    assert desk.owner.delete(f"/api/workspaces/{desk.space}/members/{me.uid}").status == 204
    assert me.hrefs(f"{tasks(me)}/")[1:] == []
    assert me("PUT", path, todo("t", "STATUS:COMPLETED")).status == 404
