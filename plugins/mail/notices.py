"""What mail tells of the events of the plugins it requires, and what others declared (`register_mail_notices`)."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from atrio.kernel.context import Context
from atrio.kernel.host import Kernel
from atrio.plugins.accounts.events import PasswordResetRequested, UserCreated
from atrio.plugins.core_content.events import ContentCreated, ContentEvent, ContentModified
from atrio.plugins.spaces.api import LEVELS
from atrio.plugins.spaces.events import SubscriptionModified, SubscriptionRequested

from .kinds import ACCESS_DECISION, ACCESS_REQUEST, CONTENT, RESET, WELCOME, Declared, Notice

log = logging.getLogger("atrio.mail")
TYPES = frozenset({"html-document", "thread", "file", "comment"})
"""Types whose changes are told; folders, boards, journals and to-dos are not (as clients of the wire expect)."""
CHANGES = frozenset({"edition", "revision", "status-update"})


def _content(ctx: Context, event: ContentEvent) -> list[Notice]:
    """Tell the members of the space of a new content, a new text, new bytes, another status."""
    if event.content_type not in TYPES or ctx.actor.kind == "guest":
        return []  # what a guest does is told by who let him in, once for all of it
    if isinstance(event, ContentModified) and event.change not in CHANGES:
        return []
    return [
        {
            "kind": CONTENT, "ref": str(event.revision_id), "space_id": event.space_id,
            "content_id": event.content_id, "revision_id": event.revision_id,
            "settles": event.content_type == "file",
        }
    ]  # fmt: skip


def _created(ctx: Context, event: UserCreated) -> list[Notice]:
    """Write to the owner of a new account, where its maker wants that."""
    return [{"kind": WELCOME, "ref": "welcome", "user_id": event.user_id}] if event.notify else []


def _reset(ctx: Context, event: PasswordResetRequested) -> list[Notice]:
    """Write to who asked for a new password, once a minute: the ref is the minute."""
    return [{"kind": RESET, "ref": str(ctx.now // 60_000_000), "user_id": event.user_id}]


def _asked(ctx: Context, event: SubscriptionRequested | SubscriptionModified) -> list[Notice]:
    """Tell the managers who wants to come in, and who asked what they decided."""
    state = event.state if isinstance(event, SubscriptionModified) else "pending"
    ref = f"{event.space_id}.{event.user_id}.{ctx.now}"
    details = {"user_id": event.user_id, "state": state, "space_id": event.space_id}
    if state == "pending":
        return [
            {
                "kind": ACCESS_REQUEST, "ref": ref, "space_id": event.space_id, "details": details,
                "least_role": LEVELS["workspace-manager"], "at_once": True,
            }
        ]  # fmt: skip
    return [{"kind": ACCESS_DECISION, "ref": ref, "user_id": event.user_id, "details": details}]


OWN: tuple[Mapping[str, Any], ...] = (
    {"event": ContentCreated, "notices": _content},
    {"event": ContentModified, "notices": _content},
    {"event": UserCreated, "notices": _created},
    {"event": PasswordResetRequested, "notices": _reset},
    {"event": SubscriptionRequested, "notices": _asked},
    {"event": SubscriptionModified, "notices": _asked},
)


def declared(kernel: Kernel) -> Declared:
    """Return who tells which event by mail; read once, a plugin whose hook fails is left out."""
    return kernel.memo("mail.notices", lambda: _collect(kernel))


def _collect(kernel: Kernel) -> Declared:
    found: Declared = {}
    for item in OWN:
        found.setdefault(item["event"], []).append(item["notices"])
    for record in kernel.records:
        if not record.enabled:
            continue
        try:
            for item in kernel.ask(record, "register_mail_notices") or ():
                found.setdefault(item["event"], []).append(item["notices"])
        except Exception:
            log.exception("the mail notices of %s are left out", record.name)
            kernel.note_fault(record)
    return found
