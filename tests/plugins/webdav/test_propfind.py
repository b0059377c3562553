"""Listings: the same answers with and without the protocol library, in few statements."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

import pytest
from lxml import etree

pytest.importorskip("wsgidav")

pytestmark = pytest.mark.atrio_config(plugins__enabled=["webdav"])
SPACE, FILE, FOLDER = "/Alpha.space", "/Alpha.space/file.txt", "/Alpha.space/Folder"
XMLNS = '<?xml version="1.0"?><D:propfind xmlns:D="DAV:" xmlns:x="urn:x">{}</D:propfind>'
LIVE = ("resourcetype", "creationdate", "getcontentlength", "getcontenttype", "getlastmodified", "displayname",
        "getetag", "lockdiscovery", "supportedlock")  # fmt: skip
NAMED = "<D:prop>" + "".join(f"<D:{n}/>" for n in LIVE) + "<x:colour/><x:none/><D:other/><bare/></D:prop>"
RED = (
    b'<D:propertyupdate xmlns:D="DAV:"><D:set><D:prop><colour xmlns="urn:x" a="1">red &amp; <b>blue</b></colour>'
    b"<bare>x</bare></D:prop></D:set></D:propertyupdate>"
)


def shape(element: Any) -> Any:
    """Return an element without the prefixes that it happens to use."""
    inside = [shape(child) for child in element]
    return element.tag, sorted(element.attrib.items()), (element.text or "").strip(), inside


def told(answer: Any) -> dict[str, dict[str, Any]]:
    """Return an answer as properties by address: status and what is in them; what is left of a lock is not told."""
    assert answer.status == 207, answer.body
    found: dict[str, dict[str, Any]] = {}
    for response in etree.fromstring(answer.body).iterfind("{DAV:}response"):
        address = unquote(response.findtext("{DAV:}href"))
        assert address not in found, "told twice"
        mine = found[address] = {}
        for stat in response.iterfind("{DAV:}propstat"):
            status = stat.findtext("{DAV:}status").split()[1]
            for prop in stat.find("{DAV:}prop"):
                for timeout in prop.iter("{DAV:}timeout"):
                    timeout.text = "Second-"
                mine[prop.tag] = (status, shape(prop))
    return found


@pytest.fixture
def full(place: Any, put: Any) -> Any:
    """Everything that a folder can hold."""
    put(f"{FOLDER}/a b&c <ü>.txt", b"text", content_type="text/plain")
    put(f"{FOLDER}/page.html", b"<p>", content_type="text/html")
    put(f"{FOLDER}/.DS_Store", b"finder")
    for kind, label in (("thread", "Talk"), ("html-document", "Text"), ("kanban", "Board")):
        answer = place.owner.client.post(
            f"/api/workspaces/{place.space}/contents",
            {"content_type": kind, "label": label, "parent_id": place.world.folder},
        )
        assert answer.status == 200, answer.body
        if kind == "thread":
            for text in ("<p>one</p>", "<p>zwölf</p>"):
                made = place.owner.client.post(
                    f"/api/workspaces/{place.space}/contents/{answer.json['content_id']}/comments",
                    {"raw_content": text},
                )
                assert made.status == 200, made.body
    assert place.manager("MKCOL", f"{FOLDER}/Inner").status == 201
    for path in (FILE, f"{FOLDER}/page.html", f"{FOLDER}/.DS_Store", f"{FOLDER}/Inner", FOLDER):
        assert place.manager("PROPPATCH", path, RED).status == 207, path
        assert place.manager.lock(path, depth="0").status == 200, path
    return place


@pytest.mark.parametrize("ask", ["", "<D:allprop/>", "<D:propname/>", NAMED])
@pytest.mark.parametrize("who", ["manager", "reader"])
def test_the_library_says_the_same(full: Any, ask: str, who: str) -> None:
    person = full.people[who]
    body = XMLNS.format(ask).encode() if ask else None
    thread = f"{FOLDER}/Talk.thread.html"
    for path in ("/", SPACE, FOLDER, f"{FOLDER}/Inner", FILE, thread, f"{FOLDER}/page.html"):
        for depth in ("0", "1"):
            answers = []
            for native in (True, False):
                full.natively(native)
                answers.append(told(person("PROPFIND", path, body, depth=depth)))
            assert answers[0].keys() == answers[1].keys(), (path, depth)
            for address, properties in answers[0].items():
                assert properties == answers[1][address], (path, depth, address)
    mine = f"{FOLDER}/.DS_Store" in str(told(person("PROPFIND", FOLDER, body, depth="1")).keys())
    assert mine == (who == "manager"), "helper files are seen by whose program wrote them"


def test_lengths_are_those_of_the_bytes(full: Any) -> None:
    for native in (True, False):
        full.natively(native)
        listed = told(full.manager("PROPFIND", FOLDER, depth="1"))
        files = {a: p for a, p in listed.items() if not a.endswith("/")}
        assert len(files) == 6
        for address, properties in files.items():
            got = full.manager("GET", address.removeprefix("/webdav"))
            assert got.status == 200
            length, etag = (properties["{DAV:}" + name][1][2] for name in ("getcontentlength", "getetag"))
            assert (int(length), etag) == (len(got.body), got.headers["etag"]), address
        thread = full.manager("GET", f"{FOLDER}/Talk.thread.html").body.decode()
        assert "zwölf" in thread
        assert "one" in thread


def test_all_and_some_more(place: Any) -> None:
    """The library knows neither `include` nor minimal answers."""
    place.natively(True)
    body = XMLNS.format("<D:allprop/><D:include><D:supported-report-set/><D:getetag/></D:include>").encode()
    found = told(place.reader("PROPFIND", FILE, body, depth="0"))[f"/webdav{FILE}"]
    assert found["{DAV:}supported-report-set"][0] == "404"
    assert found["{DAV:}getetag"][0] == "200"
    body = XMLNS.format(NAMED).encode()
    brief = told(place.reader("PROPFIND", FILE, body, depth="0", prefer="return=minimal"))[f"/webdav{FILE}"]
    assert {status for status, _ in brief.values()} == {"200"}


@pytest.mark.parametrize("native", [True, False])
@pytest.mark.parametrize(
    "body",
    [
        b"<", b"rubbish", b"<a/>", b'<propfind xmlns="urn:x"><allprop/></propfind>', b"\xff\xfe\x00", b"\x00",
        b'<!DOCTYPE p [<!ENTITY a "b">]><D:propfind xmlns:D="DAV:"><D:prop>&a;</D:prop></D:propfind>',
        b'<D:propfind xmlns:D="DAV:"><D:allprop/><D:propname/></D:propfind>',
        b'<D:propfind xmlns:D="DAV:"><D:prop><a:b/></D:prop></D:propfind>',
    ],
)  # fmt: skip
def test_bodies_that_ask_nothing(place: Any, native: bool, body: bytes) -> None:
    place.natively(native)
    assert place.reader("PROPFIND", FILE, body, depth="0").status == 400


@pytest.mark.parametrize("native", [True, False])
def test_xml_without_end_is_refused(place: Any, native: bool) -> None:
    place.natively(native)
    body = XMLNS.format("<D:prop>" + "<D:a/>" * 300_000 + "</D:prop>").encode()
    assert place.reader("PROPFIND", FILE, body, depth="0").status == 413
    assert place.reader("PROPFIND", FILE, depth="2").status == 400
    assert place.reader("PROPFIND", "/Alpha.space/none", depth="1").status == 404


def test_a_listing_takes_six_statements_whatever_it_lists(place: Any, put: Any, statements: Any) -> None:
    place.natively(True)
    assert place.manager("PROPFIND", FOLDER, depth="1").status == 207, "the password is judged once"
    counts = []
    for many in (10, 1000):
        for number in range(place.scalar("SELECT count(*) FROM core_content_content"), many):
            place.kernel.run(lambda ctx, n=number: _file(ctx, place, n))
        tries = []
        for _ in range(3):  # jobs may run in between
            with statements() as seen:
                answer = place.manager("PROPFIND", FOLDER, depth="1")
            assert len(told(answer)) > many - 10
            tries.append(len(seen))
        counts.append(min(tries))
    assert counts[0] == counts[1] <= 6, counts
    body = XMLNS.format("<D:prop><D:getetag/><D:supportedlock/><D:quota-used-bytes/></D:prop>").encode()
    for asked, most in ((b"", 4), (body, 3)):  # locks and dead properties are looked at for who asks for them
        with statements() as seen:
            place.manager("PROPFIND", FOLDER + "/3.txt", asked, depth="0")
        assert len(seen) <= most, seen


def test_bodies_that_are_remembered_are_told_apart(place: Any, put: Any) -> None:
    put(f"{FOLDER}/a.txt")
    place.natively(True)
    for name in ("getetag", "resourcetype", "getetag"):
        body = XMLNS.format(f"<D:prop><D:{name}/></D:prop>").encode()
        found = told(place.reader("PROPFIND", f"{FOLDER}/a.txt", body, depth="0"))
        assert set(found[f"/webdav{FOLDER}/a.txt"]) == {f"{{DAV:}}{name}"}


def _file(ctx: Any, place: Any, number: int) -> None:
    from atrio.plugins.core_content.api import StoredBytes, create_file
    from atrio.plugins.spaces.api import joined_spaces

    space = next(s for s in joined_spaces(ctx, 1) if s.space_id == place.space)
    full = type("Space", (), {"space_id": space.space_id, "is_deleted": 0, "owner_id": None})
    create_file(
        ctx, full, name=f"{number}.txt", blob=StoredBytes("0" * 64, 1), media="", parent_id=place.world.folder,
        namespace="content",
    )  # fmt: skip


@pytest.mark.atrio_config(plugins__enabled=["webdav"], core_content__space_size=1000)
def test_room_is_told_to_who_asks(place: Any, put: Any) -> None:
    put(f"{FOLDER}/a.txt", b"x" * 100)
    body = XMLNS.format("<D:prop><D:quota-used-bytes/><D:quota-available-bytes/></D:prop>").encode()
    for native in (True, False):
        place.natively(native)
        for path in (SPACE, FOLDER):
            found = told(place.reader("PROPFIND", path, body, depth="0"))[f"/webdav{path}/"]
            used, left = (found["{DAV:}quota-" + name + "-bytes"][1][2] for name in ("used", "available"))
            assert int(used) >= 100
            assert int(used) + int(left) == 1000
        for path in (FILE, "/"):
            found = next(iter(told(place.reader("PROPFIND", path, body, depth="0")).values()))
            assert {status for status, _ in found.values()} == {"404"}
        assert b"quota" not in place.reader("PROPFIND", SPACE, depth="0").body, "not among all properties"


def test_names_that_no_xml_can_hold(place: Any, put: Any) -> None:
    put("/Alpha.space/bell\x07.txt", b"x")
    for native in (True, False):
        place.natively(native)
        found = told(place.reader("PROPFIND", SPACE, depth="1"))
        assert "/webdav/Alpha.space/bell\x07.txt" in found
