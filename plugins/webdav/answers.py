"""Answers that need no protocol library: stored bytes, and a page for people who open the drive in a browser."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING
from urllib.parse import quote

from atrio.kernel.db.base import iso_utc
from atrio.kernel.errors import KernelError
from atrio.kernel.http.downloads import StoredFile, user_bytes
from atrio.kernel.http.response import Response, error_response

from .nodes import is_text

if TYPE_CHECKING:
    from atrio.kernel.context import Context
    from atrio.kernel.host import Kernel
    from atrio.kernel.http.request import Request

    from .drive import Drive
    from .nodes import Node

POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
CONDITIONS = frozenset({"if", "if-match", "if-unmodified-since"})
"""Conditions that the protocol library looks at."""
STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem}"
    "table{border-collapse:collapse;width:100%}td,th{padding:.3rem .6rem;text-align:left}"
    "tr+tr{border-top:1px solid #8884}td+td{white-space:nowrap;color:#777}a{text-decoration:none}"
    "@media(prefers-color-scheme:dark){body{background:#181818;color:#ddd}a{color:#8bf}}"
)


def stored(kernel: Kernel, request: Request, node: Node) -> Response | None:
    """Return the answer with a stored file, ranges and conditions included; None for what has no such bytes."""
    digest = getattr(node.row, "digest", None)
    if digest is None:
        return None
    file = StoredFile(
        source=kernel.blobs.source(digest), size=int(node.row.size or 0), media=node.media, name=node.name,
        digest=digest, modified=node.row.modified, etag=str(node.etag),
    )  # fmt: skip
    return user_bytes(request, file, api=False)


def listing(drive: Drive, node: Node, path: str, prefix: str) -> Response:
    """Return a page that lists a folder; without a slash at the end, the way to the address with one."""
    if not path.endswith("/"):
        return Response(301, b"", [("location", quote(f"{prefix}{path}/"))])
    rows = ['<tr><td><a href="../">..</a></td><td></td><td></td></tr>'] if node.kind != "root" else []
    for member in drive.members(node):
        slash = "/" if member.is_folder else ""
        size = "" if member.is_folder or member.size is None else f"{member.size:,}"
        moment = "" if member.modified is None else iso_utc(member.modified)
        shown, address = html.escape(member.name + slash), html.escape("./" + quote(member.name + slash))
        rows.append(f'<tr><td><a href="{address}">{shown}</a></td><td>{size}</td><td>{moment}</td></tr>')
    title = html.escape(node.name or "Atrio")
    page = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style><h1>{title}</h1>'
        f"<table><tr><th>Name<th>Bytes<th>Changed</tr>{''.join(rows)}</table></html>"
    )
    headers = [
        ("content-security-policy", POLICY), ("x-content-type-options", "nosniff"),
        ("cache-control", "private, no-cache"), ("referrer-policy", "no-referrer"),
    ]  # fmt: skip
    return Response(200, page.encode(), headers, "text/html; charset=utf-8")


def get(ctx: Context, drive: Drive, request: Request) -> Response | None:
    """Return the bytes of a stored file, or a page that lists a folder; None for what the library answers."""
    path = request.path.removeprefix(request.root_path)
    if not is_text(path):
        return None
    try:
        node = drive.find(path)
    except KernelError as error:
        return error_response(error)
    if node is None:
        return None
    if node.is_folder:
        return listing(drive, node, path, request.root_path)
    if not drive.settings.native or CONDITIONS & request.headers.keys():
        return None
    return stored(drive.kernel, request, node)
