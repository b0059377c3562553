"""The rows of the core routes: what they cost the server, beside the bare endpoint where there is one."""

from __future__ import annotations

import base64
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fill import Filler, Item
from load import Measured, best_of, run
from server import PASSWORD, Bare, Server

Row = Callable[..., None]
LARGE = 100_000
PAGE = 50
UPLOAD = "content-type: multipart/form-data; boundary=bench\r\n"
_HEAD = (
    b'--bench\r\nContent-Disposition: form-data; name="files"; filename="%s.bin"\r\n'
    b"Content-Type: application/octet-stream\r\n\r\n"
)
_TAIL = b"\r\n--bench--\r\n"


@dataclass
class World:
    """What the rows are measured on."""

    space: int
    note: int
    commented: int
    large: int
    here: int
    there: int
    tree: int


def fill(filler: Filler, space: int) -> World:
    """Write 5,000 users, 2,000 spaces and about 120,000 contents; the administrator is in 100 of the spaces."""
    users = filler.users(5000)
    authors = users[:50]
    mine = filler.spaces(99, 1, "Mine")
    filler.members((s, 1) for s in mine)
    filler.spaces(1900, users[0], "Other")
    filler.members((s, u) for s in mine for u in users[:20])
    notes = filler.contents(space, (Item(f"Note {n:04d}") for n in range(1000)), authors)
    comments = (Item("", "comment", notes[1], f"<p>Comment {n}</p>") for n in range(100))
    filler.contents(space, comments, authors)
    large, here, there = mine[:3]
    filler.contents(large, (Item(f"Note {n:06d}") for n in range(LARGE)), authors)
    folders = filler.contents(large, (Item(f"Folder {n:02d}", "folder") for n in range(20)), authors)
    filler.contents(
        large,
        (Item(f"Inside {n:02d}", parent=f, state="" if n else "trashed_at") for f in folders for n in range(50)),
        authors,
    )
    tree = filler.contents(here, [Item("Tree", "folder")], authors)[0]
    level = filler.contents(here, (Item(f"Folder {n:02d}", "folder", tree) for n in range(50)), authors)
    filler.contents(here, (Item(f"Leaf {n:02d}", parent=f) for f in level for n in range(99)), authors)
    filler.analyse()
    return World(space, notes[0], notes[1], large, here, there, tree)


def note(label: str) -> bytes:
    """Return the body that creates a note."""
    return json.dumps({"label": label, "content_type": "html-document"}).encode()


def upload(size: int) -> tuple[bytes, str]:
    """Return the body of an upload of fresh bytes, and its header."""
    name = f"f{time.time_ns()}".encode()
    return _HEAD % name + os.urandom(16) + b"x" * (size - 16) + _TAIL, UPLOAD


def token(value: object, row_id: int) -> str:
    """Return the bookmark of the page that begins after a row."""
    return base64.urlsafe_b64encode(json.dumps([">", value, row_id]).encode()).decode()


class Bench:
    """Measures routes of one server."""

    def __init__(self, server: Server, row: Row, rounds: int) -> None:
        self.server, self.row, self.rounds = server, row, rounds

    def get(self, path: str, each: int, clients: int = 1, headers: dict[str, str] | None = None) -> Measured:
        """Return the cheapest of several runs of one GET."""
        return self._best(lambda c, n: ("GET", path, b""), each, clients, headers)

    def send(self, make: Callable[[int, int], tuple[str, ...]], each: int) -> Measured:
        """Return the cheapest of several runs of a request that changes something."""
        return self._best(make, each)

    def _best(
        self, make: Callable[[int, int], tuple], each: int, clients: int = 1, headers: dict[str, str] | None = None
    ) -> Measured:  # fmt: skip
        server = self.server
        if each > 1:  # one that runs once is dear, and warm after the others
            run(server.pid, server.port, headers or server.headers, clients, max(1, each // 20), make)
        found = best_of(
            self.rounds,
            lambda: run(server.pid, server.port, headers or server.headers, clients, each, make),
        )
        assert not found.bad, f"{found.bad} of {found.requests} requests failed: {make(0, 0)[:2]}"
        return found


def reads(bench: Bench, folder: Path, world: World) -> None:
    """What a signed-in user reads most, each beside the bare endpoint."""
    space = f"/api/workspaces/{world.space}"
    large = f"/api/workspaces/{world.large}/contents?count={PAGE}&parent_ids=0"
    paths = {
        "whoami": ("one", "/api/auth/whoami", 500, "whoami", 0.8),
        "note": ("one", f"{space}/html-documents/{world.note}", 500, "one note", 1.2),
        "list": ("page", f"{space}/contents?parent_ids=0", 30, "list of 1,000 contents", 10),
        "comments": (
            "page", f"{space}/contents/{world.commented}/comments", 200, "list of 100 comments", 2.5
        ),
        "page": ("page", large, 200, f"first {PAGE} of 100,000 contents", 3),
        "spaces": ("list", "/api/users/1/workspaces", 100, "a user's 100 spaces", 10),
        "users": ("list", "/api/users", 10, "all 5,000 users", 50),
        "all": ("list", "/api/workspaces", 10, "all 2,000 spaces", 50),
    }  # fmt: skip
    plans = {name: (shape, path) for name, (shape, path, *_) in paths.items()}
    bare = Bare(folder, bench.server.headers["cookie"], plans)
    alone: Measured | None = None
    try:
        for name, (_, path, each, title, aim) in paths.items():
            mine = bench.get(path, each)
            run(
                bare.pid,
                bare.port,
                bench.server.headers,
                1,
                max(2, each // 10),
                lambda c, n, p=f"/{name}": ("GET", p, b""),
            )
            limit = best_of(
                bench.rounds,
                lambda p=f"/{name}", e=each: run(
                    bare.pid, bare.port, bench.server.headers, 1, e, lambda c, n: ("GET", p, b"")
                ),
            )
            alone = mine if name == "list" else alone
            bench.row(
                title, f"{mine.cpu_ms:.2f} ms", f"{aim} ms",
                f"{mine.cpu_ms / limit.cpu_ms:.2f}x of {limit.cpu_ms:.2f} ms bare",
            )  # fmt: skip
    finally:
        bare.stop()
    assert alone is not None
    crowd = bench.get(paths["list"][1], 8, clients=16)
    bench.row("list of 1,000 contents under 16 clients", f"{crowd.cpu_ms / alone.cpu_ms:.2f}x", "1.3x",
              f"{crowd.cpu_ms:.1f} ms against {alone.cpu_ms:.1f} ms alone")  # fmt: skip


def pages(bench: Bench, filler: Filler, world: World) -> None:
    """Pages of a list of 100,000, from either end and from the middle."""
    total = filler.database.execute(
        "SELECT count(*) FROM core_content_content WHERE space_id = ? AND parent_key = 0 "
        "AND namespace = 'content' AND trashed_at IS NULL AND archived_at IS NULL AND hidden_by IS NULL",
        (world.large,),
    ).fetchone()[0]  # fmt: skip
    for sort, column in (("label", "sort_key"), ("modified", "modified")):
        path = f"/api/workspaces/{world.large}/contents?count={PAGE}&parent_ids=0&sort={sort}"
        middle = token(*filler.place(world.large, column, total // 2))
        last = token(*filler.place(world.large, column, total - PAGE - 1))
        costs = {
            "first": bench.get(f"{path}:asc", 100).cpu_ms,
            "middle": bench.get(f"{path}:asc&page_token={middle}", 100).cpu_ms,
            "last": bench.get(f"{path}:asc&page_token={last}", 100).cpu_ms,
            "first, descending": bench.get(f"{path}:desc", 100).cpu_ms,
        }
        worst = max(costs.values())
        bench.row(
            f"page of {PAGE} of 100,000 by {sort}, the dearest", f"{worst:.2f} ms", "3 ms",
            ", ".join(f"{name} {cost:.2f}" for name, cost in costs.items()),
        )  # fmt: skip


def signing_in(bench: Bench) -> None:
    """A sign-in whose password was checked within the last minute, and one whose was not."""

    def body(number: int) -> bytes:
        return json.dumps({"username": f"bench{number}", "password": PASSWORD}).encode()

    again = bench.send(lambda c, n: ("POST", "/api/auth/login", body(0)), 200)
    counter = iter(range(100, 5000))
    fresh = bench.send(lambda c, n: ("POST", "/api/auth/login", body(next(counter))), 20)
    bench.row("login, password checked a moment ago", f"{again.cpu_ms:.2f} ms", "3.5 ms")
    bench.row("login, first", f"{fresh.cpu_ms:.1f} ms", "50 ms", "argon2 with 19 MiB and two passes")


def created(bench: Bench, space: int) -> Measured:
    """Return what a note costs at the end of a space."""
    path = f"/api/workspaces/{space}/contents"
    return bench.send(lambda c, n: ("POST", path, note(f"c {time.time_ns()}")), 200)


def writes(bench: Bench, world: World, small: Measured) -> None:
    """Changes of one content, an upload, a move of a tree."""
    space = f"/api/workspaces/{world.space}"
    text = "<p>text</p>" * 50

    def changed(client: int, number: int) -> tuple[str, str, bytes]:
        body = json.dumps({"raw_content": f"{text}<p>{time.time_ns()}</p>"}).encode()
        return "PUT", f"{space}/html-documents/{world.note}", body

    def comment(client: int, number: int) -> tuple[str, str, bytes]:
        return (
            "POST",
            f"{space}/contents/{world.note}/comments",
            json.dumps({"raw_content": "<p>Yes.</p>"}).encode(),
        )

    def mebibyte(client: int, number: int) -> tuple[str, str, bytes, str]:
        body, header = upload(1 << 20)
        return "POST", f"{space}/files", body, header

    update = bench.send(changed, 200)
    bench.row("note update", f"{update.cpu_ms:.2f} ms", "4 ms")
    talk = bench.send(comment, 200)
    bench.row("comment", f"{talk.cpu_ms:.2f} ms", "4 ms")
    late = created(bench, world.large)
    bench.row("create a note", f"{small.cpu_ms:.2f} ms", "3.5 ms")
    bench.row("the 100,000th against the 100th note", f"{late.cpu_ms / small.cpu_ms:.2f}x", "1.3x",
              f"{late.cpu_ms:.2f} ms against {small.cpu_ms:.2f} ms")  # fmt: skip
    sent = bench.send(mebibyte, 30)
    bench.row("upload of 1 MiB", f"{sent.cpu_ms:.2f} ms", "10 ms")
    moves(bench, world)


def moves(bench: Bench, world: World) -> None:
    """A folder with 5,000 descendants goes to another space and back."""
    places = (world.here, world.there)
    turn = iter(range(1 << 30))

    def move(client: int, number: int) -> tuple[str, str, bytes]:
        at = next(turn)
        body = json.dumps({"new_workspace_id": places[(at + 1) % 2], "new_parent_id": 0}).encode()
        return "PUT", f"/api/workspaces/{places[at % 2]}/contents/{world.tree}/move", body

    cost = bench.send(move, 2)
    bench.row("move of 5,000 descendants to another space", f"{cost.cpu_ms:.0f} ms", "500 ms")


def crowd(bench: Bench, world: World) -> None:
    """Sixteen clients that read and write at the same time."""
    space = f"/api/workspaces/{world.space}"

    def wanted(client: int, number: int) -> tuple:
        own = world.note + 10 + client
        unique = f"{client}-{number}-{time.time_ns()}"
        match number % 10:
            case 0:
                return "POST", f"{space}/contents", note(f"m{unique}")
            case 1:
                return (
                    "PUT",
                    f"{space}/html-documents/{own}",
                    json.dumps({"raw_content": f"<p>{unique}</p>"}).encode(),
                )
            case 2:
                body = json.dumps({"raw_content": f"<p>{unique}</p>"}).encode()
                return "POST", f"{space}/contents/{world.note + 5}/comments", body
            case 3:
                body, header = upload(4096)
                return "POST", f"{space}/files", body, header
            case 4:
                return "PUT", f"/api/users/1/workspaces/{world.space}/contents/{own}/read", b""
            case 5:
                return "GET", f"{space}/contents/{world.commented}/comments", b""
            case 6:
                return "GET", f"/api/workspaces/{world.large}/contents?count={PAGE}&sort=modified:desc", b""
            case 7:
                return "GET", f"{space}/html-documents/{own}", b""
            case 8:
                return "GET", "/api/users/1/workspaces", b""
            case _:
                return "GET", "/api/auth/whoami", b""

    found = run(bench.server.pid, bench.server.port, bench.server.headers, 16, 100, wanted)
    bench.row("16 clients, half of them writes: refused or failed", str(found.bad), "0")
    bench.row("16 clients, half of them writes: p99", f"{found.p99_ms:.0f} ms", "150 ms",
              f"p50 {found.p50_ms:.0f} ms, {found.cpu_ms:.2f} ms CPU a request, {found.rate:.0f}/s")  # fmt: skip
