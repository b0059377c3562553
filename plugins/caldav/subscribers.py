"""What caldav does when others tell something."""

from __future__ import annotations

from atrio.kernel.context import Context
from atrio.kernel.events import Phase, Subscription
from atrio.plugins.accounts.events import UserAnonymized

from . import services


def forget_person(ctx: Context, event: UserAnonymized) -> None:
    """Delete the calendars and address books of a person who was taken out of his account."""
    services.delete_all_of(ctx, event.user_id)


SUBSCRIPTIONS = (Subscription(UserAnonymized, forget_person, Phase.BEFORE_COMMIT),)
