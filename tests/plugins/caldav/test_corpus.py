"""Entries as Apple, Google, Outlook, Thunderbird, DAVx5 and others write them; written by us in their manner."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

from .conftest import NAMES, Desk, Person

FILES = sorted(Path(__file__).with_name("corpus").iterdir())
KIND = {".ics": ("C", "calendar", "calendar"), ".vcf": ("CR", "address", "addressbook")}


def test_there_is_a_corpus() -> None:
    assert len(FILES) >= 13


def test_comes_back_as_it_was(desk: Desk) -> None:
    """By GET to the byte, by REPORT to the letter (XML has one kind of line end), and is found by UID and time."""
    for path in FILES:
        looked_at(desk.user, path)


def looked_at(me: Person, path: Path) -> None:
    body, name = path.read_bytes(), path.name
    space, word, query = KIND[path.suffix]
    base = me.calendar if path.suffix == ".ics" else me.book
    assert me("PUT", f"{base}/{name}", body).status == 201, name
    got = me("GET", f"{base}/{name}")
    assert got.body == body, name
    ask = (
        f"<{space}:{query}-multiget {NAMES}><D:prop><D:getetag/><{space}:{word}-data/></D:prop>"
        f"<D:href>/dav{base}/{name}</D:href></{space}:{query}-multiget>"
    )
    root = ElementTree.fromstring(me("REPORT", base, ask).body)
    texts = [e.text or "" for e in root.iter() if e.tag.endswith("-data")]
    plain = body.decode().replace("\r\n", "\n")
    assert [t.replace("\r\n", "\n") for t in texts] == [plain], name
    assert [e.text for e in root.iter() if e.tag.endswith("getetag")] == [got.headers["etag"]]
    if path.suffix == ".ics":
        component = re.findall(r"BEGIN:(VEVENT|VTODO|VJOURNAL)", plain)[0]
        (uid, *_) = re.findall(r"^UID:(.*)$", re.sub(r"\n[ \t]", "", plain), re.M)
        wanted = (
            f'<C:prop-filter name="UID"><C:text-match collation="i;octet">{uid}</C:text-match></C:prop-filter>'
        )
        assert me.query(base, wanted, component) == [f"{base}/{name}"]
        year = '<C:time-range start="20260901T000000Z" end="20270201T000000Z"/>'
        assert f"{base}/{name}" in me.query(base, year, component)


def test_one_file_with_all_of_them_parses_again(desk: Desk) -> None:
    import radicale.item

    me = desk.user
    for path in FILES:
        base = me.calendar if path.suffix == ".ics" else me.book
        assert me("PUT", f"{base}/{path.name}", path.read_bytes()).status == 201
    calendar = me("GET", f"{me.calendar}/").body.decode()
    (parsed,) = radicale.item.read_components(calendar)
    count = sum(
        len(re.findall(rb"BEGIN:(?:VEVENT|VTODO|VJOURNAL)", p.read_bytes())) for p in FILES if p.suffix == ".ics"
    )
    assert sum(c.name in ("VEVENT", "VTODO", "VJOURNAL") for c in parsed.components()) == count
    assert calendar.count("BEGIN:VTIMEZONE") == 4
    cards = me("GET", f"{me.book}/").body.decode()
    assert len(radicale.item.read_components(cards)) == sum(p.suffix == ".vcf" for p in FILES)
