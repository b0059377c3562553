"""huey, which carries the wake-ups and the schedule: in memory and on a SQLite file, or on Redis by one key."""

from __future__ import annotations

import datetime
import importlib
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import msgspec

from ..config import RedisConfig, StorageConfig, TasksConfig, database_url
from ..errors import BootError

if TYPE_CHECKING:
    from ..host import Kernel

LOOK_SECONDS = 0.1
"""How often the file is looked at for what other processes put there."""


def load_huey(*, redis: bool = False) -> Any:
    """Import huey, and of the clients of its storages only the one that is used.

    huey imports every client that it finds, which is a third of the time of a start. Where Redis comes later in
    a process that did without, huey is imported anew.
    """
    loaded = sys.modules.get("huey.storage")
    if loaded is not None and redis and loaded.Redis is None:
        for name in [n for n in sys.modules if n.partition(".")[0] == "huey"]:
            del sys.modules[name]
    unused = [n for n in ("psycopg", "cysqlite", *(() if redis else ("redis",))) if n not in sys.modules]
    sys.modules.update(dict.fromkeys(unused))
    try:
        return importlib.import_module("huey")
    finally:
        for name in unused:
            del sys.modules[name]


def parse_crontab(line: str) -> Callable[[datetime.datetime], bool]:
    """Return the test of a five-field crontab line; BootError when it is malformed."""
    crontab = load_huey().crontab

    parts = line.split()
    if len(parts) != 5:
        raise BootError(f"crontab {line!r} needs five fields")
    names = ("minute", "hour", "day", "month", "day_of_week")
    try:
        return crontab(**dict(zip(names, parts, strict=True)), strict=True)  # type: ignore[no-any-return]
    except ValueError as error:
        raise BootError(f"crontab {line!r}: {error}") from None


def make_huey(kernel: Kernel) -> Any:
    """Return the huey of this instance; its name tells instances that share a Redis apart."""
    redis = on_redis(kernel)
    load_huey(redis=redis)
    name = f"atrio-{sha256(database_url(kernel.config).encode()).hexdigest()[:12]}"
    if redis:
        from huey import RedisHuey

        url = kernel.config[RedisConfig].url
        return RedisHuey(name, url=url, results=False, serializer=_serializer(), read_timeout=1)
    from huey import Huey

    folder = kernel.config[StorageConfig].data_dir
    folder.mkdir(parents=True, exist_ok=True)
    return Huey(
        name, results=False, serializer=_serializer(), storage_class=_waking_storage(),
        filename=str(folder / "queue.db"), fsync=False, cache_mb=1,
    )  # fmt: skip


def _serializer() -> Any:
    from huey.registry import Message
    from huey.serializer import Serializer

    class JsonSerializer(Serializer):  # type: ignore[misc]
        """JSON instead of pickle: a message from the queue is data, never code."""

        def _serialize(self, data: Any) -> bytes:
            return msgspec.json.encode(list(data) if isinstance(data, Message) else data)

        def _deserialize(self, data: bytes) -> Any:
            value = msgspec.json.decode(bytes(data))
            if not isinstance(value, list) or len(value) != len(Message._fields):
                return value
            for name in ("eta", "expires", "expires_resolved"):
                place = Message._fields.index(name)
                if isinstance(value[place], str):
                    value[place] = datetime.datetime.fromisoformat(value[place])
            place = Message._fields.index("args")
            value[place] = tuple(value[place] or ())
            return Message(*value)

    return JsonSerializer()


def _waking_storage() -> Any:
    from huey.storage import SqliteStorage

    class WakingStorage(SqliteStorage):  # type: ignore[misc]
        """A queue in memory where this process has readers, with a file beside it.

        What is put here by a process that reads stays in it: its readers are waiting, and a message is only a
        wake-up, whose row the sweep finds when the process dies. The file takes what is put by processes without
        readers (the command line), the schedule, and at the end what nobody has read. Nothing is ever revoked
        and no result is kept, so nobody looks for them.
        """

        blocking = True

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            self._condition = threading.Condition()
            self._here: deque[bytes] = deque()
            self._reading = False
            self._looked = 0.0
            super().__init__(*args, **kwargs)

        def read_here(self) -> None:
            """Note that this process has readers from now on."""
            self._reading = True

        def enqueue(self, data: bytes, priority: float | None = None) -> None:
            if not self._reading:
                super().enqueue(data, priority)
                return
            with self._condition:
                self._here.append(data)
                self._condition.notify()

        def wake(self) -> None:
            """End the wait of every reader; what they have not read goes to the file, for the next process."""
            with self._condition:
                self._reading = False
                left, self._here = self._here, deque()
                self._condition.notify_all()
            for data in left:
                super().enqueue(data)

        def dequeue(self) -> bytes | None:
            with self._condition:
                if not self._here and self._reading and time.monotonic() - self._looked < LOOK_SECONDS:
                    self._condition.wait(LOOK_SECONDS)
                if self._here:
                    return self._here.popleft()
                now = time.monotonic()
                if now - self._looked < LOOK_SECONDS:
                    return None  # another reader has just looked
                self._looked = now
            data: bytes | None = super().dequeue()
            if data is not None:
                self._looked = 0.0  # there may be more
            return data

        def peek_many(self, keys: Any) -> dict[str, Any]:
            return {}

        def delete_data(self, key: str) -> None:
            return

    return WakingStorage


def on_redis(kernel: Kernel) -> bool:
    """Tell whether the wake-ups travel by Redis."""
    settings = kernel.config[TasksConfig]
    return settings.queue == "redis" or (settings.queue == "auto" and bool(kernel.config[RedisConfig].url))


def consumes_in_serve(kernel: Kernel) -> bool:
    """Tell whether `serve` itself runs jobs."""
    settings = kernel.config[TasksConfig]
    if settings.consumer == "auto":
        return not on_redis(kernel)
    return settings.consumer == "serve"
