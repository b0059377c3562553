"""The objects of a bucket, by obstore. Nothing of the library leaves this module, its errors least of all."""

from __future__ import annotations

import datetime
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from atrio.kernel.errors import BlobsUnavailable, BootError

from ..config import MIB, S3Config

log = logging.getLogger("atrio.storage_s3")
PART = 8 * MIB
PARTS = 9_000
"""A multipart upload has at most 10,000 parts."""
AT_ONCE = 2
"""How many parts of one upload are under way, and so in memory."""
DENIED = ("403 Forbidden", "401 Unauthorized", "AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch")
BEYOND = "416 Range Not Satisfiable"
NOBODY = ".check/"


@dataclass(frozen=True)
class Found:
    """An object of the bucket; `modified` is in seconds since the epoch."""

    key: str
    size: int
    modified: float


class Objects:
    """A bucket. Made at its first use, after a server has forked its processes."""

    def __init__(self, settings: S3Config) -> None:
        self.settings = settings
        self._lock = threading.Lock()
        self._made: Any = None

    @property
    def _store(self) -> Any:
        if self._made is None:
            with self._lock:
                if self._made is None:
                    self._made = self._make()
        return self._made

    def _make(self) -> Any:
        from obstore.store import S3Store

        given = self.settings
        config: Any = {"region": given.region, "virtual_hosted_style_request": given.virtual_host}
        if given.endpoint_url:
            config["endpoint"] = given.endpoint_url.rstrip("/")
        if given.access_key_id:
            config |= {"access_key_id": given.access_key_id, "secret_access_key": given.secret_access_key}
        client: Any = {
            "allow_http": given.allow_http, "timeout": _seconds(given.request_seconds),
            "connect_timeout": _seconds(given.connect_seconds),
        }  # fmt: skip
        if given.ca_file:
            client["root_certificate"] = Path(given.ca_file).read_bytes()
        retry: Any = {
            "max_retries": given.retries, "retry_timeout": _seconds(given.retry_seconds),
            "backoff": {"init_backoff": _seconds(0.1), "max_backoff": _seconds(5), "base": 2},
        }  # fmt: skip
        return S3Store(
            given.bucket, prefix=given.prefix.strip("/") or None, config=config, client_options=client,
            retry_config=retry,
        )  # fmt: skip

    def head(self, key: str) -> Found | None:
        """Return what is known of an object, None when there is none."""
        import obstore

        try:
            with _asked("HEAD", key):
                return _found(obstore.head(self._store, key))
        except FileNotFoundError:
            return None

    def read(self, key: str, start: int, length: int) -> tuple[memoryview, int]:
        """Return some bytes of an object and how many it has in all; FileNotFoundError when there is none.

        What is asked for beyond its end is left out.
        """
        import obstore
        from obstore.exceptions import BaseError

        with _asked("GET", key):
            try:
                got = obstore.get(self._store, key, options={"range": (start, start + length)})
            except BaseError as error:
                if BEYOND not in str(error):
                    raise
            else:
                size = int(got.meta["size"])
                return memoryview(got.bytes()), size
        found = self.head(key)
        if found is None:
            raise FileNotFoundError(key)
        return memoryview(b""), found.size

    def put(self, key: str, path: Path, size: int) -> None:
        """Make a file an object, in parts where it is large; whole or not at all."""
        import obstore

        part = max(PART, -(-size // PARTS))
        attributes: Any = {"Content-Type": "application/octet-stream"}
        if self.settings.storage_class:
            attributes["Storage-Class"] = self.settings.storage_class
        try:
            with _asked("PUT", key):
                obstore.put(
                    self._store, key, path, attributes=attributes, chunk_size=part, max_concurrency=AT_ONCE
                )
        except FileNotFoundError:
            if not path.exists():
                raise
            log.error("the bucket %s does not exist", self.settings.bucket)
            raise BlobsUnavailable("the store of files does not answer") from None

    def delete(self, keys: list[str]) -> None:
        """Delete objects; those that are not there do not matter."""
        import obstore

        with _asked("DELETE", f"{len(keys)} objects"):
            obstore.delete(self._store, keys)

    def each(self) -> Iterator[Found]:
        """Yield all objects, page by page."""
        import obstore

        with _asked("LIST", self.settings.prefix):
            pages = iter(obstore.list(self._store))
        while True:
            with _asked("LIST", self.settings.prefix):
                page = next(pages, None)
            if page is None:
                return
            yield from map(_found, page)

    def check(self) -> None:
        """Ask the bucket for nothing; BootError when it refuses or is not there, BlobsUnavailable when away."""
        import obstore
        from obstore.exceptions import BaseError

        try:
            next(iter(obstore.list(self._store, prefix=NOBODY)), None)
        except (BaseError, FileNotFoundError) as error:
            text = str(error)
            if "NoSuchBucket" in text:
                raise BootError(f"storage_s3: there is no bucket {self.settings.bucket!r}") from None
            if any(word in text for word in DENIED):
                raise BootError(
                    f"storage_s3: the server refuses the bucket {self.settings.bucket!r} to this access key: "
                    f"{_first_line(text)}"
                ) from None
            raise BlobsUnavailable(f"storage_s3: {_first_line(text)}") from None

    def close(self) -> None:
        """Let go of the client, and its connections with it."""
        self._made = None


@contextmanager
def _asked(verb: str, what: str) -> Iterator[None]:
    """Turn the errors of the library into those of a door; FileNotFoundError goes through."""
    from obstore.exceptions import BaseError

    try:
        yield
    except BaseError as error:
        log.error("%s of %s failed: %s", verb, what, _first_line(str(error)))
        raise BlobsUnavailable("the store of files does not answer") from None


def _first_line(text: str) -> str:
    return " ".join(text.partition("Debug source")[0].split())[:500]


def _found(meta: Any) -> Found:
    return Found(meta["path"], int(meta["size"]), meta["last_modified"].timestamp())


def _seconds(count: float) -> datetime.timedelta:
    return datetime.timedelta(seconds=count)
