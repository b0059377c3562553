"""What the texts of contents, people and spaces are, as the index holds them: reads and computes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import func, select

from atrio.kernel.context import Context
from atrio.plugins.accounts.api import account_texts
from atrio.plugins.core_content.api import CONTENT, REVISION
from atrio.plugins.spaces.api import SPACE_TABLE as SPACE

from .config import SearchConfig
from .engines.conditions import PARTS
from .engines.wordlists import as_words
from .folding import fold, joined, plain, readable
from .searchables import texts_of

DEPTH = 1000
MARKUP = 8
"""Characters of markup that are read for each character of text."""


def own_texts(
    ctx: Context, content_type: str, label: str, extension: str, description: str, raw_content: str
) -> dict[str, str]:  # fmt: skip
    """Return the columns that come from a content's own revision."""
    limit = ctx.config[SearchConfig].text_limit
    return {
        "label": fold(label),
        "filename": fold(f"{label}{extension}"),
        "description": fold(plain(description[: limit * MARKUP])[:limit]),
        "body": fold(readable(content_type, raw_content, limit)),
    }


def whole_texts(ctx: Context, content_ids: Sequence[int]) -> list[dict[str, Any]]:
    """Return the rows of `search_text` as they should be, the text of files left out: three statements.

    Ids that are gone, or of comments and to-dos, are left out.
    """
    if not content_ids:
        return []
    limit = ctx.config[SearchConfig].text_limit
    rows: Any = ctx.execute(
        select(
            CONTENT.c.content_id, CONTENT.c.type, REVISION.c.revision_id, REVISION.c.label.label("title"),
            REVISION.c.file_extension, func.substr(REVISION.c.description, 1, limit * MARKUP).label("about"),
            func.substr(REVISION.c.raw_content, 1, limit * MARKUP).label("raw"),
        )
        .join(REVISION, REVISION.c.revision_id == CONTENT.c.current_revision_id)
        .where(CONTENT.c.content_id.in_(content_ids), CONTENT.c.type.not_in(PARTS))
        .order_by(CONTENT.c.content_id)
    ).all()  # fmt: skip
    ids = [row.content_id for row in rows]
    parts = _parts(ctx, ids, limit)
    added = texts_of(ctx, ids) if ids else {}
    return [
        {
            "content_id": row.content_id, "revision_id": row.revision_id,
            **own_texts(ctx, row.type, row.title, row.file_extension, row.about, row.raw),
            **added_texts(added[row.content_id], limit),
            "comments": joined(parts.get((row.content_id, "comment"), ()), limit),
            "todos": joined(parts.get((row.content_id, "todo"), ()), limit),
        }
        for row in rows
    ]  # fmt: skip


def added_texts(added: tuple[list[str], list[str]], limit: int) -> dict[str, str]:
    """Return the columns that come from other plugins."""
    return {"tags": joined(added[0], limit), "more": joined(added[1], limit)}


def _parts(ctx: Context, content_ids: Sequence[int], limit: int) -> dict[tuple[int, str], list[str]]:
    """Return the texts of the comments and to-dos of some contents, by content and type, oldest first."""
    if not content_ids:
        return {}
    alive = CONTENT.c.trashed_at.is_(None), CONTENT.c.archived_at.is_(None), CONTENT.c.type.in_(PARTS)
    down = (
        select(CONTENT.c.parent_id.label("root_id"), CONTENT.c.content_id, CONTENT.c.type)
        .where(CONTENT.c.parent_id.in_(content_ids), *alive)
        .cte("down", recursive=True)
    )
    down = down.union_all(
        select(down.c.root_id, CONTENT.c.content_id, CONTENT.c.type)
        .join(down, CONTENT.c.parent_id == down.c.content_id)
        .where(*alive)
    )
    part = CONTENT.alias("part")
    query = (
        select(down.c.root_id, down.c.type, func.substr(REVISION.c.raw_content, 1, limit).label("raw"))
        .select_from(down)
        .join(part, part.c.content_id == down.c.content_id)
        .join(REVISION, REVISION.c.revision_id == part.c.current_revision_id)
        .order_by(down.c.root_id, down.c.content_id)
    )
    found: dict[tuple[int, str], list[str]] = {}
    rows: Any = ctx.execute(query)
    for root_id, kind, raw in rows:
        found.setdefault((root_id, kind), []).append(plain(raw))
    return found


def people_words(ctx: Context, user_ids: Sequence[int]) -> list[dict[str, Any]]:
    """Return the rows of `search_person` as they should be."""
    return [
        {
            "user_id": row.user_id, "public_name": as_words(row.public_name),
            "username": as_words(row.username or ""), "custom_properties": as_words(_values(row.document)),
        }
        for row in account_texts(ctx, user_ids)
    ]  # fmt: skip


def _values(document: str | None) -> str:
    """Return what stands in a document of custom properties."""
    found: list[str] = []
    waiting: list[Any] = [msgspec.json.decode(document)] if document else []
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting.extend(reversed(value.values()))
        elif isinstance(value, list):
            waiting.extend(reversed(value))
        elif isinstance(value, str | int | float) and not isinstance(value, bool):
            found.append(plain(str(value)))
    return " ".join(found)


def place_words(ctx: Context, space_ids: Sequence[int]) -> list[dict[str, Any]]:
    """Return the rows of `search_place` as they should be."""
    rows = ctx.execute(
        select(SPACE.c.space_id, SPACE.c.label.label("title"), SPACE.c.description.label("about"))
        .where(SPACE.c.space_id.in_(space_ids))
        .order_by(SPACE.c.space_id)
    ).all()
    limit = ctx.config[SearchConfig].text_limit
    return [
        {
            "space_id": row.space_id, "label": as_words(row.title),
            "description": as_words(plain(row.about[: limit * MARKUP])[:limit]),
        }
        for row in rows
    ]  # fmt: skip


def wholes_of(ctx: Context, content_ids: Sequence[int]) -> dict[int, int | None]:
    """Return the content that each of some ids is found as: itself, or what it is a part of; None: it is gone."""
    found: dict[int, int | None] = dict.fromkeys(content_ids)
    up = (
        select(
            CONTENT.c.content_id.label("start_id"), CONTENT.c.content_id, CONTENT.c.parent_id, CONTENT.c.type,
        )
        .where(CONTENT.c.content_id.in_(content_ids))
        .cte("up", recursive=True)
    )  # fmt: skip
    parent = CONTENT.alias("whole")
    up = up.union_all(
        select(up.c.start_id, parent.c.content_id, parent.c.parent_id, parent.c.type)
        .join(up, up.c.parent_id == parent.c.content_id)
        .where(up.c.type.in_(PARTS))
    )
    rows: Any = ctx.execute(select(up.c.start_id, up.c.content_id).where(up.c.type.not_in(PARTS)))
    found.update((row[0], row[1]) for row in rows)
    return found
