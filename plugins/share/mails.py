"""What is told of shares by mail: to each invited address its link, to who shared what he did.

Links are secrets: they are read when a mail is sent, and stand in no job.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from atrio.kernel.context import Context
from atrio.plugins.accounts.api import get_user

from . import queries
from .events import ContentShared
from .views import page_url

TEMPLATES = Path(__file__).parent / "templates"
TO_RECEIVER, TO_EMITTER = "share_receiver", "share_emitter"


def notices(ctx: Context, event: ContentShared) -> list[Mapping[str, Any]]:
    """Write to each address once, and to who shared the file if he has an address."""
    rows = queries.OF_GROUP.all(ctx, content_id=event.content_id, group_uuid=event.group_uuid)
    lang = get_user(ctx, event.user_id).lang
    details = {"group": event.group_uuid, "content_id": event.content_id}
    found: dict[str, Mapping[str, Any]] = {}
    for row in rows:
        name, address = split_address(row.email)
        found.setdefault(
            address,
            {
                "kind": TO_RECEIVER, "ref": str(row.share_id), "address": address, "name": name, "lang": lang,
                "details": {**details, "share_id": row.share_id},
            },
        )  # fmt: skip
    emitter = {"kind": TO_EMITTER, "ref": event.group_uuid, "user_id": event.user_id, "details": details}
    return [*found.values(), emitter]


def split_address(text: str) -> tuple[str, str]:
    """Return name and address of an invited one as it is kept."""
    name, _, address = text.rpartition(" <")
    return (name, address[:-1]) if name else ("", text)


def receiver_facts(ctx: Context, details: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return what an invited one is told; None when the share has ended meanwhile."""
    rows = queries.OF_GROUP.all(ctx, content_id=details["content_id"], group_uuid=details["group"])
    row = next((r for r in rows if r.share_id == details["share_id"]), None)
    if row is None or row.disabled is not None:
        return None
    values = {
        "author": row.author__public_name, "filename": row.filename, "url": page_url(ctx, row.share_token),
        "has_password": bool(row.has_password),
    }  # fmt: skip
    return {"values": values, "author_id": row.author_id, "author_name": row.author__public_name}


def emitter_facts(ctx: Context, details: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return what who shared a file is told; None when every share of it has ended meanwhile."""
    rows = queries.OF_GROUP.all(ctx, content_id=details["content_id"], group_uuid=details["group"])
    rows = [row for row in rows if row.disabled is None]
    if not rows:
        return None
    values = {
        "filename": rows[0].filename, "count": len(rows), "has_password": bool(rows[0].has_password),
        "receivers": [{"address": row.email, "url": page_url(ctx, row.share_token)} for row in rows],
    }  # fmt: skip
    return {"values": values}


NOTICES = ({"event": ContentShared, "notices": notices},)
FACTS = {TO_RECEIVER: receiver_facts, TO_EMITTER: emitter_facts}
