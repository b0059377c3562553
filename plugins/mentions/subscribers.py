"""When texts are looked at."""

from __future__ import annotations

from atrio.kernel.context import Context
from atrio.kernel.events import Phase, Stage, Subscription
from atrio.plugins.core_content.events import ContentCreated, ContentEvent, ContentModified

from . import services
from .errors import ERRORS

TYPES = frozenset({"comment", "html-document", "thread", "logbook"})
"""Types whose texts mention people."""


def look_at_creation(ctx: Context, event: ContentCreated) -> None:
    """Look for mentions in the text of a new content."""
    _look(ctx, event)


def look_at_change(ctx: Context, event: ContentModified) -> None:
    """Look for new mentions in a text that was edited; other changes leave the text as it was."""
    if event.change == "edition":
        _look(ctx, event)


def _look(ctx: Context, event: ContentEvent) -> None:
    if event.content_type in TYPES:
        services.tell_mentions(ctx, event.content_id, event.space_id, event.revision_id)


SUBSCRIPTIONS = (
    Subscription(ContentCreated, look_at_creation, Phase.BEFORE_COMMIT, Stage.VALIDATE, vetoes=ERRORS),
    Subscription(ContentModified, look_at_change, Phase.BEFORE_COMMIT, Stage.VALIDATE, vetoes=ERRORS),
)
