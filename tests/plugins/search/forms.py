"""What every engine must do where words are found in their other forms; imported like `suite`.

`languages` of the search are english, french, german and russian here.
"""

from __future__ import annotations

from typing import Any

import pytest

from atrio.kernel.testing.client import Client

from .suite import CONTENT, HOSTILE, SPACE, USER, Settle, ask, labels, people, spaces, write  # noqa: F401

TEXTS = {
    "one": "<p>A castle by the sea</p>",
    "many": "<p>Old castles and <b>rivers</b></p>",
    "walk": "<p>She was walking along the river</p>",
    "pain": "<p>Ils ont mangé les pommes des chevaux</p>",
    "repas": "<p>Manger une pomme à cheval</p>",
    "table": "<p>Les tartes mangées hier</p>",
    "haus": "<p>Die alten Häuser der Straßen</p>",
    "gasse": "<p>Ein Haus in der Straße</p>",
    "kniga": "<p>Новый словарь и книга</p>",
    "knigi": "<p>Новая полка, много книг с книгой</p>",
    "ids": "<p>x2castles 日本語 kbps</p>",
}

FORMS = [
    ("castle", {"one", "many"}),
    ("castles", {"one", "many"}),
    ("castles sea", {"one"}),
    ("sea castles", {"one"}),
    ("CASTLES rivers", {"many"}),
    ("river castle", {"many"}),
    ("walks rivers", {"walk"}),
    ("walk | castle x", set()),
    ("walk | castles", {"walk", "one", "many"}),
    ("+castles -rivers", {"one"}),
    # quotes turn it off
    ('"castle"', {"one"}),
    ('"castles"', {"many"}),
    ('"old castle"', set()),
    ('"old castles"', {"many"}),
    ('"castle" | "castles"', {"one", "many"}),
    # so does a star; what is being typed is found in both ways
    ("castles*", {"many"}),
    ("cast*", {"one", "many"}),
    ("old castl", {"many"}),
    ("walks", {"walk"}),
    ("walks*", set()),
    # what must not be there must not in any form
    ("sea -castles", set()),
    ('sea -"castles"', {"one"}),
    ("rivers -walks", {"many"}),
    ("castle -castles", set()),
    # accents do not matter
    ("manger", {"pain", "repas", "table"}),
    ("mangé", {"pain", "repas", "table"}),
    ("mangees", {"pain", "repas", "table"}),
    ("MANGÉES hier", {"table"}),
    ("cheval pommes", {"pain", "repas"}),
    ("häuser", {"haus", "gasse"}),
    ("haus strassen", {"haus", "gasse"}),
    ("straße", {"haus", "gasse"}),
    # other letters
    ("книги", {"kniga", "knigi"}),
    ("новая книга", {"kniga", "knigi"}),
    ("НОВЫЙ", {"kniga", "knigi"}),
    ('"новый"', {"kniga"}),
    # what no stemmer knows
    ("x2castles", {"ids"}),
    ("x2castle ", {"ids"}),
    ("x2castle y", set()),
    ("日本語", {"ids"}),
    ("kbps", {"ids"}),
    ("castles.rivers", set()),
]  # fmt: skip


@pytest.fixture
def texts(client: Client, make_space: Any, write: Any, settle: Settle) -> int:  # noqa: F811
    """Give a space with notes in four languages."""
    space = int(make_space())
    for label, text in TEXTS.items():
        write(space, label, text)
    settle()
    return space


def test_other_forms(client: Client, texts: int) -> None:
    for query, found in FORMS:
        assert set(labels(client, query)) == found, query


def test_other_forms_in_fields(client: Client, make_space: Any, write: Any, settle: Settle) -> None:  # noqa: F811
    space = make_space()
    note = write(space, "towers", "<p>bridges</p>", description="gardens")
    client.post(f"/api/workspaces/{space}/contents/{note}/tags", {"tag_name": "fountains"})
    client.post(f"/api/workspaces/{space}/contents/{note}/comments", {"raw_content": "<p>statues</p>"})
    client.post(f"/api/workspaces/{space}/contents/{note}/todos", {"raw_content": "gates", "assignee_id": None})
    settle()
    places = {
        "tower": "label",
        "bridge": "raw_content",
        "garden": "description",
        "statue": "comments",
        "gate": "todos",
    }
    for word, field in places.items():
        assert labels(client, f"{word} {word}") == ["towers"], word
        assert labels(client, f"{word} {word}", search_fields=field) == ["towers"], word
        others = ",".join(f for f in places.values() if f != field)
        assert labels(client, f"{word} {word}", search_fields=others) == [], word
        assert labels(client, f"towers -{word}") == [], word
    assert labels(client, "tower bridge garden statue gate tower") == ["towers"]


def test_forms_that_are_found_are_marked(client: Client, texts: int) -> None:
    found = ask(client, CONTENT, "river castle", highlight=1)["contents"][0]
    assert found["highlights"] == {"raw_content": ["Old <em>castles</em> and <em>rivers</em>"]}
    found = ask(client, CONTENT, "mange tarte", highlight=1)["contents"][0]
    assert found["highlights"] == {"raw_content": ["Les <em>tartes</em> <em>mangées</em> hier"]}
    found = ask(client, CONTENT, '"old" castle', highlight=1)["contents"][0]
    assert found["highlights"] == {"raw_content": ["<em>Old</em> <em>castles</em> and rivers"]}


def test_words_themselves_come_first(client: Client, make_space: Any, write: Any, settle: Settle) -> None:  # noqa: F811
    space = make_space()
    for n in range(6):
        write(space, f"filler {n}", "<p>something quite else of the same length</p>")
    for label, word in (("b", "lantern"), ("a", "lanterns"), ("d", "lanterns"), ("c", "lantern")):
        write(space, label, f"<p>one {word} of the same length</p>")
    settle()
    assert labels(client, "lantern same")[:2] == ["c", "b"]
    assert labels(client, "lanterns same")[:2] == ["d", "a"]
    assert len(labels(client, "lantern same")) == 4


def test_names_still_come_before_texts(client: Client, make_space: Any, write: Any, settle: Settle) -> None:  # noqa: F811
    space = make_space()
    for n in range(6):
        write(space, f"filler {n}", "<p>something quite else of the same length</p>")
    write(space, "lanterns", "<p>something else</p>")
    write(space, "other", "<p>a lantern</p>")
    settle()
    assert labels(client, "lantern") == ["lanterns", "other"]


def test_spaces_have_forms_and_people_have_none(
    client: Client, as_actor: Any, make_space: Any, settle: Settle
) -> None:  # fmt: skip
    anna = as_actor("anna")
    client.put(f"/api/users/{anna.user_id}", {"public_name": "Anna Bakers", "timezone": "", "lang": "en"})
    make_space("The bakers", description="<p>old mills</p>")
    settle()
    assert spaces(client, "baker mill baker") == spaces(client, "mill ") == ["The bakers"]
    assert spaces(client, '"baker"') == []
    assert people(client, "bakers anna") == ["Anna Bakers"]
    assert people(client, "baker anna") == []


def test_hostile_queries_do_no_harm(client: Client, texts: int) -> None:
    for query in (
        *HOSTILE,
        " ".join(["castle"] * 40),
        " ".join(f"castles{c}" for c in "abcdefghijklmnopqrstuvwxyz" * 2),
    ):
        for path in (CONTENT, USER, SPACE):
            assert (
                client.get(
                    path, query={"search_string": query, **({"highlight": 1} if path == CONTENT else {})}
                ).status
                == 200
            ), (path, query[:50])
