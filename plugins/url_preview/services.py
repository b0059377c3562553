"""Previews of pages: fetched with no transaction open, kept for a while."""

from __future__ import annotations

import logging
import ssl
import threading
from collections import OrderedDict

from atrio.kernel.context import Context
from atrio.kernel.errors import ServiceUnavailable
from atrio.kernel.jobs import SECOND

from .addresses import policy_of
from .addressing import Target
from .config import UrlPreviewConfig
from .errors import UnavailableUrlPreview
from .page import Preview, decode, preview_of

log = logging.getLogger("atrio.url_preview")


class Shelf:
    """The previews that were made last, each for a while, and the seats of those who fetch."""

    def __init__(self, settings: UrlPreviewConfig) -> None:
        self.life = settings.cache_minutes * 60 * SECOND
        self.size = settings.cache_size
        self.seats = threading.BoundedSemaphore(settings.at_once)
        self.tls = ssl.create_default_context()
        self._kept: OrderedDict[str, tuple[int, Preview]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, url: str, now: int) -> Preview | None:
        """Return a preview that is not too old."""
        with self._lock:
            kept = self._kept.get(url)
            if kept is None or now - kept[0] >= self.life:
                return None
            self._kept.move_to_end(url)
            return kept[1]

    def put(self, url: str, now: int, preview: Preview) -> None:
        """Keep a preview; the one that nobody asked for longest makes room."""
        with self._lock:
            self._kept[url] = (now, preview)
            self._kept.move_to_end(url)
            while len(self._kept) > self.size:
                self._kept.popitem(last=False)


def preview(ctx: Context, target: Target) -> Preview:
    """Return what a page says of itself; UnavailableUrlPreview when it cannot be had.

    The transaction is given up first: fetching may take seconds. ServiceUnavailable when as many pages are being
    fetched as the settings allow.
    """
    settings = ctx.config[UrlPreviewConfig]
    shelf = ctx.kernel.memo("url_preview.shelf", lambda: Shelf(settings))
    found = shelf.take(target.url, ctx.now)
    if found is not None and not target.credentials:
        return found
    if not shelf.seats.acquire(blocking=False):
        raise ServiceUnavailable("too many pages are being fetched", retry_after=settings.fetch_timeout)
    try:
        with ctx.released():
            found = _fetch(settings, shelf, target)
    finally:
        shelf.seats.release()
    shelf.put(target.url, ctx.now, found)
    return found


def _fetch(settings: UrlPreviewConfig, shelf: Shelf, target: Target) -> Preview:
    from .adapters.http import Limits, Refused, fetch

    policy = policy_of(settings.allowed_networks, settings.ports)
    limits = Limits(settings.fetch_timeout, settings.max_content_length)
    try:
        page = fetch(target, policy, limits, shelf.tls)
    except Refused as error:
        log.info("no preview of a page on %s: %s", target.host, error)
        raise UnavailableUrlPreview from None
    found = preview_of(decode(page.body, page.encoding), page.url)
    if found == Preview():
        raise UnavailableUrlPreview
    return found
