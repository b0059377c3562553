"""Where the texts that are looked through differ from what they were made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import and_, or_, select

from atrio.kernel.context import Context
from atrio.kernel.db.order import by_code_point
from atrio.plugins.core_content.api import CONTENT, REVISION

from . import projection
from .engines.conditions import PARTS
from .models import PERSON, PLACE, TEXT

COMPARED = ("label", "file_extension", "description", "raw_content")


def stale_ids(ctx: Context, after: int, limit: int) -> list[int]:
    """Return contents after an id whose texts are missing, or were made of a revision that says something else.

    Quick: most rows are settled by comparing two numbers. What comments, to-dos and tags say is not looked at.
    """
    then = REVISION.alias("then")
    differs = or_(
        then.c.revision_id.is_(None),
        *(by_code_point(then.c[name]) != by_code_point(REVISION.c[name]) for name in COMPARED),
    )
    query = (
        select(CONTENT.c.content_id)
        .join(REVISION, REVISION.c.revision_id == CONTENT.c.current_revision_id)
        .outerjoin(TEXT, TEXT.c.content_id == CONTENT.c.content_id)
        .outerjoin(then, then.c.revision_id == TEXT.c.revision_id)
        .where(
            CONTENT.c.content_id > after, CONTENT.c.type.not_in(PARTS),
            or_(
                TEXT.c.content_id.is_(None),
                and_(TEXT.c.revision_id != CONTENT.c.current_revision_id, differs),
            ),
        )
        .order_by(CONTENT.c.content_id)
        .limit(limit)
    )  # fmt: skip
    return list(ctx.execute(query).scalars())


def different(ctx: Context, content_ids: Sequence[int]) -> list[int]:
    """Return which of some contents have other texts than they should have; every text is made and compared."""
    stored: Any = {
        row.content_id: row for row in ctx.execute(select(TEXT).where(TEXT.c.content_id.in_(content_ids)))
    }
    wanted = [{k: v for k, v in r.items() if k != "revision_id"} for r in projection.whole_texts(ctx, content_ids)]
    return _unlike(stored, wanted, "content_id")


def different_people(ctx: Context, user_ids: Sequence[int]) -> list[int]:
    """Return which of some accounts have other words than they should have."""
    stored: Any = {r.user_id: r for r in ctx.execute(select(PERSON).where(PERSON.c.user_id.in_(user_ids)))}
    return _unlike(stored, projection.people_words(ctx, user_ids), "user_id")


def different_places(ctx: Context, space_ids: Sequence[int]) -> list[int]:
    """Return which of some spaces have other words than they should have."""
    stored: Any = {r.space_id: r for r in ctx.execute(select(PLACE).where(PLACE.c.space_id.in_(space_ids)))}
    return _unlike(stored, projection.place_words(ctx, space_ids), "space_id")


def _unlike(stored: Mapping[int, Any], wanted: Sequence[Mapping[str, Any]], key: str) -> list[int]:
    return [
        row[key] for row in wanted
        if (kept := stored.get(row[key])) is None or any(getattr(kept, n) != v for n, v in row.items())
    ]  # fmt: skip


DIFFERENT = {"content": different, "user": different_people, "space": different_places}
