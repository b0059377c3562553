"""Orders and lengths of texts that are the same on every engine, and the order from a bookmark on."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, String, and_, bindparam, or_, tuple_
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.expression import ColumnElement
from sqlalchemy.sql.visitors import InternalTraversal


class by_code_point(ColumnElement[str]):  # noqa: N801 - reads like a function in a query
    """A text column as it sorts and compares byte for byte on every engine."""

    inherit_cache = True
    type = String()
    _traverse_internals = [("column", InternalTraversal.dp_clauseelement)]

    def __init__(self, column: Any) -> None:
        self.column = column


@compiles(by_code_point)
def _plain(element: by_code_point, compiler: Any, **kwargs: Any) -> str:
    return str(compiler.process(element.column, **kwargs))


@compiles(by_code_point, "postgresql")
def _postgresql(element: by_code_point, compiler: Any, **kwargs: Any) -> str:
    return f'{compiler.process(element.column, **kwargs)} COLLATE "C"'


@compiles(by_code_point, "mysql", "mariadb")
def _mariadb(element: by_code_point, compiler: Any, **kwargs: Any) -> str:
    return f"{compiler.process(element.column, **kwargs)} COLLATE utf8mb4_bin"


class byte_length(ColumnElement[int]):  # noqa: N801 - reads like a function in a query
    """The number of bytes of a text column in UTF-8; what `length` counts differs between engines."""

    inherit_cache = True
    type = BigInteger()
    _traverse_internals = [("column", InternalTraversal.dp_clauseelement)]

    def __init__(self, column: Any) -> None:
        self.column = column


@compiles(byte_length)
def _octets(element: byte_length, compiler: Any, **kwargs: Any) -> str:
    return f"octet_length({compiler.process(element.column, **kwargs)})"


@compiles(byte_length, "sqlite")
def _blob(element: byte_length, compiler: Any, **kwargs: Any) -> str:
    return f"length(CAST({compiler.process(element.column, **kwargs)} AS BLOB))"


def from_bookmark(dialect: str, column: Any, key: Any, *, descending: bool) -> ColumnElement[bool]:
    """Return the condition of the rows after the bookmark `place_value`, `place_id` in the order (column, key).

    MariaDB walks no index for a comparison of rows: it would read the list from its start, so it gets the long
    form. `dialect` is `ctx.dialect`.
    """
    value: Any = bindparam("place_value")
    row_id: Any = bindparam("place_id")
    if dialect not in ("mysql", "mariadb"):
        place, here = tuple_(column, key), tuple_(value, row_id)
        return place < here if descending else place > here
    if descending:
        return and_(column <= value, or_(column < value, key < row_id))
    return and_(column >= value, or_(column > value, key > row_id))
