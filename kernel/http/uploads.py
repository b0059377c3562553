"""Bytes of users on their way in: bodies and forms, streamed to temporary blobs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from ..blobs import BlobStore, TemporaryBlob
from ..errors import BadRequestBody, BodyTooLarge, KernelError
from .channel import ClientGone, Message, Receive, SilentClient
from .pool import WorkPool
from .request import Request

WRITE_BLOCK = 512 * 1024
WRITE_PARTS = 4096
"""How many pieces of a body wait for one write, however small they are."""
FIELD_LIMIT = 64 * 1024
PARTS_LIMIT = 32


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
    `kept` tells whether they are stored as they are: then a store that is elsewhere is given them before the unit.
    """

    size: int = 0
    error: Callable[[], KernelError] = BodyTooLarge
    field: str = "files"
    many: int = 1
    kept: bool = True

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
        raise SilentClient("no byte came in time") from None
    if message["type"] == "http.disconnect":
        raise ClientGone
    return message


async def read_blob(
    receive: Receive, store: BlobStore, io: WorkPool, *, announced: int | None, limit: UploadLimit,
    stall_seconds: float, hold: int = 0,
) -> TemporaryBlob:  # fmt: skip
    """Stream a whole body to a temporary blob, hashed and counted, without a thread while it waits for bytes.

    Up to `hold` bytes stay in memory, and no thread is asked for them: whoever keeps the blob writes them.
    The error of `limit` as soon as it is passed, at once where the length was announced; ClientGone and
    BadRequestBody delete what was written.
    """
    if limit.size and (announced or 0) > limit.size:
        raise limit.error()
    blob = store.begin(hold=hold)
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
        if blob.held and received <= hold:
            blob.write(*pending)
        else:
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
