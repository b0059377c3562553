"""The facts of the wire: `facts.json` read once, and what follows from it.

A route is `later` (with the reason) or has `plugin`, `who`, the shapes of what it takes, `status`, `answer`
and the `errors` it names beside the ones every route may give. A field of a shape has a `kind` and, as far as
it applies: `must` (be given), `null` (is taken or sent), `least` `most` `shortest` `longest` `pattern`
`one_of` `trimmed`, `absent` (the value when it is not given), `sometimes` (not in every answer).
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

PATH = Path(__file__).with_name("facts.json")
EVERYWHERE = {
    404: {9999}, 401: {None}, 403: {4001, 4002, 4003},
    400: {1001, 1002, 1003, 1006, 1022, 2001, 2011, 2012, 2013, 2015, 2021, 2022, 2023, 2024, 2025, 2031, 2041, 2044},
}  # fmt: skip
"""What any route may answer."""


@lru_cache(maxsize=1)
def _facts() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(PATH.read_text("utf-8"))
    return found


def routes() -> list[dict[str, Any]]:
    """Return every route of the contract."""
    return list(_facts()["routes"])


def notes() -> list[dict[str, Any]]:
    """Return where shapes differ from what is declared, and why."""
    return list(_facts()["notes"])


def now() -> list[dict[str, Any]]:
    """Return the routes that must work."""
    return [r for r in routes() if "later" not in r]


def shape(name: str) -> dict[str, Any]:
    """Return the fields of a shape."""
    return dict(_facts()["shapes"][name])


def key(method: str, path: str) -> tuple[str, str]:
    """Return what a route is found by: the names of its parameters do not count."""
    return method, re.sub(r"\{[^}]*\}", "{}", path)


def label(route: dict[str, Any]) -> str:
    """Return the name of a route in test reports."""
    return f"{route['method']} {route['path']}"


# -- values that a field takes, and that it refuses ----------------------------------------------------------

GOOD = {
    "int": 1, "bool": True, "text": "abcdef", "email": "new@example.org", "named email": "New <new@example.org>",
    "url": "http://example.org/", "object": {}, "primitives": {"a": 1}, "moment": "2026-01-01T00:00:00Z",
}  # fmt: skip


def wrong_values(field: dict[str, Any], *, in_text: bool) -> list[Any]:
    """Return values that a field must refuse; `in_text` for queries and forms, where everything is a string."""
    kind = field["kind"]
    wrong: list[Any] = []
    if kind == "int":
        wrong += ["abc", "1.5"]
        if "least" in field:
            wrong.append(field["least"] - 1)
        if "most" in field:
            wrong.append(field["most"] + 1)
    elif kind == "bool":
        wrong += ["perhaps", 7]
    elif kind == "text":
        if "one_of" in field:
            wrong.append("none-of-these")
        if field.get("shortest", 0) > 1:
            wrong.append("x" * (field["shortest"] - 1))
        if "longest" in field:
            wrong.append("x" * (field["longest"] + 1))
        if field.get("shortest") == 1 and field.get("trimmed"):
            wrong += ["", "   "]
        if "pattern" in field and "\\d" in field["pattern"]:
            wrong += ["a", "1,b"]
    elif kind == "event types":
        wrong += ["nothing", "content.exploded", "content.created.file.more", "content.created,nothing"]
    elif kind in ("email", "named email"):
        wrong += ["no-address", "x@" + "y" * 260, "a,b@c.d"]
    elif kind in ("object", "primitives", "list"):
        wrong += ["text", 3]
    if not in_text:
        if kind in ("text", "email", "named email"):
            wrong += [{"a": 1}, ["x"], 5]
        if not field.get("null"):
            wrong.append(None)
    return [str(v) if in_text else v for v in wrong]
