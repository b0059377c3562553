"""Bytes in and out: streamed uploads, safe answers with users' files."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping, Sequence
from dataclasses import dataclass, field
from email.utils import formatdate, parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from ..blobs import BlobStore, TemporaryBlob
from ..errors import BadRequestBody, BodyTooLarge, KernelError
from .pool import WorkPool
from .request import Request
from .response import FileResponse, Response

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

WRITE_BLOCK = 512 * 1024
READ_BLOCK = 512 * 1024
WRITE_PARTS = 4096
"""How many pieces of a body wait for one write, however small they are."""
FIELD_LIMIT = 64 * 1024
PARTS_LIMIT = 32


class ClientGone(Exception):
    """The client closed the connection; there is nobody to answer."""


# -- in ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ReceivedFile:
    """One file of a form, its bytes in a temporary blob."""

    filename: str
    media: str
    blob: TemporaryBlob


@dataclass
class Upload:
    """A received form: its plain fields and its files, in the order of the form."""

    fields: dict[str, str] = field(default_factory=dict)
    files: list[ReceivedFile] = field(default_factory=list)

    @property
    def filename(self) -> str:
        """The name of the first file."""
        return self.files[0].filename if self.files else ""

    @property
    def media(self) -> str:
        """The type that the client gave to the first file."""
        return self.files[0].media if self.files else ""

    @property
    def blob(self) -> TemporaryBlob | None:
        """The bytes of the first file."""
        return self.files[0].blob if self.files else None

    def discard(self) -> None:
        """Delete the temporary files that were not kept."""
        for received in self.files:
            received.blob.discard()


@dataclass(frozen=True)
class UploadLimit:
    """How many bytes the files of a form may have in all, and the refusal beyond it.

    The files are those of the fields named `field`; of all whose names begin with it where there may be `many`.
    """

    size: int = 0
    error: Callable[[], KernelError] = BodyTooLarge
    field: str = "files"
    many: int = 1

    def takes(self, name: str, received: int) -> bool:
        """Tell whether a field is a file that is wanted, after so many others."""
        fits = name == self.field if self.many == 1 else name.startswith(self.field)
        return fits and received < self.many


async def read_body(receive: Receive, limit: int, stall_seconds: float) -> bytes:
    """Read a whole small body; BodyTooLarge beyond the limit, ClientGone when it stops early."""
    parts: list[bytes] = []
    size = 0
    while True:
        message = await _next(receive, stall_seconds)
        data = message.get("body", b"")
        size += len(data)
        if size > limit:
            raise BodyTooLarge(f"the body is larger than {limit} bytes")
        if data:
            parts.append(data)
        if not message.get("more_body", False):
            return b"".join(parts) if len(parts) != 1 else parts[0]


async def _next(receive: Receive, stall_seconds: float) -> Message:
    try:
        async with asyncio.timeout(stall_seconds):  # wait_for would start a task for each block
            message = await receive()
    except TimeoutError:
        raise ClientGone("no byte came in time") from None
    if message["type"] == "http.disconnect":
        raise ClientGone
    return message


async def read_blob(
    receive: Receive, store: BlobStore, io: WorkPool, *, announced: int | None, limit: UploadLimit,
    stall_seconds: float,
) -> TemporaryBlob:  # fmt: skip
    """Stream a whole body to a temporary blob, hashed and counted, without a thread while it waits for bytes.

    The error of `limit` as soon as it is passed, at once where the length was announced; ClientGone and
    BadRequestBody delete what was written.
    """
    if limit.size and (announced or 0) > limit.size:
        raise limit.error()
    blob = store.begin()
    pending: list[bytes] = []
    writing: asyncio.Task[None] | None = None
    try:
        more, received, held = True, 0, 0
        while more:
            message = await _next(receive, stall_seconds)
            data = message.get("body", b"")
            pending.append(data)
            received += len(data)
            held += len(data)
            more = message.get("more_body", False)
            if limit.size and received > limit.size:
                raise limit.error()
            if more and (held >= WRITE_BLOCK or len(pending) >= WRITE_PARTS):
                block, pending, held = pending, [], 0
                if writing is not None:
                    await writing
                # What comes meanwhile is received while a thread hashes and writes.
                writing = asyncio.create_task(io.run(blob.write, *block))
        if announced is not None and announced != received:
            raise BadRequestBody(f"announced {announced} bytes, {received} came")
        if writing is not None:
            await writing
        await io.run(_finish, blob, pending, store.fsync)
    except BaseException:
        if writing is not None:
            await asyncio.wait([writing])
        blob.discard()
        raise
    return blob


def _finish(blob: TemporaryBlob, rest: Sequence[bytes], fsync: bool) -> None:
    blob.write(*rest)
    blob.close(fsync=fsync)


class _Form:
    """Callbacks of the multipart parser: sorts bytes into fields and the files that are wanted.

    What is `pending` belongs to the last file; `waiting` are the ends of those before it.
    """

    def __init__(self, store: BlobStore, limit: UploadLimit) -> None:
        self.store = store
        self.limit = limit
        self.upload = Upload()
        self.pending = bytearray()
        self.waiting: list[tuple[TemporaryBlob, bytes]] = []
        self.ended = False
        self._header_name = bytearray()
        self._header_value = bytearray()
        self._headers: dict[str, bytes] = {}
        self._name = ""
        self._value = bytearray()
        self._into = "nothing"
        self._parts = 0

    def callbacks(self) -> dict[str, Any]:
        return {
            "on_part_begin": self._begin, "on_part_data": self._data, "on_part_end": self._end,
            "on_header_field": self._field, "on_header_value": self._header_data,
            "on_header_end": self._header_end, "on_headers_finished": self._headers_done,
            "on_end": self._finish,
        }  # fmt: skip

    def _begin(self) -> None:
        self._parts += 1
        allowed = PARTS_LIMIT + self.limit.many - 1
        if self._parts > allowed:
            raise BadRequestBody(f"more than {allowed} parts")
        self._headers = {}
        self._value = bytearray()
        self._into = "nothing"

    def _field(self, data: bytes, start: int, end: int) -> None:
        self._header_name += data[start:end]

    def _header_data(self, data: bytes, start: int, end: int) -> None:
        self._header_value += data[start:end]

    def _header_end(self) -> None:
        self._headers[self._header_name.decode("latin-1").lower()] = bytes(self._header_value)
        self._header_name = bytearray()
        self._header_value = bytearray()

    def _headers_done(self) -> None:
        _, options = parse_options_header(self._headers.get("content-disposition", b""))
        self._name = _text(options.get(b"name", b""))
        if b"filename" not in options:
            self._into = "field"
        elif self.limit.takes(self._name, len(self.upload.files)):
            self._into = "file"
            self._next_file()
            media = self._headers.get("content-type", b"").decode("latin-1").partition(";")[0]
            self.upload.files.append(
                ReceivedFile(
                    _text(options[b"filename"]), media if media.isascii() and media.isprintable() else "",
                    self.store.begin(),
                )
            )  # fmt: skip

    def _next_file(self) -> None:
        """Put what is left of the file before aside, for a thread to write."""
        if self.upload.files:
            self.waiting.append((self.upload.files[-1].blob, bytes(self.pending)))
            self.pending = bytearray()

    @property
    def received(self) -> int:
        """How many bytes of files came."""
        held = len(self.pending) + sum(len(rest) for _, rest in self.waiting)
        return held + sum(f.blob.size for f in self.upload.files)

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._into == "file":
            self.pending += data[start:end]
        elif self._into == "field":
            self._value += data[start:end]
            if len(self._value) > FIELD_LIMIT:
                raise BadRequestBody("a form field is too long")

    def _end(self) -> None:
        if self._into == "field":
            self.upload.fields[self._name] = _text(bytes(self._value))

    def _finish(self) -> None:
        self.ended = True


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


async def read_upload(
    receive: Receive, request: Request, store: BlobStore, io: WorkPool, *, limit: UploadLimit, stall_seconds: float
) -> Upload:  # fmt: skip
    """Stream a multipart form: files go to temporary blobs, hashed and counted, never into memory.

    A plain form gives its fields alone, any other body an empty Upload. A lost client, broken framing or a wrong
    length deletes the temporary files.
    """
    if request.media_type == "application/x-www-form-urlencoded":
        return await _read_plain_form(receive, stall_seconds)
    _, options = parse_options_header(request.headers.get("content-type", ""))
    boundary = options.get(b"boundary")
    if request.media_type != "multipart/form-data" or not boundary:
        return Upload()
    form = _Form(store, limit)
    try:
        parser = MultipartParser(boundary, form.callbacks())  # type: ignore[arg-type]
        received = 0
        while True:
            message = await _next(receive, stall_seconds)
            data = message.get("body", b"")
            received += len(data)
            parser.write(data)
            if limit.size and form.received > limit.size:
                raise limit.error()
            more = message.get("more_body", False)
            await _write_ahead(form, store, io, last=not more)
            if not more:
                break
        announced = request.content_length
        if announced is not None and announced != received:
            raise BadRequestBody(f"announced {announced} bytes, {received} came")
        parser.finalize()
        if not form.ended:
            raise BadRequestBody("the form ends before its last boundary")
    except FormParserError as error:
        form.upload.discard()
        raise BadRequestBody(f"not a multipart form: {error}") from None
    except BaseException:
        form.upload.discard()
        raise
    return form.upload


async def _read_plain_form(receive: Receive, stall_seconds: float) -> Upload:
    body = await read_body(receive, FIELD_LIMIT, stall_seconds)
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=PARTS_LIMIT)
    except ValueError as error:
        raise BadRequestBody(f"not a form: {error}") from None
    return Upload(dict(reversed(pairs)))


async def _write_ahead(form: _Form, store: BlobStore, io: WorkPool, *, last: bool) -> None:
    """Write what came of the last file once it is much, and what is left of those before it."""
    waiting, form.waiting = form.waiting, []
    for blob, rest in waiting:
        await io.run(_finish, blob, (rest,), store.fsync)
    if form.upload.files and (last or len(form.pending) >= WRITE_BLOCK):
        block, form.pending = bytes(form.pending), bytearray()
        blob = form.upload.files[-1].blob
        if last:
            await io.run(_finish, blob, (block,), store.fsync)
        else:
            await io.run(blob.write, block)


# -- out ---------------------------------------------------------------------------------------------------

SANDBOX = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data: blob:"
SAFE_TYPES = frozenset(
    {"application/pdf"}
    | {f"image/{kind}" for kind in ("png", "jpeg", "gif", "webp", "avif", "bmp", "tiff", "x-icon")}
)
ACTIVE_TYPES = frozenset(
    {
        "text/html", "application/xhtml+xml", "text/javascript", "application/javascript",
        "application/x-javascript", "text/ecmascript", "application/ecmascript", "text/jscript",
        "application/x-ecmascript", "text/livescript", "text/x-javascript", "text/x-ecmascript",
    }
)  # fmt: skip


@dataclass(frozen=True)
class StoredFile:
    """What `user_bytes` needs to know of the bytes: a file's path, or the bytes themselves when they are few.

    `etag` is the tag without quotes where it is not to follow from the bytes.
    """

    path: Path | None
    size: int
    media: str
    name: str
    digest: str
    modified: int
    content: bytes | None = None
    etag: str | None = None


def safe_media(media: str, *, api: bool = True) -> str:
    """Return the type under which a user's bytes may leave: scripts and pages become plain text on the API."""
    kind = media.partition(";")[0].strip().lower()
    if not kind or any(c in kind for c in "\r\n\x00 ,") or kind.count("/") != 1 or not kind.isascii():
        return "application/octet-stream"
    if api and kind in ACTIVE_TYPES:
        return "text/plain"
    return kind


def sandboxed(kind: str) -> bool:
    """Tell whether a browser must treat this type as hostile: all but raster images, sound, film and PDF."""
    return not (kind in SAFE_TYPES or kind.startswith(("audio/", "video/")))


def content_disposition(name: str, *, attachment: bool) -> str:
    """Return the header with an ASCII name and the exact one (RFC 6266, RFC 8187)."""
    plain = "".join(c if c.isascii() and c.isprintable() and c not in '"\\' else "?" for c in name)
    verb = "attachment" if attachment else "inline"
    return f"{verb}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')};"


def user_bytes(request: Request, stored: StoredFile, *, attachment: bool = False, api: bool = True) -> Response:
    """Return the answer with bytes that a user stored, through whichever door: the one way out.

    Never sniffed, sandboxed unless harmless, with a strong ETag, conditional requests (RFC 9110 §13) and one
    byte range (§14).
    """
    kind = safe_media(stored.media, api=api)
    etag = f'"{stored.etag or stored.digest[:16]}"'
    modified = stored.modified // 1_000_000
    headers = [
        ("etag", etag),
        ("last-modified", formatdate(modified, usegmt=True)),
        ("accept-ranges", "bytes"),
        ("cache-control", "private, no-cache"),
        ("x-content-type-options", "nosniff"),
        ("content-disposition", content_disposition(stored.name, attachment=attachment)),
    ]
    if sandboxed(kind):
        headers.append(("content-security-policy", SANDBOX))
    if kind.startswith("text/"):
        kind += "; charset=utf-8"
    return _conditional(request, stored, headers, kind, etag)


def operator_file(request: Request, path: Path, media: str, *, cache: str) -> Response:
    """Return the answer with a file that the operator put there (a script, a picture of the front end).

    Conditional requests and one byte range, like `user_bytes`; the tag is made of time and size, since these files
    change by deployment only. `cache` is the Cache-Control value.
    """
    facts = path.stat()
    etag = f'"{facts.st_mtime_ns:x}-{facts.st_size:x}"'
    modified = int(facts.st_mtime)
    headers = [
        ("etag", etag), ("last-modified", formatdate(modified, usegmt=True)), ("accept-ranges", "bytes"),
        ("cache-control", cache),
    ]  # fmt: skip
    stored = StoredFile(path, facts.st_size, media, path.name, etag, modified * 1_000_000)
    return _conditional(request, stored, headers, media, etag)


def _conditional(
    request: Request, stored: StoredFile, headers: list[tuple[str, str]], kind: str, etag: str
) -> Response:
    modified = stored.modified // 1_000_000
    if _not_modified(request, etag, modified):
        return Response(304, b"", headers)
    start, end, status = 0, stored.size - 1, 200
    wanted = request.headers.get("range")
    if wanted and request.method in ("GET", "HEAD") and _range_applies(request, etag, modified):
        bounds = parse_range(wanted, stored.size)
        if isinstance(bounds, str):
            headers = [h for h in headers if h[0] != "content-disposition"]
            headers.append(("content-range", f"bytes */{stored.size}"))
            return Response(416, b"Requested range not satisfiable", headers, "text/plain; charset=utf-8")
        if bounds is not None:
            start, end = bounds
            status = 206
            headers.append(("content-range", f"bytes {start}-{end}/{stored.size}"))
    if stored.content is not None:
        return Response(status, stored.content[start : end + 1], headers, kind)
    return FileResponse(status, b"", headers, kind, stored.path, start, max(0, end - start + 1))


def _not_modified(request: Request, etag: str, modified: int) -> bool:
    tags = request.headers.get("if-none-match")
    if tags is not None:
        return tags.strip() == "*" or etag in [t.strip().removeprefix("W/") for t in tags.split(",")]
    since = request.headers.get("if-modified-since")
    moment = _http_date(since)
    return moment is not None and modified <= moment


def _range_applies(request: Request, etag: str, modified: int) -> bool:
    condition = request.headers.get("if-range")
    if condition is None:
        return True
    if condition.startswith(('"', "W/")):
        return condition == etag
    return _http_date(condition) == modified


def _http_date(text: str | None) -> int | None:
    if not text:
        return None
    try:
        return int(parsedate_to_datetime(text).timestamp())
    except (ValueError, TypeError, OverflowError):
        return None


def parse_range(header: str, size: int) -> tuple[int, int] | str | None:
    """Return the byte bounds of a single range, "unsatisfiable", or None for what is to be ignored."""
    unit, _, spec = header.partition("=")
    if unit.strip().lower() != "bytes" or "," in spec:
        return None
    first, dash, last = spec.strip().partition("-")
    if not dash or not all(p == "" or (p.isascii() and p.isdigit() and len(p) < 19) for p in (first, last)):
        return None
    if first == "":
        if last == "":
            return None
        length = int(last)
        return "unsatisfiable" if length == 0 or size == 0 else (max(0, size - length), size - 1)
    start = int(first)
    end = min(int(last), size - 1) if last else size - 1
    if last and int(last) < start:
        return None
    return "unsatisfiable" if start >= size else (start, end)


async def send_file(send: Send, io: WorkPool, response: FileResponse) -> None:
    """Send a file in blocks; reading happens in threads, nothing is held but one block."""
    assert response.path is not None
    remaining = response.length
    if remaining == 0:
        await send({"type": "http.response.body", "body": b""})
        return
    file = await io.run(response.path.open, "rb")
    try:
        if response.start:
            await io.run(file.seek, response.start)
        while remaining > 0:
            block = await io.run(file.read, min(READ_BLOCK, remaining))
            if not block:
                raise OSError(f"{response.path.name} is shorter than its row says")
            remaining -= len(block)
            await send({"type": "http.response.body", "body": block, "more_body": remaining > 0})
    finally:
        file.close()


async def send_stream(
    send: Send, receive: Receive, chunks: Callable[[], AsyncIterator[bytes]], stall_seconds: float
) -> None:
    """Send what a source makes for as long as both sides want it.

    Ends when the source does, when the client goes away, or when it takes nothing for `stall_seconds`
    (ClientGone). The source is closed in each case.
    """
    source = chunks()
    sending = asyncio.ensure_future(_send_chunks(send, source, stall_seconds))
    leaving = asyncio.ensure_future(_left(receive))
    try:
        await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not sending.done():
            raise ClientGone("the client went away")
        sending.result()
    finally:
        for task in (sending, leaving):
            task.cancel()
        await asyncio.gather(sending, leaving, return_exceptions=True)
        close = getattr(source, "aclose", None)
        if close is not None:
            await close()
    await send({"type": "http.response.body", "body": b""})


async def _send_chunks(send: Send, source: AsyncIterator[bytes], stall_seconds: float) -> None:
    async for chunk in source:
        try:
            async with asyncio.timeout(stall_seconds):
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
        except TimeoutError:
            raise ClientGone("the client does not read") from None


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
