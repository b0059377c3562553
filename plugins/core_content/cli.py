"""`atrio content`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import rich_click as click


@click.group()
def content() -> None:
    """Bring folders of files in and out."""
