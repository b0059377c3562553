"""`atrio content`."""

from __future__ import annotations

import rich_click as click


@click.group()
def content() -> None:
    """Bring folders of files in and out."""
