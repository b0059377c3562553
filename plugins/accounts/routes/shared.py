"""What the routes of accounts share."""

from __future__ import annotations

from typing import Any

from atrio.kernel.context import Context
from atrio.kernel.http.route import Answer

from .. import queries, schemas
from ..api import CANDIDATE, OWN_OR_ADMINISTRATOR

ONE = Answer(schemas.user, doc="The user.")
U = "/api/users/{user_id:int}"
PERSONAL = (OWN_OR_ADMINISTRATOR, CANDIDATE)
"""The user himself or an administrator; loads the user."""


def load_user(ctx: Context, user_id: int) -> Any:
    """Return the row of a user that was just written."""
    return queries.BY_ID.first(ctx, user_id=user_id)
