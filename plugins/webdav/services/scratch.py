"""Files kept aside: helper files of programs, each seen by the user alone whose program wrote it.

Every function takes the Context of a unit of work that writes. Bytes are in the store like those of contents;
a row names them. What nobody touches any more is dropped by a job.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import String, cast, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from atrio.kernel.blobs import TemporaryBlob
from atrio.kernel.context import Context
from atrio.kernel.db.constraints import violates
from atrio.kernel.errors import RetryWork
from atrio.kernel.jobs import SECOND
from atrio.plugins.core_content.api import StoredBytes, name_key

from .. import queries
from ..errors import ScratchFull, TooLarge
from ..models import SCRATCH
from .properties import drop_properties

MOST = 10_000
"""How many files and folders one user keeps aside."""
PAGE = 500
NAME = "uq_webdav_scratch_name"
NAME_COLUMNS = ("user_id", "parent", "name_key")


def find(ctx: Context, parent: str, name: str) -> Any | None:
    """Return what the actor keeps aside under a name in the folder of this place."""
    return queries.ONE_SCRATCH.first(ctx, user_id=ctx.actor.id, parent=parent, name_key=name_key(name, ""))


def keep(
    ctx: Context, parent: str, name: str, source: TemporaryBlob | StoredBytes | None, media: str, *, limit: int,
    largest: int = 0,
) -> int:  # fmt: skip
    """Keep a file under a name, or with no source a folder, in place of what has the name; returns its id.

    ScratchFull beyond `limit` bytes or 10,000 things of one user, TooLarge beyond `largest` bytes.
    """
    size = 0 if source is None else source.size
    if largest and size > largest:
        raise TooLarge
    old = find(ctx, parent, name)
    _check_room(ctx, size - (0 if old is None else int(old.size)), limit)
    values: dict[str, Any] = {"digest": None, "size": size, "mimetype": media[:255], "modified": ctx.now}
    if isinstance(source, StoredBytes):
        values |= {"digest": source.digest, "mimetype": source.media[:255]}
    elif source is not None:
        values["digest"] = ctx.kernel.blobs.keep(ctx, source)
    if old is not None and not old.folder and source is not None:
        ctx.execute(
            update(SCRATCH).where(SCRATCH.c.scratch_id == old.scratch_id).values(version=old.version + 1, **values)
        )
        return int(old.scratch_id)
    if old is not None:
        drop(ctx, old.scratch_id)
    try:
        made: Any = ctx.execute(
            insert(SCRATCH),
            {
                "user_id": ctx.actor.id, "parent": parent, "name_key": name_key(name, ""), "name": name,
                "folder": int(source is None), "version": 1, "created": ctx.now, **values,
            },
        )  # fmt: skip
    except IntegrityError as error:
        if violates(error, NAME, NAME_COLUMNS):
            raise RetryWork from None
        raise
    return int(made.inserted_primary_key[0])


def _check_room(ctx: Context, more: int, limit: int) -> None:
    mine = SCRATCH.c.user_id == ctx.actor.id
    used: Any = ctx.execute(
        select(func.count(SCRATCH.c.scratch_id), func.coalesce(func.sum(SCRATCH.c.size), 0)).where(mine)
    ).one()
    if used[0] >= MOST or (more > 0 and int(used[1]) + more > limit):
        raise ScratchFull


def rename(ctx: Context, scratch_id: int, parent: str, name: str) -> None:
    """Give what is kept aside another name or folder; whatever had the name is dropped."""
    old = find(ctx, parent, name)
    if old is not None and old.scratch_id != scratch_id:
        drop(ctx, old.scratch_id)
    ctx.execute(
        update(SCRATCH)
        .where(SCRATCH.c.scratch_id == scratch_id, SCRATCH.c.user_id == ctx.actor.id)
        .values(parent=parent, name=name, name_key=name_key(name, ""), modified=ctx.now)
    )


def inside(ctx: Context, scratch_id: int) -> list[Any]:
    """Return what lies in a folder kept aside."""
    return queries.SCRATCHES.all(ctx, user_id=ctx.actor.id, parent=f"t{scratch_id}")


def drop(ctx: Context, scratch_id: int) -> None:
    """Delete what is kept aside, with everything in it."""
    _drop_all(ctx, [scratch_id])


def _drop_all(ctx: Context, ids: list[int]) -> None:
    while ids:
        page, rest = ids[:PAGE], ids[PAGE:]
        below = select(SCRATCH.c.scratch_id).where(SCRATCH.c.parent.in_([f"t{i}" for i in page]))
        rest += [int(i) for i in ctx.execute(below).scalars()]
        drop_properties(ctx, [f"scratch:{i}" for i in page])
        ctx.execute(delete(SCRATCH).where(SCRATCH.c.scratch_id.in_(page)))
        ids = rest


def drop_in(ctx: Context, places: list[str]) -> None:
    """Delete what anybody keeps aside in folders that are gone, by their places."""
    for start in range(0, len(places), PAGE):
        found = select(SCRATCH.c.scratch_id).where(SCRATCH.c.parent.in_(places[start : start + PAGE]))
        _drop_all(ctx, [int(i) for i in ctx.execute(found).scalars()])


def drop_old(ctx: Context, days: float) -> int:
    """Delete files that nobody has touched for so many days, and empty folders: a page; returns how many."""
    limit = ctx.now - int(days * 86400 * SECOND)
    child = SCRATCH.alias("child")
    filled = (
        select(child.c.scratch_id).where(child.c.parent == "t" + cast(SCRATCH.c.scratch_id, String(20))).exists()
    )
    old = (
        select(SCRATCH.c.scratch_id)
        .where(SCRATCH.c.modified < limit, (SCRATCH.c.folder == 0) | ~filled)
        .order_by(SCRATCH.c.modified)
        .limit(PAGE)
    )
    ids = [int(i) for i in ctx.execute(old).scalars()]
    _drop_all(ctx, list(ids))
    return len(ids)
