"""Reads: which files have no text yet, and what is known of their bytes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import and_, bindparam, func, or_, select

from atrio.kernel.context import Context
from atrio.kernel.db.statement import Statement
from atrio.plugins.core_content.api import CONTENT, REVISION

from ..models import TEXT
from .models import EXTRACT, FILE

_FILES = (
    CONTENT.join(REVISION, REVISION.c.revision_id == CONTENT.c.current_revision_id)
    .join(TEXT, TEXT.c.content_id == CONTENT.c.content_id)
    .outerjoin(FILE, FILE.c.content_id == CONTENT.c.content_id)
    .outerjoin(EXTRACT, EXTRACT.c.bytes_digest == REVISION.c.digest)
)
CURRENT = Statement(
    select(
        CONTENT.c.content_id, CONTENT.c.filename, REVISION.c.digest, REVISION.c.mimetype,
        FILE.c.bytes_digest.label("noted"), EXTRACT.c.outcome, EXTRACT.c.version, EXTRACT.c.truncated,
    )
    .select_from(_FILES)
    .where(CONTENT.c.content_id == bindparam("content_id"), REVISION.c.digest.is_not(None)),
    "FileRow",
)  # fmt: skip
"""A file that is found, its bytes, the bytes of its text, and what is known of the former."""
SAME_BYTES = Statement(
    select(TEXT.c.file)
    .join(FILE, FILE.c.content_id == TEXT.c.content_id)
    .where(FILE.c.bytes_digest == bindparam("digest"))
    .limit(1),
    "TextRow",
)
_WHOLE = (EXTRACT.c.outcome == "read") & (EXTRACT.c.truncated == 0)
_MISSING = (
    select(CONTENT.c.content_id)
    .select_from(_FILES)
    .where(
        REVISION.c.digest.is_not(None),
        or_(
            FILE.c.bytes_digest.is_(None),
            FILE.c.bytes_digest != REVISION.c.digest,
            and_(EXTRACT.c.version != bindparam("version"), ~_WHOLE),
        ),
    )
)  # fmt: skip
MISSING = Statement(
    _MISSING.where(CONTENT.c.content_id > bindparam("after")).order_by(CONTENT.c.content_id).limit(20), "IdRow"
)
"""Files after an id whose text is missing, of other bytes, or was refused by other extractors or limits."""


def lacks_text(ctx: Context, content_ids: Sequence[int]) -> bool:
    """Tell whether some of these are files whose text was not read yet."""
    query = (
        select(CONTENT.c.content_id)
        .select_from(_FILES)
        .where(
            CONTENT.c.content_id.in_(content_ids), REVISION.c.digest.is_not(None),
            or_(FILE.c.bytes_digest.is_(None), FILE.c.bytes_digest != REVISION.c.digest),
        )
        .limit(1)
    )  # fmt: skip
    return ctx.execute(query).first() is not None


def outcomes(ctx: Context) -> list[Any]:
    """Return how many different files were read, by what came of it."""
    query = select(EXTRACT.c.outcome, func.count().label("number"), func.sum(EXTRACT.c.length).label("characters"))
    return list(ctx.execute(query.group_by(EXTRACT.c.outcome).order_by(EXTRACT.c.outcome)).all())


def failures(ctx: Context, limit: int) -> list[Any]:
    """Return files that could not be read, or not to their end, with the reason; the newest first."""
    query = (
        select(FILE.c.content_id, CONTENT.c.filename, EXTRACT.c.outcome, EXTRACT.c.detail)
        .join(EXTRACT, EXTRACT.c.bytes_digest == FILE.c.bytes_digest)
        .join(CONTENT, CONTENT.c.content_id == FILE.c.content_id)
        .where(or_(EXTRACT.c.outcome.in_(["failed", "too_large"]), EXTRACT.c.detail != ""))
        .order_by(FILE.c.content_id.desc())
        .limit(limit)
    )
    return list(ctx.execute(query).all())
