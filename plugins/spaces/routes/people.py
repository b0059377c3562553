"""The route with which people are found."""

from __future__ import annotations

from typing import Any

from atrio.kernel.context import Context
from atrio.kernel.http.route import Answer, Call, Route
from atrio.plugins.accounts.api import CANDIDATE, OWN_OR_ADMINISTRATOR

from .. import schemas
from ..errors import IncludeAndExclude, NeedleTooShort
from ..people import find_people


def known_members(ctx: Context, call: Call) -> Any:
    """Return the people whom a user may find."""
    return find_people(ctx, int(call.path["user_id"]), call.query)


ROUTES = (
    Route(
        "GET", "/api/users/{user_id:int}/known_members", known_members, (OWN_OR_ADMINISTRATOR, CANDIDATE),
        Answer(schemas.known_member, "list"), query=schemas.KnownMemberFilterSchema,
        errors=(NeedleTooShort, IncludeAndExclude), summary="People a user may find", group="Users",
    ),
)  # fmt: skip
