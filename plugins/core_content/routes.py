"""Routes of core_content: lists, creation, notes, folders, files. The rest of the contract comes beside them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from atrio.kernel.blobs import TemporaryBlob
from atrio.kernel.context import Context
from atrio.kernel.errors import PreconditionFailed, ValidationFailed
from atrio.kernel.http.bytes import StoredFile, Upload, UploadLimit, user_bytes
from atrio.kernel.http.paging import page, read_token
from atrio.kernel.http.response import Response
from atrio.kernel.http.route import EMPTY, Answer, Call, Route
from atrio.kernel.http.schema import Rows, Schema
from atrio.plugins.spaces.api import CONTRIBUTOR, READER, SPACE

from . import queries, schemas, services
from .config import ContentConfig
from .errors import (
    ContentNotFound,
    ContentTypeNotExist,
    FeatureDisabled,
    FileTooLarge,
    InvalidStatusChange,
    NamespaceMismatch,
    NameTaken,
    NoFileGiven,
    NotEditable,
    OwnerFull,
    ParentNotFound,
    RevisionMismatch,
    SameValue,
    SpaceFull,
    UnallowedSubcontent,
)
from .events import ContentModified
from .guards import CREATE_TYPE, FILE, FOLDER, NOTE
from .names import usable
from .types import FILE_LIKE, NAMESPACES, content_types

EXCEPT_NAMED = (ParentNotFound, NameTaken, UnallowedSubcontent, NamespaceMismatch, FeatureDisabled)
MODIFY_ERRORS = (NameTaken, SameValue, NotEditable, PreconditionFailed)
BYTES_ERRORS = (NoFileGiven, FileTooLarge, SpaceFull, OwnerFull, NameTaken)


# -- list and creation -------------------------------------------------------------------------------------


def list_contents(ctx: Context, call: Call) -> Rows:
    """Return a page of a space's contents, two statements at most whatever their number."""
    query = call.query
    space_id = ctx.resources["space"].space_id
    parents = _wanted_parents(ctx, space_id, query)
    wanted = dict.fromkeys(n for n in (query["namespaces_filter"] or "").split(",") if n)
    namespaces = list(wanted) or ["content"]
    if any(n not in NAMESPACES for n in namespaces):
        raise ValidationFailed({"namespaces_filter": ["Unknown namespace."]})
    sort, _, direction = query["sort"].partition(":")
    bookmark = read_token(query["page_token"], str if sort == "label" else int)
    shape = queries.ListShape(
        parents=len(parents), namespaces=len(namespaces), content_type=query["content_type"] is not None,
        label=bool(query["label"]), archived=bool(query["show_archived"]),
        deleted=bool(query["show_deleted"]), active=bool(query["show_active"]), sort=sort,
        descending=direction == "desc", limited=bool(query["count"]),
        bookmark=bookmark.side if bookmark else "",
    )  # fmt: skip
    values: dict[str, Any] = {f"parent_{i}": p for i, p in enumerate(parents)}
    values |= {f"namespace_{i}": n for i, n in enumerate(namespaces)}
    if bookmark:
        values |= {"place_value": bookmark.value, "place_id": bookmark.row_id}
    if query["label"]:
        escaped = query["label"].lower().replace("!", "!!").replace("%", "!%").replace("_", "!_")
        values["label"] = f"%{escaped}%"
    rows = queries.list_statement(ctx, shape).all(
        ctx, space_id=space_id, content_type=query["content_type"], limit=query["count"] + 1, **values
    )
    return page(rows, query["count"], bookmark, lambda r: (getattr(r, sort), r.content_id))


def _wanted_parents(ctx: Context, space_id: int, query: dict[str, Any]) -> tuple[int, ...]:
    parents = query["parent_ids"] or ()
    target = query["complete_path_to_id"]
    if target is not None:
        parents = tuple(dict.fromkeys((*parents, 0, *queries.ancestors(ctx, space_id, target))))
    if len(parents) > 512:
        raise ValidationFailed({"parent_ids": ["At most 512 parents."]})
    # A power of two of them, the last one repeated: a handful of statements is kept, not one per number.
    return parents + parents[-1:] * ((1 << (len(parents) - 1).bit_length()) - len(parents)) if parents else ()


def create(ctx: Context, call: Call) -> int:
    """Create a content of any type that people create."""
    body = call.body
    kind = content_types(ctx.kernel)[body["content_type"]]
    if not kind.creatable:
        raise ValidationFailed({"content_type": ["Not created by this route."]})
    if not usable(body["label"]):
        raise ValidationFailed({"label": ["Not a usable name."]})
    return services.create_content(
        ctx, ctx.resources["space"], kind=kind, label=body["label"], parent_id=body["parent_id"],
        namespace=body["content_namespace"],
    )  # fmt: skip


def load_digest(ctx: Context, content_id: int) -> Any:
    """Return a content that was just written, as lists show it."""
    return queries.digest_statement(ctx).first(ctx, content_id=content_id)


# -- one content -------------------------------------------------------------------------------------------


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


def check_match(call: Call, row: Any) -> None:
    """Raise PreconditionFailed when `If-Match` names other revisions (RFC 9110 §13.1.1)."""
    header = call.http.headers.get("if-match")
    if header is None or header.strip() == "*":
        return
    given = {tag.strip().removeprefix("W/").strip('"').partition("-")[0] for tag in header.split(",")}
    current = str(row.current_revision_id)
    if current not in given:
        raise PreconditionFailed(details={"current_revision_id": row.current_revision_id, "etag": f'"{current}"'})


def reload(ctx: Context, content_id: int) -> Any:
    """Return a content that was just changed."""
    return queries.one(ctx, ctx.resources["space"].space_id, content_id)


def set_status(ctx: Context, call: Call) -> None:
    """Open or close a content, if `If-Match` still names its current revision."""
    check_match(call, ctx.resources["content"])
    services.set_status(ctx, ctx.resources["content"], call.body["status"])


# -- revisions ---------------------------------------------------------------------------------------------


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
    return _revision(ctx, call)


def _revision(ctx: Context, call: Call) -> Any:
    text = call.path["revision_id"]
    if not (text.isascii() and text.isdigit() and 0 < len(text) <= 18 and int(text) > 0):
        raise ValidationFailed({"revision_id": ["Not a valid integer."]})
    row = queries.ONE_REVISION.first(ctx, revision_id=int(text))
    if row is None:
        raise ContentNotFound
    if row.content_id != ctx.resources["content"].content_id:
        raise RevisionMismatch
    return row


# -- bytes -------------------------------------------------------------------------------------------------


def upload_limit(ctx: Context, call: Call) -> UploadLimit:
    """Refuse what is announced as too large before a byte is read, and bound the rest."""
    limit = ctx.config[ContentConfig].max_file_size
    announced = call.http.content_length or 0
    if limit and announced > limit + 65536:
        raise FileTooLarge
    return UploadLimit(limit, FileTooLarge)


def _received(call: Call) -> tuple[str, TemporaryBlob | None, str]:
    upload = call.upload if isinstance(call.upload, Upload) else Upload()
    return upload.filename.replace("\x00", ""), upload.blob, upload.media


def upload_file(ctx: Context, call: Call) -> int:
    """Create a file from a form; a kanban or logbook when the form says so."""
    slug = call.body["content_type"]
    if slug not in content_types(ctx.kernel):
        raise ContentTypeNotExist
    if slug not in FILE_LIKE:
        raise ValidationFailed({"content_type": ["Not created by an upload."]})
    name, blob, media = _received(call)
    return services.create_file(
        ctx, ctx.resources["space"], name=name, blob=blob, media=media,
        parent_id=call.body["parent_id"] or None, namespace=call.body["content_namespace"], slug=slug,
    )  # fmt: skip


def replace_file(ctx: Context, call: Call) -> None:
    """Give a file new bytes."""
    row = ctx.resources["content"]
    check_match(call, row)
    name, blob, media = _received(call)
    services.replace_bytes(ctx, ctx.resources["space"], row, name=name, blob=blob, media=media)


def download(ctx: Context, call: Call) -> Response:
    """Send the current bytes of a file."""
    row = ctx.resources["content"]
    return _send(ctx, call, row, row.stored_size, row.modified, row.filename)


def download_revision(ctx: Context, call: Call) -> Response:
    """Send the bytes of one revision."""
    row = _revision(ctx, call)
    name = f"{row.label}_r{row.revision_id}{row.file_extension}"
    return _send(ctx, call, row, row.size, row.created, name)


def _send(ctx: Context, call: Call, row: Any, size: int | None, modified: int, default_name: str) -> Response:
    if row.digest is None or size is None:
        raise ContentNotFound
    given = call.path.get("filename", "")
    stored = StoredFile(
        path=ctx.kernel.blobs.path(row.digest), size=size, media=row.mimetype,
        name=default_name if given in ("", "raw") else given, digest=row.digest, modified=modified,
    )  # fmt: skip
    return user_bytes(call.http, stored, attachment=bool(call.query["force_download"]))


# -- the table ---------------------------------------------------------------------------------------------

W = "/api/workspaces/{workspace_id}"
READ = (SPACE, READER)
WRITE = (SPACE, CONTRIBUTOR)


def _etag(row: Any) -> str:
    return str(row.current_revision_id)


def _typed(segment: str, guard: Any, dumper: Any, body: type[Schema], group: str, word: str) -> tuple[Route, ...]:
    """Return the routes that notes, folders and files share."""
    one = Answer(dumper, etag=_etag, doc=f"The {word}.")
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


def _bytes(path: str, handler: Callable[..., Response], summary: str) -> Route:
    return Route(
        "GET", path, handler, (*READ, FILE), Answer(shape="bytes", doc="The bytes."),
        query=schemas.FileQuerySchema, errors=(ContentNotFound, RevisionMismatch), summary=summary,
        group="Contents > Files",
    )  # fmt: skip


ROUTES = (
    Route(
        "GET", f"{W}/contents", list_contents, READ, Answer(schemas.digest, "page"),
        query=schemas.ContentFilterSchema, summary="Contents of a space", group="Contents",
    ),
    Route(
        "POST", f"{W}/contents", create, (SPACE, CREATE_TYPE), Answer(schemas.digest),
        body=schemas.ContentCreationSchema, after=load_digest, errors=EXCEPT_NAMED,
        summary="Create a content", group="Contents",
    ),
    *_typed(
        "html-documents", NOTE, schemas.content, schemas.ContentModifySchema, "Contents > HTML documents",
        "note",
    ),
    _revisions("html-documents", NOTE, schemas.revision, "Contents > HTML documents", "note"),
    Route(
        "GET", f"{W}/html-documents/{{content_id}}/revisions/{{revision_id}}", get_revision, (*READ, NOTE),
        Answer(schemas.revision), errors=(ContentNotFound, RevisionMismatch), summary="One revision of a note",
        group="Contents > HTML documents",
    ),
    *_typed(
        "folders", FOLDER, schemas.content, schemas.FolderModifySchema, "Contents > Folders", "folder"
    ),
    Route(
        "GET", f"{W}/folders/{{content_id}}/revisions", list_folder_revisions, (*READ, FOLDER),
        Answer(schemas.revision, "list"), summary="Revisions of a folder", group="Contents > Folders",
    ),
    Route(
        "POST", f"{W}/files", upload_file, WRITE, Answer(schemas.digest), kind="stream",
        form=schemas.FileCreationSchema, stream=upload_limit, after=load_digest,
        errors=(*EXCEPT_NAMED, *BYTES_ERRORS, ContentTypeNotExist), summary="Upload a file",
        group="Contents > Files",
    ),
    *_typed("files", FILE, schemas.file, schemas.ContentModifySchema, "Contents > Files", "file"),
    _revisions("files", FILE, schemas.file_revision, "Contents > Files", "file"),
    Route(
        "PUT", f"{W}/files/{{content_id}}/raw/{{filename}}", replace_file, (*WRITE, FILE), EMPTY,
        kind="stream", stream=upload_limit, errors=(*BYTES_ERRORS, NotEditable, PreconditionFailed),
        summary="Give a file new bytes", group="Contents > Files",
    ),
    _bytes(f"{W}/files/{{content_id}}/raw/{{filename}}", download, "Bytes of a file"),
    _bytes(
        f"{W}/files/{{content_id}}/revisions/{{revision_id}}/raw/{{filename}}", download_revision,
        "Bytes of a revision",
    ),
)  # fmt: skip
