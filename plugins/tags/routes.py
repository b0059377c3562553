"""Routes of tags."""

from __future__ import annotations

from typing import Any

from atrio.kernel.context import Context
from atrio.kernel.http.route import EMPTY, Answer, Call, Route
from atrio.plugins.core_content.api import CONTENT_EXISTS, CONTENT_GUARD
from atrio.plugins.spaces.api import CONTRIBUTOR, READER, SPACE

from . import queries, schemas, services
from .errors import TagAlreadyExists, TagNotFound
from .guards import TAG

GROUP = "Contents > Tags"
SPACE_TAGS = "/api/workspaces/{workspace_id}/tags"
CONTENT_TAGS = "/api/workspaces/{workspace_id}/contents/{content_id}/tags"
ONE = Answer(schemas.tag, doc="The tag.")
LIST = Answer(schemas.tag, "list", doc="The tags, oldest first.")


def list_of_space(ctx: Context, call: Call) -> Any:
    """Return the tags of a space."""
    return queries.OF_SPACE.all(ctx, space_id=ctx.resources["space"].space_id)


def list_of_content(ctx: Context, call: Call) -> Any:
    """Return the tags of a content."""
    return queries.OF_CONTENT.all(ctx, content_id=ctx.resources["content"].content_id)


def get(ctx: Context, call: Call) -> Any:
    """Return the tag that the guard loaded."""
    return ctx.resources["tag"]


def create(ctx: Context, call: Call) -> int:
    """Give the space a new tag."""
    return services.create_tag(ctx, ctx.resources["space"].space_id, call.body["tag_name"])


def delete(ctx: Context, call: Call) -> None:
    """Take a tag from the space and from its contents."""
    services.delete_tag(ctx, ctx.resources["tag"])


def attach_by_name(ctx: Context, call: Call) -> int:
    """Put a tag on a content; a name that the space does not have yet becomes a tag of the space."""
    return services.tag_content_by_name(ctx, ctx.resources["content"], call.body["tag_name"])


def attach(ctx: Context, call: Call) -> int:
    """Put a tag of the space on a content."""
    tag = ctx.resources["tag"]
    return services.tag_content(ctx, ctx.resources["content"], tag.tag_id, tag.tag_name)


def detach(ctx: Context, call: Call) -> None:
    """Take a tag from a content."""
    services.untag_content(ctx, ctx.resources["content"], ctx.resources["tag"])


def load(ctx: Context, tag_id: int) -> Any:
    """Return a tag that was just written."""
    return queries.ONE.first(ctx, tag_id=tag_id, space_id=ctx.resources["space"].space_id)


ROUTES = (
    Route(
        "GET", SPACE_TAGS, list_of_space, (SPACE, READER), LIST, summary="Tags of a space", group=GROUP
    ),
    Route(
        "POST", SPACE_TAGS, create, (SPACE, CONTRIBUTOR), ONE, body=schemas.SetTagByNameSchema, after=load,
        errors=(TagAlreadyExists,), summary="Create a tag", group=GROUP,
    ),
    Route(
        "GET", f"{SPACE_TAGS}/{{tag_id}}", get, (SPACE, READER, TAG), ONE, summary="One tag", group=GROUP
    ),
    Route(
        "DELETE", f"{SPACE_TAGS}/{{tag_id}}", delete, (SPACE, CONTRIBUTOR, TAG), EMPTY,
        summary="Delete a tag", group=GROUP,
    ),
    Route(
        "GET", CONTENT_TAGS, list_of_content, (SPACE, READER, CONTENT_EXISTS), LIST,
        summary="Tags of a content", group=GROUP,
    ),
    Route(
        "POST", CONTENT_TAGS, attach_by_name, (SPACE, CONTRIBUTOR, CONTENT_GUARD), ONE,
        body=schemas.SetTagByNameSchema, after=load, errors=(TagAlreadyExists,),
        summary="Tag a content by name", group=GROUP,
    ),
    Route(
        "PUT", f"{CONTENT_TAGS}/{{tag_id}}", attach, (SPACE, CONTRIBUTOR, CONTENT_GUARD, TAG), ONE, after=load,
        errors=(TagAlreadyExists,), summary="Tag a content", group=GROUP,
    ),
    Route(
        "DELETE", f"{CONTENT_TAGS}/{{tag_id}}", detach, (SPACE, CONTRIBUTOR, CONTENT_GUARD, TAG), EMPTY,
        errors=(TagNotFound,), summary="Untag a content", group=GROUP,
    ),
)  # fmt: skip
