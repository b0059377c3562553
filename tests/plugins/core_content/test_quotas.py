"""Limits: one file, the space, the owner's allowance; counted right when several upload at once."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.mark.atrio_config(core_content__max_file_size=10)
def test_one_file(place: Any) -> None:
    assert place.upload(place.root, f"{place.base}/files", "a", b"x" * 10).status == 200
    answer = place.upload(place.root, f"{place.base}/files", "b", b"x" * 11)
    assert (answer.status, answer.code) == (400, 6002)
    file = place.file("c", b"x")
    answer = place.upload(place.root, f"{place.base}/files/{file}/raw/c", "c", b"x" * 11, method="PUT")
    assert answer.code == 6002
    assert len(place.labels()) == 2


@pytest.mark.atrio_config(core_content__space_size=100)
def test_the_space_with_every_revision_and_without_its_trash(place: Any, make_space: Any) -> None:
    file = place.file("a", b"x" * 40)
    assert place.upload(place.root, f"{place.base}/files/{file}/raw/a", "a", b"y" * 40, method="PUT").status == 204
    answer = place.upload(place.root, f"{place.base}/files", "b", b"x" * 21)
    assert (answer.status, answer.code) == (400, 6003)
    sizes = place.root.get(f"{place.base}/disk_space").json
    assert (sizes["used_space"], sizes["allowed_space"]) == (80, 100)
    assert place.act(file, "trashed").status == 204
    assert place.root.get(f"{place.base}/disk_space").json["used_space"] == 0
    assert place.upload(place.root, f"{place.base}/files", "b", b"x" * 21).status == 200
    other = make_space("Beta")
    assert place.upload(place.root, f"/api/workspaces/{other}/files", "b", b"x" * 100).status == 200


def test_the_owner_over_all_his_spaces(place: Any, make_space: Any) -> None:
    assert place.root.put("/api/users/1/allowed_space", {"allowed_space": 50}).status == 204
    other = make_space("Beta")
    place.file("a", b"x" * 30)
    writer = place.people["contributor"]
    answer = place.upload(writer, f"{place.base}/files", "b", b"x" * 21)
    assert (answer.status, answer.code) == (400, 6004), "the owner's allowance counts, whoever uploads"
    assert place.upload(place.root, f"/api/workspaces/{other}/files", "c", b"x" * 21).code == 6004
    assert place.upload(place.root, f"/api/workspaces/{other}/files", "c", b"x" * 20).status == 200
    assert place.root.get("/api/users/1/disk_space").json["used_space"] == 50


@pytest.mark.parametrize("limit", ["space", "owner"])
@pytest.mark.atrio_config(core_content__space_size=100)
def test_uploads_at_the_same_moment_are_counted_one_after_the_other(place: Any, at_once: Any, limit: str) -> None:
    if limit == "owner":
        assert place.root.put("/api/users/1/allowed_space", {"allowed_space": 100}).status == 204

    calls = [
        lambda c, n=n: place.upload(c, f"{place.base}/files", f"f{n}.bin", b"x" * 30) for n in range(8)
    ]  # fmt: skip
    answers = at_once(calls)
    assert answers[200, None] == 3, answers
    refused = {key for key in answers if key[0] != 200}
    assert refused <= {(400, 6003), (400, 6004)}
    assert refused, answers
    assert place.root.get(f"{place.base}/disk_space").json["used_space"] == 90
