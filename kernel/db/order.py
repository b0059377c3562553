"""Texts that sort, and are measured, alike on every engine."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, String
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
