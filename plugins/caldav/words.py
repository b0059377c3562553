"""What people search for in an entry: its title, its description, its place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from atrio.kernel.text import fold

from .texts import BOM, ENTRIES, xml_safe

TITLE_LENGTH, TEXT_LENGTH = 1000, 65_536
"""Characters that are kept of a title or a place, and of a description."""
_FOLD = re.compile(r"(?:\r\n|\n|\r)[ \t]")
_LINE = re.compile(r"\r\n|\n|\r")
_PROPERTY = re.compile(r'(?:[A-Za-z0-9-]+\.)?([A-Za-z0-9-]+)(?:;(?:[^":]|"[^"]*")*)?:(.*)', re.S)
_ESCAPED = re.compile(r"\\(.)", re.S)
TITLES, PLACES = ("SUMMARY", "FN"), ("LOCATION", "ADR")
DESCRIPTIONS = ("DESCRIPTION", "ORG", "TITLE", "EMAIL", "TEL", "NOTE")


class Words(NamedTuple):
    """The texts of an entry, empty where it has none; of a card name, address, and all else that is written."""

    summary: str = ""
    description: str = ""
    location: str = ""

    @property
    def folded(self) -> str:
        """All of them as they are compared: without case and accents, blanks made one."""
        return " ".join(fold("\n".join(self)).split())


def words_of(text: str) -> Words:
    """Return what is searched of an entry: of its first event, to-do, journal entry or card.

    Occurrences that were changed come after the entry that repeats (RFC 5545 §3.8.4.4), and alarms have
    descriptions of their own; neither counts.
    """
    found: dict[str, list[str]] = {}
    for name, value in _properties(text):
        if name in TITLES or name in PLACES or name in DESCRIPTIONS:
            found.setdefault(name, []).append(_plain(value, structured=name in ("ADR", "ORG")))

    def joined(names: tuple[str, ...], length: int) -> str:
        return "\n".join(value for name in names for value in found.get(name, ()) if value)[:length]

    return Words(joined(TITLES, TITLE_LENGTH), joined(DESCRIPTIONS, TEXT_LENGTH), joined(PLACES, TITLE_LENGTH))


def _properties(text: str) -> Iterator[tuple[str, str]]:
    """Yield the properties of the first entry itself, none of what is inside it."""
    depth = 0
    for line in _LINE.split(_FOLD.sub("", text.removeprefix(BOM))):
        found = _PROPERTY.fullmatch(line)
        if found is None:
            continue
        name, value = found.group(1).upper(), found.group(2)
        if name == "BEGIN" and (depth or value.strip().upper() in (*ENTRIES, "VCARD")):
            depth += 1
        elif name == "END" and depth:
            depth -= 1
            if not depth:
                return
        elif depth == 1:
            yield name, value


def _plain(value: str, *, structured: bool) -> str:
    """Return the text of a value (RFC 5545 §3.3.11); of a structured one its parts, with blanks between."""
    if structured:
        value = re.sub(r"(?<!\\);+", " ", value)
    return xml_safe(_ESCAPED.sub(lambda m: "\n" if m.group(1) in "nN" else m.group(1), value)).strip()
