"""Order by code points, whatever the locale of the database."""

from __future__ import annotations

from typing import Any

from sqlalchemy import String
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.expression import ColumnElement


class by_code_point(ColumnElement[str]):  # noqa: N801 - reads like a function in a query
    """A text column as it sorts and compares byte for byte on every engine."""

    inherit_cache = True
    type = String()
    _traverse_internals = [("column", None)]  # type: ignore[list-item]

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
