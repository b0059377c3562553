"""The whole path on PostgreSQL and MariaDB, on an empty database of its own for each test."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import inspect, text

from atrio.kernel.db import migrate
from atrio.kernel.errors import BootError
from atrio.kernel.host import Kernel
from atrio.kernel.schema_state import lineages
from atrio.kernel.testing.client import Client
from atrio.kernel.testing.plugin import ADMIN, PASSWORD, make_kernel

pytestmark = [pytest.mark.services, pytest.mark.timeout(240)]


def _space(client: Client) -> int:
    body = {"label": "Été", "description": "", "access_type": "open", "default_user_role": "reader"}
    answer = client.post("/api/workspaces", body)
    assert answer.status == 200, answer.body
    return int(answer.json["workspace_id"])


def test_lineages_go_up_down_up(kernel: Kernel) -> None:
    ordered = lineages(kernel)
    with kernel.db.writer.connect() as connection:
        before = set(inspect(connection).get_table_names())
        for lineage in ordered:
            assert migrate.differences(connection, lineage) == []
    for lineage in reversed(ordered):
        with migrate.migrating(kernel.db) as connection:
            migrate.downgrade(connection, lineage, "base")
    with kernel.db.writer.connect() as connection:
        assert inspect(connection).get_table_names() == []
    for lineage in ordered:
        with migrate.migrating(kernel.db) as connection:
            migrate.upgrade(connection, lineage)
    with kernel.db.writer.connect() as connection:
        assert set(inspect(connection).get_table_names()) == before


def test_the_way_of_a_note_and_a_file(client: Client) -> None:
    space = _space(client)
    path = f"/api/workspaces/{space}"
    note = client.post(f"{path}/contents", {"label": "日本 😀", "content_type": "html-document"}).json
    text_of_it = "<p>" + "é😀" * 50_000 + "</p>"
    changed = client.put(f"{path}/html-documents/{note['content_id']}", {"raw_content": text_of_it})
    assert changed.json["raw_content"] == text_of_it
    assert client.get(f"{path}/html-documents/{note['content_id']}").json == changed.json
    data = bytes(range(256)) * 1000
    made = client.request("POST", f"{path}/files", files={"files": ("a.bin", data, "application/octet-stream")})
    assert made.status == 200, made.body
    raw = client.get(f"{path}/files/{made.json['content_id']}/raw/a.bin")
    assert raw.body == data
    revisions = client.get(f"{path}/html-documents/{note['content_id']}/revisions").json
    assert [r["version_number"] for r in revisions["items"]] == [1, 2]
    assert [m["role"] for m in client.get(f"{path}/members").json] == ["workspace-manager"]


def test_names_are_told_apart_byte_by_byte(client: Client) -> None:
    """MariaDB folds case and accents by default; the key of a name does not."""
    space = _space(client)
    path = f"/api/workspaces/{space}/contents"
    for label in ("note", "Note", "nöte", "note "):
        answer = client.post(path, {"label": label, "content_type": "html-document"})
        assert answer.status == (400 if label == "note " else 200), answer.body
    again = client.post(path, {"label": "Note", "content_type": "html-document"})
    assert (again.status, again.code) == (400, 3002)
    listed = client.get(path, query={"label": "NOTE", "sort": "created:asc", "count": 1}).json
    assert listed["items"][0]["label"] == "note"
    following = client.get(
        path, query={"label": "note", "sort": "created:asc", "count": 1, "page_token": listed["next_page_token"]}
    )
    assert following.json["items"][0]["label"] == "Note"


def test_a_reading_unit_cannot_write(kernel: Kernel) -> None:
    with pytest.raises(Exception, match=r"(?i)read.only"), kernel.unit(writes=False) as ctx:
        ctx.execute(text("DELETE FROM kernel_lease"))


def test_many_writers_lose_nothing(kernel: Kernel, client: Client) -> None:
    space = _space(client)
    statuses: list[int] = []

    def write(number: int) -> None:
        mine = Client(kernel.app, ADMIN, PASSWORD)
        for n in range(10):
            body = {"label": f"w{number}-{n}", "content_type": "html-document"}
            statuses.append(mine.post(f"/api/workspaces/{space}/contents", body).status)
        mine.close()

    threads = [threading.Thread(target=write, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(statuses) == {200}
    assert len(client.get(f"/api/workspaces/{space}/contents").json["items"]) == 80


def test_one_of_many_takes_a_name(kernel: Kernel, client: Client) -> None:
    space = _space(client)
    answers: list[tuple[int, Any]] = []

    def take() -> None:
        mine = Client(kernel.app, ADMIN, PASSWORD)
        got = mine.post(f"/api/workspaces/{space}/contents", {"label": "one", "content_type": "html-document"})
        answers.append((got.status, got.json.get("code")))
        mine.close()

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers, key=str) == [(200, None), *[(400, 3002)] * 7]


def test_changes_of_one_note_by_many(kernel: Kernel, client: Client) -> None:
    """Each accepted change is a revision of its own; a lost race is tried again or refused, never mixed."""
    space = _space(client)
    note = client.post(f"/api/workspaces/{space}/contents", {"label": "n", "content_type": "html-document"}).json
    path = f"/api/workspaces/{space}/html-documents/{note['content_id']}"
    statuses: list[int] = []

    def change(number: int) -> None:
        mine = Client(kernel.app, ADMIN, PASSWORD)
        for n in range(5):
            statuses.append(mine.put(path, {"raw_content": f"<p>{number}.{n}</p>"}).status)
        mine.close()

    threads = [threading.Thread(target=change, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(statuses) <= {200, 503}
    versions = [r["version_number"] for r in client.get(f"{path}/revisions").json["items"]]
    assert versions == list(range(1, statuses.count(200) + 2))


def test_pending_migrations_refuse_with_the_command(url: str, tmp_path: Path) -> None:
    first = make_kernel(tmp_path, {"database__url": url})
    with first.db.writer.connect() as connection:
        connection.execute(text("DELETE FROM alembic_version_spaces"))
        connection.commit()
    first.stop()
    with pytest.raises(BootError, match="atrio db upgrade"):
        make_kernel(tmp_path, {"database__url": url})


def test_a_server_that_went_away_is_found_again(kernel: Kernel, client: Client) -> None:
    """Connections that the database closed are replaced, and the request that met them is answered."""
    space = _space(client)
    assert client.get(f"/api/workspaces/{space}").status == 200
    with kernel.db.writer.connect() as connection:
        if kernel.db.dialect == "postgresql":
            connection.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            )
        else:
            mine = connection.execute(text("SELECT CONNECTION_ID()")).scalar()
            rows = connection.execute(text("SELECT id FROM information_schema.processlist WHERE db = DATABASE()"))
            for (number,) in rows.all():
                if number != mine:
                    connection.execute(text(f"KILL {number}"))
    body = {"label": "after", "content_type": "html-document"}
    for _ in range(6):
        assert client.get(f"/api/workspaces/{space}").status == 200
        body["label"] += "x"
        assert client.post(f"/api/workspaces/{space}/contents", body).status == 200
