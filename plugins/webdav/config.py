"""Settings of webdav."""

from __future__ import annotations

from dataclasses import dataclass

from atrio.kernel.config import ConfigSection, option

from .litter import FILES


@dataclass(frozen=True)
class WebdavConfig:
    """Where the drive is and how much of it is shown at once."""

    root_path: str = option("/webdav", legacy="webdav.root_path", help="Path of the drive on this server.")
    base_url: str = option(
        "", legacy="webdav.base_url", help="Address that clients are told; empty: website.base_url."
    )
    threads: int = option(8, minimum=1, maximum=64, help="Threads for requests of the drive in each process.")
    infinity_limit: int = option(
        1000, minimum=0, help="Entries up to which PROPFIND with Depth: infinity is answered; beyond it 403."
    )
    lock_seconds: int = option(
        3600, minimum=60, help="Longest life of a lock; clients renew those they still need."
    )
    native: bool = option(
        True,
        help="Answer listings, downloads, uploads and locks without the protocol library: same answers, faster.",
    )
    safe_save_seconds: int = option(
        60, minimum=0, maximum=3600,
        help="How long a name that a user took away still means the same content to him; 0: never.",
    )  # fmt: skip
    litter: tuple[str, ...] = option(
        FILES,
        help="Names (shell patterns) of helper files, which are kept aside for the program that wrote them and "
        "never become contents; empty: every file is a content.",
    )
    litter_bytes: int = option(2 * 1024**3, minimum=0, help="Bytes of helper files that are kept for one user.")
    litter_days: int = option(7, minimum=1, help="Days after which a helper file that nobody touches is deleted.")


SECTION = ConfigSection("webdav", WebdavConfig)
