"""Reads of resumable."""

from __future__ import annotations

from sqlalchemy import bindparam, func, select

from atrio.kernel.db.statement import Statement

from .models import UPLOAD

OWN = Statement(
    select(UPLOAD).where(
        UPLOAD.c.token == bindparam("token"), UPLOAD.c.owner_id == bindparam("owner_id"),
        UPLOAD.c.space_id == bindparam("space_id"),
    ),
    "UploadRow",
)  # fmt: skip
"""One upload of a user, whatever became of it."""

OPEN = Statement(
    select(UPLOAD)
    .where(
        UPLOAD.c.owner_id == bindparam("owner_id"), UPLOAD.c.space_id == bindparam("space_id"),
        UPLOAD.c.finished.is_(None),
    )
    .order_by(UPLOAD.c.upload_id),
    "UploadRow",
)  # fmt: skip
"""What a user has begun in a space."""

USAGE = Statement(
    select(func.count().label("number"), func.coalesce(func.sum(UPLOAD.c.length), 0).label("size")).where(
        UPLOAD.c.owner_id == bindparam("owner_id"), UPLOAD.c.finished.is_(None)
    ),
    "UsageRow",
)
"""How many uploads a user has begun anywhere, and the bytes they announce."""

EXPIRED = Statement(
    select(UPLOAD.c.upload_id, UPLOAD.c.token, UPLOAD.c.expires)
    .where(UPLOAD.c.expires < bindparam("now"), UPLOAD.c.upload_id > bindparam("after"))
    .order_by(UPLOAD.c.upload_id)
    .limit(500),
    "ExpiredRow",
)
"""A page of uploads whose time is over."""
