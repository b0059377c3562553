"""Settings of zip_download."""

from __future__ import annotations

from dataclasses import dataclass

from atrio.kernel.config import ConfigSection, option


@dataclass(frozen=True)
class ZipConfig:
    """Zip files."""

    max_entries: int = option(
        20_000, minimum=1, maximum=1_000_000, help="Files and folders that one zip file may hold."
    )
    max_bytes: int = option(
        20 * 1024**3, minimum=0, help="Bytes that the files in one zip file may have together; 0: no limit."
    )
    threads: int = option(2, minimum=1, maximum=32, help="Threads of a process that read for zip files.")


SECTION = ConfigSection("zip_download", ZipConfig)
