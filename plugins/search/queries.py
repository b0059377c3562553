"""Reads of search: contents, people and spaces as results show them, and what waits for the index."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from sqlalchemy import BigInteger, Integer, bindparam, case, func, literal, literal_column, select, type_coerce

from atrio.kernel.context import Context
from atrio.kernel.db.order import byte_length
from atrio.kernel.db.statement import Statement, row_type
from atrio.plugins.accounts.api import digest_columns
from atrio.plugins.core_content.api import CONTENT, REVISION, VISIBLE, digest_query
from atrio.plugins.spaces.api import MEMBER, member_space_ids, short_columns
from atrio.plugins.spaces.api import SPACE_TABLE as SPACE

from .engines import Kind
from .engines.people import newest_of
from .models import STALE

DEPTH = 1000
SIZES = (1, 10, 30, 100, 300, 1000)
"""Numbers of ids for which statements are kept; fewer ids are filled up with the last one."""
_space, _space_is, _space_columns = short_columns(CONTENT.c.space_id, "workspace")


def _count_of(kind: str, dialect: str) -> Any:
    part = CONTENT.alias(f"{kind}_part")
    below: Any = part.c.parent_id == CONTENT.c.content_id
    if dialect == "sqlite":  # where nearly all contents lie at the root, statistics speak against the index
        below = func.likelihood(below, literal_column("0.0001"))
    return (
        select(func.count())
        .select_from(part)
        .where(
            below, part.c.type == kind, part.c.trashed_at.is_(None),
            part.c.archived_at.is_(None),
        )
        .correlate(CONTENT)
        .scalar_subquery()
        .label(f"{kind}_count")
    )  # fmt: skip


EXTRA = (
    *_space_columns,
    type_coerce(case((VISIBLE, 1), else_=0), Integer).label("is_active"),
    func.coalesce(REVISION.c.size, byte_length(REVISION.c.raw_content)).label("content_size"),
)


def _ids(size: int) -> list[Any]:
    return [bindparam(f"id_{i}", type_=BigInteger) for i in range(size)]


def _shown(ctx: Context, size: int) -> Any:
    return (
        digest_query(ctx)
        .add_columns(*EXTRA, _count_of("comment", ctx.dialect), _count_of("todo", ctx.dialect))
        .join(_space, _space_is)
        .join(REVISION, REVISION.c.revision_id == CONTENT.c.current_revision_id)
        .where(CONTENT.c.content_id.in_(_ids(size)))
    )


def _of_ids(ctx: Context, name: str, build: Callable[[Context, int], Any], ids: Sequence[int]) -> list[Any]:
    """Return the rows of some ids by a statement that is built once for a few sizes: one for each 1,000 ids."""
    found: list[Any] = []
    for start in range(0, len(ids), SIZES[-1]):
        part = ids[start : start + SIZES[-1]]
        size = next(s for s in SIZES if s >= len(part))
        made = ctx.kernel.memo((name, size), partial(_statement, ctx, build, size))
        filled = [*part, *[part[-1]] * (size - len(part))]
        found += made.all(ctx, **{f"id_{i}": value for i, value in enumerate(filled)})
    return found


def _statement(ctx: Context, build: Callable[[Context, int], Any], size: int) -> Statement:
    return Statement(build(ctx, size), "HitRow")


def contents_of(ctx: Context, hits: Sequence[Any]) -> list[Any]:
    """Return the contents of some hits, in their order, with score and path: two statements for each 1,000."""
    if not hits:
        return []
    rows = _of_ids(ctx, "search.shown", _shown, [hit.id for hit in hits])
    if not rows:
        return []
    keys = rows[0]._fields
    found: Any = {row.content_id: row for row in rows}
    paths = paths_of(ctx, list(found))
    make = ctx.kernel.memo("search.row", lambda: row_type("HitRow", (*keys, "score", "path", "highlights")))
    return [
        make(*found[hit.id], hit.score, paths[hit.id], hit.highlights) for hit in hits if hit.id in found
    ]  # fmt: skip


class Newest:
    """Pages of the contents that meet a condition, newest first, with the number of all.

    One statement; a second one counts where a page is empty. Counting beside the rows takes one pass over the
    hits, two statements would take two.
    """

    def __init__(self, wanted: Any) -> None:
        order = (CONTENT.c.modified.desc(), CONTENT.c.current_revision_id.desc(), CONTENT.c.content_id.desc())
        page = select(CONTENT.c.content_id, func.count().over().label("total")).where(wanted).order_by(*order)
        limit, offset = (bindparam(name, type_=BigInteger) for name in ("limit", "offset"))
        self.page = Statement(page.limit(limit).offset(offset), "IdRow")
        self.count = Statement(select(func.count().label("n")).select_from(CONTENT).where(wanted), "CountRow")

    def read(self, ctx: Context, values: Mapping[str, Any]) -> tuple[list[int], int]:
        """Return the ids of one page and the number of all."""
        rows = self.page.all(ctx, **values) if values["limit"] else []
        if rows:
            return [row.content_id for row in rows], int(rows[0].total)
        return [], int(self.count.value(ctx, **values))


def _ways(_ctx: Context, size: int) -> Any:
    """Return the SELECT of all steps from the root to some contents, themselves included."""
    up = (
        select(
            CONTENT.c.content_id.label("start_id"),
            CONTENT.c.content_id,
            CONTENT.c.parent_id,
            literal_column("0").label("depth"),
        )
        .where(CONTENT.c.content_id.in_(_ids(size)))
        .cte("way", recursive=True)
    )
    parent = CONTENT.alias("above")
    up = up.union_all(
        select(up.c.start_id, parent.c.content_id, parent.c.parent_id, up.c.depth + literal_column("1"))
        .join(up, up.c.parent_id == parent.c.content_id)
        .where(up.c.depth < literal_column(str(DEPTH)))
    )
    step = CONTENT.alias("step")
    return (
        select(up.c.start_id, step.c.content_id, step.c.label, step.c.slug, step.c.type)
        .join(step, step.c.content_id == up.c.content_id)
        .order_by(up.c.start_id, up.c.depth.desc())
    )


def paths_of(ctx: Context, content_ids: Sequence[int]) -> dict[int, list[dict[str, Any]]]:
    """Return the way from the root to each of these contents, itself included: one statement for each 1,000."""
    found: dict[int, list[dict[str, Any]]] = {content_id: [] for content_id in content_ids}
    for start_id, content_id, label, slug, kind in _of_ids(ctx, "search.ways", _ways, content_ids):
        found[start_id].append({"content_id": content_id, "label": label, "slug": slug, "content_type": kind})
    return found


# -- people and spaces ---------------------------------------------------------------------------------------

_user, _, _user_columns = digest_columns(literal(0), "shown")
DIGEST = tuple(
    getattr(_user, name).label(name) for name in ("user_id", "public_name", "username", "has_cover", "is_active")
)
PersonRow = row_type("PersonRow", (*(c.key for c in DIGEST), "newest_authored_content_date", "workspace_ids"))


def digests_of(ctx: Context, user_ids: Sequence[int]) -> dict[int, Any]:
    """Return what everybody may see of some users, by id."""
    if not user_ids:
        return {}
    rows: Any = ctx.execute(select(*DIGEST).where(_user.user_id.in_(user_ids)))
    return {row.user_id: row for row in rows}


def people_of(ctx: Context, hits: Sequence[Any], actor_id: int) -> list[Any]:
    """Return the people of some hits, in their order, with the spaces shared with the actor: two statements."""
    ids = [hit.id for hit in hits]
    if not ids:
        return []
    query = select(*DIGEST, newest_of(_user.user_id, actor_id).label("newest")).where(_user.user_id.in_(ids))
    found: Any = {row.user_id: row for row in ctx.execute(query)}
    shared: dict[int, list[int]] = {}
    pairs: Any = ctx.execute(
        select(MEMBER.c.user_id, MEMBER.c.space_id)
        .where(MEMBER.c.user_id.in_(ids), MEMBER.c.space_id.in_(member_space_ids(actor_id)))
        .order_by(MEMBER.c.user_id, MEMBER.c.space_id)
    )
    for user_id, space_id in pairs:
        shared.setdefault(user_id, []).append(space_id)
    return [PersonRow(*found[i], shared.get(i, [])) for i in ids if i in found]


PLACE_COLUMNS = (
    SPACE.c.space_id.label("workspace_id"), SPACE.c.label.label("label"), SPACE.c.slug.label("slug"),
    SPACE.c.access_type, SPACE.c.deleted_at,
)  # fmt: skip


def places_of(ctx: Context, space_ids: Sequence[int], actor_id: int) -> dict[int, Any]:
    """Return some spaces by id, with their numbers of members and, for members, of contents."""
    if not space_ids:
        return {}
    members = select(func.count()).where(MEMBER.c.space_id == SPACE.c.space_id).correlate(SPACE)
    own = select(MEMBER.c.space_id).where(MEMBER.c.space_id == SPACE.c.space_id, MEMBER.c.user_id == actor_id)
    contents = (
        select(func.count())
        .where(
            CONTENT.c.space_id == SPACE.c.space_id, VISIBLE, CONTENT.c.type.not_in(["comment", "todo"]),
            own.correlate(SPACE).exists(),
        )
        .correlate(SPACE)
    )  # fmt: skip
    rows: Any = ctx.execute(
        select(
            *PLACE_COLUMNS, members.scalar_subquery().label("member_count"),
            contents.scalar_subquery().label("content_count"),
        ).where(SPACE.c.space_id.in_(space_ids))
    )  # fmt: skip
    return {row.workspace_id: row for row in rows}


# -- what waits ----------------------------------------------------------------------------------------------

WAITING = Statement(
    select(STALE.c.number).where(STALE.c.kind == bindparam("kind"), STALE.c.item_id == bindparam("item_id")),
    "WaitingRow",
)
_IDS = {
    "content": (CONTENT.c.content_id, CONTENT.c.type.not_in(["comment", "todo"])),
    "user": (_user.user_id, literal(1) == literal(1)),
    "space": (SPACE.c.space_id, literal(1) == literal(1)),
}


def waiting(ctx: Context, limit: int) -> list[Any]:
    """Return the first of what waits, by kind and id."""
    return list(ctx.execute(select(STALE).order_by(STALE.c.kind, STALE.c.item_id).limit(limit)).all())


def next_ids(ctx: Context, kind: Kind, after: int, limit: int) -> list[int]:
    """Return the next ids of a kind after one, in order."""
    key, condition = _IDS[kind]
    return list(ctx.execute(select(key).where(key > after, condition).order_by(key).limit(limit)).scalars())


def count_of(ctx: Context, kind: Kind) -> int:
    """Return how many things of a kind there are."""
    key, condition = _IDS[kind]
    return int(ctx.execute(select(func.count(key)).where(condition)).scalar() or 0)


def number_waiting(ctx: Context) -> int:
    """Return how many things wait for the index."""
    return int(ctx.execute(select(func.count()).select_from(STALE)).scalar() or 0)
