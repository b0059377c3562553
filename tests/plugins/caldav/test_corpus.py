"""Entries as Apple, Google, Outlook, Thunderbird, DAVx5 and others write them; written by us in their manner."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from .conftest import NAMES, Desk

FILES = sorted(Path(__file__).with_name("corpus").iterdir())
KIND = {".ics": ("C", "calendar"), ".vcf": ("CR", "address")}


def test_there_is_a_corpus() -> None:
    assert len(FILES) >= 13


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.name)
def test_comes_back_as_it_was(desk: Desk, path: Path) -> None:
    """By GET to the byte, by REPORT to the letter (XML has one kind of line end), and is found by its UID."""
    me, body = desk.user, path.read_bytes()
    space, word = KIND[path.suffix]
    base = me.calendar if path.suffix == ".ics" else me.book
    assert me("PUT", f"{base}/{path.name}", body).status == 201
    got = me("GET", f"{base}/{path.name}")
    assert got.body == body
    ask = f"<{space}:{'calendar' if space == 'C' else 'addressbook'}-multiget {NAMES}><D:prop><D:getetag/><{space}:{word}-data/></D:prop><D:href>/dav{base}/{path.name}</D:href></{space}:{'calendar' if space == 'C' else 'addressbook'}-multiget>"
    root = ElementTree.fromstring(me("REPORT", base, ask).body)
    texts = [e.text or "" for e in root.iter() if e.tag.endswith("-data")]
    assert [t.replace("\r\n", "\n") for t in texts] == [body.decode().replace("\r\n", "\n")]
    tags = [e.text for e in root.iter() if e.tag.endswith("getetag")]
    assert tags == [got.headers["etag"]]
    if path.suffix == ".ics":
        component = re.search(r"BEGIN:(VEVENT|VTODO|VJOURNAL)", body.decode())
        assert component is not None
        uid = re.sub(r"\n[ \t]", "", body.decode().replace("\r\n", "\n"))
        found = re.search(r"^UID:(.*)$", uid, re.M)
        assert found is not None
        wanted = f'<C:prop-filter name="UID"><C:text-match collation="i;octet">{found.group(1)}</C:text-match></C:prop-filter>'
        assert me.query(base, wanted, component.group(1)) == [f"{base}/{path.name}"]
        year = '<C:time-range start="20260901T000000Z" end="20270201T000000Z"/>'
        assert me.query(base, year, component.group(1)) == [f"{base}/{path.name}"]


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
