"""Plain queries, answered from rows and by the library: the same status, the same bytes, the same rights."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable

import pytest
from sqlalchemy import text as sql

from atrio.kernel.testing.client import Answer
from atrio.plugins.caldav import native

from .conftest import NAMES, Desk, card, event, todo

Save = Callable[..., str]
ODD = "ä b&c'<1>.ics"


@pytest.fixture
def full(desk: Desk, save: Save) -> Desk:
    """A calendar and an address book with entries of all kinds, one of them deleted."""
    me = desk.user
    for number in range(12):
        save(
            f"{me.calendar}/{number}.ics",
            event(f"uid-{number}-Ünï", f"202601{number + 10}T100000Z", f"202601{number + 10}T110000Z"),
        )
    save(
        f"{me.calendar}/%C3%A4%20b%26c'%3C1%3E.ics",
        event("odd", "20260301T100000Z", "20260301T110000Z", "X-A:<&> \U0001f600"),
    )
    save(f"{me.calendar}/todo.ics", todo("UID-todo", "DUE:20260201T000000Z"))
    save(f"{me.calendar}/bare.ics", todo("uid-bare"))
    save(f"{me.calendar}/daily.ics", event("daily", "19900101T100000Z", "19900101T110000Z", "RRULE:FREQ=DAILY"))
    save(f"{me.calendar}/gone.ics", event("gone"))
    assert me("DELETE", f"{me.calendar}/gone.ics").status == 200
    for number in range(3):
        save(f"{me.book}/{number}.vcf", card(f"card-{number}"))
    boss = desk.boss
    assert boss("PUT", f"{boss.space(desk.space)}/in-space.ics", event("in-space")).status == 201
    return desk


def told(answer: Answer) -> tuple[int, dict[str, str], bytes]:
    """Return what a client gets: status, headers that do not tell the time, body."""
    headers = {k.lower(): v for k, v in answer.headers.items() if k.lower() not in ("date", "x-request-id")}
    return answer.status, headers, answer.body


def both(desk: Desk, ask: Callable[[], Answer]) -> tuple[Answer, Answer]:
    """Return the answers from the rows and from the library."""
    desk.natively(True)
    quick = ask()
    desk.natively(False)
    return quick, ask()


def query(inner: str, component: str = "VEVENT", props: str = "<D:getetag/>") -> str:
    """Return a calendar-query."""
    return (
        f'<C:calendar-query {NAMES}><D:prop>{props}</D:prop><C:filter><C:comp-filter name="VCALENDAR">'
        f'<C:comp-filter name="{component}">{inner}</C:comp-filter></C:comp-filter></C:filter></C:calendar-query>'
    )


def uid(text: str, attributes: str = "") -> str:
    """Return a filter by UID."""
    return f'<C:prop-filter name="UID"><C:text-match{attributes}>{text}</C:text-match></C:prop-filter>'


OCTET = ' collation="i;octet"'
ALL_PROPS = "<D:getetag/><C:calendar-data/><D:getcontenttype/><D:displayname/><CR:address-data/><CS:getctag/><ICAL:calendar-color/>"
QUERIES = [
    query(uid("uid-3-Ünï")), query(uid("uid-3-Ünï", OCTET), props=ALL_PROPS), query(uid("UID-3")),
    query(uid("UID-3", OCTET)), query(uid("uid-1")), query(uid("ÜNÏ")), query(uid("ÜNÏ", OCTET)), query(uid("nobody")),
    query(uid("uid"), "VTODO"), query(uid("odd"), props="<C:calendar-data/>"), query(uid("%")), query(uid("_")),
    query(uid("uid-1", ' negate-condition="yes"')), query(uid("uid-1", ' collation="i;unicode-casemap"')),
    query(""), query("", "VTODO"), query("", "VJOURNAL"), query("", "vevent"), query("", "VFREEBUSY"),
    query('<C:time-range start="20260112T000000Z" end="20260114T000000Z"/>'),
    query('<C:time-range start="20260112T000000Z" end="20260114T000000Z"/>', props=ALL_PROPS),
    query('<C:time-range start="20350112T000000Z" end="20350114T000000Z"/>'),
    query('<C:time-range start="20260112T000000Z"/>'), query('<C:time-range end="20260112T000000Z"/>'),
    query('<C:time-range start="20260112T000000Z"/>', "VTODO"), query('<C:time-range/>'),
    query('<C:time-range start="2026" end="2027"/>'), query('<C:time-range start="20261399T000000Z"/>'),
    query('<C:prop-filter name="SUMMARY"><C:text-match>About uid-3</C:text-match></C:prop-filter>'),
    query("<C:is-not-defined/>"), query(uid("uid-3") + '<C:time-range start="20260101T000000Z"/>'),
    query('<C:comp-filter name="VALARM"/>'), query("", props="<D:resourcetype/>"), query("", props=""),
    query("", props='<X:own xmlns:X="urn:x"/>'), query("").replace("<C:filter>", "<!-- c --><C:filter>"),
    f'<C:calendar-query {NAMES}><D:prop><D:getetag/></D:prop></C:calendar-query>',
    f'<C:calendar-query {NAMES}><D:prop><D:getetag/></D:prop><C:filter><C:comp-filter name="VCALENDAR"/></C:filter></C:calendar-query>',
    query("", props='<C:calendar-data><C:expand start="20260101T000000Z" end="20260201T000000Z"/></C:calendar-data>'),
    query(uid("uid-3")).replace("calendar-query", "calendar-search"), "<broken", "", "<a/>",
]  # fmt: skip


def multiget(*hrefs: str, kind: str = "C:calendar", props: str = ALL_PROPS) -> str:
    """Return a multiget of addresses."""
    asked = "".join(f"<D:href>{href}</D:href>" for href in hrefs)
    return f"<{kind}-multiget {NAMES}><D:prop>{props}</D:prop>{asked}</{kind}-multiget>"


def sync(token: str, props: str = "<D:getetag/>") -> str:
    """Return a sync-collection."""
    return f"<D:sync-collection {NAMES}><D:sync-token>{token}</D:sync-token><D:sync-level>1</D:sync-level><D:prop>{props}</D:prop></D:sync-collection>"


def test_queries_of_a_calendar(full: Desk) -> None:
    for body in QUERIES:
        quick, slow = both(full, lambda body=body: full.user("REPORT", full.user.calendar, body, depth="1"))
        assert told(quick) == told(slow), body


def test_queries_on_wrong_targets(full: Desk) -> None:
    me = full.user
    for path in (me.book, f"{me.calendar}/1.ics", me.home, f"{me.home}/absent", "/"):
        for body in (QUERIES[0], sync(""), multiget(f"/dav{me.calendar}/1.ics"), multiget(kind="CR:addressbook")):
            quick, slow = both(full, lambda path=path, body=body: me("REPORT", path, body))
            assert told(quick) == told(slow), (path, body)


def responses(body: bytes) -> list[str]:
    """Return the responses of a document, sorted: the library gives a multiget in the order of a set."""
    return sorted(re.findall(r"<response>.*?</response>", body.decode(), re.S))


def test_multiget(full: Desk) -> None:
    me, at = full.user, f"/dav{full.user.calendar}"
    for body in (
        multiget(f"{at}/1.ics", f"{at}/absent.ics", f"{at}/1.ics", f"{at}/gone.ics"),
        multiget(f"{at}/%C3%A4%20b%26c'%3C1%3E.ics", props="<C:calendar-data/>"),
        multiget(f"{at}/1.ics", f"https://example.org{at}/2.ics"), multiget(f"{at}/todo.ics?x=1#y"),
        multiget(*(f"{at}/{n}.ics" for n in range(12)), props="<D:getetag/>"), multiget(), multiget(""),
        multiget(f"{at}/../x.ics"), multiget(f"{at}//1.ics"), multiget(f"{at}/a/1.ics"), multiget(f"{at}/"),
        multiget("/dav/user_1/other/1.ics"), multiget("/elsewhere/1.ics"), multiget(f" {at}/1.ics"),
    ):  # fmt: skip
        quick, slow = both(full, lambda body=body: me("REPORT", me.calendar, body))
        assert (quick.status, responses(quick.body)) == (slow.status, responses(slow.body)), body
        head = re.compile(rb"<response>.*</response>", re.S)
        assert head.sub(b"", quick.body) == head.sub(b"", slow.body), body
    quick, slow = both(
        full, lambda: me("REPORT", me.book, multiget(f"/dav{me.book}/1.vcf", kind="CR:addressbook"))
    )
    assert quick.status == 207
    assert told(quick) == told(slow)


def test_sync(full: Desk, save: Save) -> None:
    me = full.user
    first, _ = me.sync(me.calendar)
    number, _, seq = first.removeprefix("data:,").partition("-")
    save(f"{me.calendar}/1.ics", event("uid-1-Ünï", "20270101T000000Z", "20270101T010000Z"))
    assert me("DELETE", f"{me.calendar}/2.ics").status == 200
    tokens = [
        "",
        first,
        f"data:,{number}-{int(seq) + 2}",
        "data:,0-0",
        f"data:,{number}-999",
        "data:,9-1",
        "x",
        "data:,-",
        f"data:,{number}-٣",
    ]
    for token in tokens:
        for props in ("<D:getetag/>", "<D:getetag/><C:calendar-data/>"):
            for path in (me.calendar, me.book, me.home):
                quick, slow = both(
                    full, lambda path=path, token=token, props=props: me("REPORT", path, sync(token, props))
                )
                assert told(quick) == told(slow), (path, token)
    assert me.sync(me.calendar, first)[1].keys() == {f"{me.calendar}/1.ics", f"{me.calendar}/2.ics"}


def test_listings(full: Desk) -> None:
    me = full.user
    assert (
        me(
            "PROPPATCH",
            me.calendar,
            f"<D:propertyupdate {NAMES}><D:set><D:prop><ICAL:calendar-color>#12&amp;</ICAL:calendar-color><D:displayname>A &lt;b&gt;</D:displayname></D:prop></D:set></D:propertyupdate>",
        ).status
        == 207
    )
    assert me("MKCALENDAR", f"{me.home}/mine/").status == 201
    every = sorted(native.OF_COLLECTIONS)
    for names in (
        every,
        every[::-1],
        *([name] for name in every),
        ["D:owner", "D:getetag"],
        ["CS:getctag", "D:sync-token"],
        ["X:nothing"],
        [],
    ):
        for path in (
            me.calendar,
            me.book,
            me.space(full.space),
            me.space(full.space, "addressbook"),
            f"{me.home}/mine",
            f"{me.calendar}/1.ics",
            f"{me.home}/none",
            me.home,
        ):
            for depth in ("0", "1"):
                body = f"<D:propfind xmlns:X='urn:x' {NAMES}><D:prop>{''.join(f'<{n}/>' for n in names)}</D:prop></D:propfind>"
                quick, slow = both(
                    full, lambda path=path, body=body, depth=depth: me("PROPFIND", path, body, depth=depth)
                )
                assert told(quick) == told(slow), (path, names, depth)


def test_rights_are_the_same(full: Desk) -> None:
    """Each role, a stranger and an administrator ask for a space's calendar and for another's."""
    body = query(uid("in-space"))
    listing = f"<D:propfind {NAMES}><D:prop><CS:getctag/></D:prop></D:propfind>"
    for name in ("reader", "contributor", "manager", "boss", "stranger", "root", "user"):
        person = full.people[name]
        for path in (
            person.space(full.space),
            full.user.calendar,
            f"/agenda/workspace/{full.space}",
            f"/agenda/user/{full.user.uid}",
        ):
            for method, text in (("REPORT", body), ("REPORT", sync("")), ("PROPFIND", listing)):
                quick, slow = both(
                    full, lambda person=person, path=path, method=method, text=text: person(method, path, text)
                )
                assert told(quick) == told(slow), (name, path, method)
    full.modify(agenda_enabled=False)
    person = full.reader
    quick, slow = both(full, lambda: person("REPORT", person.space(full.space), body))
    assert quick.status == slow.status == 404


def test_long_answers_are_packed_for_who_takes_it(full: Desk) -> None:
    me = full.user
    full.natively(True)
    plain = me("REPORT", me.calendar, query("", props="<C:calendar-data/>"))
    packed = me("REPORT", me.calendar, query("", props="<C:calendar-data/>"), accept_encoding="gzip, br")
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body
    assert "content-encoding" not in me("REPORT", me.calendar, query(uid("uid-3")), accept_encoding="gzip").headers


def test_uids_follow_every_change(full: Desk, save: Save) -> None:
    """What is remembered of UIDs is never older than the collection: saved, renamed, deleted, purged, made anew."""
    from atrio.plugins.caldav import services

    me = full.user
    full.natively(True)
    path = me.calendar

    def found(text: str) -> list[str]:
        return [href.rpartition("/")[2] for href in me.query(path, uid(text, OCTET))]

    assert found("uid-3-") == ["3.ics"]
    save(f"{path}/late.ics", event("fresh-3-"))
    assert found("fresh") == ["late.ics"]
    assert me("DELETE", f"{path}/3.ics").status == 200
    assert found("uid-3-") == []
    assert me("MOVE", f"{path}/late.ics", destination=f"/dav{path}/moved.ics").status in (201, 204)
    assert found("fresh") == ["moved.ics"]
    assert me("DELETE", f"{path}/moved.ics").status == 200
    with full.kernel.unit() as ctx:
        ctx.execute(sql("UPDATE caldav_item SET modified = 0 WHERE deleted = 1"))
        assert services.forget_deleted(ctx, 1) > 0
    assert found("fresh") == []
    assert found("uid-4-") == ["4.ics"]


def test_plain_questions_need_no_library(full: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that clients ask all the time are answered while the library is away."""
    mount = full.kernel.router.find_mount("/dav")
    assert mount is not None
    full.natively(True)
    me = full.user
    token, _ = me.sync(me.calendar)
    monkeypatch.setattr(mount.app, "_bridge", None)
    monkeypatch.setattr(type(mount.app), "bridge", property(lambda _: pytest.fail("the library was asked")))
    week = '<C:time-range start="20260112T000000Z" end="20260114T000000Z"/>'
    far = '<C:time-range start="20350112T000000Z" end="20350114T000000Z"/>'
    plain = [query(uid("uid-3")), query(week), query(far), query("", "VTODO"), sync(token), sync("")]
    for body in (*plain, multiget(f"/dav{me.calendar}/1.ics")):
        assert me("REPORT", me.calendar, body, depth="1").status == 207, body
    for depth in ("0", "1"):
        assert me.props(me.calendar, "CS:getctag", "D:sync-token", "D:getetag", depth=depth).status == 207
    assert me.query(me.calendar, far) == [f"{me.calendar}/daily.ics"]
