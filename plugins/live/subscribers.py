"""When live acts: at the end of each unit that tells something, and after its commit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from atrio.kernel.context import Context
from atrio.kernel.events import Event, Phase, Stage, Subscription
from atrio.plugins.accounts.events import SessionsEnded, UserModified, UserPurged

from . import services
from .hub import hub_of

if TYPE_CHECKING:
    from atrio.kernel.host import Kernel


def publish(ctx: Context, events: list[Event]) -> None:
    """Tell the unit."""
    services.publish(ctx, events)


def forget_user(ctx: Context, event: UserPurged) -> None:
    """Empty the inbox of an account that is gone."""
    services.forget_user(ctx, event.user_id)


def wake(kernel: Kernel, event: Event) -> None:
    """Let the streams look at the log."""
    hub_of(kernel).committed()


def end_streams(ctx: Context, event: Any) -> list[dict[str, Any]]:
    """End the streams of who was signed out; of who has another profile, since it decides whose he may read."""
    if isinstance(event, UserModified) and "profile" not in event.fields:
        return []
    return [{"ends_streams_of": event.user_id}]


SUBSCRIPTIONS = (
    Subscription(Event, publish, Phase.BEFORE_COMMIT, Stage.PUBLISH),
    Subscription(UserPurged, forget_user, Phase.BEFORE_COMMIT, Stage.PROJECT),
    Subscription(Event, wake, Phase.AFTER_COMMIT),
)
LIVE_EVENTS = (
    {"event": SessionsEnded, "types": (), "messages": end_streams},
    {"event": UserModified, "types": (), "messages": end_streams},
)
