"""What other plugins may use of core_content."""

from __future__ import annotations

from typing import Any

from atrio.kernel.context import Context

from . import queries
from .errors import ContentNotFound, NotEditable
from .guards import CONTENT as CONTENT_GUARD
from .guards import CONTENT_EXISTS
from .live import told_content
from .models import CONTENT, REVISION
from .queries import VISIBLE, digest_query, digest_statement, text_of
from .schemas import ContentDigestSchema, wire_names
from .services import add_comment
from .services.revision import clean
from .types import SLUGS, content_types


def get_content(ctx: Context, space_id: int, content_id: int) -> Any:
    """Return one content of a space with its current text; ContentNotFound when there is none."""
    row = queries.one(ctx, space_id, content_id)
    if row is None:
        raise ContentNotFound
    return row


__all__ = [
    "CONTENT", "CONTENT_EXISTS", "CONTENT_GUARD", "REVISION", "SLUGS", "VISIBLE", "ContentDigestSchema",
    "ContentNotFound", "NotEditable", "add_comment", "clean", "content_types", "digest_query",
    "digest_statement", "get_content", "text_of", "told_content", "wire_names",
]  # fmt: skip
