"""Which constraint an IntegrityError is about: engines say it differently."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.exc import IntegrityError


def violates(error: IntegrityError, name: str, columns: Sequence[str]) -> bool:
    """Tell whether the unique constraint of this name, over these columns, was violated.

    PostgreSQL and MariaDB name the constraint; SQLite lists `table.column` of its columns.
    """
    text = str(error.orig)
    return name in text or all(f".{column}" in text for column in columns)
