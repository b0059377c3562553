"""Settings of core_content."""

from __future__ import annotations

from dataclasses import dataclass

from atrio.kernel.config import ConfigSection, option


@dataclass(frozen=True)
class ContentConfig:
    """Contents."""

    max_file_size: int = option(
        0, legacy="limitation.content_length_file_size", minimum=0, help="Largest file in bytes; 0: no limit."
    )
    space_size: int = option(
        0,
        legacy="limitation.workspace_size",
        minimum=0,
        help="Bytes that the files of one space may have; 0: no limit.",
    )


SECTION = ConfigSection("core_content", ContentConfig)
