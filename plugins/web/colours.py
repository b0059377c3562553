"""Colours as the page's template wants them: a value with a darker and a lighter one."""

from __future__ import annotations

import colorsys
from collections.abc import Mapping
from dataclasses import dataclass

DARKER, LIGHTER = 0.85, 1.15


@dataclass(frozen=True)
class Colour:
    """A colour `#rrggbb`; as text it is that, too."""

    web: str

    def __str__(self) -> str:
        return self.web

    @property
    def darken(self) -> Colour:
        """The colour, darker."""
        return self._scaled(DARKER)

    @property
    def lighten(self) -> Colour:
        """The colour, lighter."""
        return self._scaled(LIGHTER)

    def _scaled(self, factor: float) -> Colour:
        digits = self.web[1:]
        pairs = [c * 2 for c in digits] if len(digits) == 3 else [digits[i : i + 2] for i in (0, 2, 4)]
        hue, light, saturation = colorsys.rgb_to_hls(*(int(pair, 16) / 255 for pair in pairs))
        channels = colorsys.hls_to_rgb(hue, min(1.0, light * factor), saturation)
        return Colour("#" + "".join(f"{round(channel * 255):02x}" for channel in channels))


def as_colours(names: Mapping[str, str]) -> dict[str, Colour]:
    """Return the colours by name."""
    return {name: Colour(value) for name, value in names.items()}
