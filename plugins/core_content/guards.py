"""Guards of content routes, usable by every door."""

from __future__ import annotations

from typing import Any

from atrio.kernel.context import Context
from atrio.kernel.errors import KernelError, Unauthenticated, ValidationFailed
from atrio.kernel.http.guards import Guard, any_of
from atrio.kernel.http.route import Call
from atrio.plugins.accounts.api import InsufficientUserProfile, get_user
from atrio.plugins.spaces.api import (
    CONTENT_MANAGER,
    CONTRIBUTOR,
    WORKSPACE_MANAGER,
    InsufficientUserRole,
    InvalidSpaceId,
    SpaceNotFound,
    find_space,
    is_member,
)

from . import queries
from .errors import (
    ContentNotFound,
    ContentTypeMissing,
    ContentTypeNotAllowed,
    ContentTypeNotExist,
    InvalidCommentId,
    InvalidContentId,
    RevisionMismatch,
    WorkspaceMissing,
)
from .types import ALIASES, FILE_LIKE, content_types


def path_id(call: Call, name: str, wrong: type[KernelError]) -> int:
    """Return an id of the path; `wrong` when it is no number, 0 when no row can have it."""
    text = call.path.get(name, "")
    if not (text.isascii() and text.isdigit()):
        raise wrong
    return int(text) if len(text) <= 18 else 0


def content(*types: str) -> Guard:
    """Return the guard that loads the content of the path, of one of these types; comes after the role."""

    def check(ctx: Context, call: Call) -> None:
        content_id = path_id(call, "content_id", InvalidContentId)
        space = ctx.resources["space"]
        queries.lock(ctx, space.space_id, content_id)
        row = None if space.is_deleted else queries.one(ctx, space.space_id, content_id)
        if row is None:
            raise ContentNotFound
        if types and row.content_type not in types:
            raise ContentTypeNotAllowed
        ctx.resources["content"] = row

    name = f"content ({', '.join(types)})" if types else "content"
    return Guard(name, check, (InvalidContentId, ContentNotFound, ContentTypeNotAllowed))


CONTENT = content()


def _exists(ctx: Context, call: Call) -> None:
    content_id = path_id(call, "content_id", InvalidContentId)
    space = ctx.resources["space"]
    row = None if space.is_deleted else queries.PARENT.first(ctx, content_id=content_id, space_id=space.space_id)
    if row is None:
        raise ContentNotFound
    ctx.resources["content"] = row


CONTENT_EXISTS = Guard("content", _exists, (InvalidContentId, ContentNotFound))
"""Like CONTENT for reads of what hangs on a content: its row without its text, which may be megabytes."""

NOTE = content("html-document")
FOLDER = content("folder")
THREAD = content("thread")
FILE = content(*FILE_LIKE)
FILE_ONLY = content("file")


def positive(call: Call, name: str) -> int:
    """Return a number of the path that no guard reads; ValidationFailed when it is none."""
    text = call.path[name]
    if not (text.isascii() and text.isdigit() and 0 < len(text) <= 18 and int(text) > 0):
        raise ValidationFailed({name: ["Not a valid integer."]})
    return int(text)


def one_revision(ctx: Context, call: Call) -> Any:
    """Return the revision of the path, which must be one of the content."""
    row = queries.ONE_REVISION.first(ctx, revision_id=positive(call, "revision_id"))
    if row is None:
        raise ContentNotFound
    if row.content_id != ctx.resources["content"].content_id:
        raise RevisionMismatch
    return row


def _create_type(ctx: Context, call: Call) -> None:
    slug = call.raw_body.get("content_type")
    if slug is None:
        raise ContentTypeMissing
    kind = content_types(ctx.kernel).get(ALIASES.get(slug, slug)) if isinstance(slug, str) else None
    if kind is None:
        raise ContentTypeNotExist
    ctx.kernel.rights.check(ctx, f"spaces.{kind.minimal_role}", ctx.resources["space"])


CREATE_TYPE = Guard(
    "role for the type", _create_type, (ContentTypeMissing, ContentTypeNotExist, InsufficientUserRole)
)
"""Asks for the role that the type in the body needs; it reads that one key before the schema runs."""


def _destination(ctx: Context, call: Call) -> None:
    given = call.raw_body.get("new_workspace_id")
    if given is None:
        raise WorkspaceMissing
    if isinstance(given, bool) or not str(given).isascii() or not str(given).isdigit():
        raise InvalidSpaceId
    space = find_space(ctx, int(given)) if len(str(given)) <= 18 else None
    if space is None or space.is_deleted:
        raise SpaceNotFound
    ctx.kernel.rights.check(ctx, "spaces.content-manager", space)
    ctx.resources["destination"] = space


DESTINATION = Guard(
    "content-manager at the destination", _destination,
    (WorkspaceMissing, InvalidSpaceId, SpaceNotFound, InsufficientUserRole),
)  # fmt: skip
"""Loads the space that a move names and asks for the role there; reads that one key before the schema runs."""


# -- without the space in the path --------------------------------------------------------------------------


def _located(ctx: Context, call: Call) -> None:
    content_id = path_id(call, "content_id", InvalidContentId)
    row = queries.LOCATE.first(ctx, content_id=content_id, user_id=ctx.actor.id or 0)
    if row is None:
        raise ContentNotFound
    ctx.resources["content"] = row


LOCATED = Guard("content of a member", _located, (Unauthenticated, InvalidContentId, ContentNotFound))
"""Finds a content by its id alone, for members of its space; nobody else learns that it exists."""


# -- comments and to-dos ------------------------------------------------------------------------------------


def _child(kind: str, parameter: str, wrong: type[KernelError]) -> Guard:
    def check(ctx: Context, call: Call) -> None:
        if kind in ctx.resources:
            return
        child_id = path_id(call, parameter, wrong)
        space_id = ctx.resources["space"].space_id
        queries.lock(ctx, space_id, child_id)
        row = queries.one(ctx, space_id, child_id)
        if row is None or row.content_type != kind or row.parent_id != ctx.resources["content"].content_id:
            raise ContentNotFound
        ctx.resources[kind] = row

    return Guard(kind, check, (wrong, ContentNotFound))


COMMENT = _child("comment", "comment_id", InvalidCommentId)
"""Loads the comment of the path; comes after the content, and again costs nothing."""
TODO = _child("todo", "todo_id", InvalidContentId)
"""Loads the to-do of the path; comes after the content, and again costs nothing."""


def _member(name: str, resource: str, column: str, load: Guard) -> Guard:
    """Return the guard that passes whoever the loaded row names in a column; loads it first."""

    def check(ctx: Context, call: Call) -> None:
        load.check(ctx, call)
        row = ctx.resources[resource]
        if ctx.actor.id is None or getattr(row, column) != ctx.actor.id:
            raise InsufficientUserRole
        if (ctx.resources["space"].my_role or 0) < 1:
            raise InsufficientUserRole

    return Guard(name, check, (*load.errors, InsufficientUserRole))


def _both(name: str, first: Guard, second: Guard) -> Guard:
    def check(ctx: Context, call: Call) -> None:
        first.check(ctx, call)
        second.check(ctx, call)

    return Guard(name, check, (*first.errors, *second.errors))


EDIT_COMMENT = any_of(
    _both("contributor and author", CONTRIBUTOR, _member("author", "comment", "author__user_id", COMMENT)),
    WORKSPACE_MANAGER,
)
"""A comment is changed by its author while he may contribute, or by a workspace-manager."""
DELETE_TODO = any_of(
    _both("contributor and author", CONTRIBUTOR, _member("author", "todo", "author__user_id", TODO)),
    CONTENT_MANAGER,
)
"""A to-do is deleted by its author while he may contribute, or from content-manager upwards."""
EDIT_TODO = any_of(_member("assignee", "todo", "assignee_id", TODO), DELETE_TODO)
"""A to-do is checked by its assignee, whatever his role, and by whoever may delete it."""


# -- what a user has read -----------------------------------------------------------------------------------


def _space_of_user(ctx: Context, call: Call) -> None:
    space_id = path_id(call, "workspace_id", InvalidSpaceId)
    user = get_user(ctx, path_id(call, "user_id", InsufficientUserProfile))
    if not is_member(ctx, space_id, user.user_id):
        raise SpaceNotFound
    ctx.resources["user"] = user
    ctx.resources["space_id"] = space_id


SPACE_OF_USER = Guard("space of the user", _space_of_user, (InvalidSpaceId, SpaceNotFound))
"""The space of the path must be one of the user of the path, whoever asks."""


def _content_of_space(ctx: Context, call: Call) -> None:
    row = queries.PARENT.first(
        ctx, content_id=path_id(call, "content_id", InvalidContentId), space_id=ctx.resources["space_id"]
    )
    if row is None:
        raise ContentNotFound
    ctx.resources["content"] = row


CONTENT_OF_SPACE = Guard("content of the space", _content_of_space, (InvalidContentId, ContentNotFound))
