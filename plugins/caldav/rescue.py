"""Files whose BEGIN and END do not fit together: the entries in them that are whole."""

from __future__ import annotations

from collections.abc import Iterator

from .places import ADDRESSBOOK
from .texts import BEGIN, END, ENTRIES, Component, lines_of

OTHERS = ("VTIMEZONE",)


def pieces(text: str, tag: str) -> Iterator[tuple[Component, bool]]:
    """Yield the entries and time zones of a file, in its order, and whether each is whole.

    An entry goes from its BEGIN to its END, however wrong it is in between; where that is missing, to the BEGIN of
    the next one or to the end of the calendar.
    """
    wanted = ("VCARD",) if tag == ADDRESSBOOK else (*ENTRIES, *OTHERS)
    current: Component | None = None
    inside: list[str] = []
    whole = True
    for line in lines_of(text):
        begin, end = BEGIN.match(line), END.match(line)
        name = (begin or end).group(1).upper() if begin or end else ""  # type: ignore[union-attr]
        if current is not None and ((begin and name in wanted) or (end and name == "VCALENDAR")):
            yield current, False
            current = None
        if current is None:
            if begin and name in wanted:
                current, inside, whole = Component(name, [line]), [], True
            continue
        current.lines.append(line)
        if begin:
            inside.append(name)
        elif end and name == current.name:
            yield current, whole and not inside
            current = None
        elif end:
            whole = whole and bool(inside) and inside.pop() == name
    if current is not None:
        yield current, False
