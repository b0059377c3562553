"""How many statements reach the database: fixed for one thing, the same for ten rows and a thousand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text

from atrio.kernel.host import Kernel
from atrio.kernel.testing.client import Client
from atrio.kernel.testing.plugin import ADMIN, PASSWORD

SMALL, LARGE = 10, 1000


@pytest.fixture
def browser(kernel: Kernel) -> Any:
    """The administrator, signed in by cookie."""
    made = Client(kernel.app)
    assert made.post("/api/auth/login", {"email": ADMIN, "password": PASSWORD}).status == 200
    yield made
    made.close()


def grow(kernel: Kernel, space: int, count: int, start: int) -> None:
    """Write rows the quick way: users who are members, contents, and revisions of one note."""
    with kernel.unit() as ctx:
        for n in range(start, count):
            ctx.execute(
                text(
                    "INSERT INTO accounts_user (username, public_name, profile, auth_type, timezone, allowed_space,"
                    " is_active, is_deleted, has_cover, created, creation_type, version)"
                    " VALUES (:u, :u, 1, 'internal', '', 0, 1, 0, 0, 1, 'admin', 1)"
                ),
                {"u": f"user{n}"},
            )
            ctx.execute(
                text(
                    "INSERT INTO spaces_member SELECT :s, user_id, 1, 'daily', 1 FROM accounts_user"
                    " WHERE username = :u"
                ),
                {"s": space, "u": f"user{n}"},
            )
            ctx.execute(
                text(
                    "INSERT INTO spaces_space (label, slug, description, access_type, default_role, created,"
                    " owner_id, is_deleted, agenda_enabled, public_upload_enabled, public_download_enabled,"
                    " publication_enabled) VALUES (:l, :l, '', 'open', 1, 1, 1, 0, 1, 1, 1, 1)"
                ),
                {"l": f"space{n}"},
            )
            ctx.execute(
                text(
                    "INSERT INTO core_content_content (space_id, parent_key, namespace, name_key, type, label,"
                    " file_extension, filename, slug, status, sub_content_types, is_template, author_id,"
                    " last_modifier_id, current_revision_id, current_revision_type, version_number, created,"
                    " modified) VALUES (:s, 0, 'content', :k, 'html-document', :k, '', :k, :k, 'open', '', 0, 1,"
                    " 1, 0, 'creation', 1, 1, 1)"
                ),
                {"s": space, "k": f"content{n}"},
            )


def revise(kernel: Kernel, content: int, count: int, start: int) -> None:
    with kernel.unit() as ctx:
        for n in range(start, count):
            ctx.execute(
                text(
                    "INSERT INTO core_content_revision (content_id, version_number, revision_type, author_id,"
                    " created, space_id, label, file_extension, status, sub_content_types, is_template,"
                    " is_archived, is_deleted, description, raw_content, mimetype)"
                    " VALUES (:c, :n, 'edition', 1, :n, 1, 'x', '', 'open', '', 0, 0, 0, '', '', '')"
                ),
                {"c": content, "n": n + 100},
            )


def lists(space: int, world: dict[str, int]) -> dict[str, tuple[str, int]]:
    """Every route with a list, and how many rows it has at least with `SMALL` of everything."""
    base = f"/api/workspaces/{space}"
    return {
        "users": ("/api/users", SMALL),
        "all spaces": ("/api/workspaces", SMALL),
        "spaces of a user": ("/api/users/1/workspaces", SMALL),
        "members": (f"{base}/members", SMALL),
        "roles": (f"{base}/role", SMALL),
        "contents": (f"{base}/contents", SMALL),
        "contents of a folder, paged": (f"{base}/contents?parent_ids=0&count=5&sort=modified:desc", 5),
        "contents on a path": (f"{base}/contents?complete_path_to_id={world['note']}", SMALL),
        "revisions of a note": (f"{base}/html-documents/{world['note']}/revisions", SMALL),
        "revisions of a file": (f"{base}/files/{world['file']}/revisions", SMALL),
        "revisions of a folder": (f"{base}/folders/{world['folder']}/revisions", SMALL),
    }


def counted(seen: list[str]) -> list[str]:
    """Leave out what only frames a transaction."""
    return [t for t in seen if not t.startswith(("BEGIN", "SAVEPOINT", "RELEASE", "COMMIT", "ROLLBACK"))]


def test_lists_cost_the_same_whatever_their_length(
    kernel: Kernel, browser: Client, make_space: Any, make_content: Any, send_file: Any, client: Client,
    statements: Callable[[], Any],
) -> None:  # fmt: skip
    space = make_space()
    world = {kind: make_content(space, kind, slug)["content_id"] for kind, slug in (
        ("note", "html-document"), ("folder", "folder")
    )}  # fmt: skip
    world["file"] = send_file(client, f"/api/workspaces/{space}/files").json["content_id"]
    found: dict[str, list[int]] = {}
    done = 0
    for count in (SMALL, LARGE):
        grow(kernel, space, count, done)
        for content in world.values():
            revise(kernel, content, count, done)
        done = count
        for name, (path, least) in lists(space, world).items():
            browser.get(path)  # whatever is built once is built now
            with statements() as seen:
                answer = browser.get(path)
            assert answer.status == 200, (name, answer.body[:200])
            rows = answer.json["items"] if isinstance(answer.json, dict) else answer.json
            assert len(rows) >= (least if count == SMALL or "paged" in name else LARGE), name
            found.setdefault(name, []).append(len(seen))
    assert {name: counts for name, counts in found.items() if len(set(counts)) != 1} == {}
    assert {name: counts for name, counts in found.items() if max(counts) > 6} == {}


def test_one_thing_costs_four_at_most(
    browser: Client,
    make_space: Any,
    make_content: Any,
    send_file: Any,
    client: Client,
    statements: Callable[[], Any],
) -> None:
    space = make_space()
    base = f"/api/workspaces/{space}"
    note = make_content(space, "n")
    folder = make_content(space, "f", "folder")["content_id"]
    file = send_file(client, f"{base}/files").json
    paths = (
        "/api/auth/whoami", "/api/users/1", base, f"{base}/members/1",
        f"{base}/html-documents/{note['content_id']}",
        f"{base}/html-documents/{note['content_id']}/revisions/{note['current_revision_id']}",
        f"{base}/folders/{folder}", f"{base}/files/{file['content_id']}",
        f"{base}/files/{file['content_id']}/raw/a.txt",
        f"{base}/files/{file['content_id']}/revisions/{file['current_revision_id']}/raw/a.txt",
    )  # fmt: skip
    costs = {}
    for path in paths:
        with statements() as seen:
            assert browser.get(path).status == 200, path
        costs[path] = len(seen)
    assert {path: cost for path, cost in costs.items() if cost > 4 or cost < 1} == {}
    assert costs["/api/auth/whoami"] == 1


def test_writing_costs_twelve_at_most(
    browser: Client, make_space: Any, make_content: Any, send_file: Any, statements: Callable[[], Any]
) -> None:
    space = make_space()
    base = f"/api/workspaces/{space}"
    folder = make_content(space, "f", "folder")["content_id"]
    body = {"label": "n", "content_type": "html-document", "parent_id": folder}
    with statements() as seen:
        note = browser.post(f"{base}/contents", body)
    assert note.status == 200
    assert 5 <= len(seen) <= 12
    with statements() as seen:
        assert browser.put(f"{base}/html-documents/{note.json['content_id']}", {"raw_content": "x"}).status == 200
    assert len(seen) <= 12
    with statements() as seen:  # checked before the bytes, and again with them
        assert send_file(browser, f"{base}/files", fields={"parent_id": str(folder)}).status == 200
    assert len(counted(seen)) <= 16
