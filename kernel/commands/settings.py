"""What every command gets, and how it prints."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import rich_click as click

from .. import garbage

if TYPE_CHECKING:
    from ..config import Sources
    from ..host import Kernel


class Settings:
    """What the options of the root command chose."""

    def __init__(self, config: str | None, data_dir: str | None, overrides: dict[str, Any]) -> None:
        self.config = config
        self.data_dir = data_dir
        self.overrides = overrides

    def sources(self, **more: Any) -> Sources:
        """Return the config sources of this call."""
        from ..config import Sources

        given = {"storage.data_dir": self.data_dir, **{k.replace("__", "."): v for k, v in more.items()}}
        chosen = {**self.overrides, **{k: v for k, v in given.items() if v is not None}}
        return Sources.load(self.config, overrides=chosen)

    def boot(self, *, schema: bool = True, **more: Any) -> Kernel:
        """Boot an instance for a command."""
        from ..host import boot
        from ..logs import configure_logging

        kernel = boot(self.sources(**more), schema=schema)
        configure_logging(kernel.config)
        garbage.resume()
        return kernel


def print_json(value: Any) -> None:
    """Print a value for programs."""
    import json

    click.echo(json.dumps(value, indent=2, default=str, ensure_ascii=False))


def print_table(head: list[str], rows: list[list[str]], colours: dict[str, str] | None = None) -> None:
    """Print a table; without a terminal one tab-separated line a row."""
    if not sys.stdout.isatty():
        for row in rows:
            click.echo("\t".join(row))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(*head, box=None, pad_edge=False)
    for row in rows:
        style = next((c for word, c in (colours or {}).items() if word in row), None)
        table.add_row(*row, style=style)
    Console().print(table)
