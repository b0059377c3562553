"""People on a drive: requests by path, and what a space holds afterwards."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote

import pytest
from sqlalchemy import text

from atrio.kernel.host import Kernel
from atrio.kernel.testing.client import Answer, Client

ALPHA = "/Alpha.space"


@dataclass
class Person:
    """A client on the drive; paths are below the mount and not yet quoted."""

    client: Client

    def __call__(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
        """Send a request; headers by name with `_` for `-`, `to` is the path of the destination."""
        if "to" in headers:
            headers["destination"] = address(headers.pop("to"))
        given = {name.rstrip("_").replace("_", "-"): value for name, value in headers.items()}
        return self.client.request(method, address(path), body=body, headers=given)

    def names(self, path: str) -> list[str]:
        """Return the names in a folder as PROPFIND tells them."""
        answer = self("PROPFIND", path, depth="1")
        assert answer.status == 207, answer.body
        found = [unquote(h.decode()) for h in re.findall(rb"<[^<>]*href>([^<]+)<", answer.body)]
        return [name.rstrip("/").rpartition("/")[2] for name in found[1:]]

    def lock(self, path: str, **headers: str) -> Answer:
        """Ask for an exclusive lock."""
        body = (
            b'<?xml version="1.0"?><D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope>'
            b"<D:locktype><D:write/></D:locktype><D:owner>me</D:owner></D:lockinfo>"
        )
        return self("LOCK", path, body, **headers)


def address(path: str) -> str:
    """Return the path of a request."""
    return "/webdav" + quote(path)


@dataclass
class Place:
    """A space `Alpha` with `file.txt`, a folder `Folder` and a note `Note`, and its people."""

    kernel: Kernel
    space: int
    world: Any
    people: dict[str, Person]

    def __getattr__(self, name: str) -> Person:
        try:
            return self.people[name]
        except KeyError:
            raise AttributeError(name) from None

    def natively(self, native: bool) -> None:
        """Answer listings and downloads without the protocol library, or all with it."""
        object.__setattr__(self.kernel.router.find_mount("/webdav").app.settings, "native", native)

    def scalar(self, statement: str, **values: Any) -> Any:
        """Return one value from the database."""
        return self.kernel.run(lambda ctx: ctx.execute(text(statement), values).scalar(), writes=False)

    def content(self, content_id: int) -> Any:
        """Return a content with its current text."""
        statement = (
            "SELECT c.*, r.raw_content FROM core_content_content c JOIN core_content_revision r"
            " ON r.revision_id = c.current_revision_id WHERE c.content_id = :c"
        )
        row = self.kernel.run(
            lambda ctx: ctx.execute(text(statement), {"c": content_id}).mappings().one(), writes=False
        )
        return dict(row)

    def facts(self) -> tuple[Any, ...]:
        """Return what an upload could change: contents, revisions, bytes owned, and blobs on the disk."""
        folder = self.kernel.blobs.root
        return (
            self.scalar("SELECT count(*) FROM core_content_content"), self.scalar("SELECT count(*) FROM core_content_revision"),
            self.scalar("SELECT sum(size) FROM core_content_revision"),
            sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()),
        )  # fmt: skip


BOTH = [pytest.param(True, id="native"), pytest.param(False, id="library", marks=pytest.mark.slow)]


@pytest.fixture(params=BOTH)
def place(request: pytest.FixtureRequest, kernel: Kernel, client: Client, world: Any) -> Place:
    """The world with its space on the drive as `Alpha.space`; `root` is an administrator and its owner.

    Every test of it runs a second time, among the slow ones, with everything left to the protocol library.
    """
    answer = client.put(f"/api/workspaces/{world.space}", {"label": "Alpha"})
    assert answer.status == 200, answer.body
    short = {"content-manager": "manager", "workspace-manager": "boss", "root": "admin"}
    people = {short.get(name, name): Person(found) for name, found in world.people.items()}
    made = Place(kernel, world.space, world, {**people, "owner": Person(client)})
    made.natively(request.param)
    return made


@pytest.fixture
def put(place: Place) -> Callable[..., Answer]:
    """`put(path, data)` saves a file as the content-manager."""

    def save(path: str, data: bytes = b"hello", **headers: str) -> Answer:
        answer = place.manager("PUT", path, data, **headers)
        assert answer.status in (201, 204), answer.body
        return answer

    return save
