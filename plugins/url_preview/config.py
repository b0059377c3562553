"""Settings of url_preview."""

from __future__ import annotations

from dataclasses import dataclass

from atrio.kernel.config import ConfigSection, option


@dataclass(frozen=True)
class UrlPreviewConfig:
    """How pages are fetched."""

    fetch_timeout: int = option(
        10,
        legacy="url_preview.fetch_timeout",
        minimum=1,
        maximum=60,
        help="Seconds that looking at a page may take in all.",
    )
    max_content_length: int = option(
        1024 * 1024, legacy="url_preview.max_content_length", minimum=1024, maximum=16 * 1024 * 1024,
        help="Bytes of a page that are read, before and after decompression.",
    )  # fmt: skip
    ports: tuple[str, ...] = option(("80", "443"), help="Ports that pages may be on.")
    allowed_networks: tuple[str, ...] = option(
        (), help="Networks of your own (10.1.0.0/16) whose pages may be shown although they are not public."
    )
    at_once: int = option(4, minimum=1, maximum=64, help="Pages that one process fetches at the same time.")
    cache_minutes: int = option(30, minimum=0, help="How long a preview is kept in memory.")
    cache_size: int = option(1000, minimum=1, help="Previews that are kept.")


SECTION = ConfigSection("url_preview", UrlPreviewConfig)
