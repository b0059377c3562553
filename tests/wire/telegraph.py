"""A door that is not HTTP: a plugin whose background service takes one line a message over a socket.

`<username> READ <space> <content>`, `… SAY <space> <content> <text>`, `… DROP <space>`, `… FOUND <label>`; a dash
stands for nobody. It answers `ok …`, or `no <status> <code>`: what the same guards refuse on the wire.
"""

from __future__ import annotations

import socketserver
import threading
from typing import Any

from atrio import Manifest, hookimpl
from atrio.kernel.background import Background
from atrio.kernel.context import ANONYMOUS, Actor, Context
from atrio.kernel.errors import KernelError
from atrio.kernel.host import Kernel

MANIFEST = Manifest(
    name="telegraph", summary="A door of one line a message", requires=("accounts", "spaces", "core_content")
)
lines: dict[int, tuple[str, int]] = {}
"""Where the door of a kernel listens."""


def _read(ctx: Context, rest: list[str]) -> str:
    return str(ctx.resources["content"].label)


def _say(ctx: Context, rest: list[str]) -> str:
    from atrio.plugins.core_content.api import add_comment

    return str(add_comment(ctx, ctx.resources["content"], " ".join(rest)))


def _drop(ctx: Context, rest: list[str]) -> str:
    from atrio.plugins.spaces.api import trash_space

    trash_space(ctx, ctx.resources["space"].space_id)
    return "dropped"


def _found(ctx: Context, rest: list[str]) -> str:
    from atrio.plugins.spaces.api import create_space

    values = {
        "label": " ".join(rest), "description": "", "access_type": "open", "default_user_role": "reader",
        "parent_id": None, "agenda_enabled": True, "public_upload_enabled": True, "public_download_enabled": True,
        "publication_enabled": True,
    }  # fmt: skip
    return str(create_space(ctx, values))


def _verbs() -> dict[str, tuple[Any, tuple[str, ...], tuple[Any, ...], bool]]:
    """Return what a line may ask for: the call, the names of its path, its guards, and whether it writes."""
    from atrio.plugins.core_content.api import CONTENT_GUARD
    from atrio.plugins.spaces.api import CONTRIBUTOR, CREATE_SPACE, DELETE_SPACE, READER, SPACE

    content = ("workspace_id", "content_id")
    return {
        "READ": (_read, content, (SPACE, READER, CONTENT_GUARD), False),
        "SAY": (_say, content, (SPACE, CONTRIBUTOR, CONTENT_GUARD), True),
        "DROP": (_drop, ("workspace_id",), (SPACE, DELETE_SPACE), True),
        "FOUND": (_found, (), (CREATE_SPACE,), True),
    }


def answer(kernel: Kernel, line: str) -> str:
    """Do what a line says, as whom it says, behind the guards of the wire."""
    who, verb, *rest = line.split()
    call, names, guards, writes = _verbs()[verb]
    path = dict(zip(names, rest, strict=False))
    try:
        told = kernel.run(
            lambda ctx: call(ctx, rest[len(names) :]),
            writes=writes, actor=_actor(kernel, who), guards=guards, path=path,
        )  # fmt: skip
    except KernelError as error:
        return f"no {error.status} {error.code}"
    return f"ok {told}"


def _actor(kernel: Kernel, name: str) -> Actor:
    from atrio.plugins.accounts.api import by_login

    with kernel.unit(writes=False) as ctx:
        row = by_login(ctx, name)
    if row is None or not row.is_active or row.is_deleted:
        return ANONYMOUS
    return Actor(row.user_id, "user", row, "telegraph")


def _listen(kernel: Kernel) -> socketserver.ThreadingTCPServer:
    class Line(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            said = answer(kernel, self.rfile.readline().decode().strip())
            kernel.db.close_thread()
            self.wfile.write(said.encode())

    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Line)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    lines[id(kernel)] = ("127.0.0.1", server.server_address[1])
    return server


def _hang_up(server: socketserver.ThreadingTCPServer) -> None:
    server.shutdown()
    server.server_close()


@hookimpl
def register_background() -> list[Background]:
    """Open the door with the server."""
    return [Background("telegraph", _listen, _hang_up)]
