"""If-Match and If-None-Match (RFC 9110 §13): lists, weak tags, `*`."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from atrio.plugins.caldav.conditions import Conditions

from .conftest import Desk, event, todo

Save = Callable[..., str]
LATER = ("20260107T100000Z", "20260107T110000Z")


@pytest.mark.parametrize(
    ("match", "stale"),
    [
        ('"e"', False), ('"x", "e"', False), ('"x","e",', False), (', "e" ,', False), ("*", False), (" * ", False), ('"a,b", "e"', False),
        ('W/"e"', True), ('"x"', True), ('"x", W/"e"', True), ("e", True), ("", True), ('"e', True), ('*, "e"', True), ('"E"', True),
    ],
)  # fmt: skip
def test_if_match(match: str, stale: bool) -> None:
    found = Conditions.of([(b"if-match", match.encode())])
    assert found.is_stale("e") is stale
    assert found.is_stale(None)
    assert found.fails("e") is stale


@pytest.mark.parametrize(
    ("none_match", "known"),
    [
        ('"e"', True), ('W/"e"', True), ('"x", W/"e"', True), ("*", True), ('"x"', False), ("e", False), ("", False), ('"ee"', False), ('"x e"', False),
    ],
)  # fmt: skip
def test_if_none_match(none_match: str, known: bool) -> None:
    found = Conditions.of([(b"if-none-match", none_match.encode())])
    assert found.is_known("e") is known
    assert not found.is_known(None)


def test_a_repeated_field_is_one_list() -> None:
    assert not Conditions.of([(b"if-match", b'"a"'), (b"host", b"x"), (b"if-match", b'"b"')]).is_stale("b")
    assert not Conditions.of([(b"host", b"x")])


def test_reading(desk: Desk, save: Save) -> None:
    me = desk.user
    path = f"{me.calendar}/1.ics"
    etag = save(path, event())
    for given, status in ((f'"x", W/{etag}', 304), ("*", 304), (etag, 304), ('"x"', 200), (f'{etag[:-1]}x"', 200)):
        for method in ("GET", "HEAD"):
            assert me(method, path, if_none_match=given).status == status, given
    for given, status in ((f'"x", {etag}', 200), ("*", 200), (f"W/{etag}", 412), ('"x"', 412)):
        assert me("GET", path, if_match=given).status == status, given
    assert me("GET", f"{me.calendar}/absent.ics", if_none_match="*").status == 404


def test_writing(desk: Desk, save: Save) -> None:
    me = desk.user
    path, other = f"{me.calendar}/1.ics", f"{me.calendar}/2.ics"
    for given in ({"if_match": "*"}, {"if_match": '"x"'}):
        assert me("PUT", path, event(), **given).status == 412, given
    etag = save(path, event(), if_none_match="*")
    for given in (
        {"if_none_match": "*"}, {"if_none_match": f'"x", {etag}'}, {"if_none_match": f"W/{etag}"},
        {"if_match": f"W/{etag}"}, {"if_match": '"x", "y"'}, {"if_match": "nonsense"},
        {"if_match": etag, "if_none_match": "*"},
    ):  # fmt: skip
        assert me("PUT", path, event("one", *LATER), **given).status == 412, given
        assert me("GET", path).headers["etag"] == etag
    etag = save(path, event("one", *LATER), if_match=f'"x", {etag}', if_none_match='"x"')
    etag = save(path, event(), if_match="*")
    for given in ({"if_match": '"x"'}, {"if_match": f"W/{etag}"}, {"if_none_match": etag}):
        assert me("DELETE", path, **given).status == 412, given
        assert me("MOVE", path, destination=f"/dav{other}", **given).status == 412, given
    assert me("DELETE", f"{me.calendar}/absent.ics", if_match='"x"').status == 404
    assert me("MOVE", path, destination=f"/dav{other}", if_match=f'"x",{etag}').status == 201
    assert me("DELETE", other, if_match=f'"x" , {etag}').status == 200
    assert me("PUT", path, b"nothing", if_match="*").status in (403, 412)


def test_collections(desk: Desk) -> None:
    me = desk.user
    path = f"{me.home}/mine"
    assert me("MKCALENDAR", f"{path}/").status == 201
    assert me("DELETE", f"{path}/", if_match='"x", W/"y"').status == 412
    etag = me.props(f"{path}/", "D:getetag").body.decode().partition("<getetag>")[2].partition("<")[0]
    assert me("DELETE", f"{path}/", if_match=f'"x", {etag}').status == 200


def test_a_task_of_the_list(desk: Desk) -> None:
    me = desk.user
    path = f"{me.home}/user_{me.uid}_todos/todo-999.ics"
    assert me("PUT", path, todo("x", "STATUS:COMPLETED"), if_match='"a", "b"').status == 412
