"""Tables of mail: what is to be sent and what came."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, Integer, SmallInteger, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from atrio.kernel.db.base import Base, Id, LongText, Timestamp, exact


class SigningKey(Base):
    """The key that signs tags where the config names none: one row, made on first use."""

    __tablename__ = "mail_key"

    key_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    secret: Mapped[str] = mapped_column(exact(64))


class Outgoing(Base):
    """One mail to one receiver about one thing, or a line of a digest that is to come.

    `receiver` is the user's id, 0 for an address alone; with `kind` and `ref` it is unique, so nothing is told
    twice. States: `pending` → `sending` (leased until `until`) → `sent` | `dead` | `skipped`; `digest` waits for
    the digest of its `mode` and becomes `digested`, `digest` being the `ref` of that mail.
    """

    __tablename__ = "mail_outgoing"
    __table_args__ = (
        UniqueConstraint("receiver", "kind", "ref", name="uq_mail_outgoing_receiver"),
        Index("ix_mail_outgoing_state", "state", "available"),
        Index("ix_mail_outgoing_user_id", "user_id"),
        Index("ix_mail_outgoing_digest", "digest", "receiver"),
        Index("ix_mail_outgoing_finished", "finished"),
        {"sqlite_autoincrement": True},
    )

    mail_id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    receiver: Mapped[int] = mapped_column(Id)
    user_id: Mapped[int | None] = mapped_column(Id, ForeignKey("accounts_user.user_id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(exact(32))
    ref: Mapped[str] = mapped_column(exact(100))
    mode: Mapped[str] = mapped_column(exact(16))
    state: Mapped[str] = mapped_column(exact(16))
    mentioned: Mapped[int] = mapped_column(SmallInteger)
    space_id: Mapped[int | None] = mapped_column(Id)
    content_id: Mapped[int | None] = mapped_column(Id)
    revision_id: Mapped[int | None] = mapped_column(Id)
    author_id: Mapped[int | None] = mapped_column(Id)
    details: Mapped[str] = mapped_column(LongText)
    digest: Mapped[str | None] = mapped_column(exact(40))
    attempt: Mapped[int] = mapped_column(Integer)
    available: Mapped[int] = mapped_column(Timestamp)
    claim: Mapped[str | None] = mapped_column(exact(300))
    until: Mapped[int | None] = mapped_column(Timestamp)
    created: Mapped[int] = mapped_column(Timestamp)
    finished: Mapped[int | None] = mapped_column(Timestamp)
    error: Mapped[str | None] = mapped_column(LongText)


class Incoming(Base):
    """A mail that came, by the hash of what makes it one: so it is taken once, however often it is read.

    States: `trying` (with the number of attempts), `taken`, `refused`, `ignored`, `failed`.
    """

    __tablename__ = "mail_incoming"
    __table_args__ = (
        Index("ix_mail_incoming_created", "created"),
        Index("ix_mail_incoming_user_id", "user_id", "created"),
    )

    key: Mapped[str] = mapped_column(exact(64), primary_key=True)
    state: Mapped[str] = mapped_column(exact(16))
    attempt: Mapped[int] = mapped_column(Integer)
    user_id: Mapped[int | None] = mapped_column(Id)
    content_id: Mapped[int | None] = mapped_column(Id)
    reason: Mapped[str | None] = mapped_column(LongText)
    created: Mapped[int] = mapped_column(Timestamp)


class OpenSpace(Base):
    """A space that takes new threads by mail."""

    __tablename__ = "mail_open_space"

    space_id: Mapped[int] = mapped_column(
        Id, ForeignKey("spaces_space.space_id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )


OUTGOING = Base.metadata.tables["mail_outgoing"]
INCOMING = Base.metadata.tables["mail_incoming"]
KEY = Base.metadata.tables["mail_key"]
OPEN_SPACE = Base.metadata.tables["mail_open_space"]
