"""Routes of the tree: move, trash, archive, template flag, paths, redirects."""

from __future__ import annotations

from typing import Any

from atrio.kernel.context import Context
from atrio.kernel.errors import PreconditionFailed
from atrio.kernel.http.response import Response, redirect
from atrio.kernel.http.route import EMPTY, Answer, Call, Route
from atrio.plugins.accounts.api import CANDIDATE, OWN_OR_ADMINISTRATOR
from atrio.plugins.spaces.api import SPACE, WORKSPACE_MANAGER

from .. import queries, schemas, services
from ..errors import (
    ContentNotFound,
    ContentTypeNotAllowed,
    MoveIntoChild,
    MoveIntoItself,
    NamespaceMismatch,
    NameTaken,
    NotEditable,
    UnallowedSubcontent,
    WorkspacesDoNotMatch,
)
from ..guards import CONTENT, DESTINATION, LOCATED
from ..types import content_types
from .shared import MANAGE, ONE, READ, WRITE, check_match, load_digest


def move(ctx: Context, call: Call) -> int:
    """Move a content with everything below it, if `If-Match` still names its current revision."""
    row = ctx.resources["content"]
    check_match(call, row)
    services.move(ctx, row, ctx.resources["destination"], call.body["new_parent_id"] or None)
    return int(row.content_id)


def trash(ctx: Context, call: Call) -> None:
    """Put a content into the trash."""
    check_match(call, ctx.resources["content"])
    services.trash(ctx, ctx.resources["content"])


def restore(ctx: Context, call: Call) -> None:
    """Take a content out of the trash."""
    check_match(call, ctx.resources["content"])
    services.restore(ctx, ctx.resources["content"])


def archive(ctx: Context, call: Call) -> None:
    """Archive a content."""
    check_match(call, ctx.resources["content"])
    services.archive(ctx, ctx.resources["content"])


def unarchive(ctx: Context, call: Call) -> None:
    """Take a content out of the archive."""
    check_match(call, ctx.resources["content"])
    services.unarchive(ctx, ctx.resources["content"])


def purge(ctx: Context, call: Call) -> None:
    """Delete a content for good."""
    check_match(call, ctx.resources["content"])
    services.purge(ctx, ctx.resources["content"])


def set_template(ctx: Context, call: Call) -> None:
    """Mark a content as a template, or no longer."""
    check_match(call, ctx.resources["content"])
    services.set_template(ctx, ctx.resources["content"], call.body["is_template"])


def path(ctx: Context, call: Call) -> Any:
    """Return the way from the root to a content."""
    return schemas.step.build_all(queries.WAY.all(ctx, content_id=ctx.resources["content"].content_id))


def templates(ctx: Context, call: Call) -> Any:
    """Return the templates of a type in the spaces of a user."""
    user_id = int(call.path["user_id"])
    return queries.templates_statement(ctx).all(ctx, user_id=user_id, content_type=call.query["type"])


def known_contents(ctx: Context, call: Call) -> Any:
    """Return the contents of a user's spaces that a few letters could mean."""
    return queries.known(ctx, int(call.path["user_id"]), call.query["acp"], call.query["limit"])


def _typed_path(ctx: Context, call: Call, space_id: int, row: Any) -> str:
    kind = content_types(ctx.kernel)[row.content_type]
    base = f"{call.http.root_path}/api/workspaces/{space_id}"
    if kind.named:
        return f"{base}/{kind.route}/{row.content_id}"
    return f"{base}/contents/{row.parent_id}/{kind.route}/{row.content_id}"


def to_typed(ctx: Context, call: Call) -> Response:
    """Redirect to the routes of the content's type."""
    row = ctx.resources["content"]
    space_id = row.space_id if "space" not in ctx.resources else ctx.resources["space"].space_id
    return redirect(_typed_path(ctx, call, space_id, row), 302)


def to_path(ctx: Context, call: Call) -> Response:
    """Redirect to the path of the content."""
    return redirect(f"{call.http.root_path}/api/contents/{ctx.resources['content'].content_id}/path", 302)


def _act(path: str, handler: Any, guards: Any, summary: str, *errors: Any, method: str = "PUT") -> Route:
    group = "Contents > All > Archive & Restore" if "archived" in path else "Contents > All > Trash & Restore"
    return Route(
        method, f"{ONE}/{path}", handler, (*guards, CONTENT), EMPTY, errors=(*errors, PreconditionFailed),
        summary=summary, group=group,
    )  # fmt: skip


FOUND = Answer(shape="redirect", status=302, doc="To the content.")
ROUTES = (
    Route(
        "PUT", f"{ONE}/move", move, (SPACE, MANAGE[1], DESTINATION, CONTENT), Answer(schemas.digest),
        body=schemas.MoveSchema, after=load_digest,
        errors=(
            ContentNotFound, ContentTypeNotAllowed, MoveIntoChild, MoveIntoItself, NamespaceMismatch, NameTaken,
            NotEditable, UnallowedSubcontent, WorkspacesDoNotMatch, PreconditionFailed,
        ),
        summary="Move a content", group="Contents",
    ),
    _act("trashed", trash, MANAGE, "Put a content into the trash", NotEditable),
    _act("trashed/restore", restore, MANAGE, "Take a content out of the trash", NotEditable),
    _act("archived", archive, MANAGE, "Archive a content", NotEditable),
    _act("archived/restore", unarchive, MANAGE, "Take a content out of the archive", NotEditable),
    _act(
        "permanently", purge, (SPACE, WORKSPACE_MANAGER), "Delete a content for good", ContentNotFound,
        method="DELETE",
    ),
    Route(
        "PUT", f"{ONE}/template", set_template, (*WRITE, CONTENT), EMPTY, body=schemas.TemplateFlagSchema,
        errors=(NotEditable, PreconditionFailed), summary="Mark a content as a template", group="Contents",
    ),
    Route("GET", ONE, to_typed, (*READ, CONTENT), FOUND, summary="Where a content is", group="Contents"),
    Route("GET", f"{ONE}/path", to_path, (*READ, CONTENT), FOUND, summary="Path of a content", group="Contents"),
    Route(
        "GET", "/api/contents/{content_id}", to_typed, (LOCATED,), FOUND, summary="Where a content is",
        group="Contents",
    ),
    Route(
        "GET", "/api/contents/{content_id}/path", path, (LOCATED,), Answer(schemas.path),
        summary="Path of a content", group="Contents",
    ),
    Route(
        "GET", "/api/users/{user_id:int}/template_contents", templates, (OWN_OR_ADMINISTRATOR, CANDIDATE),
        Answer(schemas.template, "list"), query=schemas.TemplateQuerySchema, summary="Templates",
        group="Users > Contents",
    ),
    Route(
        "GET", "/api/users/{user_id:int}/known_contents", known_contents, (OWN_OR_ADMINISTRATOR, CANDIDATE),
        Answer(schemas.digest, "list"), query=schemas.KnownContentsQuerySchema,
        summary="Contents that a few letters could mean", group="Users",
    ),
)  # fmt: skip
