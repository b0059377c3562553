"""INSERT that overwrites or leaves the row that is there already: each engine spells it differently."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import FromClause, Select, Table


def upsert(
    dialect: str, table: FromClause, keys: Sequence[str], *, overwrite: Sequence[str] = (),
    source: Select[Any] | None = None, columns: Sequence[str] = (),
) -> Any:  # fmt: skip
    """Return an INSERT into `table` that meets an existing row of the same `keys`.

    The columns of `overwrite` take the new values; with none of them the old row stays. Values are named when
    the statement runs, or come from the SELECT `source` for these `columns`. `dialect` is `ctx.dialect`.
    """
    assert isinstance(table, Table)
    if dialect in ("mysql", "mariadb"):
        from sqlalchemy.dialects.mysql import insert as mysql_insert

        mine: Any = mysql_insert(table)
        if source is not None:
            mine = mine.from_select(list(columns), source)
        changes: Mapping[str, Any] = {name: mine.inserted[name] for name in overwrite}
        return mine.on_duplicate_key_update(changes or {keys[0]: table.c[keys[0]]})
    other: Any
    if dialect == "postgresql":
        from sqlalchemy.dialects.postgresql import insert as postgresql_insert

        other = postgresql_insert(table)
    else:
        from sqlalchemy.dialects.sqlite import insert as sqlite_insert

        other = sqlite_insert(table)
    if source is not None:
        other = other.from_select(list(columns), source)
    if overwrite:
        return other.on_conflict_do_update(
            index_elements=list(keys), set_={name: other.excluded[name] for name in overwrite}
        )
    return other.on_conflict_do_nothing(index_elements=list(keys))
