"""What is told of upload links by mail: each invited address gets its link, the members learn what came.

Links are secrets: they are read when a mail is sent, and stand in no job.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from atrio.kernel.config import base_url
from atrio.kernel.context import Context
from atrio.plugins.accounts.api import get_user
from atrio.plugins.core_content.api import digest_statement
from atrio.plugins.spaces.api import space_view

from . import queries
from .events import GuestUploaded, UploadLinksCreated
from .views import page_url

TEMPLATES = Path(__file__).parent / "templates"
TO_RECEIVER, TO_EMITTER, UPLOADED = "upload_receiver", "upload_emitter", "guest_upload"
NAMES = 50


def invitations(ctx: Context, event: UploadLinksCreated) -> list[Mapping[str, Any]]:
    """Write to each address once, and to who made the links if he has an address."""
    rows = queries.OF_GROUP.all(ctx, space_id=event.space_id, group_uuid=event.group_uuid)
    lang = get_user(ctx, event.user_id).lang
    details = {"group": event.group_uuid, "space_id": event.space_id}
    found: dict[str, Mapping[str, Any]] = {}
    for row in rows:
        name, address = split_address(row.email)
        link_id = row.upload_permission_id
        found.setdefault(
            address,
            {
                "kind": TO_RECEIVER, "ref": str(link_id), "address": address, "name": name, "lang": lang,
                "details": {**details, "link_id": link_id},
            },
        )  # fmt: skip
    emitter = {"kind": TO_EMITTER, "ref": event.group_uuid, "user_id": event.user_id, "details": details}
    return [*found.values(), emitter]


def split_address(text: str) -> tuple[str, str]:
    """Return name and address of an invited one as it is kept."""
    name, _, address = text.rpartition(" <")
    return (name, address[:-1]) if name else ("", text)


def uploaded(ctx: Context, event: GuestUploaded) -> list[Mapping[str, Any]]:
    """Tell the members of the space, as they chose there, of all files of an upload at once."""
    folder = digest_statement(ctx).first(ctx, content_id=event.folder_id)
    if folder is None:
        return []
    details = {
        "guest": event.guest, "folder_id": event.folder_id, "space_id": event.space_id,
        "content_ids": event.content_ids,
    }  # fmt: skip
    return [
        {
            "kind": UPLOADED, "ref": f"{event.folder_id}.{event.content_ids[0]}", "space_id": event.space_id,
            "content_id": event.folder_id, "revision_id": folder.current_revision_id, "details": details,
        }
    ]  # fmt: skip


def receiver_facts(ctx: Context, details: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return what an invited one is told; None when the link has ended meanwhile."""
    rows = queries.OF_GROUP.all(ctx, space_id=details["space_id"], group_uuid=details["group"])
    row = next((r for r in rows if r.upload_permission_id == details["link_id"]), None)
    space = space_view(ctx, details["space_id"])
    if row is None or row.disabled is not None or space is None or space.is_deleted:
        return None
    values = {
        "author": row.author__public_name, "space": space.label, "url": page_url(ctx, row.token),
        "has_password": bool(row.has_password),
    }  # fmt: skip
    return {"values": values, "author_id": row.author_id, "author_name": row.author__public_name}


def emitter_facts(ctx: Context, details: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return what who made links is told; None when all have ended meanwhile."""
    rows = queries.OF_GROUP.all(ctx, space_id=details["space_id"], group_uuid=details["group"])
    rows = [row for row in rows if row.disabled is None]
    space = space_view(ctx, details["space_id"])
    if not rows or space is None or space.is_deleted:
        return None
    values = {
        "space": space.label, "count": len(rows), "has_password": bool(rows[0].has_password),
        "receivers": [{"address": row.email, "url": page_url(ctx, row.token)} for row in rows],
    }  # fmt: skip
    return {"values": values}


def upload_facts(ctx: Context, details: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return what members are told of an upload; None when nothing of it is left."""
    space_id, folder_id = details["space_id"], details["folder_id"]
    space = space_view(ctx, space_id)
    statement = digest_statement(ctx)
    files = [statement.first(ctx, content_id=content_id) for content_id in details["content_ids"][:NAMES]]
    names = [f.filename for f in files if f is not None and not f.is_deleted and f.workspace_id == space_id]
    if not names or space is None or space.is_deleted:
        return None
    values = {
        "guest": details["guest"], "count": len(names), "files": names, "space": space.label,
        "url": f"{base_url(ctx.config)}/ui/contents/{folder_id}",
    }  # fmt: skip
    return {"values": values, "space_id": space_id, "space_label": space.label, "author_name": details["guest"]}


NOTICES = (
    {"event": UploadLinksCreated, "notices": invitations},
    {"event": GuestUploaded, "notices": uploaded},
)
FACTS = {TO_RECEIVER: receiver_facts, TO_EMITTER: emitter_facts, UPLOADED: upload_facts}
