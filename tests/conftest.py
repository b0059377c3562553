"""A small world: one space with a member of each role, people outside it, and one content of each kind."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from atrio.kernel.host import Kernel
from atrio.kernel.testing.client import Client
from atrio.kernel.testing.plugin import ADMIN, PASSWORD

MEMBERS = ("reader", "contributor", "content-manager", "workspace-manager")


@pytest.fixture(scope="session", autouse=True)
def _cheap_passwords() -> Iterator[None]:
    """Hash passwords at the least cost: most tests have five people, and are not about passwords.

    Servers that tests start are processes of their own and hash at full cost.
    """
    from argon2 import PasswordHasher

    from atrio.plugins.accounts import passwords

    cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    full = passwords._hasher
    passwords._dummy_hash.cache_clear()
    passwords._hasher = lambda: cheap  # type: ignore[assignment]
    yield
    passwords._hasher = full


@dataclass
class World:
    """Who and what there is. `people` are clients by what they are; `ids` are their users."""

    space: int
    people: dict[str, Any]
    note: int
    folder: int
    file: int
    revision: int
    note_revision: int
    ids: dict[str, int] = field(default_factory=dict)

    def path(self, rest: str = "") -> str:
        """Return a path below the space."""
        return f"/api/workspaces/{self.space}{rest}"


def upload(client: Client, path: str, name: str = "a.txt", data: bytes = b"hello", **options: Any) -> Any:
    """Send a file as a browser does."""
    media = options.pop("media", "text/plain")
    method = options.pop("method", "POST")
    fields = options.pop("fields", {})
    return client.request(method, path, files={"files": (name, data, media)}, fields=fields, **options)


@pytest.fixture
def send_file() -> Callable[..., Any]:
    """`send_file(client, path, name, data)` uploads a file."""
    return upload


@pytest.fixture
def world(
    kernel: Kernel, client: Client, stranger: Client, as_actor: Callable[..., Any], make_space: Callable[..., int],
    make_content: Callable[..., dict[str, Any]],
) -> Iterator[World]:  # fmt: skip
    """One of each."""
    from sqlalchemy import text

    people: dict[str, Any] = {"stranger": stranger}
    for role in MEMBERS:
        people[role] = as_actor(f"the-{role}")
    people["user"] = as_actor("outsider")
    people["trusted"] = as_actor("trusted", profile="trusted-users")
    people["root"] = as_actor("root", profile="administrators")
    people["deactivated"] = as_actor("gone")
    space = make_space(members={people[r].user_id: r for r in MEMBERS} | {people["deactivated"].user_id: "reader"})
    assert people["deactivated"].get("/api/auth/whoami").status == 200
    with kernel.unit() as ctx:
        ctx.execute(text("UPDATE accounts_user SET is_active = 0 WHERE username = 'gone'"))
    note = make_content(space, "Note")
    folder = make_content(space, "Folder", "folder")
    made = upload(client, f"/api/workspaces/{space}/files", "file.txt")
    assert made.status == 200, made.body
    yield World(
        space, people, note["content_id"], folder["content_id"], made.json["content_id"],
        made.json["current_revision_id"], note["current_revision_id"],
        {name: person.user_id for name, person in people.items() if name != "stranger"},
    )  # fmt: skip


@pytest.fixture
def at_once(kernel: Kernel) -> Callable[[Sequence[Callable[[Client], Any]]], Counter[Any]]:
    """`at_once([lambda c: c.post(…), …])` sends requests together, each from a thread of its own.

    Gives how often each (status, code) came back; they act as the administrator.
    """

    def send_all(calls: Sequence[Callable[[Client], Any]]) -> Counter[Any]:
        barrier = threading.Barrier(len(calls))
        found: Counter[Any] = Counter()

        def send(call: Callable[[Client], Any]) -> None:
            client = Client(kernel.app, ADMIN, PASSWORD)
            client.get("/api/auth/whoami")
            barrier.wait()
            answer = call(client)
            found[answer.status, answer.json["code"] if answer.status >= 400 else None] += 1
            client.close()

        threads = [threading.Thread(target=send, args=(call,)) for call in calls]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return found

    return send_all
