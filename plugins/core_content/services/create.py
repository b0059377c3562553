"""Creation of contents."""

from __future__ import annotations

from typing import Any

from sqlalchemy import and_, insert, literal, select

from atrio.kernel.blobs import TemporaryBlob
from atrio.kernel.context import Context
from atrio.kernel.db.base import Id
from atrio.plugins.spaces.api import refuse_trashed

from .. import queries
from ..errors import (
    ContentTypeNotAllowed,
    FeatureDisabled,
    NamespaceMismatch,
    NoFileGiven,
    ParentNotFound,
    UnallowedSubcontent,
)
from ..events import ContentCopied, ContentCreated
from ..models import CONTENT, REVISION
from ..names import split_name, usable
from ..types import SLUGS, ContentType, content_types
from .revision import (
    INSERT_CONTENT,
    POINT_TO_REVISION,
    clean,
    clean_text,
    insert_revision,
    mark_read,
    name_first_revisions,
    named,
    write_named,
)
from .update import StoredBytes, check_quota, take_bytes


def create_content(
    ctx: Context, space: Any, *, kind: ContentType, label: str, parent_id: int | None, namespace: str,
    extension: str | None = None, raw_content: str = "", description: str = "",
    blob: TemporaryBlob | StoredBytes | None = None, media: str = "", template: Any = None,
) -> int:  # fmt: skip
    """Create a content in a space and return its id; an uploaded file comes with its bytes, one revision.

    `template` is the row of a content whose last revision, and whose to-dos, are copied under the new label.
    1002 in a deleted space, 1004 for an unknown parent, 2031 for a template of another type, 2038 where the
    folder refuses the type, 2060 for another namespace, 2072 for publications that are off, 3002 for a taken
    name.
    """
    refuse_trashed(space)
    if namespace == "publication" and not space.publication_enabled:
        raise FeatureDisabled
    if template is not None and template.content_type != kind.slug:
        raise ContentTypeNotAllowed
    check_parent(ctx, space.space_id, parent_id, namespace, kind)
    suffix = (kind.file_extension or "") if extension is None else extension
    revision: dict[str, Any] = {
        "revision_type": "creation", "description": clean(ctx, description),
        "raw_content": clean_text(ctx, kind.slug, raw_content), "digest": None, "size": None, "mimetype": "",
    }  # fmt: skip
    if template is not None:
        revision |= _copied(ctx, space, template)
        suffix = template.file_extension if extension is None else extension
    if blob is not None:
        check_quota(ctx, space, blob.size)
        revision |= take_bytes(ctx, blob, label + suffix, media)
    elif template is None and kind.route != "files":
        revision["mimetype"] = "text/html" if kind.slug != "folder" else ""
    content_id, revision_id = insert_content(
        ctx,
        {
            "space_id": space.space_id, "parent_id": parent_id, "namespace": namespace, "type": kind.slug,
            "sub_content_types": template.sub_content_types if template is not None else ",".join(SLUGS),
            **named(label, suffix),
        },
        revision,
    )  # fmt: skip
    facts = (content_id, space.space_id, parent_id, kind.slug, revision_id, label)
    if template is None:
        ctx.emit(ContentCreated(*facts))
    else:
        copy_todos(ctx, template.content_id, content_id, space.space_id, namespace)
        ctx.emit(ContentCopied(*facts, source_id=template.content_id))
    return content_id


def _copied(ctx: Context, space: Any, template: Any) -> dict[str, Any]:
    if template.stored_size:
        check_quota(ctx, space, template.stored_size)
    return {
        "revision_type": "copy", "description": template.description, "raw_content": template.raw_content,
        "digest": template.digest, "size": template.stored_size, "mimetype": template.mimetype,
    }  # fmt: skip


def insert_content(ctx: Context, content: dict[str, Any], revision: dict[str, Any]) -> tuple[int, int]:
    """Write a content with its first revision and return both ids; NameTaken where the name is."""
    now = ctx.now
    state: dict[str, Any] = {
        "status": "open", "is_template": 0, "author_id": ctx.actor.id, "last_modifier_id": ctx.actor.id,
        "current_revision_id": 0, "current_revision_type": revision["revision_type"], "version_number": 1,
        "created": now, "modified": now, "parent_key": content["parent_id"] or 0, "hidden_by": None,
        "sort_key": "", "assignee_id": None, **content,
    }  # fmt: skip
    content_id = write_named(ctx, INSERT_CONTENT.insert, state)
    revision_id = insert_revision(
        ctx, content_id,
        {
            "version_number": 1, "space_id": state["space_id"], "parent_id": state["parent_id"],
            "label": state["label"], "file_extension": state["file_extension"], "status": "open",
            "sub_content_types": state["sub_content_types"], "is_template": 0, "is_archived": 0,
            "is_deleted": 0, "digest": None, "size": None, **revision,
        },
    )  # fmt: skip
    POINT_TO_REVISION.run(ctx, {"key": content_id, "current_revision_id": revision_id})
    mark_read(ctx, content_id, revision_id)
    return content_id, revision_id


def copy_todos(ctx: Context, source_id: int, target_id: int, space_id: int, namespace: str) -> None:
    """Copy the to-dos of a content to another, open again: four statements whatever their number.

    For a moment each new row points at the revision of the row it was copied from: that is where its text is.
    """
    if ctx.execute(select(CONTENT.c.content_id).where(*_todos_of(source_id)).limit(1)).first() is None:
        return
    now, actor = ctx.now, ctx.actor.id
    constants = {
        "parent_id": target_id, "parent_key": target_id, "type": "todo", "status": "open", "is_template": 0,
        "author_id": actor, "last_modifier_id": actor, "current_revision_type": "copy", "version_number": 1,
        "created": now, "modified": now, "label": "", "file_extension": "", "filename": "", "slug": "",
        "sort_key": "", "sub_content_types": "", "space_id": space_id, "namespace": namespace,
    }  # fmt: skip
    rows = select(
        *(literal(v, type_=CONTENT.c[k].type).label(k) for k, v in constants.items()),
        CONTENT.c.assignee_id, CONTENT.c.current_revision_id,
    ).where(*_todos_of(source_id)).order_by(CONTENT.c.content_id)  # fmt: skip
    ctx.execute(insert(CONTENT).from_select([str(c.key) for c in rows.selected_columns], rows))
    mine = and_(CONTENT.c.parent_id == target_id, CONTENT.c.type == "todo")
    revisions = (
        select(
            CONTENT.c.content_id, literal(1).label("version_number"), literal("copy").label("revision_type"),
            literal(actor, type_=Id).label("author_id"), literal(now).label("created"), CONTENT.c.space_id,
            CONTENT.c.parent_id, literal("").label("label"), literal("").label("file_extension"),
            literal("open").label("status"), literal("").label("sub_content_types"),
            literal(0).label("is_template"), literal(0).label("is_archived"), literal(0).label("is_deleted"),
            literal("").label("description"), REVISION.c.raw_content, literal("text/html").label("mimetype"),
        )
        .join(REVISION, REVISION.c.revision_id == CONTENT.c.current_revision_id)
        .where(mine)
    )  # fmt: skip
    ctx.execute(insert(REVISION).from_select([str(c.key) for c in revisions.selected_columns], revisions))
    name_first_revisions(ctx, mine)


def _todos_of(content_id: int) -> tuple[Any, ...]:
    return CONTENT.c.parent_id == content_id, CONTENT.c.type == "todo", CONTENT.c.trashed_at.is_(None)


def check_parent(ctx: Context, space_id: int, parent_id: int | None, namespace: str, kind: ContentType) -> None:
    """Refuse a parent that is not there, is hidden, or does not take the type."""
    if parent_id is None:
        return
    parent = queries.PARENT.first(ctx, content_id=parent_id, space_id=space_id)
    if parent is None or (parent.trashed_at, parent.archived_at, parent.hidden_by) != (None, None, None):
        raise ParentNotFound
    if parent.type in ("comment", "todo"):
        raise UnallowedSubcontent
    if parent.namespace != namespace:
        raise NamespaceMismatch
    if parent.type == "folder" and kind.slug not in parent.sub_content_types.split(","):
        raise UnallowedSubcontent


def create_file(
    ctx: Context, space: Any, *, name: str, blob: TemporaryBlob | StoredBytes | None, media: str,
    parent_id: int | None, namespace: str, slug: str = "file", template: Any = None,
) -> int:  # fmt: skip
    """Create a file from an upload; label and extension come from its name."""
    if blob is None or not usable(name):
        raise NoFileGiven
    label, extension = split_name(name)
    return create_content(
        ctx, space, kind=content_types(ctx.kernel)[slug], label=label, extension=extension,
        parent_id=parent_id, namespace=namespace, blob=blob, media=media, template=template,
    )  # fmt: skip
