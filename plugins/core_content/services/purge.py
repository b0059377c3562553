"""Deletion for good of everything in a space."""

from __future__ import annotations

from sqlalchemy import delete, update

from atrio.kernel.context import Context

from ..models import CONTENT


def empty_space(ctx: Context, space_id: int) -> None:
    """Delete the contents of a space with their revisions.

    The tree is taken apart first: MariaDB follows a cascade inside one table through fifteen levels only.
    """
    ctx.execute(update(CONTENT).where(CONTENT.c.space_id == space_id).values(parent_id=None))
    ctx.execute(delete(CONTENT).where(CONTENT.c.space_id == space_id))
