"""A space with files, made once for a module; each test sends its own bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from atrio.kernel.host import Kernel
from atrio.kernel.testing.client import Answer, Client
from atrio.kernel.testing.plugin import ADMIN, PASSWORD, make_kernel

from .files import send


class Place:
    """One space of one instance."""

    def __init__(self, kernel: Kernel, client: Client) -> None:
        self.kernel = kernel
        self.client = client
        made = client.post(
            "/api/workspaces",
            {"label": "A", "description": "", "access_type": "confidential", "default_user_role": "reader"},
        )
        self.space = f"/api/workspaces/{made.json['workspace_id']}"
        self.number = 0

    def file(self, name: str, data: bytes, media: str = "application/octet-stream") -> str:
        """Upload a file and return where it is; its label is made unlike all others."""
        self.number += 1
        made = send(self.client, f"{self.space}/files", f"{self.number}-{name}", data, media)
        return f"{self.space}/files/{made['content_id']}"

    def get(self, path: str, **query: Any) -> Answer:
        """Ask."""
        return self.client.get(path, query=query) if query else self.client.get(path)


def booted(folder: Path, **settings: Any) -> Iterator[Place]:
    """Boot an instance and give its space."""
    settings = {"preview__wait_seconds": 60, "preview__skiplist": [], **settings}
    kernel = make_kernel(folder, settings)
    client = Client(kernel.app, ADMIN, PASSWORD)
    try:
        yield Place(kernel, client)
    finally:
        client.close()
        kernel.stop()
        kernel.app.pool.close()
        kernel.app.io.close()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """One instance for a module; nothing is skipped."""
    yield from booted(tmp_path_factory.mktemp("previews"))


@pytest.fixture
def place_with(tmp_path: Path) -> Iterator[Callable[..., Place]]:
    """`place_with(preview__largest=64)`: an instance of one's own."""
    made: list[Iterator[Place]] = []

    def make(**settings: Any) -> Place:
        folder = tmp_path / f"instance{len(made)}"
        folder.mkdir()
        made.append(booted(folder, **settings))
        return next(made[-1])

    yield make
    for one in made:
        next(one, None)
