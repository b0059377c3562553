"""Tables of search: what is looked through, folded, and what is waiting to be looked at again.

The indexes over `search_text` (and over nothing else) belong to the engine of the database and are made by
`engines.indexes`; they are derived from these rows and hold nothing of their own.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, Integer
from sqlalchemy.orm import Mapped, mapped_column

from atrio.kernel.db.base import Base, Id, LongText, exact


class SearchText(Base):
    """The folded texts of a content that is found as itself; comments and to-dos are texts of their content.

    `more` holds what other plugins add, `file` what was read in the bytes of a file. `revision_id` is what
    label, description and body were taken from.
    """

    __tablename__ = "search_text"

    content_id: Mapped[int] = mapped_column(
        Id, ForeignKey("core_content_content.content_id", ondelete="CASCADE"), primary_key=True,
        autoincrement=False,
    )  # fmt: skip
    revision_id: Mapped[int] = mapped_column(BigInteger)
    label: Mapped[str] = mapped_column(LongText)
    filename: Mapped[str] = mapped_column(LongText)
    description: Mapped[str] = mapped_column(LongText)
    body: Mapped[str] = mapped_column(LongText)
    tags: Mapped[str] = mapped_column(LongText)
    more: Mapped[str] = mapped_column(LongText)
    comments: Mapped[str] = mapped_column(LongText)
    todos: Mapped[str] = mapped_column(LongText)
    file: Mapped[str] = mapped_column(LongText)


class SearchPerson(Base):
    """The words of an account, each between blanks."""

    __tablename__ = "search_person"

    user_id: Mapped[int] = mapped_column(
        Id, ForeignKey("accounts_user.user_id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    public_name: Mapped[str] = mapped_column(LongText)
    username: Mapped[str] = mapped_column(LongText)
    custom_properties: Mapped[str] = mapped_column(LongText)


class SearchPlace(Base):
    """The words of a space, each between blanks."""

    __tablename__ = "search_place"

    space_id: Mapped[int] = mapped_column(
        Id, ForeignKey("spaces_space.space_id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    label: Mapped[str] = mapped_column(LongText)
    description: Mapped[str] = mapped_column(LongText)


class SearchStale(Base):
    """Something that the index has to be brought in line with; `number` rises with each reason.

    The id of a thing that is gone stays until the index knows: there is no foreign key.
    """

    __tablename__ = "search_stale"

    kind: Mapped[str] = mapped_column(exact(16), primary_key=True)
    item_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(Integer)


class SearchState(Base):
    """How far a long piece of work has come, by name."""

    __tablename__ = "search_state"

    name: Mapped[str] = mapped_column(exact(64), primary_key=True)
    value: Mapped[int] = mapped_column(BigInteger)


TEXT = Base.metadata.tables["search_text"]
PERSON = Base.metadata.tables["search_person"]
PLACE = Base.metadata.tables["search_place"]
STALE = Base.metadata.tables["search_stale"]
STATE = Base.metadata.tables["search_state"]
FIELDS = ("label", "filename", "description", "body", "tags", "more", "comments", "todos", "file")
