"""What hung on things that are gone for good: found by what is missing, in as few statements for any number."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, String, case, cast, delete, func, literal, select

from atrio.kernel.context import Context
from atrio.plugins.core_content.api import CONTENT

from ..models import PROPERTY, SCRATCH


def _number(column: Any, prefix: str) -> Any:
    """Return the number behind a prefix, NULL for what begins otherwise."""
    rest = func.substr(column, len(prefix) + 1)
    return case((column.like(f"{prefix}%"), cast(rest, BigInteger)), else_=None)


def _gone(column: Any, prefix: str, there: Any) -> Any:
    number = _number(column, prefix)
    return column.like(f"{prefix}%") & ~select(literal(1)).where(there == number).exists()


def drop_orphans(ctx: Context) -> None:
    """Delete properties of contents that are gone, helper files in them, and what lay in those."""
    inner = SCRATCH.alias("inner_scratch")
    ctx.execute(delete(PROPERTY).where(_gone(PROPERTY.c.resource, "content:", CONTENT.c.content_id)))
    ctx.execute(delete(SCRATCH).where(_gone(SCRATCH.c.parent, "c", CONTENT.c.content_id)))
    left = select(("t" + cast(inner.c.scratch_id, String(20))).label("place")).subquery()
    for _ in range(2):  # one level each; deeper ones go with the next run
        orphans = SCRATCH.c.parent.like("t%") & SCRATCH.c.parent.not_in(select(left.c.place))
        ctx.execute(delete(SCRATCH).where(orphans))
    ctx.execute(delete(PROPERTY).where(_gone(PROPERTY.c.resource, "scratch:", SCRATCH.c.scratch_id)))
