"""A disk without room: told as such at every door, nothing half done, and all goes on when there is room again."""

from __future__ import annotations

from collections.abc import Callable
from io import FileIO
from typing import Any

import pytest
from sqlalchemy import text

from atrio.kernel.blobs import TemporaryBlob
from atrio.kernel.db.engine import Database
from atrio.kernel.host import Kernel
from atrio.kernel.testing.client import Client
from atrio.kernel.testing.engines import chosen

pytestmark = pytest.mark.atrio_config(plugins__enabled=["core_content", "webdav", "resumable"])
FULL = 20010


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Let the bytes of files go to a device that is always full; call it to have room again."""
    opened = TemporaryBlob._open

    def open_nowhere(blob: TemporaryBlob) -> FileIO:
        opened(blob).close()
        blob._file = FileIO("/dev/full", "wb")
        return blob._file

    monkeypatch.setattr(TemporaryBlob, "_open", open_nowhere)
    return monkeypatch.undo


def left_over(kernel: Kernel) -> list[Any]:
    return list(kernel.blobs.incoming.glob("*")) if kernel.blobs.incoming.exists() else []


def test_no_room_for_bytes(
    kernel: Kernel, client: Client, make_space: Any, send_file: Any, full: Callable[[], None]
) -> None:
    space = make_space("Disk")
    refused = send_file(client, f"/api/workspaces/{space}/files", "a.txt", b"bytes")
    assert (refused.status, refused.json["code"]) == (507, FULL)
    assert client.request("PUT", "/webdav/Disk.space/b.txt", body=b"bytes").status == 507
    assert left_over(kernel) == []
    assert client.get(f"/api/workspaces/{space}/contents").json["items"] == []
    full()
    assert send_file(client, f"/api/workspaces/{space}/files", "a.txt", b"bytes").status == 200
    assert client.request("PUT", "/webdav/Disk.space/b.txt", body=b"bytes").status == 201


@pytest.mark.skipif(bool(chosen()), reason="the database of SQLite is the one that can be made full")
def test_no_room_in_the_database(
    kernel: Kernel, client: Client, make_space: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    space = make_space("Disk")
    body = {"label": "large", "content_type": "html-document"}
    note = client.post(f"/api/workspaces/{space}/contents", body).json["content_id"]
    pages = int(kernel.run(lambda ctx: ctx.execute(text("PRAGMA page_count")).scalar() or 0))
    begin, place = Database.begin, f"/api/workspaces/{space}/html-documents/{note}"

    def begin_with(database: Database, writes: bool, most: int = pages + 8) -> Any:
        kept = begin(database, writes)
        kept.raw.execute(f"PRAGMA max_page_count = {most}")
        return kept

    monkeypatch.setattr(Database, "begin", begin_with)
    refused = client.put(place, {"raw_content": "<p>words</p>" * 20_000})
    assert (refused.status, refused.json["code"]) == (507, FULL)
    assert client.get(place).json["raw_content"] == ""
    assert client.put(place, {"raw_content": "<p>few</p>"}).status == 200
    monkeypatch.setattr(Database, "begin", lambda d, w: begin_with(d, w, 1_000_000))
    assert client.put(place, {"raw_content": "<p>words</p>" * 20_000}).status == 200
    assert all(record.enabled for record in kernel.records if record.name in ("core_content", "search"))
