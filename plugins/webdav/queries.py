"""Reads of the drive beyond what core_content offers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, String, and_, bindparam, cast, literal, or_, select, union_all

from atrio.kernel.context import Context
from atrio.kernel.db.statement import Statement
from atrio.plugins.accounts.api import digest_columns
from atrio.plugins.core_content.api import CONTENT, REVISION, drive_walk, path_query, with_steps

from .models import ABSENT, HEAD, LOCK, PROPERTY, SCRATCH, Absence
from .nodes import Node
from .services.locks import Lock, canonical, path_key

_author, _author_is, _columns = digest_columns(CONTENT.c.author_id, "author")
_said = (
    select(
        CONTENT.c.content_id, CONTENT.c.parent_id, CONTENT.c.created, REVISION.c.raw_content,
        _author.public_name.label("author"),
    )
    .join(REVISION, REVISION.c.revision_id == CONTENT.c.current_revision_id)
    .outerjoin(_author, _author_is)
    .where(CONTENT.c.type == "comment", CONTENT.c.trashed_at.is_(None))
    .order_by(CONTENT.c.content_id)
)  # fmt: skip
COMMENTS = Statement(_said.where(CONTENT.c.parent_id == bindparam("content_id")), "ThreadComment")
_threads = CONTENT.alias("thread")
COMMENTS_IN = Statement(
    _said.join(_threads, _threads.c.content_id == CONTENT.c.parent_id).where(
        _threads.c.space_id == bindparam("space_id"), _threads.c.parent_key == bindparam("parent_key"),
        _threads.c.type == "thread", _threads.c.name_key.is_not(None),
    ),
    "ThreadComment",
)  # fmt: skip

SCRATCH_COLUMNS = (
    SCRATCH.c.scratch_id, SCRATCH.c.parent, SCRATCH.c.name, SCRATCH.c.folder, SCRATCH.c.digest, SCRATCH.c.size,
    SCRATCH.c.mimetype, SCRATCH.c.created, SCRATCH.c.modified, SCRATCH.c.version,
)  # fmt: skip
_mine = (SCRATCH.c.user_id == bindparam("user_id"), SCRATCH.c.parent == bindparam("parent"))
ONE_SCRATCH = Statement(
    select(*SCRATCH_COLUMNS).where(*_mine, SCRATCH.c.name_key == bindparam("name_key")), "Scratch"
)
"""What a user keeps aside under this name."""
SCRATCHES = Statement(select(*SCRATCH_COLUMNS).where(*_mine).order_by(SCRATCH.c.scratch_id), "Scratch")
"""What a user keeps aside in a folder."""

_absent = (
    ABSENT.c.user_id == bindparam("user_id"), ABSENT.c.parent == bindparam("parent"),
    ABSENT.c.since >= bindparam("since"),
)  # fmt: skip
ABSENCE = Statement(
    select(ABSENT.c.content_id, ABSENT.c.kind).where(*_absent, ABSENT.c.name_key == bindparam("name_key")),
    "Absence",
)
"""What a user took away from this name a moment ago."""


@cache
def _path(length: int) -> Statement:
    """Return the statement that follows so many names and tells whether the user hid what is at their end."""
    query, steps = path_query(length)
    last = steps[-1]
    parent = bindparam("place") if length == 1 else literal("c") + cast(steps[-2].content_id, String(20))
    hidden = and_(
        ABSENT.c.user_id == bindparam("user_id"), ABSENT.c.parent == parent, ABSENT.c.name_key == last.name_key,
        ABSENT.c.since >= bindparam("since", type_=BigInteger), ABSENT.c.kind == int(Absence.HIDDEN),
        ABSENT.c.content_id == last.content_id,
    )  # fmt: skip
    query = query.outerjoin(ABSENT, hidden).add_columns(ABSENT.c.kind.label("hidden"))
    return Statement(with_steps(query, steps), "DavStep")


def walk(
    ctx: Context, user_id: int, space_id: int, parent_id: int | None, names: Sequence[str], *, since: int
) -> list[Any] | None:  # fmt: skip
    """Follow names as `drive_walk` does; the row of the last tells by `hidden` whether the user hid that file."""

    def step(length: int, bound: dict[str, Any]) -> Any | None:
        parent = bound["parent_key"]
        place = f"c{parent}" if parent else f"s{space_id}"
        return _path(length).first(ctx, **bound, place=place, user_id=user_id, since=since)

    return drive_walk(ctx, space_id, parent_id, names, step)


_none, _zero = literal("", String), literal(0)
_of_place = select(
    literal("lock").label("what"), LOCK.c.path.label("a"), LOCK.c.token.label("b"), LOCK.c.owner.label("c"),
    LOCK.c.principal.label("d"), LOCK.c.deep.label("e"), LOCK.c.exclusive.label("f"), LOCK.c.expires.label("g"),
    _zero.label("h"), _zero.label("i"), _zero.label("j"),
)  # fmt: skip
_valid = LOCK.c.expires > bindparam("now")
_locks = _of_place.where(
    _valid,
    or_(
        LOCK.c.path_key == bindparam("self_key"),
        and_(LOCK.c.head >= bindparam("low"), LOCK.c.head < bindparam("high")),
    ),
)  # fmt: skip


def _properties(source: Any) -> Any:
    return select(
        literal("property"),
        PROPERTY.c.resource,
        PROPERTY.c.name,
        PROPERTY.c.value,
        _none,
        *[_zero] * 6,
    ).select_from(source)


def _named(kind: str, column: Any) -> Any:
    return PROPERTY.c.resource == literal(kind + ":") + cast(column, String(20))


_of_self = _properties(PROPERTY).where(PROPERTY.c.resource == bindparam("resource"))
_of_contents = _properties(CONTENT.join(PROPERTY, _named("content", CONTENT.c.content_id))).where(
    CONTENT.c.space_id == bindparam("space_id"), CONTENT.c.parent_key == bindparam("parent_key"),
    CONTENT.c.namespace == "content", CONTENT.c.name_key.is_not(None),
)  # fmt: skip
_of_scratches = _properties(SCRATCH.join(PROPERTY, _named("scratch", SCRATCH.c.scratch_id))).where(*_mine)
_scratches = select(
    literal("scratch"), SCRATCH.c.name, SCRATCH.c.digest, SCRATCH.c.mimetype, SCRATCH.c.parent,
    SCRATCH.c.scratch_id, SCRATCH.c.folder, SCRATCH.c.size, SCRATCH.c.version, SCRATCH.c.created,
    SCRATCH.c.modified,
).where(*_mine)  # fmt: skip
_hidden = select(
    literal("hidden"), ABSENT.c.name_key, _none, _none, _none, ABSENT.c.content_id, *[_zero] * 5
).where(*_absent, ABSENT.c.kind == int(Absence.HIDDEN))
AROUND = Statement(union_all(_locks, _of_self, _of_contents, _of_scratches, _scratches, _hidden), "AroundRow")
"""All that the drive itself knows of a place and what lies in it: locks, properties, what is kept aside."""
SELF = Statement(
    union_all(_of_place.where(_valid, LOCK.c.path_key == bindparam("self_key")), _of_self), "AroundRow"
)
"""What it knows of a place alone: locks and properties."""


@dataclass
class Around:
    """What AROUND found: locks by the key of their root, properties by resource, rows kept aside, hidden ids."""

    locks: dict[str, list[Lock]] = field(default_factory=dict)
    properties: dict[str, dict[str, str]] = field(default_factory=dict)
    scratches: list[Any] = field(default_factory=list)
    hidden: set[int] = field(default_factory=set)


def around(ctx: Context, user_id: int, node: Node, *, since: int, inside: bool) -> Around:
    """Return what the drive knows of a node, and with `inside` of what lies in it: one statement.

    Absences count when they are not older than `since` (microseconds).
    """
    of_self = {"now": ctx.now, "self_key": path_key(canonical(node.key)), "resource": node.resource or ""}
    if inside:
        low, high = _range(node.key)
        rows = AROUND.all(
            ctx, **of_self, low=low, high=high, parent_key=node.content_id or 0, user_id=user_id,
            space_id=node.space_id if node.kind in ("space", "content") else -1, parent=node.place, since=since,
        )  # fmt: skip
    else:
        rows = SELF.all(ctx, **of_self)
    found = Around()
    for row in rows:
        if row.what == "lock":
            lock = Lock(row.b, row.a, bool(row.e), bool(row.f), row.d, row.c, int(row.g))
            found.locks.setdefault(lock.path, []).append(lock)
        elif row.what == "property":
            found.properties.setdefault(row.a, {})[row.b] = row.c
        elif row.what == "scratch":
            found.scratches.append(
                ScratchRow(row.e, row.d, row.a, row.f, row.b, row.g, row.c, row.i, row.j, row.h)
            )
        else:
            found.hidden.add(row.e)
    return found


def _range(key: str) -> tuple[str, str]:
    """Return between which heads the locks below a key lie; at the top only helper files can be locked."""
    if not key:
        return "/t", "/u"
    if len(key) < HEAD:
        return key + "/", key + "0"
    return key[:HEAD], key[:HEAD] + "\U0010ffff"


ScratchRow = SCRATCHES.row


def comments(ctx: Context, content_id: int) -> Sequence[Any]:
    """Return the comments of a thread, oldest first."""
    return COMMENTS.all(ctx, content_id=content_id)


def comments_in(ctx: Context, space_id: int, parent_id: int | None) -> Sequence[Any]:
    """Return the comments of all threads in a folder, oldest first."""
    return COMMENTS_IN.all(ctx, space_id=space_id, parent_key=parent_id or 0)
