"""The fetcher as a background service. Taking mails apart is imported only where the config names an inbox."""

from __future__ import annotations

from typing import TYPE_CHECKING

from atrio.kernel.host import Kernel

from ..config import MailConfig

if TYPE_CHECKING:
    from .fetcher import Fetcher


def wanted(kernel: Kernel) -> bool:
    """Tell whether the config names an inbox."""
    return kernel.config[MailConfig].incoming != "off"


def start(kernel: Kernel) -> Fetcher:
    """Start the fetcher."""
    from .fetcher import Fetcher

    fetcher = Fetcher(kernel)
    fetcher.start()
    return fetcher


def stop(handle: Fetcher) -> None:
    """Stop it."""
    handle.end()
