"""LOCK and UNLOCK without the protocol library: one unit finds, judges and writes (RFC 4918 §9.10, §9.11).

What is granted is answered here. Everything else (a refusal, a name where nothing is, a body that is not plain)
is None: nothing was written then, and the library answers.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from atrio.kernel.http.response import Response

from .conditions import Unclear, holds
from .propfind import Lister
from .queries import Around
from .services import locks
from .services.locks import LockConflict, LockGone, LockRefused

if TYPE_CHECKING:
    from atrio.kernel.context import Context
    from atrio.kernel.http.request import Request

    from .drive import Drive
    from .nodes import Node
    from .services.locks import Lock

DEFAULT_SECONDS = 600
"""The life of a lock for which the client names none."""
LONGEST = 10 * 365 * 24 * 60 * 60
XML = ("application/xml; charset=utf-8", [("cache-control", "private, no-cache")])
_SECONDS = re.compile(r"second-([0-9]{1,18})(?![0-9])", re.IGNORECASE)


def lock(ctx: Context, drive: Drive, request: Request, body: bytes) -> Response | None:
    """Grant a lock on what is there, or let one hold longer."""
    from .adapters.xml import BadXml, parse_lockinfo

    depth = request.headers.get("depth", "infinity")
    path = request.path.removeprefix(request.root_path)
    if depth not in ("0", "infinity"):
        return None
    node = drive.find(path)
    if node is None or not drive.may_write(node):
        return None
    try:
        if not holds(ctx, drive, request, node):
            return None
        seconds = _seconds(request.headers.get("timeout", ""), drive.settings.lock_seconds)
        if not body.strip():
            return _refresh(ctx, drive, request, node, seconds)
        asked = parse_lockinfo(body)
        here = locks.grant_lock(
            ctx, node.key, principal=str(drive.actor.id), seconds=seconds, exclusive=asked.exclusive,
            deep=depth == "infinity", owner=asked.owner, leaf=not node.is_folder,
        )  # fmt: skip
    except (BadXml, LockConflict, LockRefused, Unclear):
        return None
    return _told(drive, request, node, here, [("lock-token", f"<{here[-1].token}>")])


def _refresh(ctx: Context, drive: Drive, request: Request, node: Node, seconds: float) -> Response | None:
    if len(drive.tokens) != 1:
        return None
    held = locks.find_lock(ctx, next(iter(drive.tokens)))
    if held is None or held.path != node.key or held.principal != str(drive.actor.id):
        return None
    try:
        locks.refresh_lock(ctx, held.token, seconds)
    except LockGone:
        return None
    return _told(drive, request, node, locks.locks_at(ctx, [node.key]), [])


def _told(
    drive: Drive, request: Request, node: Node, here: list[Lock], headers: list[tuple[str, str]]
) -> Response:  # fmt: skip
    """Return the answer that tells the locks on a node."""
    known = Around(locks={node.key: here})
    active = Lister(drive, request.root_path, known, ()).active(node)
    text = (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        f'<D:prop xmlns:D="DAV:"><D:lockdiscovery>{active}</D:lockdiscovery></D:prop>\n'
    )
    media, more = XML
    return Response(200, text.encode(), [*headers, *more], media)


def unlock(ctx: Context, drive: Drive, request: Request) -> Response | None:
    """End a lock of the user's own that holds here."""
    node = drive.find(request.path.removeprefix(request.root_path))
    if node is None or "lock-token" not in request.headers:
        return None
    try:
        if not holds(ctx, drive, request, node):
            return None
    except Unclear:
        return None
    token = request.headers["lock-token"].strip("<>")
    dropped = locks.drop_own_lock(ctx, token, principal=str(drive.actor.id), path=node.key)
    return Response(204, b"") if dropped else None


def _seconds(header: str, most: float) -> float:
    """Return how long a lock is granted; who asks for ever gets the most there is (RFC 4918 §10.7)."""
    for word in header.split(","):
        if word.strip().lower() == "infinite":
            return most
        for digits in _SECONDS.findall(word):
            if int(digits) > LONGEST:
                return most
            if int(digits):
                return min(float(digits), most)
    return min(DEFAULT_SECONDS, most)
