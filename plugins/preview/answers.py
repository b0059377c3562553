"""Answers with previews: at once when they are there, else once they are built, or that they are being built."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from atrio.kernel.context import Context
from atrio.kernel.errors import KernelError
from atrio.kernel.http.downloads import StoredFile, user_bytes
from atrio.kernel.http.response import LateResponse, Response
from atrio.kernel.http.route import Call

from .config import PreviewConfig
from .errors import PageOfPreviewNotFound, UnavailablePreview, UnavailablePreviewType
from .services import Order, build, found, workshop_of
from .store import Failed, Made
from .workshop import Busy

RETRY_SECONDS = 5


@dataclass(frozen=True)
class Sent:
    """How a preview leaves: its type, its name, and when its source was written."""

    media: str
    name: str
    modified: int


def refusal(failed: Failed) -> KernelError:
    """Return how a failure is told."""
    known = {"page": PageOfPreviewNotFound, "type": UnavailablePreviewType}
    return known.get(failed.kind, UnavailablePreview)()


def being_built() -> KernelError:
    """Return the answer to who cannot wait longer."""
    return UnavailablePreview(
        "The preview is being built", details={"error_detail": {"retry_after": RETRY_SECONDS}},
        headers=[("retry-after", str(RETRY_SECONDS))],
    )  # fmt: skip


def when_built(
    ctx: Context, order: Order, answer: Callable[[Made], Any], otherwise: Callable[[KernelError], Any]
) -> Any:
    """Return an answer with what an order makes: now, or a late one that is waited for in the loop.

    `otherwise` gives the answer where there is none, or raises. `answer` touches no database.
    """
    kernel = ctx.kernel
    try:
        there = found(kernel, order)
    except Failed as failed:
        return otherwise(refusal(failed))
    if there is not None:
        return answer(there)
    seconds = ctx.config[PreviewConfig].wait_seconds

    async def finish() -> Any:
        try:
            asked = workshop_of(kernel).ask(str(order.key), lambda: build(kernel, order))
        except Busy:
            return otherwise(being_built())
        future = asyncio.wrap_future(asked)
        future.add_done_callback(_heard)
        done, _ = await asyncio.wait([future], timeout=seconds)  # never cancels it: it is kept for who asks next
        if not done:
            return otherwise(being_built())
        try:
            return answer(future.result())
        except Failed as failed:
            return otherwise(refusal(failed))

    return LateResponse(finish=finish)


def _heard(future: asyncio.Future[Any]) -> None:
    """Take note of a failure that nobody waits for any more."""
    if not future.cancelled():
        future.exception()


def refuse(error: KernelError) -> Any:
    """Raise a refusal, for answers that are bytes or nothing."""
    raise error


def send_made(call: Call, made: Made, sent: Sent) -> Response:
    """Return the answer with a preview."""
    stored = StoredFile(
        source=made.path, size=made.size, media=sent.media, name=sent.name, digest="", modified=sent.modified,
        content=made.content, etag=made.etag,
    )  # fmt: skip
    return user_bytes(call.http, stored, attachment=bool(call.query["force_download"]))
