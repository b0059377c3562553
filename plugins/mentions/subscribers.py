"""When texts are looked at."""

from __future__ import annotations

from atrio.kernel.context import Context
from atrio.kernel.events import Phase, Stage, Subscription
from atrio.plugins.core_content.events import ContentCreated, ContentEvent, ContentModified

from . import services
from .errors import ERRORS

TYPES = frozenset({"comment", "html-document", "thread", "logbook"})
"""Types whose texts mention people."""


def is_new_text(event: ContentCreated) -> bool:
    """Tell whether a new content is of a type whose text mentions people."""
    return event.content_type in TYPES


def is_edited_text(event: ContentModified) -> bool:
    """Tell whether such a text was edited; other changes leave it as it was."""
    return event.content_type in TYPES and event.change == "edition"


def look(ctx: Context, event: ContentEvent) -> None:
    """Look for mentions in a text that is saved, before it is."""
    services.tell_mentions(ctx, event.content_id, event.space_id, event.revision_id)


SUBSCRIPTIONS = (
    Subscription(
        ContentCreated, look, Phase.BEFORE_COMMIT, Stage.VALIDATE, vetoes=ERRORS, when=is_new_text
    ),
    Subscription(
        ContentModified, look, Phase.BEFORE_COMMIT, Stage.VALIDATE, vetoes=ERRORS, when=is_edited_text
    ),
)  # fmt: skip
