"""Routes of preview."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, NamedTuple

from atrio.kernel.context import Context
from atrio.kernel.errors import KernelError
from atrio.kernel.http.downloads import StoredFile, user_bytes
from atrio.kernel.http.response import Response
from atrio.kernel.http.route import Answer, Call, Route
from atrio.plugins.core_content.api import (
    FILE_GUARD,
    NOTE_GUARD,
    THREAD_GUARD,
    ContentNotFound,
    RevisionMismatch,
    first_comment,
    one_revision,
)
from atrio.plugins.spaces.api import READER, SPACE

from . import schemas, services
from .answers import Sent, refusal, refuse, send_made, when_built
from .config import PreviewConfig, sizes
from .errors import PageOfPreviewNotFound, PreviewDimNotAllowed, UnavailablePreview, UnavailablePreviewType
from .previewers import Previewer, note_previewer, previewer_of, usable
from .services import Order, Source
from .store import Failed, Made

JPEG, PDF = "image/jpeg", "application/pdf"


@dataclass(frozen=True)
class Subject:
    """What is previewed: a content or one of its revisions. `stem` begins the names of its previews."""

    source: Source
    previewer: Previewer | None
    stem: str
    modified: int
    content_id: int
    revision_id: int

    @property
    def usable(self) -> Previewer:
        """What makes its previews; UnavailablePreview when nothing does."""
        if self.previewer is None:
            raise UnavailablePreview
        return self.previewer


def current_file(ctx: Context, call: Call) -> Subject:
    """Return the file that the guard loaded."""
    row = ctx.resources["content"]
    return _file(ctx, row, row.stored_size, row.modified, row.label, row.current_revision_id)


def file_revision(ctx: Context, call: Call) -> Subject:
    """Return the revision of the path."""
    row = one_revision(ctx, call)
    return _file(ctx, row, row.size, row.created, f"{row.label}_r{row.revision_id}", row.revision_id)


def _file(ctx: Context, row: Any, size: int | None, modified: int, stem: str, revision_id: int) -> Subject:
    if row.digest is None or size is None:
        raise ContentNotFound
    # Boards and journals are JSON that only their applications can show.
    known = row.content_type == "file" and size > 0
    previewer = previewer_of(ctx.kernel, row.mimetype, row.file_extension) if known else None
    return Subject(Source(row.digest, size), previewer, stem, modified, row.content_id, revision_id)


def current_note(ctx: Context, call: Call) -> Subject:
    """Return the note that the guard loaded."""
    row = ctx.resources["content"]
    return _note(ctx, row, row.modified, row.label, row.current_revision_id)


def note_revision(ctx: Context, call: Call) -> Subject:
    """Return the revision of the path."""
    row = one_revision(ctx, call)
    return _note(ctx, row, row.created, f"{row.label}_r{row.revision_id}", row.revision_id)


def _note(ctx: Context, row: Any, modified: int, stem: str, revision_id: int) -> Subject:
    text = services.note_page(row.label, row.raw_content or "")
    data = text.encode("utf-8", "replace")
    previewer = note_previewer(ctx.kernel)
    able = previewer if usable(ctx.kernel, previewer) else None
    return Subject(
        Source(sha256(data).hexdigest(), len(data), text), able, stem, modified, row.content_id, revision_id
    )  # fmt: skip


# -- JPEG -----------------------------------------------------------------------------------------------------


def send_jpeg(find: Callable[[Context, Call], Subject]) -> Callable[[Context, Call], Response]:
    """Return the handler that draws a page of a file in the size of the path, or in the default size."""

    def send(ctx: Context, call: Call) -> Response:
        """Send a page as a JPEG."""
        size, page = _size(ctx, call), call.query["page"]
        subject = find(ctx, call)
        order = _ordered(lambda: services.jpeg(ctx.kernel, subject.source, subject.usable, size, page))
        named = f"_{size[0]}x{size[1]}" if "width" in call.path else ""
        return _when_built(ctx, call, order, subject, JPEG, f"{subject.stem}_page_{page}{named}.jpg")

    return send


def _size(ctx: Context, call: Call) -> tuple[int, int]:
    settings = ctx.config[PreviewConfig]
    allowed = sizes(settings)
    if "width" not in call.path:
        return allowed[0]
    given = _side(call.path["width"]), _side(call.path["height"])
    if given == (0, 0):
        return allowed[0]
    if settings.restricted_dims and given not in allowed:
        raise PreviewDimNotAllowed
    return given


def _side(text: str) -> int:
    return int(text) if len(text) <= 6 else 999_999


# -- PDF ------------------------------------------------------------------------------------------------------


def send_page(find: Callable[[Context, Call], Subject]) -> Callable[[Context, Call], Response]:
    """Return the handler that sends one page of a file."""

    def send(ctx: Context, call: Call) -> Response:
        """Send a page as a PDF."""
        subject, page = find(ctx, call), call.query["page"]
        order = _ordered(lambda: services.pdf_page(subject.source, subject.usable, page))
        return _when_built(ctx, call, order, subject, PDF, f"{subject.stem}_page_{page}.pdf")

    return send


def send_pdf(find: Callable[[Context, Call], Subject]) -> Callable[[Context, Call], Response]:
    """Return the handler that sends a file or note as a PDF."""

    def send(ctx: Context, call: Call) -> Response:
        """Send the whole as a PDF."""
        subject = find(ctx, call)
        order = _ordered(lambda: services.whole_pdf(subject.source, subject.usable))
        if order.key.kind == "facts":
            return _send_as_it_is(ctx, call, order, subject)
        return _when_built(ctx, call, order, subject, PDF, f"{subject.stem}.pdf")

    return send


def _send_as_it_is(ctx: Context, call: Call, order: Order, subject: Subject) -> Response:
    """Send a PDF itself, once it is known that it is one."""
    source = subject.source
    stored = StoredFile(
        source=services.stored_bytes(ctx.kernel, source), size=source.size, media=PDF,
        name=_name(call, f"{subject.stem}.pdf"), digest=source.digest, modified=subject.modified,
    )  # fmt: skip
    attachment = bool(call.query["force_download"])
    answer: Response = when_built(
        ctx, order, lambda _: user_bytes(call.http, stored, attachment=attachment), refuse
    )  # fmt: skip
    return answer


# -- facts ----------------------------------------------------------------------------------------------------


class AllowedDimensions(NamedTuple):
    """The sizes of JPEGs; other sizes are drawn unless `restricted`."""

    restricted: bool
    dimensions: list[dict[str, int]]


class Info(NamedTuple):
    """Which previews a file has; `page_nb` is None when it has none."""

    content_id: int
    revision_id: int
    page_nb: int | None
    has_pdf_preview: bool
    has_jpeg_preview: bool


def allowed_dims(ctx: Context, call: Call) -> AllowedDimensions:
    """Return the sizes of JPEGs."""
    settings = ctx.config[PreviewConfig]
    return AllowedDimensions(settings.restricted_dims, [{"width": w, "height": h} for w, h in sizes(settings)])


def show_info(find: Callable[[Context, Call], Subject]) -> Callable[[Context, Call], Any]:
    """Return the handler that tells which previews a file has."""

    def show(ctx: Context, call: Call) -> Any:
        """Return the number of pages and which previews there are; of a picture without opening it."""
        subject = find(ctx, call)
        previewer = subject.previewer
        if previewer is None:
            return _told(subject, None)
        if previewer.makes == "image":
            return _told(subject, 1)
        order = services.pages(subject.source, previewer)

        def answer(made: Made) -> Response:
            return Response(
                200, schemas.info.encode(_told(subject, services.page_number(made))), [], "application/json"
            )

        def otherwise(error: KernelError) -> Response:
            return Response(
                200, schemas.info.encode(_told(subject, None)), list(error.headers), "application/json"
            )

        return when_built(ctx, order, answer, otherwise)

    return show


def _told(subject: Subject, pages: int | None) -> Info:
    makes_pdf = subject.previewer is not None and subject.previewer.makes == "pdf"
    there = pages is not None
    return Info(subject.content_id, subject.revision_id, pages, there and makes_pdf, there)


# -- HTML -----------------------------------------------------------------------------------------------------


def send_note(ctx: Context, call: Call) -> Response:
    """Send the text of a note."""
    row = ctx.resources["content"]
    return _send_text(call, row.raw_content or "", row.label, row.modified)


def send_thread(ctx: Context, call: Call) -> Response:
    """Send the text with which a thread begins."""
    row = ctx.resources["content"]
    comment = first_comment(ctx, row.content_id)
    if comment is None:
        raise UnavailablePreview
    return _send_text(call, comment.raw_content or "", row.label, row.modified)


def _send_text(call: Call, text: str, label: str, modified: int) -> Response:
    data = text.encode("utf-8", "replace")
    stored = StoredFile(
        None, len(data), "text/html", _name(call, f"{label}.html"), sha256(data).hexdigest(), modified, data
    )  # fmt: skip
    return user_bytes(call.http, stored, attachment=bool(call.query["force_download"]))


# -- shared ---------------------------------------------------------------------------------------------------


def _ordered(make: Callable[[], Order]) -> Order:
    try:
        return make()
    except Failed as failed:
        raise refusal(failed) from None


def _when_built(ctx: Context, call: Call, order: Order, subject: Subject, media: str, default: str) -> Response:
    sent = Sent(media, _name(call, default), subject.modified)
    answer: Response = when_built(ctx, order, lambda made: send_made(call, made, sent), refuse)
    return answer


def _name(call: Call, default: str) -> str:
    given: str = call.path.get("filename", "")
    return default if given in ("", "raw") else given


SPACES = "/api/workspaces/{workspace_id}"
FILE, NOTE = f"{SPACES}/files/{{content_id}}", f"{SPACES}/html-documents/{{content_id}}"
THREAD = f"{SPACES}/threads/{{content_id}}"
FILES, NOTES, THREADS = "Contents > Files", "Contents > HTML documents", "Contents > Threads"
READ = (SPACE, READER)
OF_FILE, OF_NOTE, OF_THREAD = (*READ, FILE_GUARD), (*READ, NOTE_GUARD), (*READ, THREAD_GUARD)
MISSING = (ContentNotFound, UnavailablePreview)


def _bytes(
    path: str, handler: Callable[..., Any], guards: tuple[Any, ...], media: str, summary: str, group: str,
    errors: tuple[type[KernelError], ...], *, paged: bool = False,
) -> Route:  # fmt: skip
    return Route(
        "GET", f"{path}/{{filename}}", handler, guards, Answer(shape="bytes", media=media, doc="The preview."),
        query=schemas.PageQuerySchema if paged else schemas.FileQuerySchema,
        errors=(*errors, RevisionMismatch) if "revision_id" in path else errors, summary=summary, group=group,
    )  # fmt: skip


def _of_file(base: str, find: Callable[[Context, Call], Subject], word: str) -> tuple[Route, ...]:
    """Return the routes that a file and its revisions share."""
    paged = (*MISSING, PageOfPreviewNotFound)
    return (
        _bytes(
            f"{base}/preview/jpg/{{width:int}}x{{height:int}}", send_jpeg(find), OF_FILE, JPEG,
            f"Page of a {word} as JPEG of a size", FILES, (*paged, PreviewDimNotAllowed), paged=True,
        ),
        _bytes(
            f"{base}/preview/pdf", send_page(find), OF_FILE, PDF, f"Page of a {word} as PDF", FILES,
            (*paged, UnavailablePreviewType), paged=True,
        ),
        _bytes(
            f"{base}/preview/pdf/full", send_pdf(find), OF_FILE, PDF, f"A {word} as PDF", FILES,
            (*MISSING, UnavailablePreviewType),
        ),
        Route(
            "GET", f"{base}/preview_info", show_info(find), OF_FILE, Answer(schemas.info),
            errors=(ContentNotFound, *((RevisionMismatch,) if "revision_id" in base else ())),
            summary=f"Which previews a {word} has", group=FILES,
        ),
    )  # fmt: skip


ROUTES = (
    Route(
        "GET", f"{FILE}/preview/jpg/allowed_dims", allowed_dims, OF_FILE, Answer(schemas.allowed_dimensions),
        summary="Sizes of previews", group=FILES,
    ),
    _bytes(
        f"{FILE}/preview/jpg", send_jpeg(current_file), OF_FILE, JPEG, "Page of a file as JPEG", FILES,
        (*MISSING, PageOfPreviewNotFound), paged=True,
    ),
    *_of_file(FILE, current_file, "file"),
    *_of_file(f"{FILE}/revisions/{{revision_id}}", file_revision, "revision"),
    _bytes(
        f"{NOTE}/preview/html", send_note, OF_NOTE, "text/plain", "Text of a note", NOTES, (),
    ),
    _bytes(
        f"{NOTE}/preview/pdf/full", send_pdf(current_note), OF_NOTE, PDF, "A note as PDF", NOTES, MISSING,
    ),
    _bytes(
        f"{NOTE}/revisions/{{revision_id}}/preview/pdf/full", send_pdf(note_revision), OF_NOTE, PDF,
        "A revision of a note as PDF", NOTES, MISSING,
    ),
    _bytes(
        f"{THREAD}/preview/html", send_thread, OF_THREAD, "text/plain", "Text of a thread", THREADS,
        (UnavailablePreview,),
    ),
)  # fmt: skip
