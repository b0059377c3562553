"""Settings of system."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from atrio.kernel.config import Config, ConfigSection, option

from .colours import read_colours
from .languages import CODE_SAMPLE_LANGUAGES


@dataclass(frozen=True)
class SystemConfig:
    """What clients read at start."""

    color_file: Path | None = option(
        None,
        help="JSON file of colours: `primary`, `sidebar`, `sidebar/font`, one per application; empty: built in.",
    )
    usage_conditions: tuple[str, ...] = option(
        (), help="Files of the branding folder that hold the conditions of use, shown where people sign in."
    )
    code_sample_languages: tuple[str, ...] = option(
        CODE_SAMPLE_LANGUAGES, help="Languages of code samples in notes, each `alias:Label`."
    )
    build_version: str = option("unknown", help="Name of the build, shown beside the version.")


SECTION = ConfigSection("system", SystemConfig)


def faults(config: Config) -> str | None:
    """Return what is wrong with the settings, None when nothing is."""
    settings = config[SystemConfig]
    if settings.color_file is not None:
        try:
            read_colours(settings.color_file)
        except (OSError, ValueError) as error:
            return f"system.color_file: {error}"
    for name in settings.usage_conditions:
        if "/" in name or "\\" in name or name in ("", ".", ".."):
            return f"system.usage_conditions: {name!r} is not the name of a file in the branding folder"
    for pair in settings.code_sample_languages:
        if not all(part.strip() for part in pair.partition(":")[::2]):
            return f"system.code_sample_languages: expected alias:Label, got {pair!r}"
    return None
