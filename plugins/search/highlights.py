"""Where a query matched: short pieces of text around the words, HTML-escaped, the words in <em>."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select

from atrio.kernel.context import Context
from atrio.plugins.core_content.api import CONTENT, REVISION

from .folding import fold, readable
from .language import Query
from .models import TEXT

AROUND = 60
"""Characters shown on each side of a word."""
PIECES = 3
"""Pieces of one field."""
READ = 50_000
"""Characters of a text that are looked at."""
_WORD = re.compile(r"[^\W_]+")
FROM_INDEX = ("tags", "comments", "todos", "file")
"""Fields whose pieces are cut from the folded texts, the others are cut from what was written."""
WIRE = {"body": "raw_content", "file": "raw_content"}


def highlighted(
    ctx: Context, query: Query, fields: frozenset[str], content_ids: Sequence[int]
) -> dict[int, Mapping[str, Sequence[str]]]:
    """Return the pieces of some contents by field of the wire: one statement."""
    rows = ctx.execute(
        select(
            CONTENT.c.content_id, CONTENT.c.type, CONTENT.c.filename, REVISION.c.label.label("title"),
            REVISION.c.description.label("about"), REVISION.c.raw_content, *(TEXT.c[name] for name in FROM_INDEX),
        )
        .join(REVISION, REVISION.c.revision_id == CONTENT.c.current_revision_id)
        .join(TEXT, TEXT.c.content_id == CONTENT.c.content_id)
        .where(CONTENT.c.content_id.in_(content_ids))
    ).all()  # fmt: skip
    whole, begun = _words(query)
    found: dict[int, Mapping[str, Sequence[str]]] = {}
    for row in rows:
        pieces: dict[str, list[str]] = {}
        for name, text in _texts(row):
            if not fields or name in fields:
                pieces.setdefault(name, []).extend(pieces_of(text, whole, begun))
        found[row.content_id] = {name: cut[:PIECES] for name, cut in pieces.items() if cut}
    return found


def _texts(row: Any) -> list[tuple[str, str]]:
    return [
        ("label", row.title), ("description", readable("", row.about, READ)),
        ("raw_content", readable(row.type, row.raw_content, READ)),
        *((WIRE.get(name, name), getattr(row, name)[:READ]) for name in FROM_INDEX),
    ]  # fmt: skip


def _words(query: Query) -> tuple[frozenset[str], tuple[str, ...]]:
    """Return the words of a query, and the beginnings of words."""
    whole: set[str] = set()
    begun: set[str] = set()
    for group in query.wanted:
        for term in group:
            whole.update(term.words if term.kind != "prefix" else term.words[:-1])
            if term.kind == "prefix":
                begun.add(term.words[-1])
    return frozenset(whole), tuple(begun)


def pieces_of(text: str, whole: frozenset[str], begun: tuple[str, ...]) -> list[str]:
    """Return the pieces of one text around its matching words."""
    text = " ".join(text.split())
    spans = [m.span() for m in _WORD.finditer(text) if _matches(fold(m[0]), whole, begun)]
    pieces: list[str] = []
    while spans and len(pieces) < PIECES:
        start = max(0, spans[0][0] - AROUND)
        end = min(len(text), spans[0][1] + AROUND)
        inside = [s for s in spans if s[1] <= end]
        spans = spans[len(inside) :]
        pieces.append(_marked(text, start, end, inside))
    return pieces


def _matches(word: str, whole: frozenset[str], begun: tuple[str, ...]) -> bool:
    return word in whole or word.startswith(begun)


def _marked(text: str, start: int, end: int, spans: Sequence[tuple[int, int]]) -> str:
    parts: list[str] = ["…" if start else ""]
    place = start
    for first, last in spans:
        parts += [html.escape(text[place:first]), "<em>", html.escape(text[first:last]), "</em>"]
        place = last
    return "".join([*parts, html.escape(text[place:end]), "…" if end < len(text) else ""])
