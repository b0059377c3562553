"""Guards of content routes, usable by every door."""

from __future__ import annotations

from atrio.kernel.context import Context
from atrio.kernel.http.guards import Guard
from atrio.kernel.http.route import Call
from atrio.plugins.spaces.api import InsufficientUserRole

from . import queries
from .errors import (
    ContentNotFound,
    ContentTypeMissing,
    ContentTypeNotAllowed,
    ContentTypeNotExist,
    InvalidContentId,
)
from .types import FILE_LIKE, content_types


def content(*types: str) -> Guard:
    """Return the guard that loads the content of the path, of one of these types; comes after the role."""

    def check(ctx: Context, call: Call) -> None:
        text = call.path.get("content_id", "")
        if not (text.isascii() and text.isdigit()):
            raise InvalidContentId
        space_id = ctx.resources["space"].space_id
        row = queries.one(ctx, space_id, int(text)) if len(text) <= 18 else None
        if row is None:
            raise ContentNotFound
        if types and row.content_type not in types:
            raise ContentTypeNotAllowed
        ctx.resources["content"] = row

    name = f"content ({', '.join(types)})" if types else "content"
    return Guard(name, check, (InvalidContentId, ContentNotFound, ContentTypeNotAllowed))


CONTENT = content()
NOTE = content("html-document")
FOLDER = content("folder")
FILE = content(*FILE_LIKE)


def _create_type(ctx: Context, call: Call) -> None:
    slug = call.raw_body.get("content_type")
    if slug is None:
        raise ContentTypeMissing
    kind = content_types(ctx.kernel).get(slug) if isinstance(slug, str) else None
    if kind is None:
        raise ContentTypeNotExist
    ctx.kernel.rights.check(ctx, f"spaces.{kind.minimal_role}", ctx.resources["space"])


CREATE_TYPE = Guard(
    "role for the type", _create_type, (ContentTypeMissing, ContentTypeNotExist, InsufficientUserRole)
)
"""Asks for the role that the type in the body needs; it reads that one key before the schema runs."""
