"""Bytes of entries count in what a space and a user may hold."""

from __future__ import annotations

from typing import Any

import pytest

from atrio.plugins.caldav import services

from .conftest import Desk, card, event


def counted(desk: Desk, path: str) -> tuple[int, int]:
    """Return the bytes of a collection as they are kept, and as they are."""
    number = desk.scalar("SELECT collection_id FROM caldav_collection WHERE path = :p", p=path)
    kept = desk.scalar("SELECT bytes FROM caldav_collection WHERE collection_id = :n", n=number)
    real = desk.scalar("SELECT coalesce(sum(length(body)), 0) FROM caldav_item WHERE collection_id = :n", n=number)
    return int(kept), int(real)


def test_bytes_follow_every_change(desk: Desk) -> None:
    me = desk.user
    path, key = me.calendar, me.calendar[1:]
    assert me("PUT", f"{path}/1.ics", event("ü" * 50)).status == 201
    assert counted(desk, key) == (len(event("ü" * 50)),) * 2
    assert me(
        "PUT", f"{path}/1.ics", event("ü" * 50, "20260107T100000Z", "20260107T110000Z", "X-A:" + "x" * 500)
    ).status in (201, 204)
    assert me("PUT", f"{path}/2.ics", event("two")).status == 201
    assert me("MKCALENDAR", f"{me.home}/other/").status == 201
    assert me("MOVE", f"{path}/1.ics", destination=f"/dav{me.home}/other/1.ics").status == 201
    assert counted(desk, key) == (len(event("two")),) * 2
    kept, real = counted(desk, f"{me.home[1:]}/other")
    assert kept == real > 500
    assert me("DELETE", f"{path}/2.ics").status == 200
    assert counted(desk, key) == (0, 0)
    with desk.kernel.unit() as ctx:
        services.forget_deleted(ctx, 0)
    assert counted(desk, key) == (0, 0)


def test_a_user_has_so_much_room(desk: Desk) -> None:
    me = desk.user
    assert desk.owner.put(f"/api/users/{me.uid}/allowed_space", {"allowed_space": 1500}).status == 204
    big = event("big", "20260105T100000Z", "20260105T110000Z", "X-A:" + "x" * 900)
    assert me("PUT", f"{me.calendar}/1.ics", big).status == 201
    for path, body in (
        (f"{me.calendar}/2.ics", big.replace(b"UID:big", b"UID:two")),
        (f"{me.book}/1.vcf", card("c", "x" * 600)),
    ):
        assert me("PUT", path, body).status == 507, path
    assert me("PUT", f"{me.calendar}/2.ics", event("small")).status == 201
    assert me("PUT", f"{me.calendar}/1.ics", event("big")).status in (201, 204), "less is always taken"
    route = f"/api/users/{me.uid}/calendars/user_{me.uid}_calendar/import"
    files = {
        "files": ("a.ics", big.replace(b"UID:big", b"UID:x").replace(b"x" * 900, b"x" * 1500), "text/calendar")
    }
    told = me.client.request("POST", route, files=files).json
    assert [(one["uid"], one["reason"]) for one in told["refused_entries"]] == [("x", "no room for more")]


def test_those_of_a_space_count_for_its_owner(desk: Desk) -> None:
    boss, route = desk.boss, f"/api/workspaces/{desk.space}/disk_space"
    before = desk.owner.get(route).json["used_space"]
    body = event("one", "20260105T100000Z", "20260105T110000Z", "X-A:" + "x" * 900)
    assert boss("PUT", f"{boss.space(desk.space)}/1.ics", body).status == 201
    used = desk.owner.get(route).json["used_space"]
    assert used == before + len(body)
    assert desk.owner.put("/api/users/1/allowed_space", {"allowed_space": used + 100}).status == 204
    assert boss("PUT", f"{boss.space(desk.space)}/2.ics", body.replace(b"UID:one", b"UID:two")).status == 507
    assert boss("PUT", f"{boss.calendar}/2.ics", body).status == 201, "his own is another's room"


@pytest.mark.atrio_config(core_content__space_size=5000)
def test_a_space_has_so_much_room(desk: Desk) -> None:
    boss = desk.boss
    answers: list[Any] = [
        boss("PUT", f"{boss.space(desk.space)}/{n}.ics", event(f"e{n}", "20260105T100000Z", "20260105T110000Z", "X-A:" + "x" * 900)).status
        for n in range(6)
    ]  # fmt: skip
    assert answers[0] == 201
    assert answers[-1] == 507
    assert set(answers) == {201, 507}


@pytest.mark.atrio_config(core_content__space_size=5000)
def test_entries_leave_less_room_for_files(desk: Desk, send_file: Any) -> None:
    boss, files = desk.boss, f"/api/workspaces/{desk.space}/files"
    body = event("e", "20260105T100000Z", "20260105T110000Z", "X-A:" + "x" * 3000)
    assert boss("PUT", f"{boss.space(desk.space)}/e.ics", body).status == 201
    refused = send_file(desk.owner, files, "large.bin", b"x" * 2500)
    assert (refused.status, refused.json["code"]) == (400, 6003)
    assert send_file(desk.owner, files, "small.bin", b"x" * 1000).status == 200
    assert boss("DELETE", f"{boss.space(desk.space)}/e.ics").status == 200
    assert send_file(desk.owner, files, "large.bin", b"x" * 2500).status == 200


def test_entries_leave_the_owner_less_room_for_files(desk: Desk, send_file: Any) -> None:
    boss, files = desk.boss, f"/api/workspaces/{desk.space}/files"
    body = event("e", "20260105T100000Z", "20260105T110000Z", "X-A:" + "x" * 900)
    assert boss("PUT", f"{boss.space(desk.space)}/e.ics", body).status == 201
    used = desk.owner.get(f"/api/workspaces/{desk.space}/disk_space").json["used_space"]
    assert desk.owner.put("/api/users/1/allowed_space", {"allowed_space": used + 100}).status == 204
    refused = send_file(desk.owner, files, "a.bin", b"x" * 200)
    assert (refused.status, refused.json["code"]) == (400, 6004)
    assert send_file(desk.owner, files, "a.bin", b"x" * 50).status == 200
