"""Looking at files."""

from __future__ import annotations

import logging
from collections import OrderedDict
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any

from atrio.kernel.errors import FileRefused

from .clamd import ScanFailed, ping, scan
from .config import AntivirusConfig, place
from .errors import ScannerUnavailable

if TYPE_CHECKING:
    from atrio.kernel.blobs import TemporaryBlob
    from atrio.kernel.host import Kernel

log = logging.getLogger("atrio.antivirus")
REMEMBERED = 10_000
MINUTE = 60 * 1_000_000
PING_SECONDS = 2.0


@dataclass
class Verdicts:
    """What was found in bytes, by their digest, for a while; and what this process has looked at."""

    scanned: int = 0
    refused: int = 0
    _kept: OrderedDict[str, tuple[int, str | None]] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    def get(self, digest: str, since: int) -> tuple[bool, str | None]:
        """Return whether a verdict younger than a moment is known, and the name of what was found."""
        with self._lock:
            moment, found = self._kept.get(digest, (-1, None))
        return moment >= since, found

    def put(self, digest: str, now: int, found: str | None) -> None:
        """Remember a verdict."""
        with self._lock:
            self.scanned += 1
            self.refused += found is not None
            self._kept[digest] = now, found
            self._kept.move_to_end(digest)
            while len(self._kept) > REMEMBERED:
                self._kept.popitem(last=False)


def verdicts_of(kernel: Kernel) -> Verdicts:
    """Return what this process remembers."""
    return kernel.part("antivirus.verdicts", Verdicts)


def check(kernel: Kernel, blob: TemporaryBlob) -> None:
    """Raise FileRefused where the scanner finds something, ScannerUnavailable where it has to and cannot."""
    settings = kernel.config[AntivirusConfig]
    if not settings.address or not blob.size:
        return
    if blob.size > settings.max_bytes:
        if settings.when_too_large == "refuse":
            raise FileRefused(f"files above {settings.max_bytes} bytes cannot be looked at")
        return
    verdicts, now = verdicts_of(kernel), kernel.clock.now()
    known, found = verdicts.get(blob.digest, now - settings.cache_minutes * MINUTE + 1)
    if not known:
        try:
            found = scan(place(settings.address), blob.path, timeout=settings.timeout)
        except ScanFailed as error:
            log.error("no verdict on a file of %d bytes: %s", blob.size, error)
            if settings.when_unavailable == "refuse":
                raise ScannerUnavailable(headers=[("retry-after", "60")]) from None
            return
        verdicts.put(blob.digest, now, found)
    if found is not None:
        log.warning("a file of %d bytes was kept out: %s", blob.size, found)
        raise FileRefused(f"the virus scanner found {found}")


def health(kernel: Kernel) -> dict[str, Any]:
    """Return facts about the scanner; ScanFailed where it is wanted and does not answer."""
    settings, verdicts = kernel.config[AntivirusConfig], verdicts_of(kernel)
    if settings.address:
        ping(place(settings.address), timeout=PING_SECONDS)
    return {"scanned": verdicts.scanned, "refused": verdicts.refused}
