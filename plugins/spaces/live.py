"""What live messages tell of accounts, spaces, members and requests (spec: events, §2–3).

Accounts are told here, since only spaces know who shares one with whom.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from atrio.kernel.context import Context
from atrio.plugins.accounts.api import user_digest, user_parameters
from atrio.plugins.accounts.events import (
    UserConfigModified,
    UserCreated,
    UserModified,
    UserRestored,
    UserTrashed,
)

from . import audiences, queries, schemas
from .api import told_space
from .events import (
    MemberAdded,
    MemberModified,
    MemberRemoved,
    SpaceCreated,
    SpaceModified,
    SpacePurged,
    SpaceRestored,
    SpaceTrashed,
    SubscriptionModified,
    SubscriptionRequested,
)
from .permissions import LEVELS, ROLES

Messages = list[Mapping[str, Any]]


def _user(operation: str) -> Any:
    def tell(ctx: Context, event: Any) -> Messages:
        user = user_digest(ctx, event.user_id)
        if user is None:
            return []
        return [
            {
                "event_type": f"user.{operation}", "fields": {"user": user},
                "audience": audiences.acquaintances(event.user_id),
            }
        ]  # fmt: skip

    return tell


def _user_config(ctx: Context, event: UserConfigModified) -> Messages:
    parameters = user_parameters(ctx, event.user_id)
    fields = {"user_config": {"parameters": parameters}, "user": user_digest(ctx, event.user_id)}
    return [
        {"event_type": "user_config.modified", "fields": fields, "audience": audiences.one_user(event.user_id)}
    ]


def _space(operation: str) -> Any:
    def tell(ctx: Context, event: Any) -> Messages:
        space = told_space(ctx, event.space_id, described=True)
        if space is None:
            return []
        return [
            {
                "event_type": f"workspace.{operation}", "fields": {"workspace": space},
                "audience": audiences.space_public(event.space_id), "space_id": event.space_id, "history": True,
            }
        ]  # fmt: skip

    return tell


def _purged(ctx: Context, event: SpacePurged) -> Messages:
    return [{"forgets_space": event.space_id}]


def _member(operation: str) -> Any:
    def tell(ctx: Context, event: Any) -> Messages:
        space = told_space(ctx, event.space_id)
        if space is None:
            return []
        if isinstance(event, MemberAdded | MemberRemoved):
            role, notification = event.role, event.notification
        else:
            settings = queries.SETTINGS.first(ctx, space_id=event.space_id, user_id=event.user_id)
            if settings is None:
                return []
            role, notification = settings.role, settings.email_notification_type
        member = {"role": ROLES[role], "email_notification_type": notification}
        message = {
            "event_type": f"workspace_member.{operation}",
            "fields": {"workspace": space, "user": user_digest(ctx, event.user_id), "member": member},
            "audience": audiences.members_and_administrators(event.space_id, event.user_id),
            "space_id": event.space_id, "history": True,
        }  # fmt: skip
        if operation == "created":
            message["joins"] = event.user_id
        elif operation == "deleted":
            message["leaves"] = event.user_id
        return [message]

    return tell


def _subscription(operation: str) -> Any:
    def tell(ctx: Context, event: Any) -> Messages:
        row = queries.subscription(ctx, event.space_id, event.user_id)
        space = told_space(ctx, event.space_id)
        if row is None or space is None:
            return []
        fields = {
            "workspace": space, "user": user_digest(ctx, event.user_id),
            "subscription": schemas.subscription.build(row),
        }  # fmt: skip
        manager = LEVELS["workspace-manager"]
        return [
            {
                "event_type": f"workspace_subscription.{operation}", "fields": fields,
                "audience": audiences.managers_and_author(event.space_id, event.user_id, manager),
                "space_id": event.space_id,
            }
        ]  # fmt: skip

    return tell


LIVE_EVENTS: tuple[Mapping[str, Any], ...] = (
    {"event": UserCreated, "types": ("user.created",), "messages": _user("created")},
    {"event": UserModified, "types": ("user.modified",), "messages": _user("modified")},
    {"event": UserTrashed, "types": ("user.deleted",), "messages": _user("deleted")},
    {"event": UserRestored, "types": ("user.undeleted",), "messages": _user("undeleted")},
    {"event": UserConfigModified, "types": ("user_config.modified",), "messages": _user_config},
    {"event": SpaceCreated, "types": ("workspace.created",), "messages": _space("created")},
    {"event": SpaceModified, "types": ("workspace.modified",), "messages": _space("modified")},
    {"event": SpaceTrashed, "types": ("workspace.deleted",), "messages": _space("deleted")},
    {"event": SpaceRestored, "types": ("workspace.undeleted",), "messages": _space("undeleted")},
    {"event": SpacePurged, "types": (), "messages": _purged},
    {"event": MemberAdded, "types": ("workspace_member.created",), "messages": _member("created")},
    {"event": MemberModified, "types": ("workspace_member.modified",), "messages": _member("modified")},
    {"event": MemberRemoved, "types": ("workspace_member.deleted",), "messages": _member("deleted")},
    {
        "event": SubscriptionRequested, "types": ("workspace_subscription.created",),
        "messages": _subscription("created"),
    },
    {
        "event": SubscriptionModified, "types": ("workspace_subscription.modified",),
        "messages": _subscription("modified"),
    },
)  # fmt: skip
