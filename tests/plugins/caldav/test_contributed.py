"""Calendars and address books that other plugins contribute."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from atrio.kernel.errors import PageNotFound
from atrio.kernel.markers import hookimpl
from atrio.kernel.plugins import Manifest, PluginRecord, discover
from atrio.kernel.testing.client import Client
from atrio.kernel.testing.plugin import ADMIN, PASSWORD, make_kernel

from .conftest import BOTH, Person, card, event

STORED: dict[str, str] = {}
BROKEN: list[Exception] = []


def entries(ctx: Any, user_id: int) -> list[dict[str, str]]:
    """Return what lies in the calendar of birthdays; each user has his own."""
    if BROKEN:
        raise BROKEN[0]
    return [{"name": name, "text": text.replace("About", f"Of {user_id}:")} for name, text in STORED.items()]


def write(ctx: Any, user_id: int, name: str, text: str) -> None:
    """Take over an entry that is there."""
    if name not in STORED:
        raise PageNotFound
    if "SUMMARY" not in text:
        raise ValueError("C:valid-calendar-data")
    STORED[name] = text


def delete(ctx: Any, user_id: int, name: str) -> None:
    """Delete an entry."""
    del STORED[name]


READABLE = {"name": "birthdays", "kind": "calendar", "label": "Birthdays", "color": "#123456", "components": "VEVENT", "entries": entries}  # fmt: skip
WRITABLE = READABLE | {"name": "own", "write": write, "delete": delete}
BOOK = {
    "name": "colleagues", "kind": "addressbook", "label": "Colleagues",
    "entries": lambda ctx, user_id: [{"name": "ann.vcf", "text": card().decode()}],
}  # fmt: skip


def plugin(name: str, collections: Callable[[], Any]) -> PluginRecord:
    """Return a plugin that does nothing but contribute."""
    module = types.ModuleType(f"strangers.{name}.plugin")
    record = PluginRecord(name, module.__name__)
    record.module = module
    record.manifest = Manifest(name=name, summary="a stranger", offers={"caldav": ["register_collections"]})
    module.register_collections = hookimpl(optionalhook=True)(collections)  # type: ignore[attr-defined]
    return record


@pytest.fixture(params=BOTH)
def person(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Callable[..., Person]]:
    """`person(collections, …)` boots an instance with a plugin for each list of collections; again, the same one."""
    STORED.clear()
    BROKEN.clear()
    STORED["a.ics"] = event("a").decode()
    booted: list[Any] = []

    def stop() -> None:
        for kernel in booted:
            kernel.stop()
            kernel.app.pool.close()
            kernel.app.io.close()
        booted.clear()

    def start(*given: Callable[[], Any]) -> Person:
        stop()
        records = [plugin(f"bird{n}", collections) for n, collections in enumerate(given)]
        settings = {"plugins__enabled": ["caldav"], "caldav__native": request.param}
        kernel = make_kernel(tmp_path / "data", settings, records=[*discover(), *records])
        booted.append(kernel)
        return Person(Client(kernel.app, ADMIN, PASSWORD), 1)

    yield start
    stop()


def test_a_calendar_that_only_is_read(person: Any) -> None:
    me = person(lambda: [READABLE, BOOK])
    birthdays, colleagues = f"{me.home}/user_1_birthdays", f"{me.home}/user_1_colleagues"
    assert {f"{birthdays}/", f"{colleagues}/"} <= set(me.hrefs(f"{me.home}/"))
    shown = me.props(birthdays, "D:displayname", "ICAL:calendar-color", "C:supported-calendar-component-set").body
    assert b"Birthdays" in shown
    assert b"#123456" in shown
    assert shown.count(b"C:comp name") == 1
    token, found = me.sync(birthdays)
    assert list(found) == [f"{birthdays}/a.ics"]
    assert b"SUMMARY:Of 1: a" in me("GET", f"{birthdays}/a.ics").body
    assert me.query(birthdays, '<C:prop-filter name="UID"><C:text-match>a</C:text-match></C:prop-filter>') != []
    assert me("GET", f"{colleagues}/ann.vcf").body == card()
    STORED["b.ics"] = event("b").decode()
    later, found = me.sync(birthdays, token)
    assert list(found) == [f"{birthdays}/b.ics"]
    del STORED["a.ics"]
    assert me.sync(birthdays, later)[1] == {f"{birthdays}/a.ics": None}
    for method, path, headers in (
        ("PUT", f"{birthdays}/b.ics", {}), ("PUT", f"{birthdays}/c.ics", {}), ("DELETE", f"{birthdays}/b.ics", {}),
        ("DELETE", f"{birthdays}/", {}), ("MKCALENDAR", f"{birthdays}/", {}),
        ("MOVE", f"{birthdays}/b.ics", {"destination": f"/dav{me.calendar}/b.ics"}),
    ):  # fmt: skip
        answer = me(method, path, event("b") if method == "PUT" else b"", **headers)
        assert answer.status == 403, (method, path, answer.body)
    assert me("PUT", f"{me.calendar}/x.ics", event("x")).status == 201
    into = me("MOVE", f"{me.calendar}/x.ics", destination=f"/dav{birthdays}/x.ics")
    assert into.status in (403, 409), into.body
    assert me.sync(birthdays)[1].keys() == {f"{birthdays}/b.ics"}


def test_one_that_is_written(person: Any) -> None:
    me = person(lambda: [WRITABLE])
    own = f"{me.home}/user_1_own"
    old = me("GET", f"{own}/a.ics")
    changed = STORED["a.ics"].replace("About", "News of").encode()
    assert me("PUT", f"{own}/a.ics", changed, if_match='"x"').status == 412
    answer = me("PUT", f"{own}/a.ics", changed, if_match=f'"x", {old.headers["etag"]}')
    assert (answer.status, "etag" in answer.headers) == (204, False)
    assert b"News of a" in me("GET", f"{own}/a.ics").body
    assert me("PUT", f"{own}/new.ics", changed).status == 404
    refused = me("PUT", f"{own}/a.ics", b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n")
    assert refused.status == 403
    assert b"valid-calendar-data" in refused.body
    assert me("DELETE", f"{own}/none.ics").status == 404
    assert me("DELETE", f"{own}/a.ics").status == 204
    assert STORED == {}
    assert me.sync(own)[1] == {}


def test_files_and_feeds_of_it(person: Any) -> None:
    me = person(lambda: [READABLE])
    listed = {c["name"]: c["is_writable"] for c in me.client.get("/api/users/1/calendars").json}
    assert listed["user_1_birthdays"] is False
    route = "/api/users/1/calendars/user_1_birthdays"
    assert b"Of 1: a" in me.client.get(f"{route}/export").body
    assert (
        me.client.request("POST", f"{route}/import", files={"files": ("a.ics", event(), "text/calendar")}).status
        == 403
    )
    address = me.client.post(f"{route}/feed").json["url"].partition("/api/")[2]
    STORED["b.ics"] = event("b").decode()
    assert b"Of 1: b" in me.client.get(f"/api/{address}").body


def test_a_plugin_that_fails_leaves_its_collection_as_it_was(person: Any, caplog: Any) -> None:
    me = person(lambda: [READABLE])
    birthdays = f"{me.home}/user_1_birthdays"
    assert len(me.sync(birthdays)[1]) == 1
    BROKEN.append(RuntimeError("away"))
    assert len(me.sync(birthdays)[1]) == 1
    assert f"{birthdays}/" in me.hrefs(f"{me.home}/")
    assert "could not be renewed" in caplog.text
    BROKEN.clear()
    STORED["bad.ics"] = "no calendar"
    STORED["good.ics"] = event("good").decode()
    assert me.sync(birthdays)[1].keys() == {f"{birthdays}/a.ics", f"{birthdays}/good.ics"}


def test_nonsense_is_left_out(person: Any, caplog: Any) -> None:
    def broken() -> Any:
        raise RuntimeError("boom")

    wrong = [READABLE | {"kind": "tasks"}, READABLE | {"name": "todos"}, READABLE | {"name": "A/b"}, {"name": "x"}, READABLE | {"more": 1}]  # fmt: skip
    me = person(broken, *(lambda one=one: [one] for one in wrong), lambda: [BOOK], lambda: [BOOK])
    assert f"{me.home}/user_1_colleagues/" in me.hrefs(f"{me.home}/")
    assert f"{me.home}/user_1_birthdays/" not in me.hrefs(f"{me.home}/")
    assert caplog.text.count("are left out") == len(wrong) + 2


def test_when_the_plugin_goes_and_comes(person: Any) -> None:
    """What a user has under the same name is hidden meanwhile, and whole afterwards."""
    me = person()
    path = f"{me.home}/user_1_birthdays"
    assert me("GET", f"{path}/a.ics").status == 404
    assert me("MKCALENDAR", f"{path}/").status == 201
    assert me("PUT", f"{path}/mine.ics", event("mine")).status == 201
    me = person(lambda: [READABLE])
    assert me.sync(path)[1].keys() == {f"{path}/a.ics"}
    assert me.hrefs(f"{me.home}/").count(f"{path}/") == 1
    me = person()
    assert me.sync(path)[1].keys() == {f"{path}/mine.ics"}
    assert me.hrefs(f"{me.home}/").count(f"{path}/") == 1
