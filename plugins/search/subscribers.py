"""When the texts that are looked through change: with the unit that changes what they are made of."""

from __future__ import annotations

from atrio.kernel.context import Context
from atrio.kernel.events import Event, Phase, Stage, Subscription
from atrio.plugins.accounts.events import UserAnonymized, UserCreated, UserModified
from atrio.plugins.core_content.events import (
    ContentCopied,
    ContentEvent,
    ContentModified,
    ContentPurged,
    ContentTrashed,
)
from atrio.plugins.spaces.events import SpaceCreated, SpaceModified

from . import services
from .choice import outside
from .engines.conditions import PARTS

SAME_TEXT = frozenset(
    {"status-update", "archiving", "deletion", "mark-as-template", "unmark-as-template"}
)  # fmt: skip
"""Revisions that say what the one before them said."""
OF_PEOPLE = frozenset({"public_name", "username", "custom_properties"})
OF_PLACES = frozenset({"label", "description"})


def follow_content(ctx: Context, event: ContentEvent) -> None:
    """Write the texts of a content that was made or changed; its comments, to-dos and copies come by job."""
    if isinstance(event, ContentPurged):
        if outside(ctx.kernel):
            services.mark(ctx, "content", event.content_ids)
        return
    if event.content_type in PARTS:
        if event.parent_id is not None:
            services.mark(ctx, "content", (event.parent_id,))
        return
    if _says_more(event):
        services.project_own(ctx, event)
    if isinstance(event, ContentCopied) or outside(ctx.kernel):
        services.mark_below(ctx, event.content_id)


def _says_more(event: ContentEvent) -> bool:
    if isinstance(event, ContentTrashed):
        return False
    return not (isinstance(event, ContentModified) and event.change in SAME_TEXT)


def says_so(event: Event) -> bool:
    """Tell whether an event of another plugin says that texts it adds have changed."""
    return bool(getattr(type(event), "searched", False))


def follow_added(ctx: Context, event: Event) -> None:
    """Write again what another plugin adds to the texts of contents."""
    one = getattr(event, "content_id", None)
    services.project_added(ctx, tuple(getattr(event, "content_ids", ())) or (() if one is None else (one,)))


def follow_person(ctx: Context, event: UserAnonymized | UserCreated | UserModified) -> None:
    """Write the words of an account."""
    services.project_people(ctx, (event.user_id,))
    if outside(ctx.kernel):
        services.mark(ctx, "user", (event.user_id,))


def follow_place(ctx: Context, event: SpaceCreated | SpaceModified) -> None:
    """Write the words of a space."""
    services.project_places(ctx, (event.space_id,))
    if outside(ctx.kernel):
        services.mark(ctx, "space", (event.space_id,))


def renames_person(event: UserModified) -> bool:
    """Tell whether words of an account changed."""
    return bool(OF_PEOPLE.intersection(event.fields))


def renames_place(event: SpaceModified) -> bool:
    """Tell whether words of a space changed."""
    return bool(OF_PLACES.intersection(event.fields))


PROJECT = (Phase.BEFORE_COMMIT, Stage.PROJECT)
SUBSCRIPTIONS = (
    Subscription(ContentEvent, follow_content, *PROJECT),
    Subscription(Event, follow_added, *PROJECT, when=says_so),
    Subscription(UserCreated, follow_person, *PROJECT),
    Subscription(UserAnonymized, follow_person, *PROJECT),
    Subscription(UserModified, follow_person, *PROJECT, when=renames_person),
    Subscription(SpaceCreated, follow_place, *PROJECT),
    Subscription(SpaceModified, follow_place, *PROJECT, when=renames_place),
)
