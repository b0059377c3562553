"""Texts of calendars and cards: decoding, characters that XML cannot carry, files joined and taken apart.

Entries stay what their clients wrote: whole lines are moved about, none is rewritten (RFC 5545 §3.1).
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import nh3

from .places import ADDRESSBOOK, CALENDAR

BOM = "\ufeff"
PRODID = "-//Atrio//Calendars//EN"
_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_UID = re.compile(r"^UID(?:;[^:\r\n]*)?:(.*)$", re.I)
_TZID = re.compile(r"^TZID(?:;[^:\r\n]*)?:(.*)$", re.I)
BEGIN = re.compile(r"^BEGIN:([A-Za-z0-9-]+)[ \t]*$", re.I)
END = re.compile(r"^END:([A-Za-z0-9-]+)[ \t]*$", re.I)
ENTRIES = ("VEVENT", "VTODO", "VJOURNAL")


class Unreadable(ValueError):
    """A text is no calendar and no card."""


def decode(body: bytes, charset: str | None) -> tuple[str, bool]:
    """Return the text of a body and whether its bytes are that text in UTF-8, as the formats want.

    Another announced charset is believed; bytes that are not what they should be are read as Windows-1252,
    which has a character for nearly every byte, so that nothing is lost.
    """
    for name in (charset or "utf-8", "utf-8"):
        try:
            return body.decode(name), name.lower().replace("_", "-") in ("utf-8", "utf8", "us-ascii")
        except (UnicodeDecodeError, LookupError):
            continue
    return body.decode("cp1252", "replace"), False


def xml_safe(text: str) -> str:
    """Return a text without the characters that no XML document can hold (XML 1.0 §2.2)."""
    return _NO_XML.sub("", text.removeprefix(BOM))


def plain(markup: str) -> str:
    """Return the letters of a piece of HTML."""
    return xml_safe(html.unescape(nh3.clean(markup, tags=set()))).strip()


def escape(text: str) -> str:
    """Return a text as the value of a TEXT property (RFC 5545 §3.3.11)."""
    text = text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    return re.sub(r"\r\n|\r|\n", r"\\n", text)


def fold(line: str) -> str:
    """Return a content line in pieces of at most 75 octets, letters left whole (RFC 5545 §3.1)."""
    if len(line.encode()) <= 75:
        return line
    pieces: list[str] = []
    piece, size = "", 0
    for letter in line:
        width = len(letter.encode())
        if size + width > (75 if not pieces else 74):
            pieces.append(piece)
            piece, size = "", 0
        piece += letter
        size += width
    return "\r\n ".join([*pieces, piece])


def lines_of(text: str) -> list[str]:
    """Return the physical lines of a text; only CR and LF end one, and continuation lines keep their blank."""
    return [line for line in re.split(r"\r\n|\n|\r", text.removeprefix(BOM)) if line.strip()]


@dataclass
class Component:
    """A component with its lines, from BEGIN to END."""

    name: str
    lines: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The lines, ended as the formats want."""
        return "".join(f"{line}\r\n" for line in self.lines)

    def value(self, pattern: re.Pattern[str]) -> str:
        """Return the value of a property of the component itself, unfolded; empty where there is none."""
        depth = 0
        for number, line in enumerate(self.lines):
            if BEGIN.match(line):
                depth += 1
            elif END.match(line):
                depth -= 1
            elif depth == 1 and (found := pattern.match(line)):
                value = found.group(1)
                for more in self.lines[number + 1 :]:
                    if more[0] not in " \t":
                        break
                    value += more[1:]
                return value.strip()
        return ""

    @property
    def uid(self) -> str:
        """The UID, empty where there is none."""
        return self.value(_UID)


def components(text: str, outer: str | None = None) -> Iterator[Component]:
    """Yield the components at the top of a text, or those right inside the components named `outer`.

    Unreadable where BEGIN and END do not fit together.
    """
    wanted = 1 if outer is None else 2
    stack: list[str] = []
    current: Component | None = None
    for line in lines_of(text):
        begin, end = BEGIN.match(line), END.match(line)
        if begin is not None:
            stack.append(begin.group(1).upper())
            if len(stack) == wanted and (outer is None or stack[0] == outer):
                current = Component(stack[-1])
        if current is not None:
            current.lines.append(line)
        if end is not None:
            if not stack or stack.pop() != end.group(1).upper():
                raise Unreadable(f"END:{end.group(1)} without its BEGIN")
            if current is not None and len(stack) == wanted - 1:
                yield current
                current = None
    if stack:
        raise Unreadable(f"BEGIN:{stack[-1]} without its END")


def join_calendar(texts: Iterable[str], name: str = "", description: str = "") -> str:
    """Return one calendar with the entries of many; of time zones with one name the first is taken."""
    head = ["BEGIN:VCALENDAR", "VERSION:2.0", f"PRODID:{PRODID}"]
    head += [f"X-WR-CALNAME:{escape(name)}"] if name else []
    head += [f"X-WR-CALDESC:{escape(description)}"] if description else []
    zones: dict[str, str] = {}
    entries: list[str] = []
    for text in texts:
        for part in components(text, CALENDAR):
            if part.name == "VTIMEZONE":
                zones.setdefault(part.value(_TZID), part.text)
            else:
                entries.append(part.text)
    lines = "".join(f"{fold(line)}\r\n" for line in head)
    return f"{lines}{''.join(zones.values())}{''.join(entries)}END:VCALENDAR\r\n"


def join_cards(texts: Iterable[str]) -> str:
    """Return one file with many cards."""
    return "".join(part.text for text in texts for part in components(text))


def split(text: str, tag: str) -> Iterator[tuple[str, str]]:
    """Yield (UID, entry) for what a file holds: what has one UID stays together, with its time zones.

    The UID is empty where the file gives none, the entry where its BEGIN and END do not fit together. Unreadable,
    before the first, for what holds no calendar or no card, or nothing that is whole.
    """
    found = list(_pieces(text, tag))
    if tag == ADDRESSBOOK:
        yield from ((part.uid, part.text if whole else "") for part, whole in found)
    else:
        yield from _grouped(found)


def _pieces(text: str, tag: str) -> Iterator[tuple[Component, bool]]:
    from .rescue import pieces

    try:
        names = {part.name for part in components(text)}
        broken = None
    except Unreadable as error:
        names, broken = set(), error
    if broken is not None:
        found = list(pieces(text, tag))
        if not any(whole and part.name != "VTIMEZONE" for part, whole in found):
            raise broken
        yield from found
        return
    if tag == ADDRESSBOOK:
        if "VCARD" not in names:
            raise Unreadable("no VCARD in it")
        yield from ((part, True) for part in components(text) if part.name == "VCARD")
        return
    if CALENDAR not in names:
        raise Unreadable("no VCALENDAR in it")
    yield from ((part, True) for part in components(text, CALENDAR))


def _grouped(found: Iterable[tuple[Component, bool]]) -> Iterator[tuple[str, str]]:
    zones: dict[str, str] = {}
    grouped: dict[str, list[Component]] = {}
    broken: set[str] = set()
    for number, (part, whole) in enumerate(found):
        if part.name == "VTIMEZONE" and whole:
            zones.setdefault(part.value(_TZID), part.text)
        elif part.name in ENTRIES:
            key = f"{part.name} {part.uid}" if part.uid else str(number)
            grouped.setdefault(key, []).append(part)
            if not whole:  # an entry without one of its occurrences is another entry
                broken.add(key)
    for key, parts in grouped.items():
        yield parts[0].uid, "" if key in broken else _calendar("".join(p.text for p in parts), zones)


def _calendar(entries: str, zones: dict[str, str]) -> str:
    unfolded = re.sub(r"\r\n[ \t]", "", entries)
    named = {m.strip('"') for m in re.findall(r'TZID=("[^"]*"|[^;:\r\n]*)', unfolded, re.I)}
    used = "".join(zone for name, zone in zones.items() if name in named)
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:{PRODID}\r\n{used}{entries}END:VCALENDAR\r\n"


def with_uid(entry: str, uid: str, tag: str) -> str:
    """Return an entry that has no UID with one."""
    names = ("VCARD",) if tag == ADDRESSBOOK else ENTRIES
    for name in names:
        found = re.search(rf"^BEGIN:{name}[ \t]*\r\n", entry, re.I | re.M)
        if found is not None:
            return f"{entry[: found.end()]}UID:{uid}\r\n{entry[found.end() :]}"
    return entry
