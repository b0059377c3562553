"""Settings of caldav."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from atrio.kernel.config import ConfigSection, option

MIB = 1024 * 1024


@dataclass(frozen=True)
class CaldavConfig:
    """Bounds of calendars and address books, and what a new event begins with."""

    threads: int = option(8, minimum=1, maximum=64, help="Threads for requests of DAV clients in each process.")
    native: bool = option(
        True, help="Answer plain queries of entries without the protocol library: much faster, the same answers."
    )
    item_bytes: int = option(
        5 * MIB, minimum=64 * 1024, maximum=64 * MIB, help="Largest event, to-do or card in bytes; beyond it 403."
    )
    import_bytes: int = option(
        64 * MIB, minimum=64 * 1024, help="Largest .ics or .vcf file that is imported, in bytes; beyond it 413."
    )
    feed_requests: int = option(
        60,
        minimum=0,
        help="How often in ten minutes one feed is sent, ten times that to one address; 0: no limit.",
    )
    own_collections: int = option(
        50, minimum=0, help="Calendars and address books that a user may add to his own two."
    )
    keep_deleted_days: int = option(
        180, minimum=1, help="Days for which clients that were away are told of what was deleted meanwhile."
    )
    prefilled_event_file: Path | None = option(
        None, legacy="caldav.pre_filled_event.description_file_path",
        help="Text file (UTF-8) that the web application puts into the description of a new event.",
    )  # fmt: skip


SECTION = ConfigSection("caldav", CaldavConfig)
