"""The statements that make and delete the indexes over `search_text`, for each engine of the database.

`{n}` is the name of an index on SQLite: a second one is filled beside the first while that one answers.
"""

from __future__ import annotations

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.elements import TextClause

COLUMNS = ("label", "filename", "description", "body", "tags", "more", "comments", "todos", "file")
"""Of the index, in this order; weights and column filters go by it."""
WEIGHTS = (10.0, 5.0, 3.0, 1.0, 5.0, 1.0, 1.0, 1.0, 1.0)
NAME = "search_words"
NEXT = "search_words_next"
NAMES = "search_names"
NAME_COLUMNS = ("label", "filename", "description", "tags")
"""Of the second index, of names alone: where hits are many it says which of them come first."""
PARTS = "search_parts"
PARTS_NEXT = "search_parts_next"
PART_COLUMNS = COLUMNS[:-1]
"""Of the third index, of all runs of three letters: what searches for a part of a word look through."""
_LIST = ", ".join(COLUMNS)
_WORDS = "tokenize='unicode61 remove_diacritics 0'"
_RUNS = "tokenize='trigram case_sensitive 1', detail=none, columnsize=0"


def _sqlite_words(columns: tuple[str, ...], options: str = _WORDS) -> tuple[str, ...]:
    """Return the statements that make an index of some columns, and the triggers that keep it in line."""
    names, new, old = (", ".join(f"{row}{c}" for c in columns) for row in ("", "new.", "old."))
    changed = " OR ".join(f"old.{c} IS NOT new.{c}" for c in columns)
    remove = f"INSERT INTO {{n}}({{n}}, rowid, {names}) VALUES ('delete', old.content_id, {old});"  # noqa: S608
    add = f"INSERT INTO {{n}}(rowid, {names}) VALUES (new.content_id, {new});"  # noqa: S608
    return (
        f"CREATE VIRTUAL TABLE IF NOT EXISTS {{n}} USING fts5({names}, content='search_text',"
        f" content_rowid='content_id', {options})",
        f"CREATE TRIGGER IF NOT EXISTS {{n}}_added AFTER INSERT ON search_text {{when_new}} BEGIN {add} END",
        f"CREATE TRIGGER IF NOT EXISTS {{n}}_changed AFTER UPDATE ON search_text WHEN ({changed}) {{and_old}}"
        f" BEGIN {remove}{add} END",
        f"CREATE TRIGGER IF NOT EXISTS {{n}}_removed AFTER DELETE ON search_text {{when_old}} BEGIN {remove} END",
    )


_INDEXES = {
    NAME: _sqlite_words(COLUMNS), NEXT: _sqlite_words(COLUMNS),
    PARTS: _sqlite_words(PART_COLUMNS, _RUNS), PARTS_NEXT: _sqlite_words(PART_COLUMNS, _RUNS),
}  # fmt: skip
"""The first index follows every row; one that is being filled follows those up to where the filling has come."""
ALWAYS = {"when_new": "", "and_old": "", "when_old": ""}
SQLITE_NAMES = tuple(t.format(n=NAMES, **ALWAYS) for t in _sqlite_words(NAME_COLUMNS, f"{_WORDS}, columnsize=0"))
SQLITE_FILL_PARTS = f"INSERT INTO {PARTS}({PARTS}) VALUES ('rebuild')"  # noqa: S608
SQLITE_FILL_NAMES = f"INSERT INTO {NAMES}({NAMES}) VALUES ('rebuild')"  # noqa: S608
_FILLED = "content_id <= (SELECT value FROM search_state WHERE name = 'rebuild')"
UP_TO_FILLED = {
    "when_new": f"WHEN new.{_FILLED}", "and_old": f"AND old.{_FILLED}", "when_old": f"WHEN old.{_FILLED}",
}  # fmt: skip
SQLITE_VOCABULARY = (
    "CREATE TABLE IF NOT EXISTS search_vocabulary (word_id INTEGER PRIMARY KEY, word TEXT NOT NULL UNIQUE)",
    "CREATE VIRTUAL TABLE IF NOT EXISTS search_letters USING fts5(word, content='search_vocabulary',"
    " content_rowid='word_id', tokenize='trigram case_sensitive 1', detail=none, columnsize=0)",
    "CREATE TRIGGER IF NOT EXISTS search_vocabulary_added AFTER INSERT ON search_vocabulary BEGIN"
    " INSERT INTO search_letters(rowid, word) VALUES (new.word_id, new.word); END",
)

BLOCK_BITS = 8
"""A block has 256 contents: with eight digits each it fits on a page of the database."""
DIGITS = 8
_OF_KIND = ("space_id", "author_id", "last_modifier_id", "type", "file_extension", "status")
_STATES = ("hidden_by", "trashed_at", "archived_at")
KIND_COLUMNS = (*_OF_KIND, *_STATES)


def kind_values(row: str) -> str:
    """Return what the columns of a kind are for a row of contents: no user is 0, states are 0 or 1."""
    people = ("author_id", "last_modifier_id")
    own = (f"ifnull({row}.{c}, 0)" if c in people else f"{row}.{c}" for c in _OF_KIND)
    return ", ".join((*own, *(f"{row}.{c} IS NOT NULL" for c in _STATES)))


NO_PARTS = "type NOT IN ('comment', 'todo')"
_KINDS = ", ".join(KIND_COLUMNS)
_PLACE = f"(new.content_id & {(1 << BLOCK_BITS) - 1}) * {DIGITS}"
_SET_KIND = (
    f"INSERT INTO search_kind({_KINDS}) VALUES ({kind_values('new')}) ON CONFLICT DO NOTHING;"  # noqa: S608
    f" INSERT INTO search_block(block, kinds) VALUES (new.content_id >> {BLOCK_BITS},"
    f" printf('%.{DIGITS << BLOCK_BITS}c', '0')) ON CONFLICT DO NOTHING;"
    f" UPDATE search_block SET kinds = substr(kinds, 1, {_PLACE}) || printf('%0{DIGITS}x',"
    f" (SELECT kind_id FROM search_kind WHERE ({_KINDS}) = ({kind_values('new')})))"
    f" || substr(kinds, {_PLACE} + {DIGITS + 1}) WHERE block = new.content_id >> {BLOCK_BITS};"
)
_SET_TIMES = (
    "INSERT INTO search_time(content_id, created, modified, revision_id)"
    " VALUES (new.content_id, new.created, new.modified, new.current_revision_id)"
    " ON CONFLICT (content_id) DO UPDATE SET created = excluded.created, modified = excluded.modified,"
    " revision_id = excluded.revision_id;"
)
KIND_TRIGGERS = {
    "search_kind_added": f"INSERT ON core_content_content WHEN new.{NO_PARTS} BEGIN {_SET_KIND} {_SET_TIMES} END",
    "search_kind_changed": f"UPDATE OF {_KINDS} ON core_content_content WHEN new.{NO_PARTS}"
    f" AND ({kind_values('old')}) IS NOT ({kind_values('new')}) BEGIN {_SET_KIND} END",
    "search_time_changed": "UPDATE OF created, modified, current_revision_id ON core_content_content"
    f" WHEN new.{NO_PARTS} AND (old.created, old.modified, old.current_revision_id)"
    f" IS NOT (new.created, new.modified, new.current_revision_id) BEGIN {_SET_TIMES} END",
    "search_time_removed": "DELETE ON core_content_content BEGIN"
    " DELETE FROM search_time WHERE content_id = old.content_id; END",
}
SQLITE_KINDS = (
    "CREATE TABLE IF NOT EXISTS search_kind (kind_id INTEGER PRIMARY KEY, space_id INTEGER NOT NULL,"
    " author_id INTEGER NOT NULL, last_modifier_id INTEGER NOT NULL, type TEXT NOT NULL,"
    " file_extension TEXT NOT NULL, status TEXT NOT NULL, hidden_by INTEGER NOT NULL,"
    f" trashed_at INTEGER NOT NULL, archived_at INTEGER NOT NULL, UNIQUE ({_KINDS}))",
    "CREATE TABLE IF NOT EXISTS search_block (block INTEGER PRIMARY KEY, kinds TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS search_time (content_id INTEGER PRIMARY KEY, created INTEGER NOT NULL,"
    " modified INTEGER NOT NULL, revision_id INTEGER NOT NULL)",
    "CREATE INDEX IF NOT EXISTS ix_search_time_created ON search_time (created)",
    "CREATE INDEX IF NOT EXISTS ix_search_time_modified ON search_time (modified, revision_id)",
    *(f"CREATE TRIGGER IF NOT EXISTS {name} AFTER {what}" for name, what in KIND_TRIGGERS.items()),
)
SQLITE_DROP_KINDS = (
    *(f"DROP TRIGGER IF EXISTS {name}" for name in KIND_TRIGGERS),
    *(f"DROP TABLE IF EXISTS {name}" for name in ("search_kind", "search_block", "search_time")),
)


def sqlite_index(name: str, *, filling: bool = False) -> list[str]:
    """Return the statements that make one index of words, or of their parts, and keep it in line."""
    conditions = UP_TO_FILLED if filling else ALWAYS
    return [_INDEXES[name][0].format(n=name), *sqlite_triggers(name, conditions)]


def sqlite_triggers(name: str, conditions: dict[str, str]) -> list[str]:
    """Return the statements that keep an index in line."""
    return [t.format(n=name, **conditions) for t in _INDEXES[name][1:]]


def sqlite_drop(name: str) -> list[str]:
    """Return the statements that delete one index of words."""
    triggers = [f"DROP TRIGGER IF EXISTS {name}_{what}" for what in ("added", "changed", "removed")]
    return [*triggers, f"DROP TABLE IF EXISTS {name}"]


SQLITE_DROP_VOCABULARY = (
    "DROP TRIGGER IF EXISTS search_vocabulary_added",
    "DROP TABLE IF EXISTS search_letters",
    "DROP TABLE IF EXISTS search_vocabulary",
)

UNMANAGED = (
    "search_words", "search_words_*", "search_parts", "search_parts_*", "search_letters", "search_letters_*",
    "search_vocabulary",
    "search_names", "search_names_*", "search_kind", "search_block", "search_time",
    "search_text.words", "search_text.ix_search_text_*", "search_text.ft_search_text_*",
)  # fmt: skip
"""What the indexes consist of: tables, and columns and indexes of `search_text`, that no model declares."""


# -- PostgreSQL ----------------------------------------------------------------------------------------------

_SPACED = "regexp_replace(left(new.{c}, {limit}), '[^[:alnum:]]+', ' ', 'g')"
_GRADES = {"label": "A", "filename": "B", "tags": "B", "description": "C"}


def _vector(limit: int) -> str:
    return " || ".join(
        f"setweight(to_tsvector('simple', {_SPACED.format(c=c, limit=limit)}), '{_GRADES.get(c, 'D')}')"
        for c in COLUMNS
    )


POSTGRESQL = (
    "ALTER TABLE search_text ADD COLUMN IF NOT EXISTS words tsvector",
    "CREATE OR REPLACE FUNCTION search_text_words() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
    f" BEGIN new.words := {_vector(2_000_000)};"
    # A vector holds one MiB: of longer texts the beginnings are found.
    f" EXCEPTION WHEN program_limit_exceeded THEN new.words := {_vector(20_000)}; END;"
    " RETURN new; END $$",
    "DROP TRIGGER IF EXISTS search_text_words ON search_text",
    "CREATE TRIGGER search_text_words BEFORE INSERT OR UPDATE ON search_text"
    " FOR EACH ROW EXECUTE FUNCTION search_text_words()",
    "CREATE INDEX IF NOT EXISTS ix_search_text_words ON search_text USING gin (words)",
)
_LETTERS = ("label", "filename", "description", "body", "tags", "more", "comments", "todos")
POSTGRESQL_LETTERS = "CREATE INDEX IF NOT EXISTS {n} ON search_text USING gin ({c})".format(
    n="ix_search_text_letters", c=", ".join(f"{c} gin_trgm_ops" for c in _LETTERS)
)
POSTGRESQL_DROP = (
    "DROP INDEX IF EXISTS ix_search_text_letters",
    "DROP INDEX IF EXISTS ix_search_text_words",
    "DROP TRIGGER IF EXISTS search_text_words ON search_text",
    "DROP FUNCTION IF EXISTS search_text_words()",
    "ALTER TABLE search_text DROP COLUMN IF EXISTS words",
)

# -- MariaDB -------------------------------------------------------------------------------------------------

MARIADB = (
    "SET SESSION innodb_ft_enable_stopword = OFF",
    "CREATE FULLTEXT INDEX IF NOT EXISTS ft_search_text_words ON search_text (" + _LIST + ")",
)
MARIADB_DROP = ("DROP INDEX IF EXISTS ft_search_text_words ON search_text",)


def _has_trigrams(connection: Connection) -> bool:
    """Tell whether pg_trgm is there or can be had; without it `contains` reads the texts."""
    try:
        with connection.begin_nested():
            connection.execute(text("CREATE EXTENSION IF NOT EXISTS pg_trgm"))
    except DBAPIError:
        return False
    return True


def creation(connection: Connection) -> list[TextClause]:
    """Return the statements that make the indexes of this engine of the database."""
    if connection.dialect.name == "sqlite":
        found = [*sqlite_index(NAME), *sqlite_index(PARTS), *SQLITE_NAMES, *SQLITE_VOCABULARY, *SQLITE_KINDS]
    elif connection.dialect.name == "postgresql":
        found = [*POSTGRESQL, *([POSTGRESQL_LETTERS] if _has_trigrams(connection) else [])]
    else:
        found = list(MARIADB)
    return [_literal(statement) for statement in found]


def removal(connection: Connection) -> list[TextClause]:
    """Return the statements that delete the indexes; the texts stay."""
    if connection.dialect.name == "sqlite":
        words = [statement for name in (NAME, NEXT, PARTS, PARTS_NEXT, NAMES) for statement in sqlite_drop(name)]
        found = [*words, *SQLITE_DROP_VOCABULARY, *SQLITE_DROP_KINDS]
    else:
        found = list(POSTGRESQL_DROP if connection.dialect.name == "postgresql" else MARIADB_DROP)
    return [_literal(statement) for statement in found]


def _literal(statement: str) -> TextClause:
    return text(statement.replace(":", "\\:"))
