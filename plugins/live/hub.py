"""The streams of one process: one reader of the log for all of them, and one queue for each.

The reader walks the log in the order of ids, which is the order of commits, so it misses nothing and sees nothing
twice, whoever wakes it: a commit in this process, a bell from another (Redis), or its own clock. A stream is
admitted between two reads: what is older it reads from its inbox, what is newer comes through its queue.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Collection, Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from atrio.kernel.config import RedisConfig
from atrio.kernel.errors import KernelError, ServiceUnavailable

from . import frames, queries
from .config import LiveConfig

if TYPE_CHECKING:
    from atrio.kernel.context import Context
    from atrio.kernel.host import Kernel

    from .adapters.bell import Bell

log = logging.getLogger("atrio.live")

PAGE = 100
"""Events that are read at once."""
MISSED_PAGE = 100
BLOCK = 64 * 1024
"""Bytes after which a stream hands over what it has."""


class Stream:
    """One open stream: frames that wait for its client, within bounds."""

    __slots__ = ("_bytes", "_frames", "_hub", "_waiter", "actor_id", "joined", "over", "user_id")

    def __init__(self, hub: Hub, user_id: int, actor_id: int | None) -> None:
        self.user_id = user_id
        self.actor_id = actor_id
        self.joined = 0
        self.over = False
        self._hub = hub
        self._frames: deque[bytes] = deque()
        self._bytes = 0
        self._waiter: asyncio.Future[None] | None = None

    def put(self, frame: bytes) -> None:
        """Queue a frame; a reader too slow for its queue is cut, and resumes by id."""
        if self.over:
            return
        settings = self._hub.settings
        if len(self._frames) >= settings.buffer_messages or self._bytes > settings.buffer_bytes:
            log.info("a stream of user %d is cut: its client reads too slowly", self.user_id)
            self.end()
            return
        self._frames.append(frame)
        self._bytes += len(frame)
        self._wake()

    def end(self) -> None:
        """End it; what waits is still handed over."""
        self.over = True
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def take(self) -> bytes:
        """Return what waits, a block at a time."""
        if not self._frames:
            return b""
        if len(self._frames) == 1:
            self._bytes = 0
            return self._frames.popleft()
        taken, size = [], 0
        while self._frames and size < BLOCK:
            frame = self._frames.popleft()
            taken.append(frame)
            size += len(frame)
        self._bytes -= size
        return b"".join(taken)

    async def wait(self, seconds: float) -> bool:
        """Wait until there is something; False when the time ran out."""
        if self._frames or self.over:
            return True
        loop = asyncio.get_running_loop()
        waiter = self._waiter = loop.create_future()
        timer = loop.call_later(seconds, _expire, waiter)
        try:
            await waiter
        except TimeoutError:
            return False
        finally:
            timer.cancel()
            self._waiter = None
        return True


def _expire(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_exception(TimeoutError())


class _Read(NamedTuple):
    """What one look at the log gave: frames with their receivers, and whose streams end."""

    last: int
    more: bool
    news: list[tuple[int, bytes, list[int]]]
    ends: list[tuple[int, int]]


class Hub:
    """The streams of this process."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.settings = kernel.config[LiveConfig]
        self.pool = kernel.open_pool("live", 2, 1_000_000)
        self.last = 0
        self.cut = 0
        self._by_user: dict[int, set[Stream]] = {}
        self._newcomers: list[tuple[Stream, asyncio.Future[None]]] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._bell: Bell | None = None
        self._closed = threading.Event()

    # -- what others call ------------------------------------------------------------------------------------

    @property
    def users(self) -> Collection[int]:
        """The users who have a stream here. Only in the event loop."""
        return self._by_user.keys()

    def streams_of(self, user_id: int) -> Iterable[Stream]:
        """Return the streams of a user. Only in the event loop."""
        return tuple(self._by_user.get(user_id, ()))

    def count(self) -> int:
        """Return how many streams are open here."""
        return sum(len(s) for s in list(self._by_user.values()))

    def committed(self) -> None:
        """Look at the log soon, here and in the other processes; called after a commit, in any thread."""
        self.wake()
        if self.kernel.config[RedisConfig].url:
            self.bell.ring()

    def wake(self) -> None:
        """Look at the log soon; from any thread."""
        loop = self._loop
        if loop is not None:
            try:
                loop.call_soon_threadsafe(self._wake.set)
            except RuntimeError:  # the loop is closed
                self._loop = None

    def call_soon(self, call: Callable[[], None]) -> None:
        """Run something in the event loop of the streams, if there are any; from any thread."""
        loop = self._loop
        if loop is not None:
            try:
                loop.call_soon_threadsafe(call)
            except RuntimeError:
                self._loop = None

    @property
    def bell(self) -> Bell:
        """The bell between processes; only where Redis is configured."""
        if self._bell is None:
            from .adapters.bell import Bell

            self._bell = Bell(str(self.kernel.config[RedisConfig].url), self.wake)
        return self._bell

    def close(self) -> None:
        """End everything; called when the process stops."""
        self._closed.set()
        self.wake()
        if self._bell is not None:
            self._bell.close()

    # -- one stream ------------------------------------------------------------------------------------------

    async def frames(self, user_id: int, actor_id: int | None, after: int) -> AsyncIterator[bytes]:
        """Give the bytes of a stream until it is over; what came after `after` first, page by page."""
        own = user_id == actor_id
        refused = await self._refusal(user_id) if own else None
        if refused is not None:
            yield frames.opening(user_id).partition(b"event:")[0] + frames.refusal(refused)
            return
        stream = Stream(self, user_id, actor_id)
        told = False
        try:
            await self._join(stream)
            if own:
                told = True
                self._tell("stream_opened", user_id)
            yield frames.opening(user_id)  # not before: who sees it counts on all that happens from now on
            while after and after < stream.joined and not stream.over:
                page = await self._calmly(self._missed, user_id, after, stream.joined)
                if page is None:
                    break
                after = page[0]
                yield page[1]
            deadline = asyncio.get_running_loop().time() + self.settings.stream_hours * 3600
            while True:
                block = stream.take()
                if block:
                    yield block
                elif stream.over or asyncio.get_running_loop().time() > deadline:
                    return
                elif not await stream.wait(self.settings.keep_alive_seconds):
                    yield frames.KEEP_ALIVE
        finally:
            self._leave(stream)
            if told:
                self._tell("stream_closed", user_id)

    async def _refusal(self, user_id: int) -> KernelError | None:
        hook = self.kernel.hooks.hook.refuse_stream
        if not hook.get_hookimpls():
            return None

        def ask() -> KernelError | None:
            answer: KernelError | None = self.kernel.run(lambda ctx: hook(ctx=ctx, user_id=user_id))
            return answer

        refused: KernelError | None = await self._calmly(ask)
        return refused

    def _tell(self, name: str, user_id: int) -> None:
        try:
            getattr(self.kernel.hooks.hook, name)(kernel=self.kernel, user_id=user_id)
        except Exception:
            log.exception("%s failed", name)

    async def _calmly(self, call: Callable[..., Any], *args: Any) -> Any:
        """Run a read in a thread; a full queue or a database that is away is waited for, not told the client."""
        for attempt in range(20):
            try:
                return await self.pool.run(call, *args)
            except ServiceUnavailable:
                await asyncio.sleep(0.1)
            except KernelError:
                raise
            except Exception:
                if self._closed.is_set() or attempt == 19:
                    raise
                log.warning("the log of live messages cannot be read; tried again", exc_info=attempt == 0)
                await asyncio.sleep(min(0.1 * 2**attempt, 5))
        raise ServiceUnavailable

    def _missed(self, user_id: int, after: int, upto: int) -> tuple[int, bytes] | None:
        def read(ctx: Context) -> list[Any]:
            return queries.MISSED.all(ctx, user_id=user_id, after=after, upto=upto, limit=MISSED_PAGE)

        rows = self.kernel.run(read, writes=False)
        if not rows:
            return None
        block = b"".join(frames.message(r, read_at=r.read_at, named=False) for r in rows)
        return rows[-1].event_id, block

    async def _join(self, stream: Stream) -> None:
        """Admit a stream between two reads of the log."""
        loop = asyncio.get_running_loop()
        admitted: asyncio.Future[None] = loop.create_future()
        self._newcomers.append((stream, admitted))
        if self._task is None or self._task.done() or self._loop is not loop:
            self._loop = loop
            self._wake = asyncio.Event()
            self._task = loop.create_task(self._walk(), name="live messages")
        self._wake.set()
        await admitted

    def _leave(self, stream: Stream) -> None:
        stream.over = True
        mine = self._by_user.get(stream.user_id)
        if mine is not None:
            mine.discard(stream)
            if not mine:
                del self._by_user[stream.user_id]

    # -- the reader of the log -------------------------------------------------------------------------------

    async def _walk(self) -> None:
        """Read the log for as long as there are streams."""
        self.last = await self._calmly(self._latest)
        if self.kernel.config[RedisConfig].url:
            self.bell.listen()
        try:
            while self._by_user or self._newcomers:
                self._admit()
                if self._closing():
                    break
                self._wake.clear()
                read = await self._calmly(self._read, self.last, tuple(self._by_user))
                self._hand_out(read)
                if not read.more and not self._newcomers:
                    await self._rest()
        except Exception:
            log.exception("the reader of live messages failed; its streams end and their clients come again")
        finally:
            self._task = None
            self._admit()
            for stream in [s for mine in self._by_user.values() for s in mine]:
                stream.end()

    def _closing(self) -> bool:
        return self._closed.is_set() or self.kernel.closing.is_set()

    async def _rest(self) -> None:
        """Wait for a wake-up, for the clock, or for the end of the process."""
        left = self.settings.poll_seconds
        while left > 0 and not self._closing():
            try:
                async with asyncio.timeout(min(left, 0.5)):
                    await self._wake.wait()
            except TimeoutError:
                left -= 0.5
            else:
                return

    def _admit(self) -> None:
        newcomers, self._newcomers = self._newcomers, []
        for stream, admitted in newcomers:
            stream.joined = self.last
            if not admitted.done():
                self._by_user.setdefault(stream.user_id, set()).add(stream)
                admitted.set_result(None)

    def _latest(self) -> int:
        return int(self.kernel.run(queries.LAST.value, writes=False) or 0)

    def _read(self, after: int, connected: Collection[int]) -> _Read:
        def read(ctx: Context) -> tuple[list[Any], dict[int, list[int]]]:
            rows = queries.NEWER.all(ctx, after=after, limit=PAGE)
            got: dict[int, list[int]] = {}
            if rows and connected:
                wanted = set(connected)
                for event_id, user_id in queries.receivers(ctx, rows[0].event_id, rows[-1].event_id, wanted):
                    if user_id in wanted:
                        got.setdefault(event_id, []).append(user_id)
            return rows, got

        rows, got = self.kernel.run(read, writes=False)
        news = [(r.event_id, frames.message(r), got[r.event_id]) for r in rows if r.event_id in got]
        ends = [(r.event_id, r.ends_user_id) for r in rows if r.ends_user_id is not None]
        return _Read(rows[-1].event_id if rows else after, len(rows) == PAGE, news, ends)

    def _hand_out(self, read: _Read) -> None:
        self.last = read.last
        for _, frame, receivers in read.news:
            for user_id in receivers:
                for stream in self._by_user.get(user_id, ()):
                    stream.put(frame)
        for _, user_id in read.ends:
            for mine in self._by_user.values():
                for stream in mine:
                    if user_id in (stream.user_id, stream.actor_id):
                        stream.end()


def hub_of(kernel: Kernel) -> Hub:
    """Return the hub of an instance in this process."""
    return kernel.part("live.hub", lambda: Hub(kernel))
