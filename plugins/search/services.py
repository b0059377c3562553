"""Writes of search: the texts that are looked through, and what waits for it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import BigInteger, bindparam, delete, func, literal, select, text, update
from sqlalchemy.exc import IntegrityError

from atrio.kernel.context import Context
from atrio.kernel.db.statement import Write
from atrio.kernel.db.upsert import upsert
from atrio.kernel.errors import RetryWork
from atrio.plugins.core_content.api import CONTENT, text_of
from atrio.plugins.core_content.events import ContentEvent

from . import consistency, projection, queries
from .choice import engine_of, index_of
from .config import SearchConfig
from .engines import KINDS, Kind
from .files.asking import ask
from .folding import fold
from .models import FIELDS, PERSON, PLACE, STALE, STATE, TEXT
from .searchables import texts_of
from .stems import services as stems

OWN = ("revision_id", "label", "filename", "description", "body")
ALL_BUT_FILE = ("revision_id", *(name for name in FIELDS if name != "file"))
AT_ONCE = 200
"""Contents that are projected in one unit of work."""
FEW = 50
"""Contents whose added texts are projected with the change itself; more come by job."""
CATCH_UP = "search.catch_up"
_SET_FILE = Write(update(TEXT).where(TEXT.c.content_id == bindparam("of", type_=BigInteger)))


def _write(ctx: Context, table: Any, key: str, overwrite: Sequence[str], rows: Sequence[dict[str, Any]]) -> None:
    statement = ctx.kernel.memo(
        ("search.write", table.name, tuple(overwrite)),
        lambda: Write(upsert(ctx.dialect, table, (key,), overwrite=overwrite)),
    )
    try:
        if len(rows) == 1:
            statement.run(ctx, rows[0])
        else:
            ctx.execute(statement.statement, list(rows))
    except IntegrityError:
        raise RetryWork from None  # what the text belongs to went away meanwhile


# -- contents ------------------------------------------------------------------------------------------------


def project_own(ctx: Context, event: ContentEvent) -> None:
    """Write what an event says of a content's own texts: two statements, none when the unit wrote the revision."""
    written: Any = text_of(ctx, event.revision_id)
    if written is None:
        return
    own = projection.own_texts(
        ctx, event.content_type, written.label, written.file_extension, written.description, written.raw_content
    )
    empty = dict.fromkeys(FIELDS, "")
    row = {**empty, **own, "content_id": event.content_id, "revision_id": event.revision_id}
    _write(ctx, TEXT, "content_id", OWN, [row])
    learned = [own["filename"], own["description"], own["body"]]
    index_of(ctx.kernel).learn(ctx, learned)
    stems.note(ctx, "content", [(event.content_id, learned)])


def project_added(ctx: Context, content_ids: Sequence[int]) -> None:
    """Write what other plugins add to the texts of some contents."""
    if len(content_ids) > FEW:
        mark(ctx, "content", content_ids)
        return
    limit = ctx.config[SearchConfig].text_limit
    learned: list[str] = []
    for content_id, added in texts_of(ctx, content_ids).items():
        values = projection.added_texts(added, limit)
        ctx.execute(update(TEXT).where(TEXT.c.content_id == content_id).values(**values))
        stems.note(ctx, "content", [(content_id, values.values())])
        learned += values.values()
    index_of(ctx.kernel).learn(ctx, learned)


def project(ctx: Context, content_ids: Sequence[int]) -> int:
    """Write all texts of some contents but that of files, and return how many there are: seven statements."""
    rows = projection.whole_texts(ctx, content_ids)
    if rows:
        _write(ctx, TEXT, "content_id", ALL_BUT_FILE, [{"file": "", **row} for row in rows])
        index_of(ctx.kernel).learn(ctx, [row[name] for row in rows for name in FIELDS if name in row])
        texts = ((row["content_id"], [row[n] for n in FIELDS if n in row]) for row in rows)
        stems.note(ctx, "content", texts)
        ask(ctx, [row["content_id"] for row in rows])
    return len(rows)


def set_file_text(ctx: Context, content_ids: Sequence[int], text_of_file: str) -> None:
    """Write what was read in the bytes of some contents."""
    folded = fold(text_of_file[: ctx.config[SearchConfig].text_limit])
    if len(content_ids) == 1:
        _SET_FILE.run(ctx, {"of": content_ids[0], "file": folded})
    else:
        ctx.execute(update(TEXT).where(TEXT.c.content_id.in_(content_ids)).values(file=folded))
    stems.note(ctx, "content", [(i, (folded,)) for i in content_ids])


# -- people and spaces ---------------------------------------------------------------------------------------


def project_people(ctx: Context, user_ids: Sequence[int]) -> int:
    """Write the words of some accounts."""
    rows = projection.people_words(ctx, user_ids)
    if rows:
        _write(ctx, PERSON, "user_id", ("public_name", "username", "custom_properties"), rows)
    return len(rows)


def project_places(ctx: Context, space_ids: Sequence[int]) -> int:
    """Write the words of some spaces."""
    rows = projection.place_words(ctx, space_ids)
    if rows:
        _write(ctx, PLACE, "space_id", ("label", "description"), rows)
        stems.note(ctx, "space", [(row["space_id"], (row["label"], row["description"])) for row in rows])
    return len(rows)


PROJECTORS = {"content": project, "user": project_people, "space": project_places}


def project_batch(ctx: Context, kind: Kind, after: int) -> tuple[int, int]:
    """Project the next things of a kind after an id; returns the last id (0: there are no more) and how many.

    An engine outside the database gets them too.
    """
    ids = queries.next_ids(ctx, kind, after, AT_ONCE)
    if not ids:
        return 0, 0
    done = PROJECTORS[kind](ctx, ids)
    engine_of(ctx.kernel).put(ctx, kind, ids)
    return ids[-1], done


# -- what waits ----------------------------------------------------------------------------------------------

_MARK = {
    "sqlite": "INSERT INTO search_stale(kind, item_id, number) VALUES (:kind, :item_id, 1)"
    " ON CONFLICT (kind, item_id) DO UPDATE SET number = search_stale.number + 1",
    "mariadb": "INSERT INTO search_stale(kind, item_id, number) VALUES (:kind, :item_id, 1)"
    " ON DUPLICATE KEY UPDATE number = number + 1",
}
_MARK["postgresql"] = _MARK["sqlite"]
_MARK["mysql"] = _MARK["mariadb"]


def mark(ctx: Context, kind: Kind, ids: Iterable[int]) -> None:
    """Note that the index has to look at these again, and leave a job that does."""
    rows = [{"kind": kind, "item_id": i} for i in sorted(set(ids))]
    if not rows:
        return
    waiting = len(rows) == 1 and queries.WAITING.first(ctx, kind=kind, item_id=rows[0]["item_id"])
    ctx.execute(text(_MARK[ctx.dialect]), rows)
    if not waiting:
        _defer(ctx)


def _defer(ctx: Context) -> None:
    if not any(task == CATCH_UP for task, _, _ in ctx.deferred):
        ctx.defer(CATCH_UP, delay_seconds=ctx.config[SearchConfig].settle_seconds or None)


def mark_below(ctx: Context, content_id: int) -> None:
    """Note that a content and all below it have to be looked at again: one statement for any tree."""
    fresh = literal(ctx.now % 2_000_000_000)  # another number than any that a job may have seen
    down = select(CONTENT.c.content_id).where(CONTENT.c.content_id == content_id).cte("down", recursive=True)
    down = down.union_all(select(CONTENT.c.content_id).join(down, CONTENT.c.parent_id == down.c.content_id))
    source = (
        select(literal("content").label("kind"), CONTENT.c.content_id, fresh.label("number"))
        .where(CONTENT.c.content_id.in_(select(down.c.content_id)), CONTENT.c.type.not_in(["comment", "todo"]))
        .order_by(CONTENT.c.content_id)
    )  # fmt: skip
    columns = ("kind", "item_id", "number")
    ctx.execute(
        upsert(ctx.dialect, STALE, ("kind", "item_id"), overwrite=("number",), source=source, columns=columns)
    )
    _defer(ctx)


def catch_up(ctx: Context) -> int:
    """Look at what waits, a part of it, and return how many that were; a job for the rest is left.

    What was marked again meanwhile keeps its row: its number is another one.
    """
    rows = queries.waiting(ctx, AT_ONCE)
    for kind in KINDS:
        ids = [row.item_id for row in rows if row.kind == kind]
        if kind == "content" and ids:
            wholes = projection.wholes_of(ctx, ids)
            ids = sorted({i if whole is None else whole for i, whole in wholes.items()})
        if ids:
            PROJECTORS[kind](ctx, ids)
            engine_of(ctx.kernel).put(ctx, kind, ids)
    if rows:
        forget = text("DELETE FROM search_stale WHERE kind = :kind AND item_id = :item_id AND number = :number")
        ctx.execute(forget, [{"kind": r.kind, "item_id": r.item_id, "number": r.number} for r in rows])
        if queries.waiting(ctx, 1):
            ctx.defer(CATCH_UP)
    return len(rows)


# -- long work -----------------------------------------------------------------------------------------------


def note_populated(ctx: Context) -> bool:
    """Note that the first filling was begun; False when that was noted before."""
    if ctx.execute(select(STATE.c.value).where(STATE.c.name == "populated")).first() is not None:
        return False
    ctx.execute(upsert(ctx.dialect, STATE, ("name",)), {"name": "populated", "value": ctx.now})
    return True


def repair(ctx: Context, after: int) -> tuple[int, int]:
    """Project the next contents after an id whose texts are missing or old; returns the last id and how many."""
    ids = consistency.stale_ids(ctx, after, AT_ONCE)
    if not ids:
        return 0, 0
    project(ctx, ids)
    engine_of(ctx.kernel).put(ctx, "content", ids)
    return ids[-1], len(ids)


def forget_texts(ctx: Context) -> int:
    """Delete all texts, of contents, people and spaces."""
    count = int(ctx.execute(select(func.count()).select_from(TEXT)).scalar() or 0)
    for table in (TEXT, PERSON, PLACE, STALE):
        ctx.execute(delete(table))
    ctx.execute(delete(STATE).where(STATE.c.name == "populated"))
    stems.forget_all(ctx)
    return count
