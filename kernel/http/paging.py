"""Pages by key-set bookmarks: opaque tokens that stay right while rows come and go."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from marshmallow import fields, validate

from ..errors import ValidationFailed
from .schema import Int, Rows, Schema


@dataclass(frozen=True)
class Bookmark:
    """Where a page begins: after (`>`) or before (`<`) a row with this sort value and id."""

    side: str
    value: Any
    row_id: int


class PageSchema(Schema):
    """The query keys of every paged list; count 0 means all."""

    count = Int(load_default=0, validate=validate.Range(min=0, max=100_000))
    page_token = fields.String(load_default=None, allow_none=True)


def read_token(token: str | None, value_type: type[Any]) -> Bookmark | None:
    """Decode a token; ValidationFailed when it is none of ours."""
    if not token:
        return None
    try:
        data = msgspec.json.decode(base64.urlsafe_b64decode(token.encode("ascii")))
        side: Any
        value: Any
        row_id: Any
        side, value, row_id = data
        if side not in ("<", ">") or type(value) is not value_type or type(row_id) is not int:
            raise ValueError
        if isinstance(value, str) and "\x00" in value:
            raise ValueError
        if not 0 <= row_id < 2**63 or (value_type is int and not 0 <= value < 2**63):
            raise ValueError
        if value_type is str and "\x00" in value:
            raise ValueError
    except (ValueError, TypeError, binascii.Error, msgspec.DecodeError, UnicodeError, RecursionError):
        raise ValidationFailed({"page_token": ["Invalid page token."]}) from None
    return Bookmark(side, value, row_id)


def _token(side: str, value: Any, row_id: int) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode([side, value, row_id])).decode()


def page(
    rows: Sequence[Any], count: int, bookmark: Bookmark | None, place: Callable[[Any], tuple[Any, int]]
) -> Rows:
    """Return the page object of rows read with a limit of count + 1 (spec: contents, §10)."""
    backward = bookmark is not None and bookmark.side == "<"
    if not count:
        rows = rows[::-1] if backward else rows
        extra = {
            "has_next": False, "has_previous": False, "next_page_token": "", "previous_page_token": "",
            "per_page": len(rows),
        }  # fmt: skip
        return Rows(rows, extra)
    more = len(rows) > count
    shown = list(rows[:count])
    if backward:
        shown.reverse()
    has_next, has_previous = (True, more) if backward else (more, bookmark is not None)
    first = _token("<", *place(shown[0])) if shown else ""
    last = _token(">", *place(shown[-1])) if shown else ""
    extra = {
        "has_next": has_next, "has_previous": has_previous, "next_page_token": last,
        "previous_page_token": first, "per_page": count,
    }  # fmt: skip
    return Rows(shown, extra)
