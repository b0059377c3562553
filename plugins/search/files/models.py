"""Tables of the texts in files: what came of reading some bytes, and whose text a content has."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from atrio.kernel.db.base import Base, Id, Timestamp, exact

DETAIL = 250


class SearchExtract(Base):
    """What came of reading some bytes, so that equal bytes are read once and bad ones not again and again.

    `version` names the extractors and limits: a failure is tried again when they are others.
    """

    __tablename__ = "search_extract"

    bytes_digest: Mapped[str] = mapped_column(exact(64), primary_key=True)
    version: Mapped[str] = mapped_column(exact(64))
    outcome: Mapped[str] = mapped_column(exact(16))
    truncated: Mapped[int] = mapped_column(Integer)
    length: Mapped[int] = mapped_column(Integer)
    detail: Mapped[str] = mapped_column(String(DETAIL))
    made: Mapped[int] = mapped_column(Timestamp)


class SearchFile(Base):
    """Of which bytes `search_text.file` is; it goes with the text."""

    __tablename__ = "search_file"
    __table_args__ = (Index("ix_search_file_digest", "bytes_digest"),)

    content_id: Mapped[int] = mapped_column(
        Id, ForeignKey("search_text.content_id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    bytes_digest: Mapped[str] = mapped_column(exact(64))


EXTRACT = Base.metadata.tables["search_extract"]
FILE = Base.metadata.tables["search_file"]
