"""Routes of comments and to-dos."""

from __future__ import annotations

from typing import Any

from atrio.kernel.context import Context
from atrio.kernel.errors import PreconditionFailed
from atrio.kernel.http.paging import page, read_token
from atrio.kernel.http.route import EMPTY, Answer, Call, Route
from atrio.kernel.http.schema import Rows
from atrio.plugins.accounts.api import USER, UserNotFound
from atrio.plugins.spaces.api import SPACE

from .. import queries, schemas, services
from ..errors import (
    ContentNotFound,
    EmptyComment,
    InvalidCommentId,
    InvalidContentId,
    NotEditable,
    TodoNotFound,
    UnallowedSubcontent,
)
from ..events import ContentCreated, ContentModified
from ..guards import COMMENT, CONTENT, CONTENT_EXISTS, DELETE_TODO, EDIT_COMMENT, EDIT_TODO, TODO, path_id
from .shared import ONE, READ, WRITE, check_match, count_of, etag

COMMENTS, TODOS = f"{ONE}/comments", f"{ONE}/todos"


def list_comments(ctx: Context, call: Call) -> Rows:
    """Return a page of a content's comments: one statement whatever their number."""
    sort, _, direction = call.query["sort"].partition(":")
    bookmark = read_token(call.query["page_token"], str if sort == "label" else int)
    count = count_of(call)
    statement = queries.comments_statement(
        ctx, sort, direction == "desc", bookmark.side if bookmark else "", bool(count)
    )
    values = {"place_value": bookmark.value, "place_id": bookmark.row_id} if bookmark else {}
    rows = statement.all(ctx, parent_id=ctx.resources["content"].content_id, limit=count + 1, **values)
    return page(rows, count, bookmark, lambda r: queries.comment_place(r, sort))


def _load(statement: Any) -> Any:
    """Return the function that reads a child of the content of the path for the wire."""

    def load(ctx: Context, content_id: int) -> Any:
        row = queries.said(
            ctx, statement, content_id=content_id, parent_id=ctx.resources["content"].content_id,
            space_id=ctx.resources["space"].space_id,
        )  # fmt: skip
        if row is None:
            raise ContentNotFound
        return row

    return load


load_comment = _load(queries.COMMENT_DETAIL)
load_todo = _load(queries.TODO_DETAIL)


def get_comment(ctx: Context, call: Call) -> Any:
    """Return one comment, a deleted one too."""
    return load_comment(ctx, path_id(call, "comment_id", InvalidCommentId))


def add_comment(ctx: Context, call: Call) -> int:
    """Comment on a content."""
    return services.add_comment(ctx, ctx.resources["content"], call.body["raw_content"])


def edit_comment(ctx: Context, call: Call) -> int:
    """Change a comment, if `If-Match` still names its current revision."""
    comment = ctx.resources["comment"]
    check_match(call, comment)
    services.edit_comment(ctx, ctx.resources["content"], comment, call.body["raw_content"])
    return int(comment.content_id)


def delete_comment(ctx: Context, call: Call) -> None:
    """Delete a comment."""
    check_match(call, ctx.resources["comment"])
    services.delete_comment(ctx, ctx.resources["comment"])


def list_todos(ctx: Context, call: Call) -> Any:
    """Return the to-dos of a content."""
    return queries.TODOS_OF_CONTENT.all(ctx, parent_id=ctx.resources["content"].content_id)


def list_todos_of_user(ctx: Context, call: Call) -> Any:
    """Return what is assigned to a user in the caller's spaces."""
    return queries.TODOS_OF_USER.all(ctx, assignee_id=int(call.path["user_id"]), user_id=ctx.actor.id or 0)


def get_todo(ctx: Context, call: Call) -> Any:
    """Return one to-do, a deleted one too."""
    return load_todo(ctx, path_id(call, "todo_id", InvalidContentId))


def add_todo(ctx: Context, call: Call) -> int:
    """Add a to-do to a content."""
    return services.add_todo(ctx, ctx.resources["content"], call.body["raw_content"], call.body["assignee_id"])


def set_todo_status(ctx: Context, call: Call) -> None:
    """Check a to-do, or open it again."""
    todo = ctx.resources["todo"]
    check_match(call, todo)
    if todo.trashed_at is not None:
        raise TodoNotFound
    services.set_status(ctx, todo, call.body["status"])


def delete_todo(ctx: Context, call: Call) -> None:
    """Delete a to-do."""
    check_match(call, ctx.resources["todo"])
    services.delete_todo(ctx, ctx.resources["todo"])


ONE_COMMENT = Answer(schemas.comment, etag=etag, doc="The comment.")
ONE_TODO = Answer(schemas.todo, etag=etag, doc="The to-do.")
ROUTES = (
    Route(
        "GET", COMMENTS, list_comments, (*READ, CONTENT_EXISTS), Answer(schemas.comment, "page"),
        query=schemas.CommentFilterSchema, summary="Comments of a content", group="Contents > Comments",
    ),
    Route(
        "POST", COMMENTS, add_comment, (*WRITE, CONTENT), ONE_COMMENT, body=schemas.CommentTextSchema,
        after=load_comment, errors=(EmptyComment, NotEditable, UnallowedSubcontent), emits=(ContentCreated,),
        summary="Comment on a content", group="Contents > Comments",
    ),
    Route(
        "GET", f"{COMMENTS}/{{comment_id}}", get_comment, (*READ, CONTENT_EXISTS), ONE_COMMENT,
        errors=(InvalidCommentId, ContentNotFound), summary="One comment", group="Contents > Comments",
    ),
    Route(
        "PUT", f"{COMMENTS}/{{comment_id}}", edit_comment, (SPACE, READ[1], CONTENT, EDIT_COMMENT, COMMENT),
        ONE_COMMENT, body=schemas.CommentTextSchema, after=load_comment,
        errors=(EmptyComment, NotEditable, PreconditionFailed), emits=(ContentModified,),
        summary="Change a comment",
        group="Contents > Comments",
    ),
    Route(
        "DELETE", f"{COMMENTS}/{{comment_id}}", delete_comment, (SPACE, READ[1], CONTENT, EDIT_COMMENT, COMMENT),
        EMPTY, errors=(NotEditable, PreconditionFailed), summary="Delete a comment", group="Contents > Comments",
    ),
    Route(
        "GET", "/api/users/{user_id:int}/todos", list_todos_of_user, (USER,), Answer(schemas.todo, "list"),
        summary="To-dos of a user", group="Contents > Todos",
    ),
    Route(
        "GET", TODOS, list_todos, (*READ, CONTENT_EXISTS), Answer(schemas.todo, "list"),
        summary="To-dos of a content", group="Contents > Todos",
    ),
    Route(
        "POST", TODOS, add_todo, (*WRITE, CONTENT), ONE_TODO, body=schemas.TodoCreationSchema, after=load_todo,
        errors=(UserNotFound, UnallowedSubcontent), summary="Add a to-do", group="Contents > Todos",
    ),
    Route(
        "GET", f"{TODOS}/{{todo_id}}", get_todo, (*READ, CONTENT_EXISTS), ONE_TODO,
        errors=(InvalidContentId, ContentNotFound), summary="One to-do", group="Contents > Todos",
    ),
    Route(
        "PUT", f"{TODOS}/{{todo_id}}", set_todo_status, (SPACE, READ[1], CONTENT, EDIT_TODO, TODO), EMPTY,
        body=schemas.StatusSchema, errors=(TodoNotFound, NotEditable, PreconditionFailed), summary="Check a to-do",
        group="Contents > Todos",
    ),
    Route(
        "DELETE", f"{TODOS}/{{todo_id}}", delete_todo, (SPACE, READ[1], CONTENT, DELETE_TODO, TODO), EMPTY,
        errors=(TodoNotFound, NotEditable, PreconditionFailed), summary="Delete a to-do",
        group="Contents > Todos",
    ),
)  # fmt: skip
