"""Who may do what in a space: one permission a role, allowed from the member's level upwards."""

from __future__ import annotations

from typing import Any

from atrio.kernel.context import Context
from atrio.kernel.http.guards import ALLOW, Permission, Policy, Ruling, abstain
from atrio.plugins.accounts.api import KNOWS_USER_PERMISSION

from . import queries
from .errors import InsufficientUserRole

ROLES = {1: "reader", 2: "contributor", 4: "content-manager", 8: "workspace-manager"}
LEVELS = {slug: level for level, slug in ROLES.items()}

PERMISSIONS = tuple(
    Permission(f"spaces.{slug}", InsufficientUserRole, f"Do what a {slug} may do in a space.") for slug in LEVELS
)


def _at_least(level: int) -> Any:
    def decide(ctx: Context, space: Any) -> Ruling:
        return ALLOW if space is not None and (space.my_role or 0) >= level else abstain()

    return decide


def _share_a_space(ctx: Context, user: Any) -> Ruling:
    """Members of a common space know each other."""
    if user is None or ctx.actor.id is None:
        return abstain()
    return ALLOW if queries.share_a_space(ctx, ctx.actor.id, user.user_id) else abstain()


POLICIES = (
    *(Policy(f"spaces.{slug}", _at_least(level)) for slug, level in LEVELS.items()),
    Policy(KNOWS_USER_PERMISSION, _share_a_space),
)
