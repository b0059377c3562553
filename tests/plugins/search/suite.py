"""What every engine must do; a test module imports all of it and says with `settle` when the index is in line.

Nothing here knows which engine answers: only routes are asked.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from atrio.kernel.testing.client import Client

CONTENT = "/api/advanced_search/content"
USER = "/api/advanced_search/user"
SPACE = "/api/advanced_search/workspace"
Settle = Callable[[], None]


def ask(client: Client, path: str, words: str, **query: Any) -> Any:
    """Return the answer of a search that must succeed."""
    answer = client.get(path, query={"search_string": words, **query})
    assert answer.status == 200, answer.body
    return answer.json


def labels(client: Client, words: str, **query: Any) -> list[str]:
    """Return the labels of the contents found, best first; the total must be that of the page or more."""
    found = ask(client, CONTENT, words, **query)
    assert found["is_total_hits_accurate"] is True
    assert found["total_hits"] >= len(found["contents"])
    return [content["label"] for content in found["contents"]]


@pytest.fixture
def write(client: Client, make_content: Any) -> Callable[..., int]:
    """`write(space, label, text, description=…)` makes a note."""

    def make(space: int, label: str, text: str = "", **values: Any) -> int:
        content_id = int(make_content(space, label)["content_id"])
        body = {**({"raw_content": text} if text else {}), **values}
        if body:
            answer = client.put(f"/api/workspaces/{space}/html-documents/{content_id}", body)
            assert answer.status == 200, answer.body
        return content_id

    return make


# -- the language --------------------------------------------------------------------------------------------

NOTES = {
    "castle": "<p>A castle on a rock, with <b>wal</b>ls</p>",
    "rock": "<p>A rock in the sea</p>",
    "sea": "<p>Castles of sand by the sea</p>",
    "été": "<p>L'été à la mer, STRASSE und Straße</p>",
}


LANGUAGE = [
        ("castle", {"castle", "sea"}),  # the last word may go on
        ("castle ", {"castle", "sea"}),
        ('"castle"', {"castle"}),
        ("castle rock", {"castle"}),
        ("rock castle", {"castle"}),
        ("castle | sea", {"castle", "rock", "sea"}),
        ("rock -castle", {"rock"}),
        ("rock -\"in the sea\"", {"castle"}),
        ('"rock in the sea"', {"rock"}),
        ('"sea the in"', set()),
        ("cast*", {"castle", "sea"}),
        ("CASTL* sand", {"sea"}),
        ("walls", {"castle"}),
        ("ete", {"été"}),
        ("ÉTÉ", {"été"}),
        ("strasse", {"été"}),
        ("straße", {"été"}),
        ("+rock +sea", {"rock"}),
        ("(rock sea)", {"rock"}),
        ("-castle rock", {"rock"}),
        ("nothing", set()),
        ("castle nothing", set()),
        ("castl rock", set()),
        ("-rock -sea", {"été"}),
]  # fmt: skip


def test_the_language(client: Client, make_space: Any, write: Any, settle: Settle) -> None:
    space = make_space()
    for label, text in NOTES.items():
        write(space, label, text)
    settle()
    for query, found in LANGUAGE:
        assert set(labels(client, query)) == found, query


NOTHING = ["", " ", "*", "-", "+", "|", '"', '""', "-*", "| | |", "()", "---", "\\", "~", "^", ":", "{}", "'"]


def test_signs_alone_find_nothing(client: Client, make_space: Any, write: Any, settle: Settle) -> None:
    write(make_space(), "a note", "text")
    settle()
    for query in NOTHING:
        for path in (CONTENT, USER, SPACE):
            assert ask(client, path, query)["total_hits"] == 0, (path, query)


HOSTILE = [
    '"unbalanced', 'a"b"c"', "NEAR(a b)", "a AND b OR NOT c", "label:x", "{label}:x", "^a", "a:b:c", "*a*", "a**",
    "'; DROP TABLE search_text; --", "%", "_", "a%b", "\\", "\\\"", "(((", ")))", "a|", "|a", "a||b", "--a", "-+a",
    "a & b | !c", "a <-> b", "a:*", "+a -b ~c <d >e @3", '"a"~5', "word~2", "/regex/", "a^3", "[a TO b]", "_exists_:x",
    "a" * 10_000, "a " * 5_000, '"' * 10_000, "-" * 10_000, "( " * 5_000, "é" * 3_000, "\u202eabc", "😀", "日本語",
    " ".join(f"w{n}" for n in range(2000)), "|".join("ab" for _ in range(3000)), "x" * 300 + "*",
]  # fmt: skip


def test_nothing_in_a_query_is_an_error(client: Client, make_space: Any, write: Any, settle: Settle) -> None:
    write(make_space(), "note", "a b c label x")
    settle()
    for query in HOSTILE:
        for path in (CONTENT, USER, SPACE):
            assert client.get(path, query={"search_string": query}).status == 200, (path, query[:50])
        assert client.get(CONTENT, query={"search_string": query, "highlight": 1}).status == 200, query[:50]


# -- fields, filters, facets ---------------------------------------------------------------------------------


def test_fields(client: Client, make_space: Any, write: Any, send_file: Any, settle: Settle) -> None:
    space = make_space()
    note = write(space, "one", "<p>two</p>", description="three")
    client.post(f"/api/workspaces/{space}/contents/{note}/tags", {"tag_name": "four"})
    client.post(f"/api/workspaces/{space}/contents/{note}/comments", {"raw_content": "<p>five</p>"})
    client.post(f"/api/workspaces/{space}/contents/{note}/todos", {"raw_content": "six", "assignee_id": None})
    send_file(client, f"/api/workspaces/{space}/files", "seven.pdf")
    settle()
    places = {
        "one": "label", "two": "raw_content", "three": "description", "four": "tags", "five": "comments", "six": "todos"
    }  # fmt: skip
    for word, field in places.items():
        assert labels(client, word) == ["one"], word
        assert labels(client, word, search_fields=field) == ["one"], word
        others = ",".join(f for f in places.values() if f != field)
        assert labels(client, word, search_fields=others) == [], word
    assert labels(client, "one two three four five six") == ["one"]
    assert labels(client, "seven.pdf") == ["seven"]
    assert labels(client, "seven", search_fields="label") == ["seven"]


@pytest.fixture
def library(
    client: Client, as_actor: Any, make_space: Any, write: Any, send_file: Any, settle: Settle, clock: Any
) -> Any:
    """Give some contents of two people in two spaces."""
    bob = as_actor("bob")
    one = make_space("One", members={bob.user_id: "content-manager"})
    two = make_space("Two", members={bob.user_id: "content-manager"})
    ids = {}
    clock.micros = 1_700_000_000_000_000
    for label, space in (("x a", one), ("x b", one), ("x c", two)):
        clock.move(3600)
        ids[label] = write(space, label, "text")
    clock.move(3600)
    made = send_file(bob, f"/api/workspaces/{two}/files", "x d.pdf")
    ids["x d"] = made.json["content_id"]
    client.post(f"/api/workspaces/{one}/contents/{ids['x a']}/tags", {"tag_name": "red"})
    client.post(f"/api/workspaces/{one}/contents/{ids['x b']}/tags", {"tag_name": "red"})
    client.post(f"/api/workspaces/{two}/contents/{ids['x c']}/tags", {"tag_name": "blue"})
    clock.move(3600)
    assert bob.put(
        f"/api/workspaces/{one}/html-documents/{ids['x b']}/status", {"status": "closed-validated"}
    ).status in (200, 204)
    settle()
    return ids


def test_facets(client: Client, library: Any) -> None:
    found = ask(client, CONTENT, "x")
    assert found["total_hits"] == 4
    facets = {name: {f["value"]: f["count"] for f in values} for name, values in found["facets"].items()}
    names = {c["author"]["public_name"] for c in found["contents"]}
    assert len(names) == 2
    assert facets["workspace_names"] == {"One": 2, "Two": 2}
    assert facets["content_types"] == {"html-document": 3, "file": 1}
    assert facets["file_extensions"] == {".document.html": 3, ".pdf": 1}
    assert facets["statuses"] == {"open": 3, "closed-validated": 1}
    assert facets["tags"] == {"red": 2, "blue": 1}
    assert sorted(facets["author__public_names"].values()) == [1, 3]
    assert sorted(facets["last_modifier__public_names"].values()) == [2, 2]
    assert found["created_range"] == {"from": "2023-11-14T23:13:20Z", "to": "2023-11-15T02:13:20Z"}
    assert found["modified_range"] == {"from": "2023-11-14T23:13:20Z", "to": "2023-11-15T03:13:20Z"}


FILTERS: list[tuple[dict[str, str], str]] = [
        ({"workspace_names": "One"}, "ab"), ({"workspace_names": "One,Two"}, "abcd"), ({"workspace_names": "on"}, ""),
        ({"content_types": "file"}, "d"), ({"file_extensions": ".pdf"}, "d"), ({"statuses": "closed-validated"}, "b"),
        ({"tags": "red"}, "ab"), ({"tags": "red,blue"}, "abc"), ({"tags": "none"}, ""),
        ({"tags": "red", "statuses": "open"}, "a"), ({"author__public_names": "bob"}, "d"),
        ({"last_modifier__public_names": "bob"}, "bd"), ({"author__public_names": "nobody"}, ""),
        ({"created_from": "2023-11-15T01:13:20Z"}, "cd"), ({"created_to": "2023-11-15T00:13:20Z"}, "ab"),
        ({"created_from": "2023-11-15T00:13:20Z", "created_to": "2023-11-15T01:13:20Z"}, "bc"),
        ({"modified_from": "2023-11-15T03:13:20Z"}, "b"), ({"modified_to": "2023-11-15T02:00:00Z"}, "ac"),
        ({"search_fields": "label,raw_content"}, "abcd"), ({"search_fields": "comments"}, ""),
]  # fmt: skip


def test_filters(client: Client, library: Any) -> None:
    for filters, found in FILTERS:
        assert {label[2:] for label in labels(client, "x", **filters)} == set(found), filters
        answer = ask(client, CONTENT, "x", **filters)
        assert answer["total_hits"] == len(found), filters
        assert sum(f["count"] for f in answer["facets"]["statuses"]) == len(found), filters


def test_states(client: Client, make_space: Any, write: Any, settle: Settle) -> None:
    space = make_space()
    ids = {label: write(space, f"x {label}") for label in ("here", "trash", "old")}
    client.put(f"/api/workspaces/{space}/contents/{ids['trash']}/trashed")
    client.put(f"/api/workspaces/{space}/contents/{ids['old']}/archived")
    settle()

    def found(**query: int) -> set[str]:
        return {label.split()[1].split("-")[0] for label in labels(client, "x", **query)}

    assert found() == {"here"}
    assert found(show_deleted=1) == {"here", "trash"}
    assert found(show_archived=1, show_active=0) == {"old"}
    assert found(show_active=0) == set()
    client.put(f"/api/workspaces/{space}/contents/{ids['trash']}/trashed/restore")
    settle()
    assert found() == {"here", "trash"}


def test_what_lies_in_the_trash_is_hidden(
    client: Client, make_space: Any, make_content: Any, settle: Settle
) -> None:
    space = make_space()
    folder = make_content(space, "folder", "folder")["content_id"]
    make_content(space, "needle", parent_id=folder)
    settle()
    assert labels(client, "needle") == ["needle"]
    client.put(f"/api/workspaces/{space}/contents/{folder}/trashed")
    settle()
    assert labels(client, "needle") == labels(client, "needle", show_deleted=1) == []


# -- order and pages -----------------------------------------------------------------------------------------


def test_names_come_before_texts(client: Client, make_space: Any, write: Any, settle: Settle) -> None:
    space = make_space()
    write(space, "other", "<p>lighthouse " + "and more words " * 5 + "</p>")
    write(space, "lighthouse", "<p>something else of the same length or so it seems</p>")
    write(space, "third", "<p>nothing of it</p>")
    settle()
    assert labels(client, "lighthouse") == ["lighthouse", "other"]
    scores = [c["score"] for c in ask(client, CONTENT, "lighthouse")["contents"]]
    assert scores[0] > scores[1] > 0


def test_pages_hold_each_hit_once(client: Client, make_space: Any, write: Any, settle: Settle) -> None:
    space = make_space()
    for n in range(7):
        write(space, f"same n{n}")
    settle()
    everything = labels(client, "same")
    pages = [labels(client, "same", size=3, page_nb=n) for n in (1, 2, 3, 4)]
    assert [label for page in pages for label in page] == everything
    assert [len(page) for page in pages] == [3, 3, 1, 0]
    for page in (1, 4, 1_000_000_000):
        assert ask(client, CONTENT, "same", size=3, page_nb=page)["total_hits"] == 7
    none = ask(client, CONTENT, "same", size=0)
    assert (none["contents"], none["total_hits"]) == ([], 7)
    assert none["facets"]["content_types"] == [{"value": "html-document", "count": 7}]


# -- highlights ----------------------------------------------------------------------------------------------


def test_highlights(client: Client, make_space: Any, write: Any, settle: Settle) -> None:
    space = make_space()
    write(space, "A needle", "<p>In the <b>Néedle</b>s &lt;script&gt; hay</p>", description="no match")
    settle()
    plain = ask(client, CONTENT, "needle")["contents"][0]
    assert "highlights" not in plain
    marked = ask(client, CONTENT, "needle", highlight=1)["contents"][0]
    assert marked["highlights"] == {
        "label": ["A <em>needle</em>"], "raw_content": ["In the <em>Néedles</em> &lt;script&gt; hay"],
    }  # fmt: skip
    assert set(marked) - set(plain) == {"highlights"}


# -- for whom ------------------------------------------------------------------------------------------------


def test_nobody_counts_what_he_may_not_see(
    client: Client, as_actor: Any, make_space: Any, write: Any, settle: Settle
) -> None:
    bob, root = as_actor("bob"), as_actor("root2", profile="administrators")
    shared = make_space("Shared", members={bob.user_id: "reader"})
    secret = make_space("Secret", access_type="open")
    write(shared, "x shared", "text")
    hidden = write(secret, "x secret", "text")
    client.post(f"/api/workspaces/{secret}/contents/{hidden}/tags", {"tag_name": "quiet"})
    settle()
    for who, seen in ((bob, ["x shared"]), (root, []), (client, ["x secret", "x shared"])):
        answer = ask(who, CONTENT, "x", highlight=1)
        assert sorted(c["label"] for c in answer["contents"]) == seen
        assert answer["total_hits"] == len(seen)
        counted = sum(f["count"] for f in answer["facets"]["workspace_names"])
        assert counted == len(seen)
        assert bool(answer["facets"]["tags"]) == (who is client)
    assert ask(root, CONTENT, "x")["created_range"] == {"from": None, "to": None}
    assert labels(bob, "secret") == labels(bob, "quiet") == []


def test_a_role_shows_at_once(client: Client, as_actor: Any, make_space: Any, write: Any, settle: Settle) -> None:
    bob = as_actor("bob")
    space = make_space("Shared")
    write(space, "x note")
    settle()
    assert labels(bob, "x") == []
    client.post(f"/api/workspaces/{space}/members", {"user_id": bob.user_id, "role": "reader"})
    assert labels(bob, "x") == ["x note"]
    client.delete(f"/api/workspaces/{space}/members/{bob.user_id}")
    assert labels(bob, "x") == []


# -- what changes --------------------------------------------------------------------------------------------


def test_changes_are_followed(client: Client, make_space: Any, write: Any, settle: Settle) -> None:
    space, other = make_space(), make_space("Other")
    note = write(space, "old", "<p>before</p>")
    path = f"/api/workspaces/{space}"
    client.put(f"{path}/html-documents/{note}", {"label": "new", "raw_content": "<p>after</p>"})
    tag = client.post(f"{path}/contents/{note}/tags", {"tag_name": "red"}).json["tag_id"]
    comment = client.post(f"{path}/contents/{note}/comments", {"raw_content": "talk"}).json["content_id"]
    settle()
    assert (labels(client, "old"), labels(client, "before")) == ([], [])
    assert labels(client, "new after red talk") == ["new"]
    client.put(f"{path}/contents/{note}/comments/{comment}", {"raw_content": "said"})
    settle()
    assert (labels(client, "talk"), labels(client, "said")) == ([], ["new"])
    client.delete(f"{path}/contents/{note}/comments/{comment}")
    client.delete(f"{path}/contents/{note}/tags/{tag}")
    settle()
    assert (labels(client, "said"), labels(client, "red")) == ([], [])
    client.put(f"{path}/contents/{note}/move", {"new_parent_id": None, "new_workspace_id": other})
    settle()
    assert [c["workspace_id"] for c in ask(client, CONTENT, "after")["contents"]] == [other]
    client.put(f"/api/workspaces/{other}/contents/{note}/trashed")
    assert client.delete(f"/api/workspaces/{other}/contents/{note}/permanently").status == 204
    settle()
    assert labels(client, "after", show_deleted=1) == []


def test_templates_bring_their_texts(client: Client, make_space: Any, write: Any, settle: Settle) -> None:
    space = make_space()
    note = write(space, "model", "<p>pattern</p>")
    client.put(f"/api/workspaces/{space}/contents/{note}/template", {"is_template": True})
    client.post(f"/api/workspaces/{space}/contents/{note}/todos", {"raw_content": "chore", "assignee_id": None})
    body = {"label": "copy", "content_type": "html-document", "template_id": note}
    assert client.post(f"/api/workspaces/{space}/contents", body).status == 200
    settle()
    assert sorted(labels(client, "pattern")) == sorted(labels(client, "chore")) == ["copy", "model"]


# -- people --------------------------------------------------------------------------------------------------


def people(client: Client, words: str, **query: Any) -> list[str]:
    """Return the public names of the people found."""
    found = ask(client, USER, words, **query)
    assert found["total_hits"] == len(found["users"])
    return [user["public_name"] for user in found["users"]]


def test_people(client: Client, as_actor: Any, make_space: Any, write: Any, settle: Settle, clock: Any) -> None:
    anna, bob, eve = as_actor("anna"), as_actor("bob"), as_actor("eve")
    client.put(f"/api/users/{anna.user_id}", {"public_name": "Ännchen Meier", "timezone": "", "lang": "en"})
    client.put(f"/api/users/{bob.user_id}", {"public_name": "Bob Meier", "timezone": "", "lang": "en"})
    clock.micros = 1_700_000_000_000_000
    space = make_space("One", members={anna.user_id: "content-manager", bob.user_id: "reader"})
    hers = anna.post(f"/api/workspaces/{space}/contents", {"label": "n", "content_type": "html-document"})
    assert hers.status == 200
    settle()
    assert sorted(people(client, "meier")) == ["Bob Meier", "Ännchen Meier"]
    assert people(client, "annch") == people(client, "ÄNNCHEN") == ["Ännchen Meier"]
    assert people(client, "anna", search_fields="username") == ["Ännchen Meier"]
    assert people(client, "meier", search_fields="username") == []
    assert people(bob, "meier", workspace_ids=str(space)) == people(bob, "meier")
    assert people(client, "meier", workspace_ids="999") == []
    assert people(eve, "meier") == []
    found = ask(bob, USER, "annch")
    user = found["users"][0]
    assert set(user) == {
        "user_id", "has_avatar", "has_cover", "public_name", "username", "workspace_ids", "is_active",
        "newest_authored_content_date",
    }  # fmt: skip
    assert (user["workspace_ids"], user["newest_authored_content_date"]) == ([space], "2023-11-14T22:13:20Z")
    assert found["newest_authored_content_date_range"] == {
        "from": "2023-11-14T22:13:20Z", "to": "2023-11-14T22:13:20Z",
    }  # fmt: skip
    assert found["search_fields"] == ["public_name", "username", "custom_properties"]
    assert [(f["value"]["label"], f["count"]) for f in ask(client, USER, "meier")["facets"]["workspaces"]] == [
        ("One", 2)
    ]
    assert people(client, "meier", newest_authored_content_date_from="2023-11-14T00:00:00Z") == ["Ännchen Meier"]
    assert people(client, "meier", newest_authored_content_date_to="2023-11-14T00:00:00Z") == []


def test_people_who_are_gone(client: Client, as_actor: Any, settle: Settle) -> None:
    anna = as_actor("anna")
    client.put(f"/api/users/{anna.user_id}/disabled")
    settle()
    assert people(client, "anna") == people(client, "anna", show_active=0) == ["anna"]
    client.put(f"/api/users/{anna.user_id}/trashed")
    settle()
    assert people(client, "anna") == []
    assert people(client, "anna", show_deleted=1) == ["anna"]


# -- spaces --------------------------------------------------------------------------------------------------


def spaces(client: Client, words: str, **query: Any) -> list[str]:
    """Return the labels of the spaces found."""
    found = ask(client, SPACE, words, **query)
    assert found["total_hits"] == len(found["workspaces"])
    return sorted(space["label"] for space in found["workspaces"])


def test_spaces(client: Client, as_actor: Any, make_space: Any, write: Any, settle: Settle) -> None:
    bob = as_actor("bob")
    own = make_space("Höfe one", members={bob.user_id: "reader"}, description="<p>quiet</p>")
    make_space("Höfe two", access_type="open")
    make_space("Höfe three")
    write(own, "note")
    settle()
    assert spaces(client, "hofe") == ["Höfe one", "Höfe three", "Höfe two"]
    assert spaces(bob, "hofe") == ["Höfe one", "Höfe two"]
    assert spaces(bob, "quiet") == spaces(bob, "quiet", search_fields="description") == ["Höfe one"]
    assert spaces(bob, "quiet", search_fields="label") == []
    found = ask(bob, SPACE, "höfe")
    rows = {row["label"]: row for row in found["workspaces"]}
    assert set(rows["Höfe one"]) == {
        "workspace_id", "slug", "label", "access_type", "member_count", "content_count",
    }  # fmt: skip
    assert (rows["Höfe one"]["member_count"], rows["Höfe one"]["content_count"]) == (2, 1)
    assert (rows["Höfe two"]["access_type"], rows["Höfe two"]["content_count"]) == ("open", 0)
    members = {f["value"]["user_id"]: f["count"] for f in found["facets"]["members"]}
    assert members == {1: 1, bob.user_id: 1}  # of the space that he is in
    assert [(f["value"]["user_id"], f["count"]) for f in found["facets"]["owners"]] == [(1, 2)]
    assert spaces(client, "hofe", member_ids=str(bob.user_id)) == ["Höfe one"]
    assert spaces(bob, "hofe", member_ids="1") == ["Höfe one"]
    assert spaces(client, "hofe", owner_ids=str(bob.user_id)) == []
    client.put(f"/api/workspaces/{own}", {"label": "Renamed"})
    settle()
    assert (spaces(client, "renamed"), spaces(client, "one")) == (["Renamed"], [])
    client.put(f"/api/workspaces/{own}/trashed")
    settle()
    assert spaces(client, "renamed") == []
    assert len(spaces(client, "renamed", show_deleted=1)) == 1


# -- wrong values --------------------------------------------------------------------------------------------


WRONG = [
        (CONTENT, "search_fields=nothing"), (CONTENT, "created_from=yesterday"), (CONTENT, "highlight=2"),
        (CONTENT, "search_string=a%00b"), (CONTENT, f"tags={'a,' * 500}b{','.join(map(str, range(100)))}"),
        (CONTENT, "size=1001"), (CONTENT, "modified_to=2023-02-30T00:00:00Z"), (USER, "size=10"),
        (USER, "search_string=a&workspace_ids=x"), (USER, "search_string=a&search_fields=email"), (SPACE, "size=10"),
        (SPACE, "search_string=a&member_ids=1;2"), (SPACE, "search_string=a&page_nb=0"),
]  # fmt: skip


def test_wrong_values_are_refused(client: Client) -> None:
    for path, query in WRONG:
        answer = client.get(f"{path}?{query}")
        assert (answer.status, answer.code) == (400, 2001), (path, query)


def test_strangers_are_refused(stranger: Client) -> None:
    for path in (CONTENT, USER, SPACE):
        answer = stranger.get(path, query={"search_string": "x"})
        assert (answer.status, answer.code) == (401, None)
