"""Bytes of users on their way out: safe types, conditions, ranges, streams."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from email.utils import formatdate, parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from .channel import ClientGone, Receive, Send
from .pool import WorkPool
from .ranges import Piece, multipart, parse_ranges
from .request import Request
from .response import FileResponse, Response

if TYPE_CHECKING:
    from ..blobs import Source

READ_BLOCK = 512 * 1024


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
    """What `user_bytes` needs to know of the bytes: where to open them, or the bytes themselves when they are few.

    `etag` is the tag without quotes where it is not to follow from the bytes.
    """

    source: Source | None
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

    Never sniffed, sandboxed unless harmless, with a strong ETag, conditional requests (RFC 9110 §13) and byte
    ranges (§14).
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

    Conditional requests and byte ranges, like `user_bytes`; the tag is made of time and size, since these files
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
    wanted = request.headers.get("range")
    parts = None
    if wanted and request.method == "GET" and _range_applies(request, etag, modified):
        parts = parse_ranges(wanted, stored.size)
    if parts == "unsatisfiable":
        headers = [h for h in headers if h[0] != "content-disposition"]
        headers.append(("content-range", f"bytes */{stored.size}"))
        return Response(416, b"Requested range not satisfiable", headers, "text/plain; charset=utf-8")
    if parts is None:
        return _answer(200, stored, headers, kind, [Piece(b"", 0, stored.size)])
    if len(parts) > 1:
        kind, pieces = multipart(parts, stored.size, kind)
        return _answer(206, stored, headers, kind, pieces)
    start, end = parts[0]
    headers.append(("content-range", f"bytes {start}-{end}/{stored.size}"))
    return _answer(206, stored, headers, kind, [Piece(b"", start, end - start + 1)])


def _answer(
    status: int, stored: StoredFile, headers: list[tuple[str, str]], kind: str, pieces: list[Piece]
) -> Response:
    """Return the answer with some pieces of a file."""
    if stored.content is not None:
        body = b"".join(p.head + stored.content[p.start : p.start + p.length] for p in pieces)
        return Response(status, body, headers, kind)
    return FileResponse(status, b"", headers, kind, stored.source, pieces)


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


async def open_file(io: WorkPool, response: FileResponse) -> None:
    """Open a file and read its first block before the head is sent: what cannot be read can still be refused."""
    piece = next((piece for piece in response.pieces if piece.length), None)
    if piece is not None and response.file is None:
        await io.run(_open, response, piece)


def _open(response: FileResponse, piece: Piece) -> None:
    assert response.source is not None
    response.file, response.position = response.source.open("rb"), 0
    try:
        response.first = _block(response, piece.start, piece.length)
    except BaseException:
        response.close()
        raise


def _block(response: FileResponse, start: int, most: int) -> bytes:
    assert response.source is not None
    assert response.file is not None
    if response.position != start:
        response.file.seek(start)
    block = response.file.read(min(READ_BLOCK, most))
    if not block:
        raise OSError(f"{response.source.name} is shorter than its row says")
    response.position = start + len(block)
    return block


async def send_file(send: Send, io: WorkPool, response: FileResponse) -> None:
    """Send a file, or pieces of one, in blocks; reading happens in threads, nothing is held but one block."""
    left = response.length
    if left == 0:
        await send({"type": "http.response.body", "body": b""})
        return
    try:
        await open_file(io, response)
        for piece in response.pieces:
            if piece.head:
                left -= len(piece.head)
                await send({"type": "http.response.body", "body": piece.head, "more_body": left > 0})
            start, end = piece.start, piece.start + piece.length
            while start < end:
                block, response.first = response.first, b""
                if not block:
                    block = await io.run(_block, response, start, end - start)
                start += len(block)
                left -= len(block)
                await send({"type": "http.response.body", "body": block, "more_body": left > 0})
    finally:
        response.close()


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
