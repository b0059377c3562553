"""The colours of an instance: built in, or from its colour file."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

BUILT_IN: Mapping[str, str] = {
    "primary": "#2f7d30", "sidebar": "#2f3b36", "sidebar/logo": "#ffffff", "sidebar/font": "#f4f4f4"
}  # fmt: skip
NEEDED = ("primary", "sidebar", "sidebar/font")
HEX = re.compile(r"#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})\Z")


def read_colours(path: Path | None) -> dict[str, str]:
    """Return the colours by name; ValueError says what is wrong with the file, OSError that it is not there."""
    if path is None:
        return dict(BUILT_IN)
    found = json.loads(path.read_text("utf-8"))
    if not isinstance(found, dict):
        raise ValueError(f"{path} holds no JSON object")
    missing = [name for name in NEEDED if name not in found]
    if missing:
        raise ValueError(f"{path} lacks {', '.join(missing)}")
    for name, value in found.items():
        if not isinstance(value, str) or not HEX.match(value):
            raise ValueError(f"{path}: {name} is no colour like #2f7d30")
    return {"sidebar/logo": found["sidebar/font"], **found}
