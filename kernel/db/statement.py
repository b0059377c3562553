"""Statements that are built and compiled once and then run on the driver's cursor.

The hot paths of the server run few, fixed statements. Executing them through the full SQLAlchemy machinery
costs several times what SQLite needs to answer; compiling once and handing the text to the driver keeps the
query language of SQLAlchemy and loses nothing: values are still bound, types are still converted.
"""

from __future__ import annotations

import threading
from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import Select
from sqlalchemy.exc import DBAPIError

if TYPE_CHECKING:
    from sqlalchemy import Dialect

    from ..context import Context

Watcher = Callable[[str], None]
watchers: list[Watcher] = []
"""Called with the text of each statement (tests count them)."""


def wrap_driver_error(dialect: Dialect, error: Any, text: str, raw: Any) -> BaseException:
    """Return the SQLAlchemy error of a driver error, so that every door sees one family."""
    gone = dialect.is_disconnect(error, raw, None)
    wrapped: BaseException = DBAPIError.instance(
        text, None, error, dialect.loaded_dbapi.Error, connection_invalidated=gone, dialect=dialect
    )
    return wrapped


class _Compiled:
    def __init__(self, statement: Any, dialect: Dialect) -> None:
        compiled: Any = statement.compile(dialect=dialect)
        self.text = str(compiled)
        self.positions: tuple[str, ...] | None = (
            tuple(compiled.positiontup) if getattr(compiled, "positiontup", None) is not None else None
        )
        self.constants = {k: v for k, v in compiled.params.items() if v is not None}
        self.names = tuple(compiled.params)
        self.converters = [
            (i, convert)
            for i, column in enumerate(statement.selected_columns)
            if (convert := column.type.dialect_impl(dialect).result_processor(dialect, None)) is not None
        ]


def row_type(name: str, keys: Iterable[str]) -> Any:
    """Return a named tuple type whose names are known at run time only."""
    names = tuple(keys)
    return namedtuple(name, names)


class Statement:
    """A fixed SELECT with bind parameters; rows come back as named tuples of its labels.

    Expanding IN parameters are not supported: bind each value.
    """

    def __init__(self, select: Any, name: str = "Row") -> None:
        self.select: Select[*tuple[Any, ...]] = select
        self.name = name
        self._compiled: dict[str, _Compiled] = {}
        self._lock = threading.Lock()

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """The labels of its columns; found when they are asked for, as a start makes many statements."""
        return tuple(str(c.key) for c in self.select.selected_columns)

    @cached_property
    def row(self) -> Any:
        """The type of its rows."""
        return row_type(self.name, self.keys)

    @cached_property
    def _make(self) -> Any:
        return partial(tuple.__new__, self.row)  # what `_make` does, without its frame in each row

    def _for(self, dialect: Dialect) -> _Compiled:
        found = self._compiled.get(dialect.name)
        if found is None:
            with self._lock:
                found = self._compiled.setdefault(dialect.name, _Compiled(self.select, dialect))
        return found

    def _run(self, ctx: Context, params: dict[str, Any]) -> tuple[Any, _Compiled]:
        kept = ctx.kept
        compiled = self._for(kept.connection.dialect)
        values = {**compiled.constants, **params} if compiled.constants else params
        cursor = kept.raw.cursor()
        if watchers:
            for watch in watchers:
                watch(compiled.text)
        try:
            if compiled.positions is not None:
                cursor.execute(compiled.text, [values[name] for name in compiled.positions])
            else:
                cursor.execute(compiled.text, {name: values[name] for name in compiled.names})
        except kept.connection.dialect.loaded_dbapi.Error as error:
            raise wrap_driver_error(kept.connection.dialect, error, compiled.text, kept.raw) from error
        return cursor, compiled

    def all(self, ctx: Context, **params: Any) -> list[Any]:
        """Return every row."""
        cursor, compiled = self._run(ctx, params)
        rows = cursor.fetchall()
        cursor.close()
        make = self._make
        if not compiled.converters:
            return list(map(make, rows))
        converted = []
        for row in rows:
            values = list(row)
            for index, convert in compiled.converters:
                values[index] = convert(values[index])
            converted.append(make(values))
        return converted

    def first(self, ctx: Context, **params: Any) -> Any | None:
        """Return the first row or None."""
        cursor, compiled = self._run(ctx, params)
        row = cursor.fetchone()
        cursor.close()
        if row is None:
            return None
        if compiled.converters:
            row = list(row)
            for index, convert in compiled.converters:
                row[index] = convert(row[index])
        return self._make(row)

    def value(self, ctx: Context, **params: Any) -> Any:
        """Return the first column of the first row or None."""
        row = self.first(ctx, **params)
        return None if row is None else row[0]


class _CompiledWrite:
    def __init__(self, statement: Any, dialect: Dialect, keys: tuple[str, ...]) -> None:
        named = set(keys)
        compiled: Any = statement.compile(dialect=dialect, column_keys=list(keys))
        self.text = str(compiled)
        order = compiled.positiontup
        self.positions: tuple[str, ...] | None = None if order is None else tuple(order)
        self.names = tuple(compiled.binds)
        self.constants = {name: bound.value for name, bound in compiled.binds.items() if name not in named}
        self.converters = [
            (name, convert)
            for name, bound in compiled.binds.items()
            if (convert := bound.type.dialect_impl(dialect).bind_processor(dialect)) is not None
        ]

    def given(self, values: Mapping[str, Any]) -> Any:
        """Return values as the driver takes them."""
        given = {**self.constants, **values} if self.constants else values
        if self.converters:
            given = {**given, **{name: convert(given[name]) for name, convert in self.converters}}
        if self.positions is not None:
            return [given[name] for name in self.positions]
        return {name: given[name] for name in self.names}


class Write:
    """A fixed INSERT, UPDATE or DELETE of single values; all that its columns need is named when it runs.

    Neither defaults of Python nor expanding IN parameters are supported. With `key`, the table's one generated
    key, `insert` returns its value.
    """

    def __init__(self, statement: Any, key: Any = None) -> None:
        self.statement = statement
        self.key = key
        self._compiled: dict[tuple[str, tuple[str, ...]], _CompiledWrite] = {}
        self._lock = threading.Lock()

    def _for(self, dialect: Dialect, keys: tuple[str, ...]) -> _CompiledWrite:
        found = self._compiled.get((dialect.name, keys))
        if found is None:
            statement = self.statement
            if self.key is not None and dialect.name == "postgresql":
                statement = statement.returning(self.key)
            with self._lock:
                made = _CompiledWrite(statement, dialect, keys)
                found = self._compiled.setdefault((dialect.name, keys), made)
        return found

    def run(self, ctx: Context, values: Mapping[str, Any]) -> int:
        """Run it and return how many rows it wrote."""
        cursor = self._execute(ctx, values)
        count = int(cursor.rowcount)
        cursor.close()
        return count

    def run_all(self, ctx: Context, rows: Sequence[Mapping[str, Any]]) -> None:
        """Run it for several rows of the same names: one call of the driver."""
        if len(rows) == 1:
            self._execute(ctx, rows[0]).close()
        elif rows:
            self._execute(ctx, *rows).close()

    def insert(self, ctx: Context, values: Mapping[str, Any]) -> int:
        """Run it and return the key that the database gave the new row."""
        cursor = self._execute(ctx, values)
        made = cursor.fetchone()[0] if ctx.kept.connection.dialect.name == "postgresql" else cursor.lastrowid
        cursor.close()
        return int(made)

    def value(self, ctx: Context, values: Mapping[str, Any]) -> Any:
        """Run it and return the first value of what it returns (RETURNING); None where no row was written."""
        cursor = self._execute(ctx, values)
        row = cursor.fetchone()
        cursor.close()
        return None if row is None else row[0]

    def _execute(self, ctx: Context, values: Mapping[str, Any], *more: Mapping[str, Any]) -> Any:
        ctx.written()
        kept = ctx.kept
        dialect = kept.connection.dialect
        compiled = self._for(dialect, tuple(values))
        for watch in watchers:
            watch(compiled.text)
        cursor = kept.raw.cursor()
        try:
            if more:
                cursor.executemany(compiled.text, [compiled.given(row) for row in (values, *more)])
            else:
                cursor.execute(compiled.text, compiled.given(values))
        except dialect.loaded_dbapi.Error as error:
            raise wrap_driver_error(dialect, error, compiled.text, kept.raw) from error
        return cursor


def run_plain(ctx: Context, text: str) -> None:
    """Run a command without values on the driver's cursor."""
    kept = ctx.kept
    for watch in watchers:
        watch(text)
    cursor = kept.raw.cursor()
    try:
        cursor.execute(text)
    except kept.connection.dialect.loaded_dbapi.Error as error:
        raise wrap_driver_error(kept.connection.dialect, error, text, kept.raw) from error
    finally:
        cursor.close()
