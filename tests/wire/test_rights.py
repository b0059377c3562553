"""The rights matrix: every route of the core plugins asked by everybody (spec: roles, §5).

A new route needs a line in RULES: its rule, and a request that succeeds for whoever may.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

import pytest

from atrio.kernel.host import Kernel

OUTSIDE = (400, 1002)
PROFILE = (403, 4002)
ROLE = (403, 4003)
NOBODY = (401, None)
MEMBERS = ("reader", "contributor", "content-manager", "workspace-manager")
ACTORS = ("stranger", "deactivated", "user", "trusted", "root", *MEMBERS)


def _role(least: str) -> dict[str, Any]:
    low = MEMBERS[: MEMBERS.index(least)]
    return {"user": OUTSIDE, "trusted": OUTSIDE, "root": ROLE, **dict.fromkeys(low, ROLE)}


REFUSED: dict[str, dict[str, Any]] = {
    "signed in": {},
    "administrator": dict.fromkeys(("user", "trusted", *MEMBERS), PROFILE),
    "trusted": dict.fromkeys(("user", *MEMBERS), PROFILE),
    "reader himself or administrator": dict.fromkeys(("user", "trusted", *MEMBERS[1:]), PROFILE),
    "see space": {"user": OUTSIDE, "trusted": OUTSIDE},
    "modify space": {"user": OUTSIDE, "trusted": OUTSIDE, **dict.fromkeys(MEMBERS[:-1], ROLE)},
    **{slug: _role(slug) for slug in MEMBERS},
}
_numbers = count()
SPACE = {"description": "", "access_type": "open", "default_user_role": "reader"}
W = "/api/workspaces/{workspace_id}"


def _status(w: Any) -> dict[str, Any]:
    w.reopen()
    return {"json_body": {"status": "closed-validated"}}


def _label(w: Any) -> dict[str, Any]:
    return {"json_body": {"label": f"n{next(_numbers)}"}}


def _file(w: Any) -> dict[str, Any]:
    return {"files": {"files": (f"n{next(_numbers)}.txt", b"x", "text/plain")}}


def _content(kind: str) -> Callable[[Any], dict[str, Any]]:
    return lambda w: {"json_body": {"label": f"n{next(_numbers)}", "content_type": kind}}


def _newcomer(w: Any) -> dict[str, Any]:
    return {"json_body": {"user_id": w.newcomer(), "role": "reader"}}


# (method, path): (rule, request that succeeds, what stands for the path parameters)
RULES: dict[tuple[str, str], tuple[str, Callable[[Any], dict[str, Any]] | None, dict[str, str]]] = {
    ("GET", "/api/auth/whoami"): ("signed in", None, {}),
    ("GET", "/api/users"): ("administrator", None, {}),
    ("POST", "/api/users"): (
        "administrator", lambda w: {"json_body": {"email": f"n{next(_numbers)}@x.y"}}, {}
    ),
    ("GET", "/api/users/{user_id}"): ("reader himself or administrator", None, {}),
    ("GET", "/api/users/me"): ("signed in", None, {}),
    ("PUT", "/api/users/me"): ("signed in", None, {}),
    ("GET", "/api/users/me/{rest}"): ("signed in", None, {"rest": "config"}),
    ("PUT", "/api/users/me/{rest}"): ("signed in", None, {"rest": "config"}),
    ("GET", "/api/users/{user_id}/workspaces"): ("reader himself or administrator", None, {}),
    ("GET", "/api/workspaces"): ("administrator", None, {}),
    ("POST", "/api/workspaces"): ("trusted", lambda w: {"json_body": {"label": "n", **SPACE}}, {}),
    ("GET", W): ("see space", None, {}),
    ("GET", f"{W}/members"): ("see space", None, {}),
    ("GET", f"{W}/role"): ("see space", None, {}),
    ("GET", f"{W}/members/{{user_id}}"): ("see space", None, {}),
    ("POST", f"{W}/members"): ("modify space", _newcomer, {}),
    ("PUT", f"{W}/members/{{user_id}}"): (
        "modify space", lambda w: {"json_body": {"role": "reader"}}, {"user_id": "member"}
    ),
    ("DELETE", f"{W}/members/{{user_id}}"): ("modify space", None, {"user_id": "member"}),
    ("GET", f"{W}/contents"): ("reader", None, {}),
    ("POST", f"{W}/contents"): ("contributor", _content("html-document"), {}),
    ("GET", f"{W}/html-documents/{{content_id}}"): ("reader", None, {"content_id": "note"}),
    ("PUT", f"{W}/html-documents/{{content_id}}"): ("contributor", _label, {"content_id": "note"}),
    ("PUT", f"{W}/html-documents/{{content_id}}/status"): ("contributor", _status, {"content_id": "other_note"}),
    ("GET", f"{W}/html-documents/{{content_id}}/revisions"): ("reader", None, {"content_id": "note"}),
    ("GET", f"{W}/html-documents/{{content_id}}/revisions/{{revision_id}}"): (
        "reader", None, {"content_id": "note", "revision_id": "note_revision"}
    ),
    ("GET", f"{W}/folders/{{content_id}}"): ("reader", None, {"content_id": "folder"}),
    ("PUT", f"{W}/folders/{{content_id}}"): ("contributor", _label, {"content_id": "folder"}),
    ("PUT", f"{W}/folders/{{content_id}}/status"): ("contributor", _status, {"content_id": "other_folder"}),
    ("GET", f"{W}/folders/{{content_id}}/revisions"): ("reader", None, {"content_id": "folder"}),
    ("POST", f"{W}/files"): ("contributor", _file, {}),
    ("GET", f"{W}/files/{{content_id}}"): ("reader", None, {"content_id": "file"}),
    ("PUT", f"{W}/files/{{content_id}}"): ("contributor", _label, {"content_id": "file"}),
    ("PUT", f"{W}/files/{{content_id}}/status"): ("contributor", _status, {"content_id": "other_file"}),
    ("GET", f"{W}/files/{{content_id}}/revisions"): ("reader", None, {"content_id": "file"}),
    ("PUT", f"{W}/files/{{content_id}}/raw/{{filename}}"): ("contributor", _file, {"content_id": "file"}),
    ("GET", f"{W}/files/{{content_id}}/raw/{{filename}}"): ("reader", None, {"content_id": "file"}),
    ("GET", f"{W}/files/{{content_id}}/revisions/{{revision_id}}/raw/{{filename}}"): (
        "reader", None, {"content_id": "file", "revision_id": "revision"}
    ),
}  # fmt: skip


class Stage:
    """Fills in what requests name."""

    def __init__(self, world: Any, client: Any, make_content: Any, send_file: Any) -> None:
        self.world = world
        self.client = client
        self.values = {
            "workspace_id": world.space, "user_id": world.ids["reader"], "filename": "x.txt", "note": world.note,
            "folder": world.folder, "file": world.file, "revision": world.revision,
            "note_revision": world.note_revision,
            "other_note": make_content(world.space, "Other")["content_id"],
            "other_folder": make_content(world.space, "Others", "folder")["content_id"],
            "other_file": send_file(client, world.path("/files"), "other.txt").json["content_id"],
        }  # fmt: skip

    def newcomer(self) -> int:
        """Return a user who is no member."""
        return int(self.client.post("/api/users", {"email": f"n{next(_numbers)}@x.y"}).json["user_id"])

    def reopen(self) -> None:
        """Open what requests close."""
        for kind, name in (("html-documents", "note"), ("folders", "folder"), ("files", "file")):
            path = self.world.path(f"/{kind}/{self.values[f'other_{name}']}/status")
            assert self.client.put(path, {"status": "open"}).status in (204, 400)

    def path(self, template: str, names: dict[str, str]) -> str:
        """Return the path of a request."""
        path = template
        for name in ("workspace_id", "user_id", "content_id", "revision_id", "filename", "rest"):
            if f"{{{name}}}" in path:
                chosen = names.get(name, name)
                if chosen == "member":
                    user_id = self.newcomer()
                    body = {"user_id": user_id, "role": "contributor"}
                    assert self.client.post(self.world.path("/members"), body).status == 200
                    path = path.replace(f"{{{name}}}", str(user_id))
                else:
                    path = path.replace(f"{{{name}}}", str(self.values.get(chosen, chosen)))
        return path


@pytest.fixture
def stage(world: Any, client: Any, make_content: Any, send_file: Any) -> Stage:
    """The world, ready to be asked."""
    return Stage(world, client, make_content, send_file)


def test_every_route_has_its_line(kernel: Kernel) -> None:
    declared = {
        (route.method, route.openapi_path())
        for owner, route in kernel.router.routes
        if owner in ("accounts", "spaces", "core_content") and not route.public
    }
    assert declared - set(RULES) == set(), "give each route a line in RULES of tests/wire/test_rights.py"
    assert set(RULES) - declared == set()


@pytest.mark.parametrize("rule", sorted({rule for rule, _, _ in RULES.values()}))
def test_who_may(stage: Stage, rule: str) -> None:
    people = stage.world.people
    asked = 0
    for (method, template), (named, request, names) in RULES.items():
        if named != rule:
            continue
        for actor in ACTORS:
            expected = REFUSED[rule].get(actor)
            if actor in ("stranger", "deactivated"):
                expected = NOBODY
            answer = people[actor].request(
                method, stage.path(template, names), **(request(stage) if request else {})
            )
            asked += 1
            if expected is None:
                assert answer.status in (200, 204, 307), (actor, method, template, answer.status, answer.body)
            else:
                assert (answer.status, answer.code) == expected, (actor, method, template, answer.body)
    assert asked


def test_a_folder_needs_a_content_manager(stage: Stage) -> None:
    for actor in ACTORS[2:]:
        answer = stage.world.people[actor].post(stage.world.path("/contents"), **_content("folder")(stage))
        expected = REFUSED["content-manager"].get(actor)
        assert answer.status == 200 if expected is None else (answer.status, answer.code) == expected, actor


def test_the_upload_route_makes_no_folder(stage: Stage, send_file: Any) -> None:
    editor = stage.world.people["content-manager"]
    for kind in ("folder", "html-document", "thread", "todo", "comment"):
        answer = send_file(editor, stage.world.path("/files"), fields={"content_type": kind})
        assert (answer.status, answer.code) == (400, 2001), kind


def test_everybody_may_leave_but_not_send_others_away(stage: Stage) -> None:
    for role in ("reader", "contributor", "content-manager"):
        person = stage.world.people[role]
        other = stage.world.ids["workspace-manager"]
        assert person.delete(stage.world.path(f"/members/{other}")).code == 4003
        assert person.delete(stage.world.path(f"/members/{person.user_id}")).status == 204
        assert person.get(stage.world.path()).code == 1002, "who left sees it no more"


def test_a_removed_member_sees_nothing_at_once(stage: Stage) -> None:
    reader = stage.world.people["reader"]
    note = stage.world.path(f"/html-documents/{stage.world.note}")
    assert reader.get(note).status == 200
    assert stage.client.delete(stage.world.path(f"/members/{reader.user_id}")).status == 204
    assert (reader.get(note).status, reader.get(note).code) == (400, 1002)


def test_a_profile_of_nobody_has_no_right(stage: Stage, kernel: Kernel) -> None:
    from sqlalchemy import text

    with kernel.unit() as ctx:
        ctx.execute(
            text("UPDATE accounts_user SET profile = 0 WHERE user_id = :u"), {"u": stage.world.ids["reader"]}
        )
    reader = stage.world.people["reader"]
    assert reader.get("/api/auth/whoami").json["profile"] == "nobody"
    assert reader.get(stage.world.path()).code == 4002
    assert reader.get(stage.world.path("/members")).code == 4002


def test_a_content_is_not_reached_through_another_space(stage: Stage, make_space: Any) -> None:
    world = stage.world
    elsewhere = make_space("Beta", {world.ids["reader"]: "workspace-manager"})
    reader = world.people["reader"]
    for kind, content_id in (("html-documents", world.note), ("folders", world.folder), ("files", world.file)):
        answer = reader.get(f"/api/workspaces/{elsewhere}/{kind}/{content_id}")
        assert (answer.status, answer.code) == (400, 1003)
        answer = reader.put(f"/api/workspaces/{elsewhere}/{kind}/{content_id}", {"label": "mine"})
        assert (answer.status, answer.code) == (400, 1003)
    answer = reader.get(f"/api/workspaces/{elsewhere}/files/{world.file}/raw/x")
    assert (answer.status, answer.code) == (400, 1003)
    body = {"label": "x", "content_type": "html-document", "parent_id": world.folder}
    answer = reader.post(f"/api/workspaces/{elsewhere}/contents", body)
    assert (answer.status, answer.code) == (400, 1004)
