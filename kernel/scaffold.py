"""`atrio plugins new`: writes a working third-party plugin."""

from __future__ import annotations

from pathlib import Path

from .errors import BootError


def write_plugin(name: str, target: Path) -> list[Path]:
    """Write the plugin's files and return their paths."""
    raise BootError(f"cannot write {name} to {target}: no template")
