"""The queue of mails: filled by one INSERT … SELECT a notice, emptied by claims that end by themselves."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import (
    BigInteger,
    SmallInteger,
    String,
    Text,
    and_,
    bindparam,
    case,
    cast,
    delete,
    null,
    or_,
    select,
    update,
)

from atrio.kernel.context import Context
from atrio.kernel.db.upsert import upsert
from atrio.kernel.jobs import SECOND, abandoned, holder
from atrio.plugins.accounts.api import gets_mail
from atrio.plugins.spaces.api import mail_modes

from ..config import MailConfig
from ..kinds import ADDRESSEE, AT_ONCE, NONE, REFUSAL, Notice
from ..models import INCOMING, OUTGOING

KEYS = ("receiver", "kind", "ref")
COLUMNS = (
    "receiver", "user_id", "kind", "ref", "mode", "state", "mentioned", "space_id", "content_id", "revision_id",
    "author_id", "details", "attempt", "available", "created",
)  # fmt: skip
C = OUTGOING.c


def _number(name: str) -> Any:
    return cast(bindparam(name), BigInteger)


def _text(name: str, length: int) -> Any:
    return cast(bindparam(name), String(length))


def _filling(dialect: str) -> Any:
    """Return the statement that writes one row for each member who is to be told.

    One who is not the author, wants mail of the space, has the role, and can get mail at all.
    """
    member = mail_modes().subquery("member")
    mode = member.c.email_notification_type
    at_once = or_(mode == AT_ONCE, _number("at_once") == 1)
    source = select(
        member.c.user_id, member.c.user_id.label("same"), _text("kind", 32), _text("ref", 100), mode,
        case((at_once, "pending"), else_="digest"), cast(bindparam("mentioned"), SmallInteger),
        _number("the_space"), _number("content_id"), _number("revision_id"), _number("author_id"),
        cast(bindparam("details"), Text), cast(0, BigInteger), _number("available").label("available"),
        _number("now").label("created"),
    ).where(
        mode != NONE, member.c.role >= _number("least_role"), member.c.user_id != _number("not_to"),
        or_(_number("only") == 0, member.c.user_id == _number("only")), gets_mail(member.c.user_id),
        or_(_number("available") <= _number("now"), ~_waiting(member.c.user_id)),
    )  # fmt: skip
    return upsert(dialect, OUTGOING, KEYS, source=source, columns=COLUMNS)


def _waiting(user_id: Any) -> Any:
    """Tell whether a mail to a receiver about the same content and author still waits for further changes.

    Materialised first: MariaDB takes no subquery on the table that it writes into otherwise.
    """
    waits = OUTGOING.alias("waits")
    kept = (
        select(waits.c.receiver)
        .where(
            waits.c.content_id == _number("content_id"), waits.c.author_id == _number("author_id"),
            waits.c.kind == _text("kind", 32), waits.c.state == "pending", waits.c.attempt == 0,
            waits.c.available > _number("now"),
        )
        .subquery("kept")
    )  # fmt: skip
    return select(kept.c.receiver).where(kept.c.receiver == user_id).exists()


def fan_out(ctx: Context, notices: Sequence[Notice], author_id: int | None) -> int:
    """Write the rows of some notices and return how many, or more.

    Who has a row of that kind and ref already gets no second one.
    """
    written = 0
    for notice in sorted(notices, key=lambda n: not n.get("mentioned")):
        if notice.get("space_id") is not None:
            statement = ctx.kernel.memo(("mail.filling", ctx.dialect), lambda: _filling(ctx.dialect))
            filled: Any = ctx.execute(statement, _values(ctx, notice, author_id))
            written += int(filled.rowcount)
        elif notice.get("user_id") is not None or notice.get("address"):
            _insert_one(ctx, notice, author_id)
            written += 1
    return written


def _values(ctx: Context, notice: Notice, author_id: int | None) -> dict[str, Any]:
    return {
        "kind": notice["kind"], "ref": str(notice["ref"]), "space_id": notice["space_id"],
        "the_space": notice["space_id"], "content_id": notice.get("content_id"),
        "revision_id": notice.get("revision_id"), "author_id": author_id, "not_to": author_id or 0,
        "details": _encode(notice.get("details")), "now": ctx.now, "available": ctx.now + settling(ctx, notice),
        "mentioned": int(bool(notice.get("mentioned"))),
        "least_role": notice.get("least_role", 0), "only": notice.get("user_id") or 0,
        "at_once": int(bool(notice.get("at_once"))),
    }  # fmt: skip


def settling(ctx: Context, notice: Notice) -> int:
    """Return for how many microseconds a notice waits for further changes of the same content."""
    return ctx.config[MailConfig].settle_seconds * SECOND if notice.get("settles") else 0


def _insert_one(ctx: Context, notice: Notice, author_id: int | None) -> None:
    user_id = notice.get("user_id")
    details = dict(notice.get("details") or {})
    if user_id is None:
        details[ADDRESSEE] = {key: notice.get(key) for key in ("address", "name", "lang")}
    row = {
        "receiver": user_id or 0, "user_id": user_id, "kind": notice["kind"], "ref": str(notice["ref"]),
        "mode": AT_ONCE, "state": "pending", "mentioned": int(bool(notice.get("mentioned"))), "space_id": None,
        "content_id": notice.get("content_id"), "revision_id": notice.get("revision_id"), "author_id": author_id,
        "details": _encode(details), "attempt": 0, "available": ctx.now, "created": ctx.now,
    }  # fmt: skip
    ctx.execute(upsert(ctx.dialect, OUTGOING, KEYS), [row])


def queue_refusal(ctx: Context, user_id: int, key: str, details: dict[str, Any]) -> None:
    """Queue the answer to a mail that was refused, once for each mail; it goes to the address of the account."""
    _insert_one(ctx, {"kind": REFUSAL, "ref": key, "user_id": user_id, "details": details}, None)


def _encode(details: Any) -> str:
    return msgspec.json.encode(details or {}).decode()


# -- claims --------------------------------------------------------------------------------------------------


def _due(now: int) -> Any:
    return or_(and_(C.state == "pending", C.available <= now), and_(C.state == "sending", C.until < now))


def claim(ctx: Context, limit: int, seconds: int) -> list[Any]:
    """Lease some due mails to this caller, oldest first; rows of a claim whose holder died come again."""
    _free_abandoned(ctx)
    now, mark = ctx.now, f"{holder()}|{secrets.token_hex(8)}"
    chosen = select(C.mail_id).where(_due(now)).order_by(C.available, C.mail_id).limit(limit)
    ids = list(ctx.execute(chosen.with_for_update(skip_locked=True)).scalars())
    if not ids:
        return []
    ctx.execute(
        update(OUTGOING)
        .where(C.mail_id.in_(ids), _due(now))
        .values(state="sending", claim=mark, until=now + seconds * SECOND, attempt=C.attempt + 1)
    )
    return list(ctx.execute(select(OUTGOING).where(C.claim == mark).order_by(C.mail_id)).all())


def _free_abandoned(ctx: Context) -> None:
    """Make claims of dead processes of this host due at once, instead of when their time is over."""
    claims = ctx.execute(select(C.claim).where(C.state == "sending").distinct()).scalars().all()
    dead = [mark for mark in claims if abandoned((mark or "").partition("|")[0])]
    if dead:
        freed = {"state": "pending", "available": ctx.now, "claim": None, "until": None}
        ctx.execute(update(OUTGOING).where(C.claim.in_(dead), C.state == "sending").values(**freed))


def _end(ctx: Context, row: Any, **values: Any) -> bool:
    """Change a mail that this claim still holds; False when its time was over and another has it."""
    held = (C.mail_id == row.mail_id, C.claim == row.claim, C.state == "sending")
    result: Any = ctx.execute(update(OUTGOING).where(*held).values(claim=None, until=None, **values))
    return int(result.rowcount) == 1


_SENT = (
    update(OUTGOING)
    .where(C.mail_id == bindparam("the_mail"), C.claim == bindparam("the_claim"), C.state == "sending")
    .values(state="sent", finished=bindparam("now"), error=null(), claim=null(), until=null())
)


def mark_sent(ctx: Context, row: Any) -> bool:
    """Note that the server took a mail."""
    result: Any = ctx.execute(_SENT, {"the_mail": row.mail_id, "the_claim": row.claim, "now": ctx.now})
    return int(result.rowcount) == 1


def mark_skipped(ctx: Context, row: Any, reason: str) -> bool:
    """Note that there is nothing to send any more (deleted, read, left)."""
    return _end(ctx, row, state="skipped", finished=ctx.now, error=reason)


def mark_dead(ctx: Context, row: Any, reason: str) -> bool:
    """Give a mail up; it stays listed and can be tried again by hand."""
    return _end(ctx, row, state="dead", finished=ctx.now, error=reason[:2000])


def mark_again(ctx: Context, row: Any, seconds: int, reason: str) -> bool:
    """Put a mail back for a later try."""
    return _end(ctx, row, state="pending", available=ctx.now + seconds * SECOND, error=reason[:2000])


def release(ctx: Context, rows: Sequence[Any], seconds: int, reason: str) -> None:
    """Put claimed mails back that were not tried; it counts for no attempt."""
    for row in rows:
        _end(
            ctx, row, state="pending", attempt=max(0, row.attempt - 1), error=reason[:2000],
            available=ctx.now + seconds * SECOND,
        )  # fmt: skip


# -- by hand, and by time ------------------------------------------------------------------------------------


def retry(ctx: Context, ids: Sequence[int]) -> int:
    """Make given-up or waiting mails due at once, as if they were new; with no ids, all that were given up."""
    which = and_(C.mail_id.in_(ids), C.state.in_(("dead", "pending"))) if ids else C.state == "dead"
    fresh = {"state": "pending", "attempt": 0, "available": ctx.now, "created": ctx.now, "finished": None}
    result: Any = ctx.execute(update(OUTGOING).where(which).values(**fresh))
    return int(result.rowcount)


def drop(ctx: Context, ids: Sequence[int]) -> int:
    """Delete mails that are not being sent at this moment."""
    result: Any = ctx.execute(delete(OUTGOING).where(C.mail_id.in_(ids), C.state != "sending"))
    return int(result.rowcount)


def forget_old(ctx: Context) -> None:
    """Delete what is over since `keep_days`: sent and skipped mails, told lines, mails that came."""
    border = ctx.now - ctx.config[MailConfig].keep_days * 86_400 * SECOND
    ctx.execute(delete(OUTGOING).where(C.finished < border, C.state.in_(("sent", "skipped", "digested"))))
    ctx.execute(delete(INCOMING).where(INCOMING.c.created < border))
