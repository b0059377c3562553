"""The list of a space: filters, order, pages (spec: contents, §10)."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy import text

from atrio.kernel.host import Kernel


class Tree:
    """A space with a small tree; `ids` by label."""

    def __init__(self, client: Any, space: int) -> None:
        self.client = client
        self.space = space
        self.ids: dict[str, int] = {}
        for label, kind, parent, namespace in (
            ("a", "folder", None, "content"), ("b", "folder", None, "content"), ("a1", "folder", "a", "content"),
            ("a1n", "html-document", "a1", "content"), ("a2", "html-document", "a", "content"),
            ("b1", "thread", "b", "content"), ("Été", "html-document", None, "content"),
            ("50%_off!", "html-document", None, "content"), ("news", "thread", None, "publication"),
            ("inbox", "folder", None, "upload"),
        ):  # fmt: skip
            body = {
                "label": label, "content_type": kind, "parent_id": self.ids.get(parent or ""),
                "content_namespace": namespace,
            }  # fmt: skip
            answer = client.post(f"/api/workspaces/{space}/contents", body)
            assert answer.status == 200, answer.body
            self.ids[label] = answer.json["content_id"]

    def page(self, query: str = "") -> Any:
        """Return the page object of a query; names in braces become ids."""
        answer = self.client.get(f"/api/workspaces/{self.space}/contents?{query.format(**self.ids)}")
        assert answer.status == 200, answer.body
        return answer.json

    def labels(self, query: str = "") -> list[str]:
        return [item["label"] for item in self.page(query)["items"]]


@pytest.fixture
def tree(client: Any, make_space: Any) -> Tree:
    return Tree(client, make_space())


ALL = ["50%_off!", "a", "a1", "a1n", "a2", "b", "b1", "Été"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ALL), ("parent_ids=", ALL), ("parent_ids=0", ["50%_off!", "a", "b", "Été"]), ("parent_ids={a}", ["a1", "a2"]),
        ("parent_ids={a},{b},{a}", ["a1", "a2", "b1"]), ("parent_ids=0,{a},{a1},{b}", ALL), ("parent_ids=9999", []),
        ("complete_path_to_id={a1n}", ["50%_off!", "a", "a1", "a1n", "a2", "b", "Été"]),
        ("complete_path_to_id={a}", ["50%_off!", "a", "b", "Été"]), ("complete_path_to_id={a1}&parent_ids={b}", [x for x in ALL if x != "a1n"]),
        ("complete_path_to_id=9999", ["50%_off!", "a", "b", "Été"]), ("content_type=folder", ["a", "a1", "b"]),
        ("content_type=thread&parent_ids=0", []), ("namespaces_filter=publication", ["news"]),
        ("namespaces_filter=publication,upload,publication", ["inbox", "news"]),
        ("namespaces_filter=content,publication,upload", [*ALL, "inbox", "news"]), ("namespaces_filter=", ALL),
        ("label=A1", ["a1", "a1n"]), ("label=%25", ["50%_off!"]), ("label=_", ["50%_off!"]), ("label=!", ["50%_off!"]),
        (f"label={quote('Été')}", ["Été"]), (f"label={quote('éTÉ')}", ["Été"]), ("label=zzz", []),
        ("sort=label:desc", ALL[::-1]), ("show_active=0", []), ("show_deleted=1&show_active=0", []),
    ],
)  # fmt: skip
def test_filters(tree: Tree, query: str, expected: list[str]) -> None:
    assert tree.labels(query) == expected


def test_states(tree: Tree, kernel: Kernel) -> None:
    with kernel.unit() as ctx:
        for column, label in (("trashed_at", "a2"), ("archived_at", "b1")):
            ctx.execute(
                text(f"UPDATE core_content_content SET {column} = 5, name_key = NULL WHERE content_id = :c"),
                {"c": tree.ids[label]},
            )
    assert tree.labels() == [x for x in ALL if x not in ("a2", "b1")]
    stamps = {"a2": "a2-deleted-1970-01-01T00.00.00.000005", "b1": "b1-archived-1970-01-01T00.00.00.000005"}
    assert tree.labels("show_deleted=1&show_active=0") == [stamps["a2"]]
    assert tree.labels("show_archived=1&show_active=0") == [stamps["b1"]]
    assert tree.labels("show_archived=1&show_deleted=1") == [stamps.get(x, x) for x in ALL]
    (item,) = tree.page("show_deleted=1&show_active=0")["items"]
    assert (item["is_deleted"], item["is_archived"], item["is_editable"]) == (True, False, False)


def test_a_list_that_is_not_paged(tree: Tree) -> None:
    page = tree.page()
    assert (page["per_page"], page["has_next"], page["has_previous"]) == (8, False, False)
    assert (page["next_page_token"], page["previous_page_token"]) == ("", "")


@pytest.mark.parametrize("sort", ["label", "modified", "created"])
@pytest.mark.parametrize("direction", ["asc", "desc"])
@pytest.mark.parametrize("count", [1, 3, 8, 20])
def test_walking_the_pages_there_and_back(tree: Tree, sort: str, direction: str, count: int) -> None:
    query = f"sort={sort}:{direction}"
    everything = [item["content_id"] for item in tree.page(query)["items"]]
    forward: list[int] = []
    page = tree.page(f"{query}&count={count}")
    assert not page["has_previous"]
    pages = 1
    while True:
        assert page["per_page"] == count
        forward += [item["content_id"] for item in page["items"]]
        if not page["has_next"]:
            break
        page = tree.page(f"{query}&count={count}&page_token={quote(page['next_page_token'])}")
        assert page["has_previous"]
        pages += 1
    assert forward == everything
    assert pages == -(-len(everything) // count)
    backward = [item["content_id"] for item in page["items"]]
    while page["has_previous"]:
        page = tree.page(f"{query}&count={count}&page_token={quote(page['previous_page_token'])}")
        assert page["has_next"]
        backward = [item["content_id"] for item in page["items"]] + backward
    assert backward == everything


def test_a_page_stays_right_while_rows_come_and_go(tree: Tree, client: Any, kernel: Kernel) -> None:
    first = tree.page("count=3")
    assert [i["label"] for i in first["items"]] == ALL[:3]
    client.post(f"/api/workspaces/{tree.space}/contents", {"label": "0 new", "content_type": "folder"})
    with kernel.unit() as ctx:
        ctx.execute(text("DELETE FROM core_content_content WHERE content_id = :c"), {"c": tree.ids["50%_off!"]})
    assert tree.labels(f"count=3&page_token={quote(first['next_page_token'])}") == ALL[3:6]


def test_sorted_by_time_the_last_changed_is_last(tree: Tree, client: Any, clock: Any) -> None:
    clock.move(5)
    path = f"/api/workspaces/{tree.space}/html-documents/{tree.ids['a2']}"
    assert client.put(path, {"raw_content": "x"}).status == 200
    assert tree.labels("sort=modified:asc")[-1] == "a2"
    assert tree.labels("sort=modified:desc")[0] == "a2"
    assert tree.labels("sort=created:asc")[0] == "a"


def test_another_space_is_not_listed(tree: Tree, make_space: Any) -> None:
    other = Tree(tree.client, make_space("Beta"))
    assert other.labels() == ALL
    assert other.labels(f"parent_ids={tree.ids['a']}") == []
    assert other.labels(f"complete_path_to_id={tree.ids['a1n']}") == ["50%_off!", "a", "b", "Été"]
    assert {i["workspace_id"] for i in other.page()["items"]} == {other.space}
