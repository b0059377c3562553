"""Mentions: told once to whom a text newly names, refused when it names nobody."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import text

from atrio.kernel.host import Kernel
from atrio.kernel.testing.client import Client
from atrio.kernel.testing.plugin import of_the_request
from atrio.plugins.api_docs.openapi import build
from atrio.plugins.core_content.events import ContentCreated, ContentModified
from atrio.plugins.mentions import markup
from atrio.plugins.mentions.errors import InvalidMention, UserNotMemberOfWorkspace
from atrio.plugins.mentions.events import MentionCreated


def user(number: Any) -> str:
    return f'<html-mention userid="{number}"></html-mention>'


def role(number: Any) -> str:
    return f'<html-mention roleid="{number}"></html-mention>'


def told(events: list[Any]) -> list[tuple[str, int]]:
    found = [(e.recipient_type, e.recipient_id) for e in events if isinstance(e, MentionCreated)]
    events.clear()
    return found


@pytest.fixture
def bob(as_actor: Any) -> Any:
    return as_actor("bob")


@pytest.fixture
def space(make_space: Any, bob: Any) -> int:
    return int(make_space(members={bob.user_id: "reader"}))


@pytest.fixture
def note(space: int, make_content: Any) -> str:
    number = make_content(space, "n")["content_id"]
    return f"/api/workspaces/{space}/html-documents/{number}"


def write(client: Client, note: str, raw: str) -> tuple[int, Any]:
    answer = client.put(note, {"raw_content": raw})
    return answer.status, answer.json.get("code") if answer.status != 200 else None


# -- who is told --------------------------------------------------------------------------------------------


def test_the_event_says_everything(client: Client, bob: Any, space: int, note: str, events: list[Any]) -> None:
    answer = client.put(note, {"raw_content": f"<p>Look {user(bob.user_id)}</p>"})
    assert answer.status == 200
    content, revision = answer.json["content_id"], answer.json["current_revision_id"]
    assert events[-1] == MentionCreated(content, space, revision, "user", bob.user_id)
    assert [e.name for e in events if e.name in ("content.modified", "mention.created")] == [
        "content.modified", "mention.created"
    ]  # fmt: skip


def test_only_new_mentions_are_told(client: Client, bob: Any, note: str, events: list[Any]) -> None:
    assert write(client, note, f"{user(bob.user_id)} and {user(bob.user_id)}") == (200, None)
    assert told(events) == [("user", bob.user_id)]
    assert write(client, note, f"changed {user(bob.user_id)}{role(0)}{user(1)}") == (200, None)
    assert told(events) == [("role", 0), ("user", 1)]
    assert write(client, note, "nobody") == (200, None)
    assert told(events) == []
    assert write(client, note, user(bob.user_id)) == (200, None)
    assert told(events) == [("user", bob.user_id)]


def test_roles(client: Client, note: str, events: list[Any]) -> None:
    assert write(client, note, "".join(role(n) for n in (0, 1, 2, 4, 8))) == (200, None)
    assert told(events) == [("role", n) for n in (0, 1, 2, 4, 8)]


def test_other_changes_tell_nobody(client: Client, bob: Any, note: str, events: list[Any]) -> None:
    write(client, note, user(bob.user_id))
    told(events)
    assert client.put(note, {"label": "other"}).status == 200
    assert client.put(f"{note}/status", {"status": "closed-validated"}).status == 204
    assert told(events) == []


def test_types_without_mentions_are_not_looked_at(
    client: Client, space: int, make_content: Any, send_file: Any, events: list[Any]
) -> None:
    """A folder's and a file's text may say what it likes; a logbook's is looked at."""
    folder = make_content(space, "f", "folder")["content_id"]
    assert client.put(f"/api/workspaces/{space}/folders/{folder}", {"raw_content": user(999)}).status == 200
    file = send_file(client, f"/api/workspaces/{space}/files").json["content_id"]
    assert client.put(f"/api/workspaces/{space}/files/{file}", {"raw_content": user(999)}).status == 200
    made = send_file(client, f"/api/workspaces/{space}/files", "l", fields={"content_type": "logbook"})
    assert made.status == 200
    logbook = f"/api/workspaces/{space}/files/{made.json['content_id']}"
    refused = client.put(logbook, {"raw_content": json.dumps({"entries": [{"text": user(999)}]})})
    assert (refused.status, refused.code) == (400, 2067)
    assert told(events) == []
    assert client.put(logbook, {"raw_content": json.dumps({"entries": [{"text": user(1)}]})}).status == 200
    assert told(events) == [("user", 1)]


def _comment(kernel: Kernel, space: int, parent: int, raw: str, *, version: int = 1, of: int = 0) -> int:
    """Write a comment, or its next version, and tell of it as core_content does."""
    with kernel.unit() as ctx:
        number: Any = of
        if not of:
            number = ctx.execute(
                text(
                    "INSERT INTO core_content_content (space_id, parent_id, parent_key, namespace, type, label,"
                    " file_extension, filename, slug, status, sub_content_types, is_template,"
                    " current_revision_id, current_revision_type, version_number, created, modified)"
                    " VALUES (:s, :p, :p, 'content', 'comment', '', '', '', '', 'open', '', 0, 0, 'creation', 1, 1, 1)"
                    " RETURNING content_id"
                ),
                {"s": space, "p": parent},
            ).scalar()
        revision: Any = ctx.execute(
            text(
                "INSERT INTO core_content_revision (content_id, version_number, revision_type, created, space_id,"
                " label, file_extension, status, sub_content_types, is_template, is_archived, is_deleted,"
                " description, raw_content, mimetype) VALUES (:c, :v, 'creation', 1, :s, '', '', 'open', '', 0, 0,"
                " 0, '', :r, '') RETURNING revision_id"
            ),
            {"c": number, "s": space, "r": raw, "v": version},
        ).scalar()
        kind: Any = ContentModified if of else ContentCreated
        ctx.emit(kind(number, space, parent, "comment", revision, ""))
    return int(number)


def test_a_comment_mentions_when_it_is_made_and_when_it_is_edited(
    kernel: Kernel, bob: Any, space: int, note: str, events: list[Any]
) -> None:
    parent = int(note.rsplit("/", 1)[1])
    comment = _comment(kernel, space, parent, user(bob.user_id))
    assert told(events) == [("user", bob.user_id)]
    _comment(kernel, space, parent, user(bob.user_id) + user(1), version=2, of=comment)
    assert told(events) == [("user", 1)]
    with pytest.raises(UserNotMemberOfWorkspace):
        _comment(kernel, space, parent, user(12345))
    with pytest.raises(InvalidMention):
        _comment(kernel, space, parent, role(3))
    assert told(events) == []


# -- who is refused -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [
        "<html-mention></html-mention>", user(""), role(""), user("  "), user("bob"), user("-1"), user("1.5"),
        user("0"), user("9" * 30), user("٣"), role("3"), role("9"), role("-1"), role("all"), role("9" * 30),
        "<HTML-MENTION>", '<html-mention userid="" roleid="">', '<html-mention userid="x" roleid="0">',
    ],
)  # fmt: skip
def test_a_mention_of_nobody_is_refused(client: Client, note: str, events: list[Any], wrong: str) -> None:
    before = client.get(note).json
    assert write(client, note, f"<p>{wrong}</p>{role(0)}") == (400, 2006)
    assert client.get(note).json == before
    assert events == []


def test_a_mention_of_an_outsider_is_refused(
    client: Client, as_actor: Any, bob: Any, note: str, events: list[Any]
) -> None:
    outsider, root = as_actor("eve"), as_actor("root2", profile="administrators")
    for number in (outsider.user_id, root.user_id, 10**17):
        assert write(client, note, user(bob.user_id) + user(number)) == (400, 2067)
    assert told(events) == []
    assert client.get(note).json["raw_content"] == ""


def test_a_text_stays_editable_when_somebody_left(
    client: Client, bob: Any, space: int, note: str, events: list[Any]
) -> None:
    write(client, note, user(bob.user_id))
    assert client.delete(f"/api/workspaces/{space}/members/{bob.user_id}").status == 204
    told(events)
    assert write(client, note, f"{user(bob.user_id)} more") == (200, None)
    assert told(events) == []
    assert write(client, note, "without") == (200, None)
    assert write(client, note, user(bob.user_id)) == (400, 2067)


# -- hostile texts ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        ("<HTML-Mention UserID=3>x", [("3", "")]),
        ('<html-mention\nuserid="&#51;"\n/>', [("3", "")]),
        ('<html-mention userid="3" userid="4">', [("3", "")]),
        ('<html-mention roleid="a>b" userid="4">', [("4", "a>b")]),
        ('<p title="<html-mention userid=9>">', []),
        ("<!-- <html-mention userid=9> -->", []),
        ("<script><html-mention userid=9></script>", []),
        ('&lt;html-mention userid="3"&gt;', []),
        ("<html-mention-x userid=3>", []),
        ('{"a":"<html-mention userid=\\"3\\"></html-mention>"}', [("3", "")]),
        ("html-mention userid=3", []),
        ("<html-mention userid=3", []),
        ("<b><html-mention userid=3><i></b><html-mention roleid=2>", [("3", ""), ("", "2")]),
    ],
)
def test_what_a_browser_sees_is_what_counts(raw: str, found: list[tuple[str, str]]) -> None:
    assert markup.attributes_of(raw) == found


@pytest.mark.parametrize(
    "raw",
    ["<html-mention " * 100_000, '<html-mention userid="' * 100_000, "<" * 300_000 + "html-mention",
     "<html-mention " + "a=b " * 100_000, "<!--" * 100_000 + "html-mention", "&" * 300_000 + "html-mention"],
)  # fmt: skip
def test_broken_markup_is_no_mention_or_one_of_nobody(client: Client, note: str, raw: str) -> None:
    assert write(client, note, f"text {raw}") in ((200, None), (400, 2006), (400, 2001))


def test_thousands_of_mentions(client: Client, bob: Any, note: str, events: list[Any]) -> None:
    assert write(client, note, user(bob.user_id) * 3000 + user(1)) == (200, None)
    assert told(events) == [("user", bob.user_id), ("user", 1)]
    assert write(client, note, "".join(user(n) for n in range(1, 3000))) == (400, 2067)


# -- cost, document -----------------------------------------------------------------------------------------


def _cost(client: Client, note: str, raw: str, statements: Any) -> int:
    with statements() as seen:
        assert write(client, note, raw) == (200, None)
    return len(of_the_request(seen))


def test_a_text_without_mentions_costs_no_read(client: Client, note: str, bob: Any, statements: Any) -> None:
    write(client, note, "warm")
    plain = _cost(client, note, "no mention", statements)
    with statements() as seen:
        assert write(client, note, "none either") == (200, None)
    reads = [s for s in seen if s.startswith("SELECT core_content_revision.raw_content")]
    assert reads == [], "the text that is being written is at hand"
    one = _cost(client, note, user(bob.user_id), statements)
    write(client, note, "nobody")
    many = _cost(client, note, user(bob.user_id) + user(1), statements)
    roles = _cost(client, note, user(bob.user_id) + user(1) + role(0) + role(8), statements)
    assert one == many == plain + 3, "the text before, the members, the messages of all who are mentioned"
    assert roles == plain + 2, "the text before, the messages of all roles"


def _refusals(kernel: Kernel, path: str, method: str) -> list[int]:
    refusal = build(kernel)["paths"][path][method]["responses"]["400"]
    codes: list[int] = refusal["content"]["application/json"]["schema"]["allOf"][1]["properties"]["code"]["enum"]
    return [code for code in codes if code in (2006, 2067)]


NOTE = "/api/workspaces/{workspace_id}/html-documents/{content_id}"


def test_the_document_names_the_refusals(kernel: Kernel) -> None:
    assert _refusals(kernel, NOTE, "put") == [2006, 2067]
    assert _refusals(kernel, f"{NOTE}/status", "put") == []


@pytest.mark.atrio_config(plugins__disabled=["mentions"])
def test_without_the_plugin_nobody_is_refused(kernel: Kernel, client: Client, note: str) -> None:
    assert _refusals(kernel, NOTE, "put") == []
    assert write(client, note, user("nobody")) == (200, None)
