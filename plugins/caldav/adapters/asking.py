"""One request on its way through Radicale: who asks, the unit of work that is open, what was looked up."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import TYPE_CHECKING

from atrio.kernel.context import Context
from atrio.kernel.db.work import unit_of_work
from atrio.kernel.errors import KernelError, PreconditionFailed

from .. import holdings, places, queries, services
from ..conditions import Conditions
from ..errors import CaldavNotAuthorized
from ..holdings import MANAGE, OWN, WRITE, Holding, Seen
from ..places import READS
from ..services import Held
from .faults import is_ours

if TYPE_CHECKING:
    from atrio.kernel.context import Actor
    from atrio.kernel.host import Kernel


NONE = Conditions()


class Escape(BaseException):
    """Carries an error of ours past Radicale, which turns every Exception into a 500 of its own."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(str(error))
        self.error = error


class _Undo(Exception):
    """Ends a unit without a commit, and without an error."""


class Asking:
    """What storage and rights need to know of the request that is served in this thread."""

    def __init__(
        self, kernel: Kernel, actor: Actor, request_id: str, method: str, conditions: Conditions = NONE
    ) -> None:  # fmt: skip
        self.kernel = kernel
        self.actor = actor
        self.request_id = request_id
        self.method = method
        self.conditions = conditions
        self.user_id = int(actor.id or 0)
        self.login = f"user_{self.user_id}"
        self.public_name = str(getattr(actor.data, "public_name", ""))
        self.body: bytes | None = None
        self.spoiled = False
        self.asked_from: datetime | None = None
        self.fault: Exception | None = None
        self._ctx: Context | None = None
        self._seen = self._fresh()
        self._letters: dict[str, str] = {}
        self._held: dict[str, Held] = {}

    def _fresh(self) -> Seen:
        return Seen(self.user_id, self.public_name)

    @contextmanager
    def reading(self) -> Iterator[Context]:
        """Give the open unit, or one that only reads."""
        if self._ctx is not None:
            yield self._ctx
            return
        with unit_of_work(self.kernel, writes=False, actor=self.actor, request_id=self.request_id) as ctx:
            yield ctx

    @property
    def writing(self) -> Context:
        """The open unit, which writes."""
        assert self._ctx is not None, "no unit is open"
        return self._ctx

    @contextmanager
    def unit(self, paths: tuple[str, ...] | None) -> Iterator[None]:
        """Open the unit of Radicale's lock; with paths it writes, and what they name is locked until the commit.

        Rights that were read before are asked again under the lock: a role that changed meanwhile counts.
        """
        try:
            with unit_of_work(
                self.kernel, writes=paths is not None, actor=self.actor, request_id=self.request_id
            ) as ctx:
                self._ctx, self._seen, self._letters, self._held = ctx, self._fresh(), {}, {}
                if paths is not None:
                    self._hold(ctx, paths)
                    self._judge(ctx, paths)
                yield
                if self.spoiled:
                    raise _Undo
        except _Undo:
            return
        except ValueError:
            raise  # Radicale's own way to say that a request is bad
        except Exception as error:
            if not is_ours(error):
                raise  # Radicale stumbled over what was asked
            raise Escape(error) from error
        finally:
            self._ctx, self._held = None, {}

    def _hold(self, ctx: Context, paths: tuple[str, ...]) -> None:
        wanted = {}
        for path in paths:
            place = places.parse(path)
            if place is not None and place.kind == "collection":
                found = holdings.find(ctx, self._seen, place)
                given = found.given is not None and self.method != "PROPPATCH"
                if found.level < WRITE or given:
                    raise CaldavNotAuthorized("readers do not write")
                wanted[found.place.key] = found.place
        for key in sorted(wanted):  # always in one order, so that two moves cannot wait for each other
            held = services.hold(ctx, wanted[key])
            if held is not None:
                self._held[key] = held
        self._seen = self._fresh()  # what was read before the lock may be old

    def _judge(self, ctx: Context, paths: tuple[str, ...]) -> None:
        """Refuse a request whose conditions do not hold, under the lock. What is not there is another matter."""
        place = places.parse(paths[0]) if paths and self.conditions else None
        if place is None or place.kind != "collection":
            return
        found = holdings.find(ctx, self._seen, place)
        etag: str | None = found.version if found.exists else None
        if place.href is not None:
            state = queries.STATE.first(ctx, collection_id=found.collection_id, href=place.href)
            etag = None if state is None or state.deleted else state.etag
        if (etag is not None or self.method == "PUT") and self.conditions.fails(etag):
            raise PreconditionFailed("it is not what it was")

    def held(self, holding: Holding) -> Held:
        """Return the locked row of a collection."""
        found = self._held.get(holding.place.key)
        if found is None:
            found = services.hold(self.writing, holding.place)
            if found is None:
                raise ValueError("the collection is gone")
            self._held[holding.place.key] = found
        return found

    def holding(self, path: str) -> Holding | None:
        """Return the collection of a path as the user sees it; None where there is none that he may see."""
        place = places.parse(path)
        if place is None or place.kind != "collection":
            return None
        with self.reading() as ctx:
            try:
                return holdings.find(ctx, self._seen, place)
            except KernelError:
                return None

    def home(self) -> list[Holding]:
        """Return what lies in the user's home."""
        with self.reading() as ctx:
            return holdings.home(ctx, self._seen)

    def letters(self, path: str) -> str:
        """Return the rights on a path in Radicale's letters.

        R, r: read the root and principals, collections; w: write into a collection; D: delete it; l: leave its
        properties as they are. Entries have none of their own, those of their collection count.
        """
        found = self._letters.get(path)
        if found is None:
            found = self._letters[path] = self._decide(path)
        return found

    def _decide(self, path: str) -> str:
        place = places.parse(path)
        if place is None:
            return ""
        if place.kind == "root":
            return "R"
        if place.kind == "principal":
            return "R" if place.home == self.user_id else ""
        if place.href is not None:
            return ""
        holding = self.holding(path)
        if holding is None:
            return ""
        if holding.given is not None:
            return self._given_letters(holding)
        if holding.level == OWN:
            return "rwD" if holding.place.added else "rw"
        if holding.level >= MANAGE:
            return "rw"
        return "rwl" if holding.level >= WRITE else "r"

    def _given_letters(self, holding: Holding) -> str:
        """Return the rights on a contributed collection: the door hands over what is written into it."""
        assert holding.given is not None
        told = self.method in READS and holding.given.write is not None
        return "rw" if told or self.method == "PROPPATCH" else "r"

    def forget(self) -> None:
        """Forget what was looked up, after a write."""
        self._seen, self._letters = self._fresh(), {}


_CURRENT: ContextVar[Asking] = ContextVar("caldav_asking")


def current() -> Asking:
    """Return the request of this thread."""
    return _CURRENT.get()


@contextmanager
def serving(asking: Asking) -> Iterator[None]:
    """Make a request the one of this thread."""
    token = _CURRENT.set(asking)
    try:
        yield
    finally:
        _CURRENT.reset(token)
