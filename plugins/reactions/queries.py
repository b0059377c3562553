"""Reads of reactions."""

from __future__ import annotations

from sqlalchemy import bindparam, select

from atrio.kernel.db.statement import Statement
from atrio.plugins.accounts.api import digest_columns

from .models import REACTION

_author, _author_is, _author_columns = digest_columns(REACTION.c.user_id, "author")
_ALL = (
    select(
        REACTION.c.reaction_id, REACTION.c.content_id, REACTION.c.value, REACTION.c.created, *_author_columns
    )
    .join(_author, _author_is)
    .where(REACTION.c.content_id == bindparam("content_id"))
)  # fmt: skip

OF_CONTENT = Statement(_ALL.order_by(REACTION.c.reaction_id), "ReactionRow")
ONE = Statement(_ALL.where(REACTION.c.reaction_id == bindparam("reaction_id")), "ReactionRow")
