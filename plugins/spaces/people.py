"""Rules of the search for people: whom a user may find, and how many (spec: users, §6)."""

from __future__ import annotations

from typing import Any

from atrio.kernel.context import Context
from atrio.plugins.accounts.api import ADMINISTRATORS, knows_everybody, profile_of

from . import queries
from .errors import IncludeAndExclude, NeedleTooShort

NEEDLE_LENGTH = 2
FEW = 5


def find_people(ctx: Context, user_id: int, query: dict[str, Any]) -> list[Any]:
    """Return the people whom a user may find, by name; NeedleTooShort, IncludeAndExclude for wrong questions.

    Spaces in which the user is no member say nothing about their members, so they do not count in either
    list of spaces; an administrator sees the members of every space anyway.
    """
    needle, include, exclude = query["acp"], query["include_workspace_ids"], query["exclude_workspace_ids"]
    if include and exclude:
        raise IncludeAndExclude
    own = queries.joined(ctx, user_id, (*include, *exclude)) if include or exclude else set()
    inside_own = bool(include) and own.issuperset(include)
    if needle is not None and len(needle) < NEEDLE_LENGTH and not inside_own:
        raise NeedleTooShort
    readable = {*include, *exclude} if profile_of(ctx) >= ADMINISTRATORS else own
    wanted = queries.Search(
        needle=needle,
        everybody=needle is not None and knows_everybody(ctx),
        of_spaces=[s for s in include if s in readable] if include else None,
        not_of_spaces=[s for s in exclude if s in readable],
        not_users=query["exclude_user_ids"],
        limit=_limit(needle, query["limit"], inside_own=inside_own),
    )
    return queries.known_members(ctx, user_id, wanted)


def _limit(needle: str | None, asked: int | None, *, inside_own: bool) -> int | None:
    if needle is None or (asked is not None and inside_own):
        return asked
    return min(asked or FEW, FEW)
