"""Table of the search by Elasticsearch: which contents the index has to be told of."""

from __future__ import annotations

from sqlalchemy import BigInteger
from sqlalchemy.orm import Mapped, mapped_column

from atrio.kernel.db.base import Base


class Waiting(Base):
    """A content that changed, or is gone; `number` is another one with each change.

    There is no foreign key: what is gone stays here until the index knows.
    """

    __tablename__ = "search_elastic_waiting"

    content_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(BigInteger)


WAITING = Base.metadata.tables["search_elastic_waiting"]
