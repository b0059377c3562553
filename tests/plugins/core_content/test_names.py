"""Names in the tree: what is unique, what is free, what cannot be a name (spec: contents, §5)."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from atrio.kernel.host import Kernel
from atrio.plugins.core_content.names import filename, name_key, split_name, usable


@pytest.fixture
def space(make_space: Any) -> int:
    return int(make_space())


def create(client: Any, space: int, label: str, kind: str = "folder", **given: Any) -> Any:
    return client.post(f"/api/workspaces/{space}/contents", {"label": label, "content_type": kind, **given})


def taken(answer: Any) -> None:
    assert (answer.status, answer.code) == (400, 3002), answer.body


def test_a_name_is_taken_in_its_folder_only(client: Any, space: int, make_space: Any) -> None:
    folder = create(client, space, "A").json["content_id"]
    taken(create(client, space, "A"))
    assert create(client, space, "A", parent_id=folder).status == 200
    taken(create(client, space, "A", parent_id=folder))
    assert create(client, make_space("Beta"), "A").status == 200


def test_label_and_extension_make_the_name(client: Any, space: int, send_file: Any) -> None:
    assert create(client, space, "x", "html-document").status == 200
    assert create(client, space, "x", "thread").status == 200
    assert create(client, space, "x", "folder").status == 200
    taken(create(client, space, "x", "html-document"))
    taken(send_file(client, f"/api/workspaces/{space}/files", "x.document.html"))
    assert send_file(client, f"/api/workspaces/{space}/files", "x.txt").status == 200
    taken(send_file(client, f"/api/workspaces/{space}/files", "x.txt"))
    assert create(client, space, "x.thread.html", "folder").status == 400


@pytest.mark.parametrize(
    ("one", "two", "same"),
    [
        ("a", "A", False), ("é", "e", False), ("e\u0301", "é", True), ("a/b", "a⧸b", True), ("a?b", "aʔb", True),
        ("a:b", "a;b", False), ("a", "a ", True), ("ﬁ", "fi", False), ("ß", "ss", False), ("a\u200bb", "ab", False),
    ],
)  # fmt: skip
def test_what_counts_as_the_same_name(client: Any, space: int, one: str, two: str, same: bool) -> None:
    assert create(client, space, one).status == 200
    answer = create(client, space, two)
    assert answer.status == (400 if same else 200), answer.body


def test_a_namespace_has_names_of_its_own(client: Any, space: int) -> None:
    assert create(client, space, "x", "thread").status == 200
    assert create(client, space, "x", "thread", content_namespace="publication").status == 200
    taken(create(client, space, "x", "thread", content_namespace="publication"))


def test_a_rename_to_a_taken_name_changes_nothing(client: Any, space: int) -> None:
    create(client, space, "a", "html-document")
    other = create(client, space, "b", "html-document").json["content_id"]
    path = f"/api/workspaces/{space}/html-documents/{other}"
    taken(client.put(path, {"label": "a", "raw_content": "lost"}))
    got = client.get(path).json
    assert (got["label"], got["raw_content"], got["version_number"]) == ("b", "", 1)
    assert client.put(path, {"label": "c"}).status == 200
    assert create(client, space, "b", "html-document").status == 200, "the old name is free"


def test_new_bytes_bring_their_name(client: Any, space: int, send_file: Any) -> None:
    files = f"/api/workspaces/{space}/files"
    send_file(client, files, "a.txt")
    other = send_file(client, files, "b.txt").json["content_id"]
    path = f"{files}/{other}/raw/whatever.bin"
    taken(send_file(client, path, "a.txt", b"new", method="PUT"))
    assert client.get(f"{files}/{other}").json["version_number"] == 1
    assert send_file(client, path, "c.md", b"new", method="PUT").status == 204
    got = client.get(f"{files}/{other}").json
    assert (got["filename"], got["label"], got["file_extension"], got["mimetype"]) == (
        "c.md",
        "c",
        ".md",
        "text/markdown",
    )


@pytest.mark.parametrize("column", ["trashed_at", "archived_at"])
def test_a_trashed_or_archived_name_is_free(kernel: Kernel, client: Any, space: int, column: str) -> None:
    made = create(client, space, "a", "html-document").json["content_id"]
    with kernel.unit() as ctx:
        ctx.execute(
            text(f"UPDATE core_content_content SET {column} = 1, name_key = NULL WHERE content_id = :c"),
            {"c": made},
        )
    assert create(client, space, "a", "html-document").status == 200
    path = f"/api/workspaces/{space}/html-documents/{made}"
    answer = client.put(path, {"label": "z"})
    assert (answer.status, answer.code) == (400, 2044)
    answer = create(client, space, "under", parent_id=made)
    assert (answer.status, answer.code) == (400, 1004)


@pytest.mark.parametrize("label", [".", "..", " . "])
def test_what_cannot_be_a_name(client: Any, space: int, label: str) -> None:
    assert create(client, space, label).code == 2001
    made = create(client, space, "fine").json["content_id"]
    assert client.put(f"/api/workspaces/{space}/folders/{made}", {"label": label}).code == 2001


def test_a_folder_may_refuse_types_and_a_parent_is_of_the_same_namespace(client: Any, space: int) -> None:
    folder = create(client, space, "f").json["content_id"]
    path = f"/api/workspaces/{space}/folders/{folder}"
    assert client.put(path, {"sub_content_types": ["thread", "file"]}).status == 200
    refused = create(client, space, "n", "html-document", parent_id=folder)
    assert (refused.status, refused.code) == (400, 2038)
    assert create(client, space, "t", "thread", parent_id=folder).status == 200
    same = client.put(path, {"sub_content_types": ["file", "thread", "file"]})
    assert (same.status, same.code) == (400, 2041)
    assert client.put(path, {"sub_content_types": []}).json["sub_content_types"] == []
    assert client.put(path, {"sub_content_types": ["page"]}).code == 2001
    other = create(client, space, "n", "thread", parent_id=folder, content_namespace="publication")
    assert (other.status, other.code) == (400, 2060)


def test_publications_may_be_off(client: Any, make_space: Any) -> None:
    space = make_space("Quiet", publication_enabled=False)
    answer = create(client, space, "n", "thread", content_namespace="publication")
    assert (answer.status, answer.code) == (400, 2072)


# -- the functions -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.txt", ("a", ".txt")), ("a.tar.gz", ("a.tar", ".gz")), (".bashrc", (".bashrc", "")), ("a", ("a", "")),
        ("a.", ("a", ".")), ("..", ("..", "")), ("...x", ("...x", "")), (".a.b", (".a", ".b")), ("", ("", "")),
        ("a." + "x" * 300, ("a." + "x" * 300, "")), ("../../etc/passwd", ("../../etc/passwd", "")),
        ("C:\\x\\y.txt", ("C:\\x\\y", ".txt")), ("a.b/c", ("a.b/c", "")), ("a.b\\c", ("a.b\\c", "")), ("é.é", ("é", ".é")),
    ],
)  # fmt: skip
def test_label_and_extension(name: str, expected: tuple[str, str]) -> None:
    assert split_name(name) == expected


@given(st.text(max_size=40))
def test_label_and_extension_together_are_the_name(name: str) -> None:
    label, extension = split_name(name)
    assert label + extension == name
    assert extension == "" or extension.startswith(".")
    assert not {"/", "\\"} & set(extension)


@given(st.text(st.characters(exclude_categories=("Cs",)), max_size=30))
def test_a_name_on_the_wire_has_no_slash_and_compares_in_one_form(label: str) -> None:
    shown = filename(label, ".x")
    assert "/" not in shown
    assert "\\" not in shown
    assert name_key(label, "") == name_key(unicodedata.normalize("NFC", label), "")
    assert name_key(label, ".x") == name_key(label + ".x", "")


@pytest.mark.parametrize("name", ["", " ", "\t", ".", "..", "a\x00b", "\ud800", "x" * 1025])
def test_unusable(name: str) -> None:
    assert not usable(name)


@pytest.mark.parametrize("name", ["a", "...", " a", "a/b", "x" * 1024, "💾", "a\nb"])
def test_usable(name: str) -> None:
    assert usable(name)
