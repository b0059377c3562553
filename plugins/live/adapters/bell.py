"""A bell between processes: Redis pub/sub that carries nothing but "look at the log".

Losing a ring loses nothing, since every process looks by itself too; so Redis may be away, and nobody waits
for it: ringing happens in a thread of its own, and rings that come close together are one.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

log = logging.getLogger("atrio.live")

CHANNEL = "atrio:live"
RETRY_SECONDS = 2.0
TIMEOUT_SECONDS = 2.0


class Bell:
    """Rings and listens on one channel."""

    def __init__(self, url: str, heard: Callable[[], None], channel: str = CHANNEL) -> None:
        self.url = url
        self.heard = heard
        self.channel = channel
        self._rung = threading.Event()
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._ringer: threading.Thread | None = None
        self._listener: threading.Thread | None = None

    def _connect(self, timeout: float | None) -> Any:
        from redis import Redis

        return Redis.from_url(
            self.url, socket_timeout=timeout, socket_connect_timeout=TIMEOUT_SECONDS, socket_keepalive=True,
            health_check_interval=10,  # a connection that died in silence is noticed
        )  # fmt: skip

    def ring(self) -> None:
        """Ring soon; from any thread, never waits."""
        self._rung.set()
        if self._ringer is None:
            with self._lock:
                if self._ringer is None and not self._over.is_set():
                    self._ringer = threading.Thread(target=self._ring, name="live-ringer", daemon=True)
                    self._ringer.start()

    def listen(self) -> None:
        """Listen from now on, until closed."""
        with self._lock:
            if self._listener is None and not self._over.is_set():
                self._listener = threading.Thread(target=self._listen, name="live-listener", daemon=True)
                self._listener.start()

    def close(self) -> None:
        """End both threads within seconds; a ring that waits is still sent."""
        self._over.set()
        self._rung.set()
        for thread in (self._ringer, self._listener):
            if thread is not None:
                thread.join(TIMEOUT_SECONDS + 1)

    def _ring(self) -> None:
        from redis.exceptions import RedisError

        client = self._connect(TIMEOUT_SECONDS)
        away = False
        while True:
            self._rung.wait()
            if self._over.is_set() and not self._rung.is_set():
                return
            self._rung.clear()
            try:
                client.publish(self.channel, b"")
                away = False
            except (RedisError, OSError) as error:
                if not away:
                    log.warning("Redis is away (%s): other processes see messages a little later", error)
                away = True
                self._over.wait(RETRY_SECONDS)
            if self._over.is_set():
                client.close()
                return

    def _listen(self) -> None:
        from redis.exceptions import RedisError
        from redis.exceptions import TimeoutError as RedisTimeout

        while not self._over.is_set():
            try:
                client = self._connect(1.0)
                with client.pubsub() as pubsub:
                    pubsub.subscribe(self.channel)
                    while not self._over.is_set():
                        try:
                            # The confirmation of a subscription counts too: what was rung before was not heard.
                            if pubsub.get_message(timeout=1.0) is not None:
                                self.heard()
                        except RedisTimeout:
                            continue
            except (RedisError, OSError):
                self._over.wait(RETRY_SECONDS)
