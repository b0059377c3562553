"""The page of figures: rows of a run take the place of older ones of the same name, the others stay."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

HEAD = """# Benchmarks

Written by `make bench ARGS='--write docs/benchmarks.md'`; with `--only drive` and the like only those rows are
measured anew. Ratios are against a bare Starlette endpoint on Hypercorn that runs the same SQL through sqlite3 and
dumps the same objects with orjson, or against the server that a row names, in the same run; times are CPU of the
server process for one request unless a row says otherwise. `load` is what else the two cores had to do: it makes
CPU dearer and waits longer. Read ratios and orders of size, not milliseconds.
"""
Row = tuple[str, str, str, str, str]
"""What, measured, aim, beside, load."""


def missed(value: str, limit: str) -> bool:
    """Tell whether a row misses its aim; values without an aim never do."""
    numbers = [re.match(r"\+?([0-9.]+)", text) for text in (value, limit)]
    if numbers[0] is None or numbers[1] is None:
        return False
    mine, aim = (float(n[1]) for n in numbers if n is not None)
    return mine < aim if limit.endswith(("/s", "×")) else mine > aim


def read(page: Path) -> list[Row]:
    """Return the rows of a page."""
    rows: list[Row] = []
    for line in page.read_text("utf-8").splitlines() if page.exists() else ():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("|") and len(cells) == 5 and cells[0] != "what" and not cells[0].startswith("---"):
            rows.append((cells[0], cells[1], cells[2], cells[3], cells[4]))
    return rows


def write(page: Path, fresh: Sequence[Row], why: Mapping[str, str]) -> None:
    """Put fresh rows into a page, and say what misses its aim."""
    new = {row[0]: row for row in fresh}
    kept = [new.pop(row[0], row) for row in read(page)]
    rows = kept + [row for row in fresh if row[0] in new]
    lines = [HEAD, "| what | measured | aim | beside | load |", "| --- | --- | --- | --- | --- |"]
    lines += [f"| {' | '.join(row)} |" for row in rows]
    late = [row for row in rows if missed(row[1], row[2])]
    if late:
        lines.append("\n## What misses its aim\n")
        for name, measured, aim, *_ in late:
            reason = next((text for key, text in why.items() if name.startswith(key)), "")
            lines.append(f"- {name}: {measured} instead of {aim}" + (f" ({reason})" if reason else ""))
    page.write_text("\n".join(lines) + "\n", "utf-8")
