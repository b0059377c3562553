"""What messages carry, as the sheet of events lists it: names of keys, nothing else (spec: events, §2)."""

from __future__ import annotations

from typing import Any

USER = frozenset({"user_id", "has_avatar", "has_cover", "public_name", "username", "is_active"})
BRIEF_SPACE = frozenset({
    "workspace_id", "slug", "label", "access_type", "default_user_role", "created", "owner", "sidebar_entries",
    "is_deleted", "agenda_enabled", "public_upload_enabled", "public_download_enabled", "parent_id",
    "publication_enabled", "number_of_members",
})  # fmt: skip
SPACE = BRIEF_SPACE | {"description"}
DIGEST = frozenset({
    "content_id", "workspace_id", "parent_id", "label", "slug", "filename", "file_extension", "content_type",
    "content_namespace", "status", "is_archived", "is_deleted", "is_template", "is_editable", "show_in_ui",
    "sub_content_types", "current_revision_id", "current_revision_type", "created", "modified", "author",
    "last_modifier", "actives_shares", "assignee_id",
})  # fmt: skip
NOTE = DIGEST | {"description", "version_number"}
BOARD = NOTE | {"raw_content"}
FILE = BOARD | {"mimetype", "size"}
COMMENT = frozenset({
    "content_id", "content_type", "parent_id", "parent_label", "parent_content_type", "parent_content_namespace",
    "description", "author", "last_modifier", "created", "modified",
})  # fmt: skip
TODO = frozenset({
    "content_id", "parent", "raw_content", "author", "assignee", "created", "status", "workspace",
})  # fmt: skip
CONTENT = {
    "html-document": NOTE, "thread": NOTE, "folder": NOTE, "file": FILE, "kanban": BOARD, "logbook": BOARD,
    "comment": COMMENT, "todo": TODO,
}  # fmt: skip
MEMBER = frozenset({"role", "email_notification_type"})
SUBSCRIPTION = frozenset({"state", "created_date", "author", "evaluation_date", "evaluator", "workspace"})
MENTION = frozenset({"type", "recipient", "content_id"})
REACTION = frozenset({"reaction_id", "content_id", "author", "value", "created"})
TAG = frozenset({"tag_id", "tag_name", "workspace_id"})
CALL = frozenset({"call_id", "caller", "callee", "state", "created", "modified", "url"})

FIELDS: dict[str, dict[str, Any]] = {
    "user": {"user": USER},
    "workspace": {"workspace": SPACE},
    "workspace_member": {"workspace": BRIEF_SPACE, "user": USER, "member": MEMBER},
    "workspace_subscription": {"workspace": BRIEF_SPACE, "user": USER, "subscription": SUBSCRIPTION},
    "content": {"content": None, "workspace": BRIEF_SPACE},
    "mention": {"mention": MENTION, "content": None, "workspace": SPACE},
    "reaction": {"reaction": REACTION, "content": None, "workspace": BRIEF_SPACE, "user": USER},
    "tag": {"tag": TAG, "workspace": BRIEF_SPACE},
    "content_tag": {"tag": TAG, "content": None, "workspace": BRIEF_SPACE},
    "user_call": {"user_call": CALL, "user": USER},
    "user_config": {"user_config": frozenset({"parameters"}), "user": USER},
}
"""The objects of each entity beside author and client token; a content has the keys of its type."""
PEOPLE = ("author", "last_modifier", "owner", "user", "caller", "callee")


def check(event_type: str, fields: dict[str, Any]) -> None:
    """Assert that the fields of a message are exactly those of the sheet, down to every person in them."""
    expected = FIELDS[event_type.split(".")[0]]
    assert set(fields) == {"author", "client_token", *expected}, event_type
    for name, keys in expected.items():
        found = fields[name]
        wanted = CONTENT[_kind(found)] if keys is None else keys
        assert set(found) == wanted, (event_type, name, set(found) ^ wanted)
    assert fields["author"] is None or set(fields["author"]) == USER
    assert fields["client_token"] is None or isinstance(fields["client_token"], str)
    _people(fields, event_type)


def _kind(content: dict[str, Any]) -> str:
    return str(content["content_type"]) if "content_type" in content else "todo"


def _people(value: Any, where: str) -> None:
    """Look at every person, wherever he stands, and for addresses, which nobody may learn from a message."""
    if isinstance(value, dict):
        for key, inner in value.items():
            assert key not in ("email", "email_address", "password"), (where, key)
            if key in PEOPLE and isinstance(inner, dict):
                assert set(inner) == USER, (where, key)
            _people(inner, f"{where}.{key}")
    elif isinstance(value, list):
        for inner in value:
            _people(inner, where)
    elif isinstance(value, str):
        assert "@example.org" not in value, where
        assert "@admin.admin" not in value, where
