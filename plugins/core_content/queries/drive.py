"""Reads for doors that show the tree as a drive: what lies in a folder, and what has a name there."""

from __future__ import annotations

from sqlalchemy import bindparam, func, literal, select

from atrio.kernel.db.order import byte_length
from atrio.kernel.db.statement import Statement

from ..models import Content, Revision
from .columns import VISIBLE

_COLUMNS = (
    Content.content_id, Content.space_id, Content.parent_id, Content.label.label("label"), Content.file_extension,
    Content.type.label("content_type"), Content.status, Content.created, Content.modified,
    Content.current_revision_id, Revision.mimetype, Revision.digest,
    func.coalesce(Revision.size, byte_length(Revision.raw_content)).label("size"),
)  # fmt: skip
_FROM = (
    select(*_COLUMNS)
    .join(Revision, Revision.revision_id == Content.current_revision_id)
    .where(VISIBLE, Content.namespace == bindparam("namespace"))
    .where(Content.type != literal("comment"), Content.type != literal("todo"))
)
_IN = (Content.space_id == bindparam("space_id"), Content.parent_key == bindparam("parent_key"))
LISTED = Statement(_FROM.where(*_IN).order_by(Content.content_id), "DriveRow")
"""What lies in a folder, or at the root of a space with parent_key 0; without texts."""
NAMED = Statement(_FROM.where(*_IN, Content.name_key == bindparam("name_key")), "DriveRow")
"""What has this name there."""
