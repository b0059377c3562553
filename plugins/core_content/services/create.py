"""Creation of contents."""

from __future__ import annotations

from typing import Any

from atrio.kernel.blobs import TemporaryBlob
from atrio.kernel.context import Context

from .. import queries
from ..errors import FeatureDisabled, NamespaceMismatch, NoFileGiven, ParentNotFound, UnallowedSubcontent
from ..events import ContentCreated
from ..media import guess_media
from ..names import split_name, usable
from ..types import SLUGS, ContentType, content_types
from .revision import INSERT_CONTENT, POINT_TO_REVISION, clean, insert_revision, named, write_named
from .update import check_quota


def create_content(
    ctx: Context, space: Any, *, kind: ContentType, label: str, parent_id: int | None, namespace: str,
    extension: str | None = None, raw_content: str = "", description: str = "",
    blob: TemporaryBlob | None = None, media: str = "",
) -> int:  # fmt: skip
    """Create a content in a space and return its id; an uploaded file comes with its bytes, one revision.

    1004 for an unknown parent, 2038 where the folder refuses the type, 2060 for another namespace, 2072 for
    publications that are off, 3002 for a taken name.
    """
    if namespace == "publication" and not space.publication_enabled:
        raise FeatureDisabled
    _check_parent(ctx, space.space_id, parent_id, namespace, kind)
    suffix = (kind.file_extension or "") if extension is None else extension
    now = ctx.now
    digest = size = None
    mimetype = ""
    if blob is not None:
        check_quota(ctx, space, blob.size)
        digest, size = ctx.kernel.blobs.keep(ctx, blob), blob.size
        mimetype = guess_media(label + suffix, media, blob.head)
    elif kind.route != "files":
        mimetype = "text/html" if kind.slug != "folder" else ""
    state: dict[str, Any] = {
        "space_id": space.space_id, "parent_id": parent_id, "parent_key": parent_id or 0,
        "namespace": namespace, "type": kind.slug, "status": "open", "sub_content_types": ",".join(SLUGS),
        "is_template": 0, "author_id": ctx.actor.id, "last_modifier_id": ctx.actor.id,
        "current_revision_id": 0, "current_revision_type": "creation", "version_number": 1, "created": now,
        "modified": now, **named(label, suffix),
    }  # fmt: skip
    result = write_named(ctx, INSERT_CONTENT, state)
    content_id = int(result.inserted_primary_key[0])
    revision_id = insert_revision(
        ctx, content_id,
        {
            "version_number": 1, "revision_type": "creation", "space_id": space.space_id,
            "parent_id": parent_id, "label": label, "file_extension": suffix, "status": "open",
            "sub_content_types": state["sub_content_types"], "is_template": 0, "is_archived": 0,
            "is_deleted": 0, "description": clean(ctx, description), "raw_content": clean(ctx, raw_content),
            "digest": digest, "size": size, "mimetype": mimetype,
        },
    )  # fmt: skip
    ctx.execute(POINT_TO_REVISION, {"key": content_id, "current_revision_id": revision_id})
    ctx.emit(ContentCreated(content_id, space.space_id, parent_id, kind.slug, revision_id, label))
    return content_id


def _check_parent(ctx: Context, space_id: int, parent_id: int | None, namespace: str, kind: ContentType) -> None:
    if parent_id is None:
        return
    parent = queries.PARENT.first(ctx, content_id=parent_id, space_id=space_id)
    if parent is None or parent.trashed_at is not None or parent.archived_at is not None:
        raise ParentNotFound
    if parent.namespace != namespace:
        raise NamespaceMismatch
    if parent.type == "folder" and kind.slug not in parent.sub_content_types.split(","):
        raise UnallowedSubcontent


def create_file(
    ctx: Context, space: Any, *, name: str, blob: TemporaryBlob | None, media: str, parent_id: int | None,
    namespace: str, slug: str = "file",
) -> int:  # fmt: skip
    """Create a file from an upload; label and extension come from its name."""
    if blob is None or not usable(name):
        raise NoFileGiven
    label, extension = split_name(name)
    return create_content(
        ctx, space, kind=content_types(ctx.kernel)[slug], label=label, extension=extension,
        parent_id=parent_id, namespace=namespace, blob=blob, media=media,
    )  # fmt: skip
