"""Locks and conditional saves: the same answers with and without the protocol library, in one unit."""

from __future__ import annotations

import asyncio
import re
import threading
from typing import Any

import pytest
from lxml import etree
from sqlalchemy import text

from atrio.kernel.testing.plugin import of_the_request

pytest.importorskip("wsgidav")

pytestmark = pytest.mark.atrio_config(plugins__enabled=["webdav"])
SPACE, FILE, FOLDER = "/Alpha.space", "/Alpha.space/file.txt", "/Alpha.space/Folder"
ASK = (
    '<?xml version="1.0"?><D:lockinfo xmlns:D="DAV:"><D:lockscope><D:{}/></D:lockscope>'
    "<D:locktype><D:write/></D:locktype><D:owner><D:href>mailto:é@x</D:href> &amp; <b xmlns='urn:x' a='1'/></D:owner>"
    "</D:lockinfo>"
)
EXCLUSIVE, SHARED = ASK.format("exclusive").encode(), ASK.format("shared").encode()
NONE = "<opaquelocktoken:none>"


def told(answer: Any, names: dict[str, str]) -> Any:
    """Return what an answer says: status, XML without prefixes and times, tokens by the order of their coming."""

    def plain(given: str) -> str:
        for token in re.findall(r"opaquelocktoken:[0-9a-f-]{36}", given):
            names.setdefault(token, f"T{len(names)}")
        for token, name in names.items():
            given = given.replace(token, name)
        return re.sub(r"Second-\d+", "Second-", re.sub(r'"?\br\d+"?', "ETAG", given)).strip()

    def shape(element: Any) -> Any:
        inside = [shape(child) for child in element if child.tag != "{DAV:}getlastmodified"]
        return element.tag, sorted(element.attrib.items()), plain(element.text or ""), sorted(inside, key=repr)

    plain(answer.headers.get("lock-token", ""))
    kind = answer.headers.get("content-type", "").partition(";")[0]
    body = shape(etree.fromstring(answer.body)) if kind == "application/xml" else None
    kept = {n: plain(answer.headers[n]) for n in ("lock-token", "etag") if n in answer.headers}
    return answer.status, kind if answer.body and answer.status < 400 else "", body, kept


def ways(place: Any, steps: Any) -> list[Any]:
    """Return what a run of steps is told natively, after it was told the same by the library."""
    found = []
    for native in (False, True):
        place.natively(native)
        place.kernel.run(lambda ctx: ctx.execute(text("DELETE FROM webdav_lock")))
        assert place.manager("PUT", FILE, b"hello").status in (201, 204)
        place.boss("DELETE", "/Alpha.space/new.txt")
        names: dict[str, str] = {}
        found.append([told(answer, names) for answer in steps()])
    assert found[0] == found[1]
    return [status for status, *_ in found[1]]


def test_locks_are_answered_alike(place: Any) -> None:
    he, other = place.manager, place.boss

    def steps() -> Any:
        first = he("LOCK", FILE, EXCLUSIVE, timeout="Second-60", depth="0")
        token = str(first.headers["lock-token"])
        yield first
        yield other("LOCK", FILE, EXCLUSIVE)
        yield he("LOCK", FILE, SHARED)
        yield he("PUT", FILE, b"x")
        yield other("PUT", FILE, b"x", if_=f"({token})")
        yield he("PUT", FILE, b"x", if_=f"({NONE})")
        yield he("PUT", FILE, b"y", if_=f"({token})")
        yield he("PUT", FILE, b"y", if_=f"</webdav{FILE}> ({token})")
        yield he("PUT", FILE, b"y", if_=f"<http://elsewhere{FILE}> ({token})")
        yield he("PUT", FILE, b"y", if_=f"({NONE}) ({token})")
        yield he("PUT", FILE, b"y", if_=f"({token} {NONE})")
        yield he("PUT", FILE, b"y", if_=f"({token} Not {NONE})")
        yield he("PUT", FILE, b"y", if_=f"(Not {token})")
        yield he("LOCK", FILE, if_=f"({token})", timeout="Infinite, Second-4100000000")
        yield he("LOCK", FILE, if_=f"({NONE})")
        yield he("LOCK", FILE)
        yield other("LOCK", FILE, if_=f"({token})")
        yield he("UNLOCK", FILE)
        yield he("UNLOCK", FILE, lock_token=NONE)
        yield other("UNLOCK", FILE, lock_token=token)
        yield he("UNLOCK", FOLDER, lock_token=token)
        yield he("UNLOCK", FILE, lock_token=token)
        yield he("UNLOCK", FILE, lock_token=token)

    assert ways(place, steps) == [
        200, 423, 423, 423, 412, 412, 204, 204, 412, 204, 412, 204, 412, 200, 412, 400, 412, 400, 409, 403, 409,
        204, 409,
    ]  # fmt: skip


def test_locks_of_folders_and_shared_ones_are_answered_alike(place: Any) -> None:
    he, other = place.manager, place.boss
    inside = f"{FOLDER}/in.txt"
    assert he("PUT", inside, b"in").status == 201

    def steps() -> Any:
        deep = he("LOCK", FOLDER, EXCLUSIVE)
        token = str(deep.headers["lock-token"])
        yield deep
        yield he("PUT", inside, b"x")
        yield he("PUT", f"{FOLDER}/more.txt", b"x")
        yield he("PUT", inside, b"x", if_=f"({token})")
        yield he("LOCK", inside, EXCLUSIVE)
        yield he("LOCK", inside, if_=f"({token})", timeout="Second-90")
        yield he("UNLOCK", inside, lock_token=token)
        one, two = he("LOCK", FILE, SHARED), other("LOCK", FILE, SHARED)
        yield one
        yield two
        yield other("LOCK", FILE, EXCLUSIVE)
        yield he("PUT", FILE, b"x", if_=f"({one.headers['lock-token']})")
        yield he("PUT", FILE, b"x", if_=f"({two.headers['lock-token']})")
        yield he("PROPFIND", FILE, depth="0")

    assert ways(place, steps) == [200, 423, 423, 204, 423, 200, 204, 200, 200, 423, 204, 412, 207]


def test_odd_requests_for_locks_are_answered_alike(place: Any) -> None:
    he = place.manager
    twice = EXCLUSIVE.replace(b"<D:exclusive/>", b"<D:exclusive/><D:shared/>")

    def steps() -> Any:
        for depth in ("1", "x"):
            yield he("LOCK", FILE, EXCLUSIVE, depth=depth)
        for body in (
            b"<",
            b"<a/>",
            b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
            EXCLUSIVE.replace(b"write", b"read"),
        ):
            yield he("LOCK", FILE, body)
        yield he("LOCK", FILE, EXCLUSIVE.replace(b"<D:exclusive/>", b""))
        yield he("LOCK", FILE, EXCLUSIVE.replace(b"</D:lockinfo>", b"<D:more/></D:lockinfo>"))
        yield he("LOCK", FILE, EXCLUSIVE.replace(b"mailto:", b"m" * 9000))
        yield he("LOCK", FILE, twice)
        yield he("LOCK", "/Alpha.space/new.txt", EXCLUSIVE)
        yield he("LOCK", "/Alpha.space/none/new.txt", EXCLUSIVE)
        yield he("LOCK", SPACE, EXCLUSIVE)
        yield place.reader("LOCK", FILE, EXCLUSIVE)
        yield (
            place.outsider("LOCK", FILE, EXCLUSIVE) if "outsider" in place.people else he("LOCK", "/x", EXCLUSIVE)
        )
        yield he("UNLOCK", "/Alpha.space/none.txt", lock_token=NONE)
        yield he("UNLOCK", FILE, b"body", lock_token=NONE)
        yield he("LOCK", FILE, EXCLUSIVE, if_="nothing")

    statuses = ways(place, steps)
    assert statuses[:9] == [400] * 9
    assert statuses[10] == 201
    assert statuses[13] == 403


def test_conditions_of_a_save_are_answered_alike(place: Any) -> None:
    he, fresh = place.manager, "/Alpha.space/new.txt"

    def steps() -> Any:
        etag = str(he("GET", FILE).headers["etag"])
        yield he("PUT", FILE, b"1", if_match='"other"')
        yield he("PUT", FILE, b"1", if_match=f'"other", {etag}')
        yield he("PUT", FILE, b"2", if_match=etag)
        yield he("PUT", FILE, b"2", if_match="*")
        yield he("PUT", FILE, b"2", if_none_match="*")
        yield he("PUT", FILE, b"2", if_none_match='"other"')
        yield he("PUT", fresh, b"3", if_match="*")
        yield he("PUT", fresh, b"3", if_=f"([{etag}])")
        yield he("PUT", fresh, b"3", if_=f"(Not [{etag}])", if_none_match="*")
        now = str(he("GET", FILE).headers["etag"])
        yield he("PUT", FILE, b"4", if_=f"([{now}])")
        yield he("PUT", FILE, b"4", if_=f"([{now}])")
        yield he("PUT", FILE, b"4", if_unmodified_since="Mon, 01 Jan 1990 00:00:00 GMT")
        yield he("PUT", FILE, b"4", if_="(")
        yield he("PUT", FOLDER, b"4", if_match="*")

    assert ways(place, steps) == [412, 204, 412, 204, 412, 204, 412, 412, 201, 204, 412, 412, 400, 405]


def test_what_is_granted_takes_no_library_and_few_statements(
    place: Any, statements: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.natively(True)
    door = place.kernel.router.find_mount("/webdav").app
    units: list[bool] = []
    run = place.kernel.run

    def counted(call: Any, **options: Any) -> Any:
        units.append(options.get("writes", True))
        return run(call, **options)

    async def refused(*_: Any, **__: Any) -> int:
        raise AssertionError("the library was asked")

    he = place.manager
    token = str(he("LOCK", FILE, EXCLUSIVE).headers["lock-token"])
    assert he("UNLOCK", FILE, lock_token=token).status == 204
    monkeypatch.setattr(door, "_bridge", refused)
    monkeypatch.setattr(place.kernel, "run", counted)
    costs = {}

    def ask(name: str, most: int, expected: list[bool], *given: Any, **headers: str) -> Any:
        units.clear()
        with statements() as seen:
            answer = he(*given, **headers)
        shown = [s for s in of_the_request(seen) if "kernel_" not in s]
        costs[name] = len(shown)
        assert len(shown) <= most, (name, shown)
        assert units[: len(expected)] == expected, name
        return answer

    answer = ask("lock", 6, [True], "LOCK", FILE, EXCLUSIVE, depth="0")
    assert answer.status == 200
    token = str(answer.headers["lock-token"])
    assert ask("refused", 4, [False], "PUT", FILE, b"no").status == 423
    assert ask("refresh", 8, [True], "LOCK", FILE, if_=f"({token})").status == 200
    assert ask("unlock", 4, [True], "UNLOCK", FILE, lock_token=token).status == 204
    assert ask("listing", 4, [False], "PROPFIND", FILE, depth="0").status == 207
    hops: list[Any] = []
    hop = door.pool.run

    async def counted_hop(*given: Any) -> Any:
        hops.append(given[0])
        return await hop(*given)

    monkeypatch.setattr(door.pool, "run", counted_hop)
    assert ask("save", 18, [False, True], "PUT", FILE, b"yes").status == 204
    assert len(hops) == 1, "a short body is asked for and saved in one hop"


WAYS = [
    pytest.param({}, id="at once"),
    pytest.param({"expect": "100-continue"}, id="asked before"),
]


def between(place: Any, monkeypatch: pytest.MonkeyPatch, act: Any) -> None:
    """Let something happen after a save was asked for, and before its unit writes."""
    upload = place.kernel.blobs.upload
    todo = [act]

    def late(*given: Any, **named: Any) -> None:
        if todo:
            todo.pop()()
        upload(*given, **named)

    monkeypatch.setattr(place.kernel.blobs, "upload", late)


@pytest.mark.parametrize("way", WAYS)
def test_a_lock_granted_while_a_body_comes_refuses_the_save(
    place: Any, monkeypatch: pytest.MonkeyPatch, way: dict[str, str]
) -> None:
    """Locks are looked at again in the unit that writes: what was granted in between counts."""
    place.natively(True)
    before = place.facts()
    between(place, monkeypatch, lambda: place.kernel.run(lambda ctx: _grant(ctx, place)))
    assert place.manager("PUT", FILE, b"late", **way).status == 423
    assert place.facts() == before


@pytest.mark.parametrize("way", WAYS)
def test_a_role_taken_while_a_body_comes_refuses_the_save(
    place: Any, monkeypatch: pytest.MonkeyPatch, way: dict[str, str]
) -> None:
    place.natively(True)
    before = place.facts()
    role = "UPDATE spaces_member SET role = 1 WHERE space_id = :space"
    between(
        place, monkeypatch, lambda: place.kernel.run(lambda ctx: ctx.execute(text(role), {"space": place.space}))
    )
    assert place.manager("PUT", FILE, b"late", **way).status == 403
    assert place.manager("PUT", "/Alpha.space/new.txt", b"late", **way).status == 403
    assert place.facts() == before


@pytest.mark.parametrize("way", WAYS)
def test_what_changed_while_a_body_comes_is_judged_again(
    place: Any, monkeypatch: pytest.MonkeyPatch, way: dict[str, str]
) -> None:
    from atrio.plugins.core_content import api as content

    place.natively(True)
    etag = place.manager("GET", FILE).headers["etag"]

    def change(ctx: Any) -> None:
        row = content.get_content(ctx, place.space, place.world.file)
        content.update_content(ctx, row, {"description": "other"})

    between(place, monkeypatch, lambda: place.kernel.run(change))
    assert place.manager("PUT", FILE, b"late", if_match=etag, **way).status == 412


@pytest.mark.parametrize("who", ["stranger", "reader", "manager"])
def test_nothing_is_held_for_who_may_not_save(place: Any, monkeypatch: pytest.MonkeyPatch, who: str) -> None:
    """A short body is read before it is known who sends it, but nothing begins a blob for it."""
    place.natively(True)
    if who == "manager":
        place.kernel.run(lambda ctx: _grant(ctx, place))

    def begin(**_: Any) -> Any:
        raise AssertionError("a blob was begun")

    monkeypatch.setattr(place.kernel.blobs, "begin", begin)
    if who == "stranger":
        from atrio.kernel.testing.client import Client

        answer = Client(place.kernel.app).request("PUT", "/webdav" + FILE, body=b"no", headers={})
        assert answer.status == 401
        assert "www-authenticate" in answer.headers
    else:
        person = getattr(place, who)
        assert person("PUT", FILE, b"no").status == (403 if who == "reader" else 423)
        assert person("PUT", "/Alpha.space/none/at/all.txt", b"no").status == 409
        assert person("PUT", "/Hidden.space/all.txt", b"no").status == 409
    if who == "manager":
        assert person("PUT", FILE, b"no", if_match='"x"').status == 412


def test_who_waits_to_be_asked_is_told_before_the_body(place: Any) -> None:
    place.natively(True)
    sent: list[Any] = []

    async def receive() -> Any:
        raise AssertionError("the body was asked for")

    async def send(message: Any) -> None:
        sent.append(message)

    door = place.kernel.router.find_mount("/webdav").app
    scope = {
        "type": "http", "method": "PUT", "path": "/webdav" + FILE, "root_path": "/webdav", "http_version": "1.1",
        "headers": [(b"expect", b"100-continue"), (b"content-length", b"5")],
    }  # fmt: skip
    asyncio.run(door(scope, receive, send))
    assert sent[0]["status"] == 401


def _grant(ctx: Any, place: Any) -> None:
    from atrio.plugins.webdav.services import locks

    key = f"/s{place.space}/c{place.world.file}"
    locks.create_lock(ctx, key, principal="somebody", seconds=60)


def test_a_long_body_is_read_from_those_alone_who_signed_in(place: Any) -> None:
    place.natively(True)
    from atrio.kernel.testing.client import Client

    body = EXCLUSIVE.replace(b"<D:locktype>", b" " * 100_000 + b"<D:locktype>")
    assert place.manager("LOCK", FILE, body).status == 200
    stranger = Client(place.kernel.app)
    assert stranger.request("LOCK", "/webdav" + FILE, body=body, headers={}).status == 401
    assert stranger.request("LOCK", "/webdav" + FILE, body=EXCLUSIVE, headers={}).status == 401


@pytest.mark.parametrize(
    ("version", "headers", "short"),
    [
        ("1.1", {}, True),
        ("1.0", {"content-length": "65536"}, True),
        ("1.1", {"content-length": "65537"}, False),
        ("1.1", {"content-length": "-1"}, False),
        ("1.1", {"transfer-encoding": "chunked"}, False),
        ("2", {}, False),  # there may be a body of any length
        ("2", {"content-length": "5"}, True),
    ],
)
def test_which_bodies_are_short(version: str, headers: dict[str, str], short: bool) -> None:
    from atrio.kernel.http.request import Request
    from atrio.plugins.webdav.door import _is_short

    given = [(name.encode(), value.encode()) for name, value in headers.items()]
    scope = {"method": "LOCK", "path": "/", "headers": given, "http_version": version}
    assert _is_short(Request(scope, "x"), version) is short


@pytest.mark.parametrize("method", ["LOCK", "UNLOCK", "PUT"])
def test_nobody_waits_while_a_password_is_checked(
    place: Any, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    """Who asks for a lock is found in the unit that writes it, but argon2 runs while no transaction is open."""
    from atrio.plugins.accounts import passwords

    place.natively(True)
    monkeypatch.setattr(passwords, "_verified", {})
    verify, written = passwords.verify, []

    def write() -> None:
        place.kernel.run(lambda ctx: ctx.execute(text("UPDATE spaces_space SET label = label")))
        written.append(1)

    def slowly(*given: Any) -> bool:
        other = threading.Thread(target=write)
        other.start()
        other.join(5)
        assert written, "another writer waits for the check of a password"
        return verify(*given)

    monkeypatch.setattr(passwords, "verify", slowly)
    body = {"LOCK": EXCLUSIVE, "UNLOCK": None, "PUT": b"new"}[method]
    answer = place.manager(method, FILE, body, lock_token=NONE)
    assert answer.status == {"LOCK": 200, "UNLOCK": 409, "PUT": 204}[method]
    assert written
