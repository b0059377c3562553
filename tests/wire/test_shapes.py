"""What each route answers on success: exactly the fields of the sheets, of the right types."""

from __future__ import annotations

import re
from typing import Any

import pytest

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


class Maybe:
    """A value that may be null."""

    def __init__(self, kind: Any) -> None:
        self.kind = kind


class Moment:
    """A date as the wire writes it."""


DIGEST = {
    "user_id": int,
    "username": Maybe(str),
    "public_name": str,
    "has_avatar": bool,
    "has_cover": bool,
    "is_active": bool,
}
USER = {
    **DIGEST, "email": Maybe(str), "created": Moment, "is_deleted": bool, "timezone": str, "profile": str,
    "lang": Maybe(str), "auth_type": str, "allowed_space": int,
}  # fmt: skip
ENTRY = {"slug": str, "label": str, "route": str, "fa_icon": str, "hexcolor": str}
NESTED_SPACE = {
    "workspace_id": int, "label": str, "slug": str, "access_type": str, "default_user_role": str, "created": Moment,
    "owner": Maybe(DIGEST), "sidebar_entries": [ENTRY], "is_deleted": bool, "agenda_enabled": bool,
    "public_upload_enabled": bool, "public_download_enabled": bool, "publication_enabled": bool,
    "parent_id": Maybe(int),
}  # fmt: skip
SPACE = {**NESTED_SPACE, "description": str, "number_of_members": int}
ROLE = {"user_id": int, "user": DIGEST, "workspace_id": int, "role": str, "is_active": bool}
MEMBER = {**ROLE, "workspace": NESTED_SPACE, "email_notification_type": str}
CONTENT_DIGEST = {
    "content_id": int, "workspace_id": int, "parent_id": Maybe(int), "label": str, "slug": str, "filename": str,
    "file_extension": str, "content_type": str, "content_namespace": str, "status": str, "is_archived": bool,
    "is_deleted": bool, "is_template": bool, "is_editable": bool, "show_in_ui": bool, "sub_content_types": [str],
    "current_revision_id": int, "current_revision_type": str, "created": Moment, "modified": Moment,
    "author": Maybe(DIGEST), "last_modifier": Maybe(DIGEST), "actives_shares": int, "assignee_id": Maybe(int),
}  # fmt: skip
CONTENT = {**CONTENT_DIGEST, "description": str, "version_number": int, "raw_content": str}
FILE = {**CONTENT, "mimetype": str, "size": int}
REVISION = {
    "assignee_id": Maybe(int), "author": Maybe(DIGEST), "content_id": int, "content_type": str, "created": Moment,
    "description": str, "file_extension": str, "filename": str, "is_archived": bool, "is_deleted": bool,
    "is_editable": bool, "is_template": bool, "label": str, "modified": Moment, "parent_id": Maybe(int),
    "raw_content": str, "revision_id": int, "revision_type": str, "show_in_ui": bool, "slug": str, "status": str,
    "sub_content_types": [str], "version_number": int, "workspace_id": int,
}  # fmt: skip
FILE_REVISION = {**REVISION, "mimetype": str, "size": Maybe(int)}


def page(item: Any) -> dict[str, Any]:
    return {
        "items": [item], "has_next": bool, "has_previous": bool, "next_page_token": str,
        "previous_page_token": str, "per_page": int,
    }  # fmt: skip


def fits(value: Any, shape: Any, where: str = "$") -> None:
    """Assert that a value has exactly this shape; a list must hold something."""
    if isinstance(shape, Maybe):
        if value is not None:
            fits(value, shape.kind, where)
    elif isinstance(shape, dict):
        assert isinstance(value, dict), where
        assert set(value) == set(shape), (where, set(value) ^ set(shape))
        for name, kind in shape.items():
            fits(value[name], kind, f"{where}.{name}")
    elif isinstance(shape, list):
        assert isinstance(value, list), where
        assert value, f"{where} is empty and shows nothing"
        for i, member in enumerate(value):
            fits(member, shape[0], f"{where}[{i}]")
    elif shape is Moment:
        assert isinstance(value, str), where
        assert MOMENT.fullmatch(value), (where, value)
    else:
        assert type(value) is shape, (where, value)


GETS = [
    ("/api/auth/whoami", USER), ("/api/users", [USER]), ("/api/users/{reader}", USER),
    ("/api/users/{reader}/workspaces", [SPACE]), ("/api/workspaces", [SPACE]), ("{w}", SPACE),
    ("{w}/members", [MEMBER]), ("{w}/members/{reader}", MEMBER), ("{w}/role", [ROLE]),
    ("{w}/contents", page(CONTENT_DIGEST)), ("{w}/contents?count=1", page(CONTENT_DIGEST)),
    ("{w}/html-documents/{note}", CONTENT), ("{w}/folders/{folder}", CONTENT), ("{w}/files/{file}", FILE),
    ("{w}/html-documents/{note}/revisions", page(REVISION)), ("{w}/folders/{folder}/revisions", [REVISION]),
    ("{w}/files/{file}/revisions", page(FILE_REVISION)),
    ("{w}/html-documents/{note}/revisions/{note_revision}", REVISION),
]  # fmt: skip


@pytest.mark.parametrize(("path", "shape"), GETS, ids=[p for p, _ in GETS])
def test_reading(world: Any, client: Any, path: str, shape: Any) -> None:
    for role in ("contributor", "reader"):
        assert client.put(world.path(f"/members/{world.ids['reader']}"), {"role": role}).status == 200
    full = path.format(
        w=world.path(), reader=world.ids["reader"], **{k: v for k, v in vars(world).items() if k != "ids"}
    )
    answer = client.get(full)
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    fits(answer.json, shape)
    one = "etag" in answer.headers
    assert answer.headers["cache-control"] == ("private, no-cache" if one else "no-store")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert one == bool(re.search(r"/(html-documents|folders|files)/\d+$", full))


def test_creating_a_user(client: Any) -> None:
    answer = client.post("/api/users", {"email": "Ann Smith <Ann@Example.ORG>", "username": "ann"})
    fits(answer.json, USER)
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
    fits(answer.json, SPACE)
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
    fits(added.json, {**MEMBER, "newly_created": bool})
    assert (added.json["newly_created"], added.json["role"]) == (False, "contributor")
    assert added.json["email_notification_type"] == "daily"
    changed = client.put(world.path(f"/members/{world.ids['user']}"), {"role": "reader"})
    fits(changed.json, MEMBER)
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
    fits(answer.json, CONTENT_DIGEST)
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
    fits(got.json, FILE)
    assert (got.json["mimetype"], got.json["size"]) == ("", 0)
    raw = client.get(world.path(f"/files/{made['content_id']}/raw/x"))
    assert (raw.status, raw.code) == (400, 1003)


def test_uploading(world: Any, client: Any, send_file: Any) -> None:
    answer = send_file(client, world.path("/files"), "été.TXT", b"abc", fields={"parent_id": str(world.folder)})
    fits(answer.json, CONTENT_DIGEST)
    assert (answer.json["label"], answer.json["file_extension"], answer.json["parent_id"]) == (
        "été",
        ".TXT",
        world.folder,
    )
    got = client.get(world.path(f"/files/{answer.json['content_id']}")).json
    fits(got, FILE)
    assert (got["size"], got["mimetype"], got["version_number"]) == (3, "text/plain", 1)


def test_changing(world: Any, client: Any, send_file: Any) -> None:
    for kind, content_id, shape in (
        ("html-documents", world.note, CONTENT), ("folders", world.folder, CONTENT), ("files", world.file, FILE)
    ):  # fmt: skip
        answer = client.put(world.path(f"/{kind}/{content_id}"), {"label": "New", "description": "d"})
        fits(answer.json, shape)
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
