"""Wire shapes of core_content (spec: contents, §3)."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, validate

from atrio.kernel.http.paging import PageSchema
from atrio.kernel.http.schema import CommaList, Dumper, IdList, Int, Schema, Text, Timestamp, one_of
from atrio.plugins.accounts.api import UserDigestSchema

from .names import filename
from .types import NAMESPACES, REVISION_TYPES, SLUGS, STATUSES

TEXT_LIMIT = 16 * 1024 * 1024


class ContentDigestSchema(Schema):
    """A content as lists show it."""

    content_id = Int()
    workspace_id = Int()
    parent_id = Int(allow_none=True)
    label = Text()
    slug = Text()
    filename = Text()
    file_extension = Text()
    content_type = Text()
    content_namespace = Text(validate=one_of(*NAMESPACES))
    status = Text(dump_default="open", validate=one_of(*STATUSES))
    is_archived = fields.Boolean(dump_default=False)
    is_deleted = fields.Boolean(dump_default=False)
    is_template = fields.Boolean(dump_default=False)
    is_editable = fields.Boolean(dump_default=True)
    show_in_ui = fields.Boolean(dump_default=True)
    sub_content_types = CommaList(Text())
    current_revision_id = Int()
    current_revision_type = Text(validate=one_of(*REVISION_TYPES))
    created = Timestamp()
    modified = Timestamp()
    author = fields.Nested(UserDigestSchema, allow_none=True)
    last_modifier = fields.Nested(UserDigestSchema, allow_none=True)
    actives_shares = Int(dump_default=0)
    assignee_id = Int(allow_none=True)


class ContentSchema(ContentDigestSchema):
    """A note, thread or folder."""

    description = Text()
    version_number = Int()
    raw_content = Text()


class FileContentSchema(ContentSchema):
    """A file, kanban or logbook."""

    mimetype = Text()
    size = Int(allow_none=True)


class RevisionSchema(Schema):
    """A past or present state of a content."""

    revision_id = Int()
    content_id = Int()
    workspace_id = Int()
    parent_id = Int(allow_none=True)
    label = Text()
    slug = Text()
    filename = Text()
    file_extension = Text()
    content_type = Text()
    status = Text(validate=one_of(*STATUSES))
    revision_type = Text(validate=one_of(*REVISION_TYPES))
    version_number = Int()
    is_archived = fields.Boolean()
    is_deleted = fields.Boolean()
    is_template = fields.Boolean()
    is_editable = fields.Boolean()
    show_in_ui = fields.Boolean(dump_default=True)
    sub_content_types = CommaList(Text())
    created = Timestamp()
    modified = Timestamp()
    author = fields.Nested(UserDigestSchema, allow_none=True)
    assignee_id = Int(allow_none=True)
    description = Text()
    raw_content = Text()


class FileRevisionSchema(RevisionSchema):
    """A state of a file."""

    mimetype = Text()
    size = Int(allow_none=True)


class ContentFilterSchema(PageSchema):
    """Query of the list of a space."""

    parent_ids = IdList(load_default=None)
    complete_path_to_id = Int(load_default=None, allow_none=True, validate=validate.Range(min=1))
    namespaces_filter = Text(load_default=None, allow_none=True)
    content_type = Text(load_default=None, validate=one_of(*SLUGS))
    label = Text(load_default=None, allow_none=True, validate=validate.Length(max=1024))
    show_archived = Int(load_default=0, validate=validate.Range(0, 1))
    show_deleted = Int(load_default=0, validate=validate.Range(0, 1))
    show_active = Int(load_default=1, validate=validate.Range(0, 1))
    sort = fields.String(
        load_default="label:asc",
        validate=one_of(
            "label:asc", "label:desc", "modified:asc", "modified:desc", "created:asc", "created:desc"
        ),
    )  # fmt: skip


class RevisionFilterSchema(PageSchema):
    """Query of the revisions of a content."""

    sort = fields.String(
        load_default="modified:asc",
        validate=one_of(
            "label:asc", "label:desc", "modified:asc", "modified:desc", "created:asc", "created:desc"
        ),
    )  # fmt: skip


class ContentCreationSchema(Schema):
    """A new content."""

    label = Text(required=True, validate=validate.Length(1, 1024))
    content_type = Text(required=True, metadata={"examples": ["html-document", "folder", "thread"]})
    content_namespace = fields.String(load_default="content", validate=one_of(*NAMESPACES))
    parent_id = Int(load_default=None, allow_none=True, validate=validate.Range(min=1))


class FileCreationSchema(Schema):
    """The plain fields of an upload."""

    parent_id = Int(load_default=0, allow_none=True, validate=validate.Range(min=0))
    content_namespace = fields.String(load_default="content", validate=one_of(*NAMESPACES))
    content_type = Text(load_default="file", metadata={"examples": ["file", "kanban", "logbook"]})


class ContentModifySchema(Schema):
    """Changes of a content, all optional."""

    label = Text(validate=validate.Length(1, 1024))
    raw_content = Text(validate=validate.Length(max=TEXT_LIMIT))
    description = Text(validate=validate.Length(max=TEXT_LIMIT))


class FolderModifySchema(ContentModifySchema):
    """Changes of a folder."""

    sub_content_types = fields.List(Text(validate=one_of(*SLUGS)))


class StatusSchema(Schema):
    """A new status."""

    status = Text(required=True, validate=one_of(*STATUSES))


class FileQuerySchema(Schema):
    """Query of a download."""

    force_download = Int(load_default=0, validate=validate.Range(0, 1))


def _slug(row: Any) -> str:
    from atrio.kernel.text import slugify

    return slugify(row.label)


_REVISION = {"slug": _slug, "filename": lambda r: filename(r.label, r.file_extension)}

digest = Dumper(ContentDigestSchema)
content = Dumper(ContentSchema)
file = Dumper(FileContentSchema)
revision = Dumper(RevisionSchema, computed=_REVISION)
file_revision = Dumper(FileRevisionSchema, computed=_REVISION)
