"""Rights that the matrix of every route (tests/contract) does not show: types, leaving, changes at once."""

from __future__ import annotations

from itertools import count
from typing import Any

from atrio.kernel.host import Kernel

OUTSIDE = (400, 1002)
ROLE = (403, 4003)
MEMBERS = ("reader", "contributor", "content-manager", "workspace-manager")
BELOW_MANAGER = {
    "user": OUTSIDE, "trusted": OUTSIDE, "root": ROLE, "reader": ROLE, "contributor": ROLE,
}  # fmt: skip
_numbers = count()


def test_a_folder_needs_a_content_manager(world: Any) -> None:
    for actor in (*BELOW_MANAGER, "content-manager", "workspace-manager"):
        body = {"label": f"f{next(_numbers)}", "content_type": "folder"}
        answer = world.people[actor].post(world.path("/contents"), body)
        expected = BELOW_MANAGER.get(actor)
        assert answer.status == 200 if expected is None else (answer.status, answer.code) == expected, actor


def test_the_upload_route_makes_no_folder(world: Any, send_file: Any) -> None:
    editor = world.people["content-manager"]
    for kind in ("folder", "html-document", "thread", "todo", "comment"):
        answer = send_file(editor, world.path("/files"), fields={"content_type": kind})
        assert (answer.status, answer.code) == (400, 2001), kind


def test_everybody_may_leave_but_not_send_others_away(world: Any) -> None:
    for role in ("reader", "contributor", "content-manager"):
        person = world.people[role]
        other = world.ids["workspace-manager"]
        assert person.delete(world.path(f"/members/{other}")).code == 4003
        assert person.delete(world.path(f"/members/{person.user_id}")).status == 204
        assert person.get(world.path()).code == 1002, "who left sees it no more"


def test_a_removed_member_sees_nothing_at_once(world: Any, client: Any) -> None:
    reader = world.people["reader"]
    note = world.path(f"/html-documents/{world.note}")
    assert reader.get(note).status == 200
    assert client.delete(world.path(f"/members/{reader.user_id}")).status == 204
    assert (reader.get(note).status, reader.get(note).code) == (400, 1002)


def test_a_profile_of_nobody_has_no_right(world: Any, kernel: Kernel) -> None:
    from sqlalchemy import text

    with kernel.unit() as ctx:
        ctx.execute(text("UPDATE accounts_user SET profile = 0 WHERE user_id = :u"), {"u": world.ids["reader"]})
    reader = world.people["reader"]
    assert reader.get("/api/auth/whoami").json["profile"] == "nobody"
    assert reader.get(world.path()).code == 4002
    assert reader.get(world.path("/members")).code == 4002


def test_a_content_is_not_reached_through_another_space(world: Any, make_space: Any) -> None:
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
