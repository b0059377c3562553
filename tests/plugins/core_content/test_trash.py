"""Trash, archive, restore, deletion for good."""

from __future__ import annotations

import re
from typing import Any

import pytest

from atrio.kernel.host import Kernel
from tests.plugins.core_content.counting import beside_sign_in

STAMPED = re.compile(r"Note-deleted-\d{4}-\d\d-\d\dT\d\d\.\d\d\.\d\d\.\d{6}")


def test_a_trashed_note_keeps_its_label_and_gives_its_name_free(place: Any, events: list[Any]) -> None:
    note = place.make("Note")
    assert place.act(note, "trashed").status == 204
    shown = place.get(note)
    assert STAMPED.fullmatch(shown["label"])
    assert shown["filename"] == f"{shown['label']}.document.html"
    assert shown["slug"] == shown["label"].lower().replace(".", "-")
    assert (shown["is_deleted"], shown["is_editable"], shown["current_revision_type"]) == (True, False, "deletion")
    assert place.labels() == []
    assert place.labels("show_deleted=1&show_active=0") == [shown["label"]]
    other = place.make("Note")
    assert place.act(note, "trashed").status == 204, "doing it again is no error"
    assert place.get(note)["label"] == shown["label"], "and stamps nothing anew"
    assert place.act(note, "trashed/restore").status == 204
    assert place.get(note)["label"] == "Note (2)", "the name is taken meanwhile"
    assert place.get(other)["label"] == "Note"
    assert [type(e).__name__ for e in events] == [
        "ContentCreated", "ContentTrashed", "ContentCreated", "ContentRestored"
    ]  # fmt: skip


def test_restore_brings_the_label_back(place: Any) -> None:
    note = place.make("Note")
    assert place.act(note, "trashed").status == 204
    assert place.act(note, "trashed/restore").status == 204
    shown = place.get(note)
    assert (shown["label"], shown["is_deleted"], shown["is_editable"]) == ("Note", False, True)
    assert place.labels() == ["Note"]
    again = place.root.post(f"{place.base}/contents", {"label": "Note", "content_type": "html-document"})
    assert (again.status, again.code) == (400, 3002), "its name is its own again"
    kinds = [
        r["revision_type"] for r in place.root.get(f"{place.base}/html-documents/{note}/revisions").json["items"]
    ]
    assert kinds == ["creation", "deletion", "undeletion"]


@pytest.mark.parametrize(("taken", "expected"), [([], 2), ([2], 3), ([3], 2), ([2, 3, 5], 4)])
def test_the_smallest_free_number_is_given(place: Any, taken: list[int], expected: int) -> None:
    note = place.make("50% _x_!")
    assert place.act(note, "trashed").status == 204
    place.make("50% _x_!")
    for number in taken:
        place.make(f"50% _x_! ({number})")
    assert place.act(note, "trashed/restore").status == 204
    assert place.get(note)["label"] == f"50% _x_! ({expected})"


def test_what_lies_below_is_hidden_and_comes_back(place: Any) -> None:
    folder = place.make("Folder", "folder")
    inner = place.make("Inner", "folder", folder)
    note = place.make("Deep", parent=inner)
    own = place.make("Own", parent=folder)
    assert place.act(own, "trashed").status == 204
    assert place.act(folder, "trashed").status == 204
    assert place.labels() == []
    assert place.labels(f"parent_ids={folder}") == []
    below = place.labels(f"parent_ids={folder}&show_deleted=1&show_active=0")
    assert [label[:5] for label in below] == ["Inner", "Own-d"]
    hidden = place.get(note)
    assert (hidden["is_deleted"], hidden["is_archived"], hidden["is_editable"]) == (True, False, False)
    assert hidden["label"] == "Deep", "only what was trashed itself carries a stamp"
    for answer in (
        place.root.put(f"{place.base}/html-documents/{note}", {"label": "x"}),
        place.root.put(f"{place.base}/html-documents/{note}/status", {"status": "closed-validated"}),
        place.root.post(f"{place.base}/contents/{note}/comments", {"raw_content": "x"}),
        place.act(note, "trashed"), place.move(note, None),
    ):  # fmt: skip
        assert (answer.status, answer.code) == (400, 2044), answer.body
    refused = place.root.post(
        f"{place.base}/contents", {"label": "n", "content_type": "thread", "parent_id": inner}
    )
    assert (refused.status, refused.code) == (400, 1004)
    assert place.act(folder, "trashed/restore").status == 204
    assert place.labels(f"parent_ids={folder}") == ["Inner"]
    assert place.get(note)["is_editable"] is True
    assert place.get(own)["is_deleted"] is True, "what was trashed on its own stays in the trash"


def test_a_child_restored_first_comes_back_with_its_folder(place: Any) -> None:
    folder = place.make("Folder", "folder")
    inner = place.make("Inner", "folder", folder)
    deep = place.make("Deep", parent=inner)
    assert place.act(inner, "trashed").status == 204
    assert place.act(folder, "trashed").status == 204
    assert place.act(inner, "trashed/restore").status == 204
    assert place.labels() == []
    assert place.get(deep)["is_deleted"] is True
    assert place.act(folder, "trashed/restore").status == 204
    assert place.labels() == ["Deep", "Folder", "Inner"]


def test_archived_and_trashed_at_once(place: Any) -> None:
    folder = place.make("F", "folder")
    note = place.make("Note", parent=folder)
    assert place.act(folder, "archived").status == 204
    assert place.get(note)["is_archived"] is True
    assert place.labels("show_active=0&show_archived=1")[0].startswith("F-archived-")
    assert place.act(folder, "trashed").status == 204
    assert re.fullmatch(r"F-archived-[^-]+-\d+-[^-]+-deleted-.*", place.get(folder, "folder")["label"])
    assert place.act(folder, "archived/restore").status == 204
    assert place.labels() == []
    assert place.act(folder, "trashed/restore").status == 204
    assert place.labels() == ["F", "Note"]
    kinds = [r["revision_type"] for r in place.root.get(f"{place.base}/folders/{folder}/revisions").json]
    assert kinds == ["creation", "archiving", "deletion", "unarchiving", "undeletion"]


def test_a_trashed_content_may_still_be_moved_and_its_status_set(place: Any) -> None:
    folder, note = place.make("F", "folder"), place.make("Note")
    assert place.act(note, "trashed").status == 204
    assert place.move(note, folder).status == 200
    path = f"{place.base}/html-documents/{note}"
    assert place.root.put(f"{path}/status", {"status": "closed-validated"}).status == 204
    assert place.act(note, "trashed/restore").status == 204
    assert place.labels(f"parent_ids={folder}") == ["Note"]


def test_restore_of_what_is_live_changes_nothing(place: Any, events: list[Any]) -> None:
    note = place.make("Note")
    del events[:]
    for verb in ("trashed/restore", "archived/restore"):
        assert place.act(note, verb).status == 204
    assert place.get(note)["version_number"] == 1
    assert events == []


def test_deletion_for_good_takes_the_whole_subtree(place: Any, kernel: Kernel, events: list[Any]) -> None:
    from sqlalchemy import text

    folder = place.make("F", "folder")
    parent = folder
    for depth in range(25):
        parent = place.make(f"f{depth}", "folder", parent)
    note = place.make("Deep", parent=parent)
    place.comment(note)
    place.todo(note)
    del events[:]
    path = f"{place.base}/contents/{folder}/permanently"
    assert (place.people["content-manager"].delete(path).code) == 4003
    assert place.people["workspace-manager"].delete(path).status == 204
    assert [(type(e).__name__, e.content_id) for e in events] == [("ContentPurged", folder)]
    with kernel.unit(writes=False) as ctx:
        for table in ("core_content_content", "core_content_revision", "core_content_read"):
            assert ctx.execute(text(f"SELECT count(*) FROM {table}")).scalar() == 0
    assert place.root.delete(path).code == 1003
    assert place.make("New") > note, "ids are never given twice"


def test_an_archived_content_is_not_deleted_for_good(place: Any) -> None:
    note = place.make()
    assert place.act(note, "archived").status == 204
    answer = place.root.delete(f"{place.base}/contents/{note}/permanently")
    assert (answer.status, answer.code) == (400, 1003)
    assert place.act(note, "archived/restore").status == 204
    assert place.root.delete(f"{place.base}/contents/{note}/permanently").status == 204


@pytest.mark.parametrize("verb", ["trashed", "trashed/restore", "archived", "archived/restore"])
def test_who_may(place: Any, verb: str) -> None:
    note = place.make()
    for role, expected in (("outsider", 1002), ("reader", 4003), ("contributor", 4003)):
        assert place.act(note, verb, place.people[role]).code == expected
    assert place.act(note, verb, place.people["content-manager"]).status == 204


def test_conditions_hold_here_too(place: Any) -> None:
    note = place.make()
    answer = place.act(note, "trashed", headers={"if-match": '"999999"'})
    assert (answer.status, answer.code) == (412, 20001)
    current = place.get(note)["current_revision_id"]
    assert place.act(note, "trashed", headers={"if-match": f'"{current}"'}).status == 204


def test_whole_trees_cost_the_same(place: Any, statements: Any) -> None:
    costs = []
    for size in (2, 40):
        folder = place.make(f"Folder {size}", "folder")
        for n in range(size):
            place.make(f"n{n}", parent=folder)
        cost = []
        for verb in ("trashed", "trashed/restore"):
            with statements() as seen:
                assert place.act(folder, verb).status == 204
            cost.append(beside_sign_in(seen))
        with statements() as seen:
            assert place.root.delete(f"{place.base}/contents/{folder}/permanently").status == 204
        costs.append([*cost, beside_sign_in(seen)])
    assert costs[0] == costs[1]
    assert max(costs[0]) <= 25
