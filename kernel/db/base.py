"""Declarative base, naming of constraints, and column types that mean the same on every engine.

Times are integers: microseconds since 1970-01-01 UTC. They sort, compare and index alike on SQLite,
PostgreSQL and MariaDB, need no driver conversion on the hot path, and never carry a zone.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache

from sqlalchemy import BigInteger, Integer, LargeBinary, MetaData, String, Text
from sqlalchemy.orm import DeclarativeBase

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """Base of every model of every plugin; one metadata, tables are told apart by their prefix."""

    metadata = MetaData(naming_convention=NAMING)


Id = BigInteger().with_variant(Integer(), "sqlite")
"""Type of surrogate keys: 64 bits everywhere, an alias of the rowid on SQLite."""

LongText = Text().with_variant(Text(4_294_967_295), "mysql", "mariadb")
"""Text without the 64 KiB limit of MariaDB's TEXT (a length of 4 GiB makes it LONGTEXT there)."""


class _LongBlob(LargeBinary):
    __visit_name__ = "LONGBLOB"


LongBytes = LargeBinary().with_variant(_LongBlob(), "mysql", "mariadb")
"""Bytes without the 64 KiB limit of MariaDB's BLOB."""

Timestamp = BigInteger
"""Microseconds since the epoch, UTC."""


def exact(length: int) -> String:
    """Return a string type that compares byte for byte on every engine (MariaDB folds case by default)."""
    return String(length).with_variant(String(length, collation="utf8mb4_bin"), "mysql", "mariadb")


@lru_cache(maxsize=16384)
def iso_second(seconds: int) -> str:
    """Return the wire form `YYYY-MM-DDTHH:MM:SSZ` of whole seconds since the epoch (spec: contents, §3)."""
    return datetime.fromtimestamp(seconds, UTC).isoformat()[:19] + "Z"


def iso_utc(micros: int) -> str:
    """Return the wire form of a timestamp in microseconds."""
    return iso_second(micros // 1_000_000)


def ordered(length: int) -> String:
    """Return a string type that sorts by code points on every engine, whatever the locale of the database."""
    plain = String(length)
    plain = plain.with_variant(String(length, collation="C"), "postgresql")
    return plain.with_variant(String(length, collation="utf8mb4_bin"), "mysql", "mariadb")
