"""What routes answer on success beyond the fields that tests/contract looks at: values, headers, order."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.contract import facts
from tests.contract.recipes import asker_of, recipe_for
from tests.contract.stage import EVERYTHING, Stage

ALONE = re.compile(r"/api/workspaces/\{\w+\}/(html-documents|threads|folders|files)/\{\w+\}")
"""Paths of the contents that have a tag for If-Match."""


@EVERYTHING
def test_headers_of_every_read(stage: Stage) -> None:
    """JSON says that it is JSON, and nothing but single contents may be kept by a browser."""
    asked = 0
    for route in facts.now():
        if route["method"] != "GET" or route["answer"] in (None, "bytes") or route["who"] == ["anybody"]:
            continue
        answer = stage.ask(asker_of(route), "GET", route["path"], recipe_for(route))
        where = facts.label(route)
        assert (answer.status, answer.headers["content-type"]) == (200, "application/json"), where
        assert answer.headers["x-content-type-options"] == "nosniff", where
        one = "etag" in answer.headers
        assert one or not ALONE.fullmatch(route["path"]), where
        assert answer.headers["cache-control"] == ("private, no-cache" if one else "no-store"), where
        asked += 1
    assert asked > 50


def test_creating_a_user(client: Any) -> None:
    answer = client.post("/api/users", {"email": "Ann Smith <Ann@Example.ORG>", "username": "ann"})
    got = answer.json
    assert (got["email"], got["public_name"], got["profile"]) == ("ann@example.org", "Ann Smith", "users")
    assert (got["auth_type"], got["timezone"], got["lang"], got["allowed_space"]) == ("unknown", "", None, 0)
    assert (got["is_active"], got["is_deleted"], got["has_avatar"], got["has_cover"]) == (True, False, True, False)


def test_creating_a_space(client: Any) -> None:
    body = {
        "label": " Été à  ",
        "description": "<b>x</b>",
        "access_type": "open",
        "default_user_role": "contributor",
    }
    answer = client.post("/api/workspaces", body)
    got = answer.json
    assert (got["label"], got["slug"], got["description"]) == ("Été à", "ete-a", "<b>x</b>")
    assert (got["access_type"], got["default_user_role"], got["parent_id"]) == ("open", "contributor", None)
    assert got["owner"]["user_id"] == 1
    assert got["number_of_members"] == 1
    flags = ("agenda_enabled", "public_upload_enabled", "public_download_enabled", "publication_enabled")
    assert all(got[f] for f in flags)
    w = got["workspace_id"]
    assert got["sidebar_entries"][:2] == [
        {
            "slug": "dashboard", "label": "Dashboard", "route": f"/ui/workspaces/{w}/dashboard",
            "fa_icon": "fas fa-tachometer-alt", "hexcolor": "#fdfdfd",
        },
        {
            "slug": "publication", "label": "News", "route": f"/ui/workspaces/{w}/publications",
            "fa_icon": "fas fa-stream", "hexcolor": "#bbbbbb",
        },
    ]  # fmt: skip
    quiet = client.post("/api/workspaces", body | dict.fromkeys(flags, False) | {"parent_id": w}).json
    assert not any(quiet[f] for f in flags)
    assert quiet["parent_id"] == w
    assert "publication" not in [e["slug"] for e in quiet["sidebar_entries"]]


def test_adding_and_changing_a_member(world: Any, client: Any) -> None:
    added = client.post(world.path("/members"), {"user_username": "outsider", "role": "contributor"})
    assert (added.json["newly_created"], added.json["role"]) == (False, "contributor")
    assert added.json["email_notification_type"] == "daily"
    changed = client.put(world.path(f"/members/{world.ids['user']}"), {"role": "reader"})
    assert changed.json["role"] == "reader"


@pytest.mark.parametrize(
    ("kind", "extension"),
    [
        ("html-document", ".document.html"), ("folder", ""), ("thread", ".thread.html"), ("kanban", ".kanban"),
        ("logbook", ".logbook"), ("file", ""),
    ],
)  # fmt: skip
def test_creating_a_content(world: Any, client: Any, kind: str, extension: str) -> None:
    body = {"label": " a/b ", "content_type": kind, "parent_id": world.folder}
    answer = client.post(world.path("/contents"), body)
    got = answer.json
    assert (got["label"], got["filename"], got["file_extension"]) == ("a/b", f"a⧸b{extension}", extension)
    assert (got["content_type"], got["content_namespace"], got["status"]) == (kind, "content", "open")
    assert (got["parent_id"], got["workspace_id"]) == (world.folder, world.space)
    assert (got["current_revision_type"], got["is_editable"], got["actives_shares"]) == ("creation", True, 0)
    assert set(got["sub_content_types"]) == {
        "logbook", "thread", "file", "html-document", "folder", "kanban", "todo", "comment"
    }  # fmt: skip
    assert got["author"] == got["last_modifier"]


def test_a_fresh_kanban_has_no_bytes(world: Any, client: Any) -> None:
    made = client.post(world.path("/contents"), {"label": "Board", "content_type": "kanban"}).json
    got = client.get(world.path(f"/files/{made['content_id']}"))
    assert (got.json["mimetype"], got.json["size"]) == ("", 0)
    raw = client.get(world.path(f"/files/{made['content_id']}/raw/x"))
    assert (raw.status, raw.code) == (400, 1003)


def test_uploading(world: Any, client: Any, send_file: Any) -> None:
    answer = send_file(client, world.path("/files"), "été.TXT", b"abc", fields={"parent_id": str(world.folder)})
    assert (answer.json["label"], answer.json["file_extension"], answer.json["parent_id"]) == (
        "été",
        ".TXT",
        world.folder,
    )
    got = client.get(world.path(f"/files/{answer.json['content_id']}")).json
    assert (got["size"], got["mimetype"], got["version_number"]) == (3, "text/plain", 1)


def test_changing(world: Any, client: Any, send_file: Any) -> None:
    for kind, content_id in (("html-documents", world.note), ("folders", world.folder), ("files", world.file)):
        answer = client.put(world.path(f"/{kind}/{content_id}"), {"label": "New", "description": "d"})
        assert (answer.json["label"], answer.json["description"]) == ("New", "d")
        assert (answer.json["current_revision_type"], answer.json["version_number"]) == ("edition", 2)
        done = client.put(world.path(f"/{kind}/{content_id}/status"), {"status": "closed-validated"})
        assert (done.status, done.body) == (204, b"")


def test_lists_are_ordered(client: Any, as_actor: Any, make_space: Any) -> None:
    for name in ("zoe", "Bob", "alice"):
        as_actor(name)
    assert [u["username"] for u in client.get("/api/users").json] == ["alice", "Bob", None, "zoe"]
    for label in ("b", "a", "c"):
        make_space(label)
    assert [s["label"] for s in client.get("/api/workspaces").json] == ["a", "b", "c"]
    assert [s["label"] for s in client.get("/api/users/1/workspaces").json] == ["a", "b", "c"]


@pytest.mark.parametrize("method", ["GET", "PUT"])
@pytest.mark.parametrize("rest", ["", "/config", "/a/b?x=1&y=2", "/%C3%A9"])
def test_me_leads_to_the_own_path(world: Any, method: str, rest: str) -> None:
    reader = world.people["reader"]
    answer = reader.request(method, f"/api/users/me{rest}")
    assert (answer.status, answer.headers["location"]) == (307, f"/api/users/{reader.user_id}{rest}")
