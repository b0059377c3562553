"""Who may know whom: the card, the picture and the custom properties of a user."""

from __future__ import annotations

from typing import Any

from atrio.kernel.context import Context
from atrio.kernel.http.guards import ALLOW, Permission, Policy, Ruling, abstain

from .config import AccountsConfig
from .errors import UserNotFound

KNOWS_USER = "accounts.knows-user"
TRUSTED_LEVEL = 2

PERMISSIONS = (Permission(KNOWS_USER, UserNotFound, "See the card and the pictures of a user."),)


def _decide(ctx: Context, user: Any) -> Ruling:
    """Allow oneself, the trusted and, with the filter off, everybody; others may have a space in common."""
    me = ctx.actor.data
    if user is None or me is None:
        return abstain(UserNotFound)
    if me.user_id == user.user_id or me.profile >= TRUSTED_LEVEL:
        return ALLOW
    if me.profile > 0 and not ctx.config[AccountsConfig].known_members_filter:
        return ALLOW
    return abstain(UserNotFound)


POLICIES = (Policy(KNOWS_USER, _decide),)
