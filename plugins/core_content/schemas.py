"""Wire shapes of core_content (spec: contents, §3)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any

from marshmallow import fields, validate

from atrio.kernel.db.statement import row_type
from atrio.kernel.http.paging import PageSchema
from atrio.kernel.http.schema import CommaList, Dumper, IdList, Int, Schema, Text, Timestamp, Unless, one_of
from atrio.kernel.text import slugify
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


class ReadStatusSchema(Schema):
    """Whether a user has read a content and everything below it."""

    content_id = Int()
    read_by_user = fields.Boolean(dump_default=False)


class StepSchema(Schema):
    """One content on the way from the root."""

    content_id = Int()
    label = Text()
    slug = Text()
    content_type = Text()


class PathSchema(Schema):
    """The way from the root to a content, itself last."""

    items = fields.List(fields.Nested(StepSchema))


class CommentSchema(Schema):
    """A comment."""

    content_id = Int()
    content_type = Text()
    parent_id = Int()
    parent_label = Text()
    parent_content_type = Text()
    parent_content_namespace = Text(validate=one_of(*NAMESPACES))
    raw_content = Text()
    description = Text()
    author = fields.Nested(UserDigestSchema, allow_none=True)
    last_modifier = fields.Nested(UserDigestSchema, allow_none=True)
    created = Timestamp()
    modified = Timestamp()


class ToldContentSchema(ContentDigestSchema):
    """A note, thread or folder as live messages tell it: without its text."""

    description = Text()
    version_number = Int()


class ToldBoardSchema(ToldContentSchema):
    """A kanban board or logbook as live messages tell it."""

    raw_content = Text()


class ToldFileSchema(ToldBoardSchema):
    """A file as live messages tell it."""

    mimetype = Text()
    size = Int(allow_none=True)


class ToldCommentSchema(CommentSchema):
    """A comment as live messages tell it: without its text."""

    class Meta:
        exclude = ("raw_content",)


class MinimalContentSchema(Schema):
    """The content that a to-do belongs to."""

    content_id = Int()
    content_type = Text()
    label = Text()
    slug = Text()


class SpaceLabelSchema(Schema):
    """The space of a to-do."""

    workspace_id = Int()
    label = Text()


class AssigneeSchema(UserDigestSchema):
    """Who has to do it; nulls where nobody has."""

    user_id = Int(allow_none=True)
    public_name = Text(allow_none=True)
    is_active = fields.Boolean(allow_none=True)


class TodoSchema(Schema):
    """A to-do."""

    content_id = Int()
    parent = fields.Nested(MinimalContentSchema)
    raw_content = Text()
    author = fields.Nested(UserDigestSchema, allow_none=True)
    assignee = fields.Nested(AssigneeSchema)
    created = Timestamp()
    status = Text(dump_default="open", validate=one_of(*STATUSES))
    workspace = fields.Nested(SpaceLabelSchema)


class TemplateSchema(Schema):
    """A template, short."""

    content_id = Int()
    workspace_id = Int()
    parent_id = Int(allow_none=True)
    label = Text()
    file_extension = Text()
    status = Text(dump_default="open", validate=one_of(*STATUSES))
    author = fields.Nested(UserDigestSchema, allow_none=True)
    created = Timestamp()
    content_namespace = Text(validate=one_of(*NAMESPACES))
    is_archived = fields.Boolean()
    is_deleted = fields.Boolean()
    is_template = fields.Boolean()
    is_editable = fields.Boolean()
    assignee_id = Int(allow_none=True)


class TemplateQuerySchema(Schema):
    """Which templates."""

    type = Text(required=True, validate=one_of(*SLUGS))


class KnownContentsQuerySchema(Schema):
    """What to look for, and how many answers at most."""

    acp = Text(required=True, validate=validate.Length(1, 1024))
    limit = Int(load_default=15, validate=validate.Range(min=1, max=1000))


class ContentIdsQuerySchema(Schema):
    """Which contents; absent: all of the space."""

    content_ids = IdList(load_default=None)


class MoveSchema(Schema):
    """Where a content goes; no parent, or 0, is the root."""

    new_parent_id = Int(required=True, allow_none=True, validate=validate.Range(min=0))
    new_workspace_id = Int(required=True, validate=validate.Range(min=1))


class TemplateFlagSchema(Schema):
    """Template or not."""

    is_template = fields.Boolean(required=True)


class NamespaceSchema(Schema):
    """Where a thread is shown."""

    content_namespace = fields.String(required=True, validate=one_of(*NAMESPACES))


class CommentTextSchema(Schema):
    """The text of a comment, HTML."""

    raw_content = Text(required=True, validate=validate.Length(1, TEXT_LIMIT))


class CommentFilterSchema(PageSchema):
    """Query of the comments of a content."""

    sort = fields.String(
        load_default="created:asc",
        validate=one_of(
            "label:asc", "label:desc", "modified:asc", "modified:desc", "created:asc", "created:desc"
        ),
    )  # fmt: skip


class TodoCreationSchema(Schema):
    """A new to-do."""

    raw_content = Text(required=True, validate=validate.Length(max=TEXT_LIMIT))
    assignee_id = Int(load_default=None, allow_none=True, validate=validate.Range(min=1))


class ContentCreationSchema(Schema):
    """A new content."""

    label = Text(required=True, validate=validate.Length(1, 1024))
    content_type = Text(required=True, metadata={"examples": ["html-document", "folder", "thread"]})
    content_namespace = fields.String(load_default="content", validate=one_of(*NAMESPACES))
    parent_id = Int(load_default=None, allow_none=True, validate=validate.Range(min=1))
    template_id = Int(load_default=None, allow_none=True, validate=validate.Range(min=1))


class FileCreationSchema(Schema):
    """The plain fields of an upload."""

    parent_id = Int(load_default=0, allow_none=True, validate=validate.Range(min=0))
    content_namespace = fields.String(load_default="content", validate=one_of(*NAMESPACES))
    content_type = Text(load_default="file", metadata={"examples": ["file", "kanban", "logbook"]})
    template_id = Int(load_default=None, allow_none=True, validate=validate.Range(min=1))


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
    return slugify(row.label)


def stamp(micros: int) -> str:
    """Return a moment as trashed labels carry it: ISO, UTC, microseconds, no colon."""
    moment = datetime.fromtimestamp(micros // 1_000_000, UTC)
    return f"{moment:%Y-%m-%dT%H.%M.%S}.{micros % 1_000_000:06d}"


def shown_label(label: str, trashed_at: int | None, archived_at: int | None) -> str:
    """Return a label on the wire: the row keeps it, trash and archive add their stamps, in order of time."""
    if trashed_at is None and archived_at is None:
        return label
    marks = [(archived_at, "archived"), (trashed_at, "deleted")]
    for moment, word in sorted((m, w) for m, w in marks if m is not None):
        label = f"{label}-{word}-{stamp(moment)}"
    return label


def wire_names(prefix: str = "", *, only: tuple[str, ...] = ("label", "filename", "slug")) -> dict[str, Any]:
    """Return the computed fields of a content whose columns carry a prefix (`content__`)."""
    trashed, archived = attrgetter(f"{prefix}trashed_at"), attrgetter(f"{prefix}archived_at")
    extension = f"{prefix}file_extension"
    plain = {name: attrgetter(f"{prefix}{name}") for name in only}

    def shown(name: str) -> Any:
        read = plain[name]

        def give(row: Any) -> Any:
            if trashed(row) is None and archived(row) is None:
                return read(row)
            label = shown_label(plain["label"](row), trashed(row), archived(row))
            if name == "filename":
                return filename(label, getattr(row, extension))
            return slugify(label) if name == "slug" else label

        return give

    states = (f"{prefix}trashed_at", f"{prefix}archived_at")
    return {f"{prefix}{name}": Unless(states, shown(name)) for name in only}


_REVISION = {"slug": _slug, "filename": lambda r: filename(r.label, r.file_extension)}
_NAMES = wire_names()

digest = Dumper(ContentDigestSchema, computed=_NAMES)
content = Dumper(ContentSchema, computed=_NAMES)
file = Dumper(FileContentSchema, computed=_NAMES)
revision = Dumper(RevisionSchema, computed=_REVISION)
file_revision = Dumper(FileRevisionSchema, computed=_REVISION)
template = Dumper(TemplateSchema, computed={"label": _NAMES["label"]})
read_status = Dumper(ReadStatusSchema)
step = Dumper(StepSchema, computed=wire_names(only=("label", "slug")))
path = Dumper(PathSchema, computed={"items": lambda r: r})
_ReadRow = row_type("ReadRow", ("content_id", "read_by_user"))


def read_rows(flags: Iterable[tuple[int, bool]]) -> list[Any]:
    """Return rows of (content, read) for the dumper."""
    return [_ReadRow(content_id, flag) for content_id, flag in flags]


_COMMENT = {
    "parent_label": Unless(
        ("parent_trashed_at", "parent_archived_at"),
        lambda r: shown_label(r.parent_label, r.parent_trashed_at, r.parent_archived_at),
    )
}
comment = Dumper(CommentSchema, computed=_COMMENT)
NOBODY = {
    "user_id": None, "has_avatar": True, "has_cover": False, "public_name": None, "username": None,
    "is_active": None,
}  # fmt: skip


def _assignee(row: Any) -> dict[str, Any]:
    if row.assignee__user_id is None:
        return NOBODY
    return {
        "user_id": row.assignee__user_id, "has_avatar": True, "has_cover": bool(row.assignee__has_cover),
        "public_name": row.assignee__public_name, "username": row.assignee__username,
        "is_active": bool(row.assignee__is_active),
    }  # fmt: skip


todo = Dumper(TodoSchema, computed={"assignee": _assignee, **wire_names("parent__", only=("label", "slug"))})

told_content = Dumper(ToldContentSchema, computed=_NAMES)
TOLD = {
    "comment": Dumper(ToldCommentSchema, computed=_COMMENT), "todo": todo,
    "file": Dumper(ToldFileSchema, computed=_NAMES),
    **dict.fromkeys(("kanban", "logbook"), Dumper(ToldBoardSchema, computed=_NAMES)),
}  # fmt: skip
"""How live messages tell a content of a type; of the others `told_content` (spec: events, §2)."""
