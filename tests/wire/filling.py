"""Rows of everything that lists show, written the quick way around one stage."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import func, insert, select, update

from atrio.kernel.context import Context
from atrio.kernel.db.base import Base

USER = {
    "profile": 1, "auth_type": "internal", "timezone": "", "allowed_space": 0, "is_active": 1, "is_deleted": 0,
    "has_cover": 0, "created": 1, "creation_type": "admin", "version": 1,
}  # fmt: skip
SPACE = {
    "description": "", "access_type": "open", "default_role": 1, "created": 1, "is_deleted": 0, "agenda_enabled": 1,
    "public_upload_enabled": 1, "public_download_enabled": 1, "publication_enabled": 1,
}  # fmt: skip
CONTENT = {
    "namespace": "content", "file_extension": "", "status": "open", "sub_content_types": "", "is_template": 1,
    "current_revision_type": "creation", "version_number": 1, "created": 1, "modified": 1,
}  # fmt: skip
REVISION = {
    "version_number": 1, "revision_type": "creation", "created": 1, "file_extension": "", "status": "open",
    "sub_content_types": "", "is_template": 1, "is_archived": 0, "is_deleted": 0, "description": "", "mimetype": "",
}  # fmt: skip


def table(name: str) -> Any:
    """Return a table by its name."""
    return Base.metadata.tables[name]


def write(ctx: Context, name: str, rows: Iterable[dict[str, Any]]) -> None:
    """Write rows in one go."""
    made = list(rows)
    if made:
        ctx.execute(insert(table(name)), made)


def highest(ctx: Context, name: str) -> int:
    """Return the largest id of a table."""
    (key,) = table(name).primary_key
    return int(ctx.execute(select(func.max(key))).scalar() or 0)


def users(ctx: Context, numbers: Iterable[int]) -> list[int]:
    """Write accounts and return their ids."""
    before = highest(ctx, "accounts_user")
    write(ctx, "accounts_user", (
        {**USER, "username": f"user{n}", "email": f"user{n}@example.org", "public_name": f"User {n}"}
        for n in numbers
    ))  # fmt: skip
    key = table("accounts_user").c.user_id
    return list(ctx.execute(select(key).where(key > before).order_by(key)).scalars())


def spaces(ctx: Context, numbers: Iterable[int], owner: int, **values: Any) -> list[int]:
    """Write spaces and return their ids."""
    before = highest(ctx, "spaces_space")
    write(ctx, "spaces_space", (
        {**SPACE, "label": f"many {n}", "slug": f"many-{n}", "owner_id": owner, **values} for n in numbers
    ))  # fmt: skip
    key = table("spaces_space").c.space_id
    return list(ctx.execute(select(key).where(key > before).order_by(key)).scalars())


def members(ctx: Context, pairs: Iterable[tuple[int, int]], role: int = 1) -> None:
    """Make users members: (space, user)."""
    write(ctx, "spaces_member", (
        {"space_id": s, "user_id": u, "role": role, "email_notification_type": "daily", "created": 1}
        for s, u in pairs
    ))  # fmt: skip


def contents(
    ctx: Context, numbers: Iterable[int], space: int, author: int, kind: str = "html-document",
    parent: int | None = None, **values: Any,
) -> list[int]:  # fmt: skip
    """Write contents, comments or to-dos, each with its first revision, and return their ids."""
    before, revised = highest(ctx, "core_content_content"), highest(ctx, "core_content_revision")
    said = kind in ("comment", "todo")
    numbers = list(numbers)
    write(ctx, "core_content_content", (
        {
            **CONTENT, "space_id": space, "parent_id": parent, "parent_key": parent or 0, "type": kind,
            "name_key": None if said else f"{parent}-{kind}-{n}", "label": "" if said else f"A note {n}",
            "sort_key": "" if said else f"a note {n}", "filename": f"{n}", "slug": f"{n}", "author_id": author,
            "last_modifier_id": author, "current_revision_id": revised + i + 1, **values,
        }
        for i, n in enumerate(numbers)
    ))  # fmt: skip
    key = table("core_content_content").c.content_id
    made = list(ctx.execute(select(key).where(key > before).order_by(key)).scalars())
    write(ctx, "core_content_revision", (
        {
            **REVISION, "revision_id": revised + i + 1, "content_id": content, "author_id": author,
            "space_id": space, "parent_id": parent, "label": "" if said else f"A note {n}", "raw_content": "text",
        }
        for i, (n, content) in enumerate(zip(numbers, made, strict=True))
    ))  # fmt: skip
    settle(ctx, "core_content_revision")
    return made


def settle(ctx: Context, name: str) -> None:
    """Let the counter of a table know of ids that were given by hand."""
    if ctx.dialect == "postgresql":
        (key,) = table(name).primary_key
        counter = func.pg_get_serial_sequence(name, key.name)
        ctx.execute(select(func.setval(counter, select(func.max(key)).scalar_subquery())))


def revisions(ctx: Context, numbers: Iterable[int], content: int, space: int, author: int) -> None:
    """Write further revisions of a content, after those it has."""
    write(ctx, "core_content_revision", (
        {
            **REVISION, "content_id": content, "version_number": n + 1000, "revision_type": "edition",
            "author_id": author, "space_id": space, "label": "x", "raw_content": "",
        }
        for n in numbers
    ))  # fmt: skip


def tags(ctx: Context, numbers: Iterable[int], space: int, author: int, on: Iterable[int]) -> None:
    """Write tags of a space, each on one content."""
    before = highest(ctx, "tags_tag")
    write(ctx, "tags_tag", ({"space_id": space, "name": f"many {n}"} for n in numbers))
    key = table("tags_tag").c.tag_id
    made = ctx.execute(select(key).where(key > before)).scalars().all()
    write(ctx, "tags_link", (
        {"content_id": c, "tag_id": t, "author_id": author, "created": 1} for t, c in zip(made, on, strict=True)
    ))  # fmt: skip


def messages(ctx: Context, numbers: Iterable[int], user: int, space: int, content: int) -> None:
    """Write messages about a content into an inbox, each of an event of its own."""
    from atrio.plugins.live.kinds import kind_of

    counter = table("live_counter")
    first = int(ctx.execute(select(counter.c.value)).scalar() or 0) + 1
    ids = [first + i for i, _ in enumerate(numbers)]
    kind = kind_of("content.modified.html-document")
    write(ctx, "live_event", (
        {
            "event_id": i, "event_type": "content.modified.html-document", "kind": kind, "created": 1,
            "author_id": user, "space_id": space, "content_id": content, "parent_id": None, "shared": 1,
            "ends_user_id": None, "fields": '{"author":null}',
        }
        for i in ids
    ))  # fmt: skip
    write(ctx, "live_message", (
        {"user_id": user, "event_id": i, "kind": kind, "space_id": space, "sent": 1, "read_at": None} for i in ids
    ))  # fmt: skip
    ctx.execute(update(counter).values(value=ids[-1]))


def everything(ctx: Context, stage: Any, numbers: range) -> None:
    """Write as many rows as there are numbers for every list, as the stage's reader and members see them."""
    space, reader, author = stage.space, stage.reader.user_id, stage.author.user_id
    values = stage.values
    people = users(ctx, numbers)
    members(ctx, ((space, u) for u in people))
    mine = spaces(ctx, numbers, people[0])
    members(ctx, ((s, reader) for s in mine))
    members(ctx, zip(mine, people, strict=True), role=8)
    for_all = spaces(ctx, numbers, people[0])
    asked = spaces(ctx, numbers, people[0], access_type="on_request")
    members(ctx, ((s, people[0]) for s in (*for_all, *asked)), role=8)
    outside = users(ctx, (n + 100_000 for n in numbers))
    write(ctx, "spaces_subscription", (
        {"space_id": s, "user_id": u, "state": "pending", "created": 1}
        for s, u in (*((a, reader) for a in asked), *((space, o) for o in outside))
    ))  # fmt: skip
    pairs = ((reader, u) for u in people), ((u, reader) for u in people)
    write(ctx, "accounts_follow", ({"follower_id": a, "leader_id": b} for group in pairs for a, b in group))
    room = ({"caller_id": a, "callee_id": b} for group in (
        ((reader, u) for u in people), ((u, reader) for u in people)
    ) for a, b in group)  # fmt: skip
    write(ctx, "calls_call", (
        {**pair, "state": "rejected", "room": f"r{i}", "created": 1, "updated": 1} for i, pair in enumerate(room)
    ))  # fmt: skip
    made = contents(ctx, numbers, space, author)
    contents(ctx, numbers, space, author, "comment", values["note"])
    contents(ctx, numbers, space, author, "todo", values["note"], assignee_id=reader)
    write(ctx, "favorites_favorite", (
        {"user_id": reader, "content_id": c, "original_label": "x", "original_type": "html-document", "created": 1}
        for c in made
    ))  # fmt: skip
    for kind in ("html-document", "thread", "folder", "file"):
        revisions(ctx, numbers, values[kind], space, author)
    tags(ctx, numbers, space, author, [values["note"]] * len(numbers))
    write(ctx, "reactions_reaction", (
        {"content_id": values["note"], "user_id": u, "value": "x", "created": 1} for u in people
    ))  # fmt: skip
    link = {"author_id": author, "group_uuid": "g", "email": "a@b.org", "created": 1}
    write(ctx, "share_share", (
        {**link, "content_id": values["file"], "token": f"share-{n}"} for n in numbers
    ))  # fmt: skip
    write(ctx, "upload_links_link", ({**link, "space_id": space, "token": f"upload-{n}"} for n in numbers))
    messages(ctx, numbers, reader, space, values["note"])
