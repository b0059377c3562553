"""Routes that notes, threads, folders and files have alike: read, change, status, revisions."""

from __future__ import annotations

from typing import Any

from atrio.kernel.context import Context
from atrio.kernel.errors import PreconditionFailed, ValidationFailed
from atrio.kernel.http.paging import page, read_token
from atrio.kernel.http.route import EMPTY, Answer, Call, Route
from atrio.kernel.http.schema import Rows, Schema

from .. import queries, schemas, services
from ..errors import (
    ContentNotFound,
    FeatureDisabled,
    InvalidStatusChange,
    NamespaceMismatch,
    NameTaken,
    NotEditable,
    RevisionMismatch,
)
from ..events import ContentModified
from ..guards import CONTENT, FILE, FOLDER, NOTE, THREAD, one_revision
from ..names import usable
from .shared import MANAGE, MODIFY_ERRORS, ONE, READ, WRITE, W, check_match, etag, load_digest


def get(ctx: Context, call: Call) -> Any:
    """Return the content that the guard loaded."""
    return ctx.resources["content"]


def modify(ctx: Context, call: Call) -> int:
    """Change a content, if `If-Match` still names its current revision."""
    row = ctx.resources["content"]
    check_match(call, row)
    if "label" in call.body and not usable(call.body["label"]):
        raise ValidationFailed({"label": ["Not a usable name."]})
    services.update_content(ctx, row, call.body)
    return int(row.content_id)


def reload(ctx: Context, content_id: int) -> Any:
    """Return a content that was just changed."""
    return queries.shown(ctx, content_id)


def set_status(ctx: Context, call: Call) -> None:
    """Open or close a content, if `If-Match` still names its current revision."""
    check_match(call, ctx.resources["content"])
    services.set_status(ctx, ctx.resources["content"], call.body["status"])


def set_namespace(ctx: Context, call: Call) -> None:
    """Bring a thread to the news of its space, or back."""
    row = ctx.resources["content"]
    check_match(call, row)
    services.change_namespace(ctx, row, ctx.resources["space"], call.body["content_namespace"])


def list_revisions(ctx: Context, call: Call) -> Rows:
    """Return a page of a content's revisions."""
    sort, _, direction = call.query["sort"].partition(":")
    bookmark = read_token(call.query["page_token"], str if sort == "label" else int)
    count = call.query["count"]
    statement = queries.revisions_statement(
        ctx, sort, direction == "desc", bookmark.side if bookmark else "", bool(count)
    )
    values = {"place_value": bookmark.value, "place_id": bookmark.row_id} if bookmark else {}
    rows = statement.all(
        ctx, content_id=ctx.resources["content"].content_id, limit=count + 1, **values
    )  # fmt: skip
    return page(rows, count, bookmark, lambda r: (getattr(r, sort), r.revision_id))


def list_folder_revisions(ctx: Context, call: Call) -> Any:
    """Return all revisions of a folder, oldest first."""
    statement = queries.revisions_statement(ctx, "modified", False, "", False)
    return statement.all(ctx, content_id=ctx.resources["content"].content_id)


def get_revision(ctx: Context, call: Call) -> Any:
    """Return one revision."""
    return one_revision(ctx, call)


def restore_revision(ctx: Context, call: Call) -> int:
    """Make an old revision the current one, as a new revision, if `If-Match` still names the current one."""
    row = ctx.resources["content"]
    check_match(call, row)
    services.restore_revision(ctx, row, one_revision(ctx, call))
    return int(row.content_id)


def _typed(segment: str, guard: Any, dumper: Any, body: type[Schema], group: str, word: str) -> tuple[Route, ...]:
    """Return the routes that notes, folders and files share."""
    one = Answer(dumper, etag=etag, doc=f"The {word}.")
    path = f"{W}/{segment}/{{content_id}}"
    return (
        Route("GET", path, get, (*READ, guard), one, summary=f"One {word}", group=group),
        Route(
            "PUT", path, modify, (*WRITE, guard), one, body=body, after=reload, errors=MODIFY_ERRORS,
            emits=(ContentModified,), summary=f"Change a {word}", group=group,
        ),
        Route(
            "PUT", f"{path}/status", set_status, (*WRITE, guard), EMPTY, body=schemas.StatusSchema,
            errors=(InvalidStatusChange, PreconditionFailed), summary=f"Open or close a {word}", group=group,
        ),
    )  # fmt: skip


def _revisions(segment: str, guard: Any, dumper: Any, group: str, word: str) -> Route:
    return Route(
        "GET", f"{W}/{segment}/{{content_id}}/revisions", list_revisions, (*READ, guard),
        Answer(dumper, "page"), query=schemas.RevisionFilterSchema, summary=f"Revisions of a {word}",
        group=group,
    )  # fmt: skip


NOTES, THREADS = "Contents > HTML documents", "Contents > Threads"
FOLDERS, FILES = "Contents > Folders", "Contents > Files"

ROUTES = (
    *_typed("html-documents", NOTE, schemas.content, schemas.ContentModifySchema, NOTES, "note"),
    _revisions("html-documents", NOTE, schemas.revision, NOTES, "note"),
    Route(
        "GET", f"{W}/html-documents/{{content_id}}/revisions/{{revision_id}}", get_revision, (*READ, NOTE),
        Answer(schemas.revision), errors=(ContentNotFound, RevisionMismatch), summary="One revision of a note",
        group=NOTES,
    ),
    *_typed("threads", THREAD, schemas.content, schemas.ContentModifySchema, THREADS, "thread"),
    _revisions("threads", THREAD, schemas.revision, THREADS, "thread"),
    Route(
        "PUT", f"{W}/threads/{{content_id}}/namespace", set_namespace, (*MANAGE, THREAD), EMPTY,
        body=schemas.NamespaceSchema,
        errors=(NamespaceMismatch, FeatureDisabled, NameTaken, NotEditable, PreconditionFailed),
        summary="Bring a thread to the news, or back", group=THREADS,
    ),
    *_typed("folders", FOLDER, schemas.content, schemas.FolderModifySchema, FOLDERS, "folder"),
    Route(
        "GET", f"{W}/folders/{{content_id}}/revisions", list_folder_revisions, (*READ, FOLDER),
        Answer(schemas.revision, "list"), summary="Revisions of a folder", group=FOLDERS,
    ),
    *_typed("files", FILE, schemas.file, schemas.ContentModifySchema, FILES, "file"),
    _revisions("files", FILE, schemas.file_revision, FILES, "file"),
    Route(
        "PUT", f"{ONE}/revisions/{{revision_id}}/restored", restore_revision, (*WRITE, CONTENT),
        Answer(schemas.digest), after=load_digest,
        errors=(ContentNotFound, RevisionMismatch, *MODIFY_ERRORS), emits=(ContentModified,),
        summary="Make an old revision the current one", group="Contents",
    ),
)  # fmt: skip
