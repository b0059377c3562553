"""wsgidav's lock manager and its storage, on the locks of the database.

Each call is a short unit of work of its own. Never call one inside another unit: on SQLite the thread then
waits for itself for ever; there `services.locks` is for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from wsgidav import dav_error
from wsgidav.lock_man.lock_manager import LockManager as _LockManager

from atrio.kernel.context import SYSTEM, Actor
from atrio.kernel.jobs import SECOND

from ..services import locks as service
from ..services.locks import Lock, LockConflict, LockGone, LockRefused

if TYPE_CHECKING:
    from atrio.kernel.context import Context
    from atrio.kernel.host import Kernel

T = TypeVar("T")
LockDict = dict[str, Any]


class LockStorage:
    """A lock storage of wsgidav, shared by all workers of the instance.

    `default_seconds` is for clients that name no timeout, `max_seconds` the most that anybody gets, also who
    asks for an infinite one.
    """

    def __init__(
        self, kernel: Kernel, *, max_seconds: float = 3600, default_seconds: float = 600, actor: Actor = SYSTEM
    ) -> None:
        self._kernel = kernel
        self._actor = actor
        self.max_seconds = max_seconds
        self.default_seconds = min(default_seconds, max_seconds)

    def __repr__(self) -> str:
        return "LockStorage"

    def open(self) -> None:
        """Do nothing: the database is open."""

    def close(self) -> None:
        """Do nothing: the database belongs to the kernel."""

    def run(self, call: Callable[[Context], T], *, writes: bool = False) -> T:
        """Run a call of `services.locks` in a unit of its own."""
        return self._kernel.run(call, writes=writes, actor=self._actor)

    def seconds(self, timeout: float | None) -> float:
        """Return how long a lock is granted; a negative timeout asks for ever, None does not ask."""
        if timeout is None:
            return self.default_seconds
        return self.max_seconds if timeout < 0 else min(float(timeout), self.max_seconds)

    def cleanup(self) -> None:
        """Delete the locks that have run out, a page a unit."""
        while self.run(service.drop_expired, writes=True) == service.PAGE:
            pass

    def clear(self) -> None:
        """Delete every lock."""
        while self.run(service.drop_all, writes=True) == service.PAGE:
            pass

    def get(self, token: str) -> LockDict | None:
        """Return a lock that holds, or None."""
        lock = self.run(lambda ctx: service.find_lock(ctx, token))
        return None if lock is None else self.described(lock)

    def create(self, path: str, lock: LockDict) -> LockDict:
        """Grant a lock and complete its dictionary; DAVError 423 names the locks that stand against it."""
        seconds = self.seconds(lock.get("timeout"))

        def grant(ctx: Context) -> Lock:
            return service.create_lock(
                ctx, path, principal=lock["principal"], seconds=seconds,
                exclusive=lock["scope"] == "exclusive", deep=lock["depth"] == "infinity",
                owner=_text(lock.get("owner")),
            )  # fmt: skip

        try:
            made = self.run(grant, writes=True)
        except LockConflict as conflict:
            raise locked(conflict.locks) from None
        except LockRefused as refused:
            raise dav_error.DAVError(dav_error.HTTP_BAD_REQUEST, str(refused)) from None
        lock.update(self.described(made))
        return lock

    def refresh(self, token: str, *, timeout: float | None) -> LockDict:
        """Let a lock hold anew; DAVError 412 when it has ended since the caller looked."""
        seconds = self.seconds(timeout)
        try:
            return self.described(self.run(lambda ctx: service.refresh_lock(ctx, token, seconds), writes=True))
        except LockGone:
            raise dav_error.DAVError(
                dav_error.HTTP_PRECONDITION_FAILED, err_condition=dav_error.PRECONDITION_CODE_LockTokenMismatch
            ) from None

    def delete(self, token: str) -> bool:
        """Delete a lock; False when it has ended or never was."""
        return self.run(lambda ctx: service.drop_lock(ctx, token), writes=True)

    def get_lock_list(
        self, path: str, *, include_root: bool, include_children: bool, token_only: bool
    ) -> list[LockDict] | list[str]:
        """Return the locks on a path itself, on what lies below it, or both."""

        def look(ctx: Context) -> list[Lock]:
            found = service.locks_at(ctx, [path]) if include_root else []
            return found + (service.locks_below(ctx, path) if include_children else [])

        found = self.run(look)
        return [lock.token for lock in found] if token_only else [self.described(lock) for lock in found]

    def described(self, lock: Lock) -> LockDict:
        """Return a lock as wsgidav's dictionary; `timeout` is what is left of it, in seconds."""
        return {
            "root": lock.path, "type": "write", "scope": "exclusive" if lock.exclusive else "shared",
            "depth": "infinity" if lock.deep else "0", "owner": lock.owner.encode(),
            "principal": lock.principal, "token": lock.token, "expire": lock.expires / SECOND,
            "timeout": max((lock.expires - self._kernel.clock.now()) / SECOND, 0.0),
        }  # fmt: skip


class LockManager(_LockManager):  # type: ignore[misc]
    """wsgidav's lock manager where the database judges: one statement or two for a question, no lock in memory.

    `href_of` turns the root of a lock into what the client knows it by, for the list in a 423. `asking` names
    who sends the request, for the library does not look at whose lock it refreshes.
    """

    storage: LockStorage

    def __init__(
        self, storage: LockStorage, href_of: Callable[[str], str] | None = None,
        asking: Callable[[], str] | None = None,
    ) -> None:  # fmt: skip
        super().__init__(storage)
        self._href_of = href_of
        self._asking = asking

    def acquire(
        self, *, url: str, lock_type: str, lock_scope: str, lock_depth: str, lock_owner: bytes,
        timeout: float | None, principal: str, token_list: Iterable[str],
    ) -> LockDict:  # fmt: skip
        """Grant a lock or raise DAVError 423; the storage looks for conflicts where it writes."""
        lock: LockDict = {
            "root": url, "type": lock_type, "scope": lock_scope, "depth": lock_depth, "owner": lock_owner,
            "timeout": timeout, "principal": principal,
        }  # fmt: skip
        try:
            return self.storage.create(url, lock)
        except dav_error.DAVError as error:
            raise self._named(error) from None

    def refresh(self, token: str, *, timeout: float | None = None) -> LockDict:
        """Let a lock hold anew, for the default of the storage unless the client names a time.

        DAVError 403 for the lock of another user than the one who asks.
        """
        if self._asking is not None:
            lock = self.storage.get(token)
            if lock is not None and lock["principal"] != self._asking():
                raise dav_error.DAVError(dav_error.HTTP_FORBIDDEN, "this is another user's lock")
        return self.storage.refresh(token, timeout=timeout)

    def check_write_permission(self, *, url: str, depth: str, token_list: Iterable[str], principal: str) -> None:
        """Raise DAVError 423 when locks forbid to write here (depth infinity: or anywhere below)."""
        tokens = set(token_list)
        against = self.storage.run(
            lambda ctx: service.locks_against(
                ctx, url, principal=principal, tokens=tokens, deep=depth == "infinity"
            )
        )
        if against:
            raise self._named(locked(against))

    @contextmanager
    def write_transaction(
        self, *, url: str, token_list: Iterable[str], principal: str, depth: str = "0"
    ) -> Iterator[None]:
        """Check before the body is received. The one who writes checks again in the unit that commits it.

        wsgidav notes in memory who is writing, which no other worker sees: here a lock may be granted while a
        body arrives, and `services.locks.hold_still` and `locks_against` then refuse the write.
        """
        self.check_write_permission(url=url, depth=depth, token_list=token_list, principal=principal)
        yield

    def get_indirect_url_lock_list(self, url: str, *, principal: str | None = None) -> list[LockDict]:
        """Return the locks over a path, its own and deep ones above, the nearest first."""
        found = self.storage.run(lambda ctx: service.locks_on(ctx, [url]))
        found.sort(key=lambda lock: len(lock.path), reverse=True)
        return [self.storage.described(k) for k in found if principal is None or k.principal == principal]

    def remove_all_locks_from_url(self, url: str, *, recursive: bool = False) -> None:
        """Delete the locks of a path, `recursive` those below it too."""
        drop = service.drop_locks_below if recursive else service.drop_locks_at
        self.storage.run(lambda ctx: drop(ctx, url), writes=True)

    def _named(self, error: Any) -> Any:
        condition = error.err_condition
        if condition is not None and self._href_of is not None:
            condition.hrefs = [self._href_of(root) for root in condition.hrefs]
        return error


def locked(against: Iterable[Lock]) -> Any:
    """Return the DAVError 423 that lists the roots of these locks."""
    condition = dav_error.DAVErrorCondition(dav_error.PRECONDITION_CODE_LockConflict)
    for lock in against:
        condition.add_href(lock.path)
    return dav_error.DAVError(dav_error.HTTP_LOCKED, err_condition=condition)


def _text(owner: bytes | str | None) -> str:
    return owner.decode("utf-8", "replace") if isinstance(owner, bytes) else owner or ""
