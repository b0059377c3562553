"""What is told of mentions, reactions, tags and calls."""

from __future__ import annotations

from typing import Any

import pytest

USER, ROLE = 1, 2
LEVELS = {"reader": 1, "contributor": 2, "content-manager": 4, "workspace-manager": 8}


def to_user(user_id: int) -> str:
    """Return the markup that mentions a user."""
    return f'<html-mention userid="{user_id}"></html-mention>'


def to_role(level: int) -> str:
    """Return the markup that mentions the members from a role on."""
    return f'<html-mention roleid="{level}"></html-mention>'


def test_a_comment_mentions_a_user(cast: Any, log: Any) -> None:
    note, reader = cast.make(), cast.ids["reader"]
    log.news()
    comment = cast.comment(note, f"<p>{to_user(reader)}</p>", "contributor")
    told = {t.event_type: t for t in log.news()}
    assert set(told) == {"mention.created", "content.created.comment"}
    mention = told["mention.created"]
    assert mention.receivers == {reader}
    assert mention.fields["mention"] == {"type": USER, "recipient": reader, "content_id": comment}
    assert mention.fields["content"] == told["content.created.comment"].fields["content"]
    assert mention.author == cast.ids["contributor"]
    assert (mention.row.space_id, mention.row.content_id, mention.row.parent_id) == (cast.space, comment, note)
    assert told["content.created.comment"].receivers == cast.members


@pytest.mark.parametrize("role", ["everybody", *LEVELS])
def test_a_note_mentions_a_role(cast: Any, log: Any, role: str) -> None:
    note = cast.make()
    log.news()
    level = LEVELS.get(role, 0)
    cast.ok("PUT", f"{cast.base}/html-documents/{note}", {"raw_content": to_role(level)})
    told = {t.event_type: t for t in log.news()}
    mention = told["mention.created"]
    assert mention.fields["mention"] == {"type": ROLE, "recipient": level, "content_id": note}
    assert mention.receivers == {1, *(cast.ids[name] for name, has in LEVELS.items() if has >= level)}
    assert set(told) == {"mention.created", "content.modified.html-document"}


def test_everybody_who_is_mentioned_gets_his_own(cast: Any, log: Any) -> None:
    note, people = cast.make(), ("reader", "contributor", "content-manager")
    log.news()
    both = "".join(to_user(cast.ids[name]) for name in people) + to_role(4) + to_role(8)
    cast.ok("PUT", f"{cast.base}/html-documents/{note}", {"raw_content": both})
    found = [t for t in log.news() if t.event_type == "mention.created"]
    got = {(t.fields["mention"]["type"], t.fields["mention"]["recipient"]): t.receivers for t in found}
    assert got == {
        **{(USER, cast.ids[name]): {cast.ids[name]} for name in people},
        (ROLE, 4): {1, cast.ids["content-manager"], cast.ids["workspace-manager"]},
        (ROLE, 8): {1, cast.ids["workspace-manager"]},
    }
    cast.ok("PUT", f"{cast.base}/html-documents/{note}", {"raw_content": both + "<p>more</p>"})
    log.alone("content.modified.html-document", cast.members)


def test_reactions(cast: Any, log: Any) -> None:
    note = cast.make()
    comment = cast.comment(note)
    log.news()
    for content, parent in ((note, None), (comment, note)):
        path = f"{cast.base}/contents/{content}/reactions"
        reaction = cast.ok("POST", path, {"value": "👍"}, "contributor")
        told = log.alone("reaction.created", cast.members)
        assert told.fields["reaction"] == reaction
        assert (reaction["content_id"], reaction["value"]) == (content, "👍")
        assert told.fields["content"]["content_id"] == content
        assert told.fields["user"]["user_id"] == told.author == cast.ids["contributor"]
        assert (told.row.content_id, told.row.parent_id) == (content, parent)
        cast.ok("DELETE", f"{path}/{reaction['reaction_id']}", who="workspace-manager")
        told = log.alone("reaction.deleted", cast.members)
        assert told.fields["reaction"] == reaction
        assert told.fields["user"]["user_id"] == cast.ids["contributor"], "whose reaction it was"
        assert told.author == cast.ids["workspace-manager"]


@pytest.mark.parametrize("access", ["open", "confidential"])
def test_tags_of_a_space(cast: Any, log: Any, access: str) -> None:
    space = cast.space if access == "confidential" else cast.other_space(access)
    everybody = cast.members | cast.administrators if access == "confidential" else cast.everybody
    log.news()
    tag = cast.ok("POST", f"/api/workspaces/{space}/tags", {"tag_name": "urgent"})
    told = log.alone("tag.created", everybody)
    assert told.fields["tag"] == {"tag_id": tag["tag_id"], "tag_name": "urgent", "workspace_id": space}
    cast.ok("DELETE", f"/api/workspaces/{space}/tags/{tag['tag_id']}")
    told = log.alone("tag.deleted", everybody)
    assert told.fields["tag"] == {"tag_id": tag["tag_id"], "tag_name": "urgent", "workspace_id": space}


def test_tags_of_a_content(cast: Any, log: Any) -> None:
    note = cast.make()
    log.news()
    path = f"{cast.base}/contents/{note}/tags"
    tag = cast.ok("POST", path, {"tag_name": "urgent"}, "contributor")
    created, put = log.news()
    assert (created.event_type, put.event_type) == ("tag.created", "content_tag.created")
    assert created.receivers == cast.members | cast.administrators
    assert put.receivers == cast.members
    assert put.fields["tag"]["tag_id"] == tag["tag_id"]
    assert put.fields["content"]["content_id"] == put.row.content_id == note
    cast.ok("DELETE", f"{path}/{tag['tag_id']}", who="contributor")
    told = log.alone("content_tag.deleted", cast.members)
    assert (told.fields["tag"]["tag_name"], told.author) == ("urgent", cast.ids["contributor"])
    cast.ok("PUT", f"{path}/{tag['tag_id']}", {}, "contributor")
    log.alone("content_tag.created", cast.members)
    refused = cast.people["contributor"].post(path, {"tag_name": "urgent"})
    assert (refused.status, refused.code, log.news()) == (400, 3014, []), "it has the tag already"


@pytest.mark.atrio_config(plugins__enabled=["calls"])
def test_calls(cast: Any, log: Any) -> None:
    caller, callee = cast.ids["reader"], cast.ids["contributor"]
    mine = f"/api/users/{caller}/outgoing_calls"
    call = cast.ok("POST", mine, {"callee_id": callee}, "reader")
    told = log.alone("user_call.created", {caller, callee})
    assert told.fields["user_call"] == call
    assert (told.fields["user"]["user_id"], told.author) == (callee, caller)
    theirs = f"/api/users/{callee}/incoming_calls/{call['call_id']}/state"
    cast.ok("PUT", theirs, {"state": "rejected"}, "contributor")
    told = log.alone("user_call.modified", {caller, callee})
    assert (told.fields["user_call"]["state"], told.author) == ("rejected", callee)
    assert told.fields["user"]["user_id"] == callee
