"""When presence acts on what happens elsewhere."""

from __future__ import annotations

from atrio.kernel.context import Context
from atrio.kernel.events import Phase, Subscription
from atrio.plugins.accounts.events import UserPurged

from . import services


def forget_user(ctx: Context, event: UserPurged) -> None:
    """Delete the rows of an account that is gone."""
    services.forget_user(ctx, event.user_id)


SUBSCRIPTIONS = (Subscription(UserPurged, forget_user, Phase.BEFORE_COMMIT),)
