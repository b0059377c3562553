"""What is done about the mentions of a text."""

from __future__ import annotations

from atrio.kernel.context import Context
from atrio.plugins.core_content.api import text_of
from atrio.plugins.spaces.api import LEVELS

from . import markup, queries
from .errors import UserNotMemberOfWorkspace
from .events import MentionCreated

EVERYBODY = 0
ROLES = frozenset({EVERYBODY, *LEVELS.values()})


def tell_mentions(ctx: Context, content_id: int, space_id: int, revision_id: int) -> None:
    """Check whom a new revision mentions and emit one event for each who was not mentioned before.

    A mention that stood there already is neither told again nor refused: who has left the space since must not
    make a text impossible to change. A text without mentions costs one statement, one with them two more.
    """
    revision = text_of(ctx, revision_id)
    if revision is None or markup.TAG not in revision.raw_content.lower():
        return
    before: set[markup.Mention] = set()
    if revision.version_number > 1:
        text = queries.text_before(ctx, content_id, revision.version_number)
        before = markup.read_what_is_valid(text, ROLES)
    new = [mention for mention in markup.read(revision.raw_content, ROLES) if mention not in before]
    users = {mention.recipient_id for mention in new if mention.recipient_type == "user"}
    if users and users - queries.members_among(ctx, space_id, users):
        raise UserNotMemberOfWorkspace
    for mention in new:
        ctx.emit(MentionCreated(content_id, space_id, revision_id, *mention))
