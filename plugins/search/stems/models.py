"""The table of stems: derived from the texts, and made anew when languages change."""

from __future__ import annotations

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from atrio.kernel.db.base import Base, exact


class SearchStem(Base):
    """A word that stood in a text, and its stem in one language; a word may have several."""

    __tablename__ = "search_stem"
    __table_args__ = (Index("ix_search_stem_word", "word", "language"),)

    stem: Mapped[str] = mapped_column(exact(64), primary_key=True)
    language: Mapped[str] = mapped_column(exact(16), primary_key=True)
    word: Mapped[str] = mapped_column(exact(64), primary_key=True)


STEM = Base.metadata.tables["search_stem"]
