"""Locks of WebDAV in the database: they hold over workers and restarts, and are judged where they are written.

Every function takes the Context of a unit of work, so that a write and the check of the locks on it are one
transaction. Call none of `adapters/locks.py` inside a unit: on SQLite a unit inside a unit of the same thread
waits for itself for ever.

Paths are opaque strings that begin with "/"; whoever calls has made them canonical. Times that ran out are
judged by the clock of the server that asks, so servers of one instance must agree on the time.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, and_, bindparam, delete, insert, select, update

from atrio.kernel.context import Context
from atrio.kernel.db.statement import Statement, Write
from atrio.kernel.errors import BootError
from atrio.kernel.jobs import SECOND

from ..models import GATE, HEAD, LOCK

MAX_PATH = 8 * 1024
MAX_OWNER = 8 * 1024
MAX_PRINCIPAL = 255
PAGE = 500
"""How many keys go into one statement, and how many rows one DELETE takes."""
PURGED = 50
PURGE_EVERY = 16
"""For each lock that is granted so many that have run out may go, so that they never gather; not with each."""
PURGE_SECONDS = 10

_COLUMNS = (
    LOCK.c.token, LOCK.c.path, LOCK.c.deep, LOCK.c.exclusive, LOCK.c.principal, LOCK.c.owner, LOCK.c.expires
)  # fmt: skip
_valid = LOCK.c.expires > bindparam("now")
_in_range = and_(LOCK.c.head > bindparam("low"), LOCK.c.head < bindparam("high"))
_same_head = LOCK.c.head == bindparam("head")
BY_TOKEN = Statement(select(*_COLUMNS).where(LOCK.c.token == bindparam("token"), _valid), "LockRow")
IN_RANGE = Statement(select(*_COLUMNS).where(_in_range, _valid), "LockRow")
WITH_HEAD = Statement(select(*_COLUMNS).where(_same_head, _valid), "LockRow")
STEPS = (4, 16, 64, PAGE)
"""For so many paths a statement is kept; places that are left over repeat the last path."""
AT = {
    size: Statement(
        select(*_COLUMNS).where(LOCK.c.path_key.in_([bindparam(f"key{n}") for n in range(size)]), _valid),
        "LockRow",
    )
    for size in STEPS
}
INSERT = insert(LOCK)
_GRANT = Write(INSERT)
EXPIRED = Statement(
    select(LOCK.c.token)
    .where(LOCK.c.expires <= bindparam("now"))
    .order_by(LOCK.c.expires)
    .limit(bindparam("most", type_=BigInteger)),
    "Token",
)
_held = (LOCK.c.token == bindparam("token"), LOCK.c.expires > bindparam("now"))
DROP = Write(delete(LOCK).where(*_held))
DROP_OVER = {
    size: Write(
        delete(LOCK).where(
            *_held, LOCK.c.principal == bindparam("principal"),
            LOCK.c.path_key.in_([bindparam(f"key{n}") for n in range(size)]),
        )
    )
    for size in STEPS
}  # fmt: skip


class Purge:
    """Tells when this process looks again for locks that have run out, while it grants others."""

    def __init__(self) -> None:
        self._granted = 0
        self._next = 0

    def is_due(self, now: int) -> bool:
        """Count a lock that is granted; true for one in so many, and for the first after a while."""
        self._granted += 1
        if now < self._next and self._granted < PURGE_EVERY:
            return False
        self._granted, self._next = 0, now + PURGE_SECONDS * SECOND
        return True


class LockConflict(Exception):
    """What is asked is refused by other locks."""

    def __init__(self, locks: list[Lock]) -> None:
        super().__init__(f"{len(locks)} conflicting lock(s)")
        self.locks = locks


class LockGone(LookupError):
    """There is no such lock (any more)."""


class LockRefused(ValueError):
    """A lock cannot be kept as it is described: a path or an owner without end."""


@dataclass(frozen=True)
class Lock:
    """A lock as it is now. `expires` is in microseconds, `owner` the XML that the client sent, as text."""

    token: str
    path: str
    deep: bool
    exclusive: bool
    principal: str
    owner: str
    expires: int

    def covers(self, path: str) -> bool:
        """Tell whether the lock is on this path, or on a path above it and deep."""
        return self.path == path or (self.deep and is_below(self.path, path))


def canonical(path: str) -> str:
    """Return a path with one slash before it and none behind it."""
    return "/" + path.strip("/")


def is_below(top: str, path: str) -> bool:
    """Tell whether a canonical path lies below another."""
    return path != top and path.startswith(top if top == "/" else top + "/")


def path_key(path: str) -> str:
    """Return what finds a canonical path in the index, however long it is."""
    return hashlib.sha256(path.encode("utf-8", "surrogatepass")).hexdigest()


def _with_ancestors(path: str) -> list[str]:
    """Return a canonical path and every path above it."""
    if path == "/":
        return ["/"]
    ends = [i for i, letter in enumerate(path) if letter == "/" and i] + [len(path)]
    return ["/", *(path[:end] for end in ends)]


def _lock(row: Any) -> Lock:
    return Lock(
        row.token, row.path, bool(row.deep), bool(row.exclusive), row.principal, row.owner, int(row.expires)
    )


def _ordered(locks: Iterable[Lock]) -> list[Lock]:
    return sorted(locks, key=lambda lock: (lock.path, lock.token))


def find_lock(ctx: Context, token: str) -> Lock | None:
    """Return a lock that still holds."""
    row = BY_TOKEN.first(ctx, token=token, now=ctx.now)
    return None if row is None else _lock(row)


def locks_at(ctx: Context, paths: Iterable[str]) -> list[Lock]:
    """Return the locks whose root is one of these paths: one statement for up to 500 of them."""
    wanted = {canonical(path) for path in paths}
    now = ctx.now
    found: list[Lock] = []
    for size, values in _pages(wanted):
        found += [_lock(row) for row in AT[size].all(ctx, now=now, **values)]
    return _ordered(lock for lock in found if lock.path in wanted)


def _pages(paths: Iterable[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the size of a kept statement and the keys that it binds, until all paths had their turn."""
    keys = sorted({path_key(path) for path in paths})
    for start in range(0, len(keys), STEPS[-1]):
        page = keys[start : start + STEPS[-1]]
        size = next(step for step in STEPS if len(page) <= step)
        yield size, {f"key{n}": page[min(n, len(page) - 1)] for n in range(size)}


def locks_on(ctx: Context, paths: Iterable[str]) -> list[Lock]:
    """Return the locks that hold on any of these paths: their own and deep ones above.

    `lock.covers(path)` tells which is which. In the unit that writes call `hold_still` first, or a lock may
    be granted between this look and the commit.
    """
    asked = {canonical(path) for path in paths}
    above = {each for path in asked for each in _with_ancestors(path)}
    return [lock for lock in locks_at(ctx, above) if lock.deep or lock.path in asked]


def locks_below(ctx: Context, path: str) -> list[Lock]:
    """Return the locks on anything below a path, not those on the path itself."""
    top = canonical(path)
    stem = "" if top == "/" else top
    now = ctx.now
    # "0" follows "/": everything that begins with stem + "/" sorts between the two. Names such as "stem-2"
    # may sort there too, and a path longer than the indexed head is compared here.
    if len(stem) < HEAD:
        rows = IN_RANGE.all(ctx, low=stem, high=stem + "0", now=now)
    else:
        rows = WITH_HEAD.all(ctx, head=stem[:HEAD], now=now)
    return _ordered(_lock(row) for row in rows if is_below(top, row.path))


def locks_against(
    ctx: Context, path: str, *, principal: str, tokens: Collection[str], deep: bool = False
) -> list[Lock]:
    """Return the locks that forbid a write: of a path, with `deep` of all that lies below it too.

    A write needs one of the locks over each path that it touches: held by the principal, its token submitted.
    Of several shared locks any one will do (RFC 4918 §7).
    """
    here = locks_on(ctx, [path])
    below = locks_below(ctx, path) if deep else []
    held = [lock for lock in (*here, *below) if lock.principal == principal and lock.token in tokens]
    against = [] if any(lock in held for lock in here) else here
    return against + [lock for lock in below if not any(mine.covers(lock.path) for mine in held)]


def hold_still(ctx: Context) -> None:
    """Let nobody create or refresh a lock until this unit ends; units that only write wait for nobody else.

    For a unit that writes what a lock may protect, before it looks at the locks. On SQLite a unit that writes
    is alone anyway.
    """
    _pass_gate(ctx, read=True)


def _pass_gate(ctx: Context, *, read: bool) -> None:
    if ctx.dialect == "sqlite":
        return
    gate = select(GATE.c.gate_id).where(GATE.c.gate_id == 1).with_for_update(read=read)
    if ctx.execute(gate).scalar() is None:
        raise BootError("the gate of locks has no row; run atrio db upgrade")


def create_lock(
    ctx: Context, path: str, *, principal: str, seconds: float, exclusive: bool = True, deep: bool = False,
    owner: str = "",
) -> Lock:  # fmt: skip
    """Grant a lock; LockConflict names those that stand against it, LockRefused what cannot be kept.

    Judged and written behind the gate: of two that ask at the same moment, in whatever process, one is told.
    """
    return grant_lock(
        ctx, path, principal=principal, seconds=seconds, exclusive=exclusive, deep=deep, owner=owner
    )[-1]  # fmt: skip


def grant_lock(
    ctx: Context, path: str, *, principal: str, seconds: float, exclusive: bool = True, deep: bool = False,
    owner: str = "", leaf: bool = False,
) -> list[Lock]:  # fmt: skip
    """Grant a lock as `create_lock` does; returns all whose root is the path, the new one last.

    Below a `leaf` nothing can be locked, and nobody looks.
    """
    path = _accepted(path, owner, principal)
    _pass_gate(ctx, read=False)
    here = locks_on(ctx, [path])
    near = here + (locks_below(ctx, path) if deep and not leaf else [])
    against = [lock for lock in near if exclusive or lock.exclusive]
    if against:
        raise LockConflict(against)
    if ctx.kernel.part("webdav.purge", Purge).is_due(ctx.now):
        drop_expired(ctx, PURGED * PURGE_EVERY)
    now = ctx.now
    made = Lock(
        f"opaquelocktoken:{uuid.uuid4()}", path, deep, exclusive, principal, owner, now + int(seconds * SECOND)
    )
    _GRANT.run(
        ctx,
        {
            "token": made.token, "path_key": path_key(path), "head": path[:HEAD], "path": path, "deep": int(deep),
            "exclusive": int(exclusive), "principal": principal, "owner": owner, "created": now,
            "expires": made.expires,
        },
    )  # fmt: skip
    return [*(lock for lock in here if lock.path == path), made]


def _accepted(path: str, owner: str, principal: str) -> str:
    """Return the canonical path; LockRefused for what no row can hold."""
    if not path.startswith("/") or "\0" in path:
        raise LockRefused("not a path")
    if len(path.encode("utf-8", "replace")) > MAX_PATH:
        raise LockRefused("the path is too long")
    if len(owner.encode("utf-8", "replace")) > MAX_OWNER or "\0" in owner:
        raise LockRefused("the owner is too long")
    if len(principal) > MAX_PRINCIPAL:
        raise LockRefused("the name of the user is too long")
    return canonical(path)


def refresh_lock(ctx: Context, token: str, seconds: float) -> Lock:
    """Let a lock hold for so long from now; LockGone when it has ended, even if nobody came after it.

    Behind the gate: somebody may just be taking the place of a lock that has run out.
    """
    _pass_gate(ctx, read=False)
    lock = find_lock(ctx, token)
    if lock is None:
        raise LockGone(token)
    expires = ctx.now + int(seconds * SECOND)
    ctx.execute(update(LOCK).where(LOCK.c.token == token).values(expires=expires))
    return Lock(lock.token, lock.path, lock.deep, lock.exclusive, lock.principal, lock.owner, expires)


def drop_lock(ctx: Context, token: str) -> bool:
    """Delete a lock; False when it has ended or never was."""
    return DROP.run(ctx, {"token": token, "now": ctx.now}) > 0


def drop_own_lock(ctx: Context, token: str, *, principal: str, path: str) -> bool:
    """Delete a lock of a principal on a path or above it; False when there is none with this token."""
    values = {"token": token, "now": ctx.now, "principal": principal}
    pages = _pages(_with_ancestors(canonical(path)))
    return any(DROP_OVER[size].run(ctx, {**values, **keys}) > 0 for size, keys in pages)


def drop_locks_at(ctx: Context, path: str) -> int:
    """Delete the locks whose root is this path; returns how many."""
    return _drop(ctx, [lock.token for lock in locks_at(ctx, [path])])


def drop_locks_below(ctx: Context, path: str) -> int:
    """Delete the locks on a path and on all below it, as when it is deleted or moved; returns how many."""
    return _drop(ctx, [lock.token for lock in (*locks_at(ctx, [path]), *locks_below(ctx, path))])


def _drop(ctx: Context, tokens: list[str]) -> int:
    for start in range(0, len(tokens), PAGE):
        ctx.execute(delete(LOCK).where(LOCK.c.token.in_(tokens[start : start + PAGE])))
    return len(tokens)


def drop_expired(ctx: Context, limit: int = PAGE) -> int:
    """Delete up to `limit` locks that have run out, the oldest first; returns how many."""
    return _drop(ctx, [row.token for row in EXPIRED.all(ctx, now=ctx.now, most=limit)])


def drop_all(ctx: Context, limit: int = PAGE) -> int:
    """Delete up to `limit` locks, whether they hold or not; returns how many."""
    found = ctx.execute(select(LOCK.c.token).order_by(LOCK.c.expires).limit(limit))
    return _drop(ctx, list(found.scalars()))
