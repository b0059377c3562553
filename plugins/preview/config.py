"""Settings of preview."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from atrio.kernel.config import Config, ConfigSection, StorageConfig, option

SKIPPED = (
    ".ifc", ".xyz", ".e57", ".obj", ".3ds", ".stl", ".dae", ".gcode", ".svg", ".ttf", ".wrl", ".vtk",
)  # fmt: skip
GIB = 1024**3


@dataclass(frozen=True)
class PreviewConfig:
    """Previews of files: which, how large, at what cost."""

    cache_dir: Path | None = option(
        None,
        legacy="preview_cache_dir",
        help="Folder of previews that were built; empty: `previews` in the data folder.",
    )
    cache_bytes: int = option(
        10 * GIB, minimum=1024 * 1024, help="Bytes of previews that are kept; the longest unused go first."
    )
    cache_days: int = option(
        90, minimum=1, maximum=3650, help="Days after which a preview that nobody asked for is deleted."
    )
    failure_hours: int = option(
        24, minimum=0, maximum=8760, help="Hours after which a preview that could not be built is tried again."
    )
    restricted_dims: bool = option(
        False, legacy="preview.jpg.restricted_dims", help="Draw JPEGs of the sizes in `allowed_dims` only."
    )
    allowed_dims: tuple[str, ...] = option(
        ("256x256",), legacy="preview.jpg.allowed_dims", help="Sizes of JPEGs; the first is the default."
    )
    skiplist: tuple[str, ...] = option(
        SKIPPED, legacy="preview.skiplist", help="Extensions of files that have no preview."
    )
    largest: int = option(
        4096, minimum=64, maximum=16384, help="Pixels of the longest side that is drawn, whatever is asked."
    )
    wait_seconds: float = option(
        10.0, minimum=0, maximum=120, help="Seconds that a request waits for a preview to be built."
    )
    at_once: int = option(2, minimum=1, maximum=64, help="Previews that one process builds at the same time.")
    queue: int = option(200, minimum=1, help="Previews that may wait to be built; beyond it they are refused.")
    file_size: int = option(
        512 * 1024 * 1024, minimum=0, help="Bytes of the largest file of which previews are built."
    )
    max_pixels: int = option(
        120_000_000, minimum=1_000_000, maximum=1_000_000_000, help="Pixels of the largest picture that is opened."
    )
    max_pages: int = option(
        500,
        minimum=1,
        maximum=10_000,
        help="Pages of the PDF that is made of a text or a note; the rest is left out.",
    )
    seconds: int = option(
        20, minimum=1, maximum=600, help="Seconds of processor time for one preview; of the clock, twice as many."
    )
    memory_mib: int = option(1024, minimum=256, maximum=65536, help="MiB of memory for building one preview.")
    tool_seconds: int = option(
        120, minimum=5, maximum=3600, help="The same as `seconds` for LibreOffice and ffmpeg."
    )
    tool_memory_mib: int = option(
        8192, minimum=512, maximum=1_000_000, help="MiB of address space for LibreOffice and ffmpeg."
    )
    soffice: str = option("", help="Path of LibreOffice's `soffice`; empty: the one in PATH; `no`: none.")
    ffmpeg: str = option("", help="Path of `ffmpeg`; empty: the one in PATH; `no`: none.")
    unconfined: bool = option(
        False,
        help="Use LibreOffice and ffmpeg even where the system (no Landlock) cannot keep them from other files: "
        "a document may then show pictures that the server can read.",
    )
    fonts: tuple[str, ...] = option(
        (), help="Paths of TrueType fonts for texts that the fonts found by themselves cannot show."
    )


SECTION = ConfigSection("preview", PreviewConfig)


def cache_folder(config: Config) -> Path:
    """Return the folder of previews."""
    return config[PreviewConfig].cache_dir or config[StorageConfig].data_dir / "previews"


def parse_size(text: str) -> tuple[int, int]:
    """Return width and height of `256x256`; ValueError when it is none."""
    width, _, height = text.strip().lower().partition("x")
    if not (width.isascii() and width.isdigit() and height.isascii() and height.isdigit()):
        raise ValueError(f"{text!r} is no size like 256x256")
    size = int(width), int(height)
    if not 0 < min(size) <= max(size) <= 16384:
        raise ValueError(f"{text!r}: sides have 1 to 16384 pixels")
    return size


def sizes(settings: PreviewConfig) -> list[tuple[int, int]]:
    """Return the allowed sizes; the first is the default."""
    return [parse_size(text) for text in settings.allowed_dims] or [(256, 256)]
