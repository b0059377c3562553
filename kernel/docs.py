"""Generated documentation: settings, hooks, events, errors, commands, routes, from where they are declared.

`python -m atrio.kernel.docs --write docs` writes the files, `--check docs` fails when one is stale.
"""

from __future__ import annotations

import inspect
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .config import Sources
from .config_docs import NOTE, config_markdown, first_line, markdown_table
from .host import Kernel, boot
from .http.router import describe


def hooks_markdown(kernel: Kernel) -> str:
    """Return the page of hooks: the kernel's, then those of each plugin."""
    from atrio import hookspecs

    parts = [
        NOTE,
        "# Hooks\n",
        "Implement them in `plugin.py` with `atrio.hookimpl`. `docs/plugin-authors.md` walks through an "
        "example.\n",
        "## Kernel\n",
        *_specs(hookspecs),
    ]
    for record in kernel.records:
        for module in record.contributions.get("register_hookspecs", []):
            parts.append(f"## {record.name}\n")
            parts += _specs(module)
    return "\n".join(parts)


def _specs(module: Any) -> list[str]:
    found = []
    for name, function in vars(module).items():
        if getattr(function, "atrio_spec", None) is not None:
            signature = str(inspect.signature(function)).replace("'", "")
            found.append(f"### `{name}{signature}`\n\n{inspect.getdoc(function) or ''}\n")
    return found


def events_markdown(kernel: Kernel) -> str:
    """Return the page of events."""
    rows = []
    for record in kernel.records:
        for event in record.contributions.get("register_events", []):
            names = ", ".join(f"`{p}`" for p in inspect.signature(event).parameters)
            rows.append([f"`{event.name}`", record.name, f"`{event.__name__}`", names, first_line(event)])
    head = ["event", "plugin", "class", "fields", "when"]
    return f"{NOTE}\n# Events\n\n{markdown_table(head, rows)}"


def errors_markdown(kernel: Kernel) -> str:
    """Return the page of error codes."""
    rows = []
    for name, error in kernel.errors.items():
        rows.append(
            [
                "null" if error.code is None else error.code,
                error.status,
                f"`{error.__name__}`",
                name.partition(".")[0],
                first_line(error),
            ]
        )
    rows.sort(key=lambda row: (row[0] == "null", row[0] if isinstance(row[0], int) else 0, str(row[2])))
    intro = (
        'Every refusal is `{"code": …, "message": …, "details": …}`. Compare the code, never the message. '
        "Codes from 20001 are Atrio's own."
    )
    head = ["code", "status", "name", "owner", "meaning"]
    return f"{NOTE}\n# Error codes\n\n{intro}\n\n{markdown_table(head, rows)}"


def routes_markdown(kernel: Kernel) -> str:
    """Return the page of routes."""
    rows = [
        [f"`{r['method']}`", f"`{r['path']}`", r["owner"], ", ".join(r["guards"]), r["summary"]]
        for r in describe(kernel.router.routes)
    ]
    return f"{NOTE}\n# Routes\n\n{markdown_table(['method', 'path', 'plugin', 'rights', 'what'], rows)}"


def cli_markdown(kernel: Kernel) -> str:
    """Return the page of commands."""
    import rich_click as click

    from .cli import cli

    parts = [NOTE, "# Commands\n"]

    def walk(command: click.Command, trail: tuple[str, ...]) -> None:
        ctx = click.Context(command, info_name=trail[-1])
        if isinstance(command, click.Group):
            for name in command.list_commands(ctx):
                found = command.get_command(ctx, name)
                if found is not None:
                    walk(found, (*trail, name))
            return
        words = []
        for parameter in command.params:
            if isinstance(parameter, click.Argument):
                words.append(str(parameter.human_readable_name))
        parts.append(f"## `{' '.join((*trail, *words))}`\n\n{inspect.cleandoc(command.help or '')}\n")
        options = [p for p in command.params if isinstance(p, click.Option) and p.name != "help"]
        if options:
            rows = [[f"`{', '.join(o.opts)}`", o.help or ""] for o in options]
            parts.append(markdown_table(["option", "meaning"], rows))

    walk(cli, ("atrio",))
    return "\n".join(parts)


PAGES: dict[str, Callable[[Kernel], str]] = {
    "config.md": config_markdown,
    "hooks.md": hooks_markdown,
    "events.md": events_markdown,
    "errors.md": errors_markdown,
    "routes.md": routes_markdown,
    "cli.md": cli_markdown,
}


def bundled_kernel(folder: str) -> Kernel:
    """Boot the bundled plugins alone, all of them, so that the pages do not depend on this machine."""
    from .plugins import discover

    records = [r for r in discover() if r.target.startswith("atrio.plugins.")]
    off = [r.name for r in records if r.manifest is not None and not r.manifest.default_enabled]
    sources = Sources(None, {}, {}, {"storage.data_dir": folder, "plugins.enabled": off})
    return boot(sources, schema=False, records=records)


def main(arguments: list[str]) -> int:
    """Write or check the pages."""
    mode, folder = [*arguments, "--check", "docs"][:2]
    with tempfile.TemporaryDirectory() as data:
        kernel = bundled_kernel(data)
        pages = {name: make(kernel) for name, make in PAGES.items()}
        kernel.db.close()
    stale = []
    for name, text in pages.items():
        path = Path(folder) / name
        if mode == "--write":
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        elif not path.is_file() or path.read_text("utf-8") != text:
            stale.append(str(path))
    if stale:
        sys.stderr.write(f"stale: {', '.join(stale)}; type: make docs\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
