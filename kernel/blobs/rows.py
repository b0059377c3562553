"""The rows of stored bytes: who may name a blob, and who may delete its bytes.

A row says that the bytes are in the store. One whose size is DOOMED is no blob but a claim: its bytes are being
deleted from a store that is elsewhere, where no file can be held in the hand meanwhile. Both are rows with the
same key, so the database lets only one of them be.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import BigInteger, bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from ..db.base import Base, Timestamp, exact
from ..db.statement import Write
from ..errors import BlobsUnavailable, RetryWork

if TYPE_CHECKING:
    from ..context import Context

DOOMED = -1


class Blob(Base):
    """A blob whose bytes are in the store; `created` is when they were stored last, the first time or again."""

    __tablename__ = "kernel_blob"

    digest: Mapped[str] = mapped_column(exact(64), primary_key=True)
    size: Mapped[int] = mapped_column(BigInteger)
    created: Mapped[int] = mapped_column(Timestamp)


FRESHEN = (
    update(Blob)
    .where(Blob.digest == bindparam("named", type_=exact(64)), Blob.size >= 0)
    .values(created=bindparam("now", type_=BigInteger))
)
_FRESHEN = Write(FRESHEN)
_INSERT = Write(insert(Base.metadata.tables["kernel_blob"]))


def freshen(ctx: Context, digest: str) -> bool:
    """Note that bytes are stored again, and tell whether they had a row.

    Not only looked at: whoever collects unused blobs waits for this unit, or is seen to have been first.
    """
    return _FRESHEN.run(ctx, {"named": digest, "now": ctx.now}) == 1


def write_row(ctx: Context, digest: str, size: int, *, dead_before: int) -> bool:
    """Write the row of new bytes; False where a claim from before a moment had to give way, so they may be gone.

    BlobsUnavailable while another process is deleting these very bytes.
    """
    try:
        with ctx.savepoint():
            _INSERT.run(ctx, {"digest": digest, "size": size, "created": ctx.now})
    except IntegrityError:
        pass
    else:
        return True
    found = ctx.execute(select(Blob.size, Blob.created).where(Blob.digest == digest).with_for_update()).first()
    if found is None:
        raise RetryWork
    if found.size != DOOMED:
        return True  # another unit stored the same bytes at this moment
    if found.created > dead_before:
        raise BlobsUnavailable("equal bytes are being deleted", retry_after=60)
    ctx.execute(update(Blob).where(Blob.digest == digest, Blob.size == DOOMED).values(size=size, created=ctx.now))
    return False
