"""Mails to send, mails that came, the key of the tags.

Revision: m001, the first
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from atrio.kernel.db.base import Id, LongText, Timestamp, exact

revision = "m001"
down_revision = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "mail_key",
        sa.Column("key_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("secret", exact(64), nullable=False),
        sa.PrimaryKeyConstraint("key_id", name=op.f("pk_mail_key")),
        if_not_exists=True,
    )
    op.create_table(
        "mail_outgoing",
        sa.Column("mail_id", Id, autoincrement=True, nullable=False),
        sa.Column("receiver", Id, nullable=False),
        sa.Column("user_id", Id, nullable=True),
        sa.Column("kind", exact(32), nullable=False),
        sa.Column("ref", exact(100), nullable=False),
        sa.Column("mode", exact(16), nullable=False),
        sa.Column("state", exact(16), nullable=False),
        sa.Column("mentioned", sa.SmallInteger, nullable=False),
        sa.Column("space_id", Id, nullable=True),
        sa.Column("content_id", Id, nullable=True),
        sa.Column("revision_id", Id, nullable=True),
        sa.Column("author_id", Id, nullable=True),
        sa.Column("details", LongText, nullable=False),
        sa.Column("digest", exact(40), nullable=True),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("available", Timestamp, nullable=False),
        sa.Column("claim", exact(300), nullable=True),
        sa.Column("until", Timestamp, nullable=True),
        sa.Column("created", Timestamp, nullable=False),
        sa.Column("finished", Timestamp, nullable=True),
        sa.Column("error", LongText, nullable=True),
        sa.PrimaryKeyConstraint("mail_id", name=op.f("pk_mail_outgoing")),
        sa.UniqueConstraint("receiver", "kind", "ref", name=op.f("uq_mail_outgoing_receiver")),
        sa.ForeignKeyConstraint(
            ["user_id"], ["accounts_user.user_id"], name=op.f("fk_mail_outgoing_user_id"), ondelete="CASCADE"
        ),
        sqlite_autoincrement=True, if_not_exists=True,
    )  # fmt: skip
    op.create_index("ix_mail_outgoing_state", "mail_outgoing", ["state", "available"], if_not_exists=True)
    op.create_index("ix_mail_outgoing_digest", "mail_outgoing", ["digest", "receiver"], if_not_exists=True)
    for column in ("user_id", "finished"):
        op.create_index(f"ix_mail_outgoing_{column}", "mail_outgoing", [column], if_not_exists=True)
    op.create_table(
        "mail_incoming",
        sa.Column("key", exact(64), nullable=False),
        sa.Column("state", exact(16), nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("user_id", Id, nullable=True),
        sa.Column("content_id", Id, nullable=True),
        sa.Column("reason", LongText, nullable=True),
        sa.Column("created", Timestamp, nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_mail_incoming")),
        if_not_exists=True,
    )
    op.create_index("ix_mail_incoming_created", "mail_incoming", ["created"], if_not_exists=True)
    op.create_index("ix_mail_incoming_user_id", "mail_incoming", ["user_id", "created"], if_not_exists=True)
    op.create_table(
        "mail_open_space",
        sa.Column("space_id", Id, autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("space_id", name=op.f("pk_mail_open_space")),
        sa.ForeignKeyConstraint(
            ["space_id"], ["spaces_space.space_id"], name=op.f("fk_mail_open_space_space_id"), ondelete="CASCADE"
        ),
        if_not_exists=True,
    )


def downgrade() -> None:
    """Undo."""
    for name in ("mail_open_space", "mail_incoming", "mail_outgoing", "mail_key"):
        op.drop_table(name, if_exists=True)
