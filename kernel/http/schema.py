"""Wire shapes: a marshmallow base, and dumpers compiled from the schemas.

marshmallow stays the one source of validation, of the OpenAPI document and of the answers. Dumping a
thousand rows through it costs ten times what the database needs, so each schema is compiled once into
positional code that fills msgspec structs; a property test proves that both ways give the same JSON.
"""

from __future__ import annotations

import keyword
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

import msgspec

from ..db.base import iso_second, iso_utc
from .patterns import import_marshmallow

import_marshmallow()
import marshmallow  # noqa: E402
from marshmallow import fields, validate  # noqa: E402


class Schema(marshmallow.Schema):
    """Base of all wire shapes: unknown input is ignored, output keeps the declared order."""

    class Meta:
        unknown = marshmallow.EXCLUDE


class Timestamp(fields.Field[int]):
    """Microseconds since the epoch inside, `YYYY-MM-DDTHH:MM:SSZ` on the wire.

    `json_schema` of a field class is what the API document says of it beside its validators.
    """

    json_schema: ClassVar[Mapping[str, Any]] = {"type": "string", "format": "date-time"}

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else iso_utc(value)


class Text(fields.String):
    """A string that is stripped before its length is checked (spec: errors, §3)."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs).strip()
        if "\x00" in text or any("\ud800" <= c <= "\udfff" for c in text):
            raise marshmallow.ValidationError("Not a valid string.")
        return text


class Int(fields.Integer):
    """A whole number that fits 64 bits; numeric strings are taken as clients send them."""

    json_schema: ClassVar[Mapping[str, Any]] = {"format": "int64"}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if isinstance(value, float) and not value.is_integer():
            raise marshmallow.ValidationError("Not a valid integer.")
        if isinstance(value, str) and len(value) > 20:
            raise marshmallow.ValidationError("Not a valid integer.")
        number = super()._deserialize(value, attr, data, **kwargs)
        if number is not None and not -(2**63) < number < 2**63:
            raise marshmallow.ValidationError("Number too large.")
        return int(number) if number is not None else 0


class CommaList(fields.List[Any]):
    """A list kept in one column, its members joined by commas."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        members = value.split(",") if isinstance(value, str) and value else (value or [])
        return super()._serialize(members, attr, obj, **kwargs)


class IdList(fields.Field[Any]):
    """A query value `1,2,3`; empty means none given."""

    json_schema: ClassVar[Mapping[str, Any]] = {
        "type": "string",
        "pattern": r"^([0-9]{1,18}(,[0-9]{1,18})*)?$",
        "description": "Ids, separated by commas.",
    }

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> tuple[int, ...]:
        parts = [p for p in str(value).strip().split(",") if p]
        if not all(p.isascii() and p.isdigit() and len(p) < 19 for p in parts):
            raise marshmallow.ValidationError("String does not match expected pattern.")
        return tuple(dict.fromkeys(int(p) for p in parts))


def one_of(*values: str) -> validate.OneOf:
    """Return the validator of a closed list of strings."""
    return validate.OneOf(values)


def load(schema: Schema, data: Mapping[str, Any]) -> dict[str, Any]:
    """Validate input; ValidationFailed (2001) names the fields."""
    from ..errors import ValidationFailed

    try:
        return typing.cast(dict[str, Any], schema.load(data))
    except marshmallow.ValidationError as error:
        raise ValidationFailed(_messages(error.messages)) from None


def _messages(found: Any) -> dict[str, Any]:
    if isinstance(found, dict):
        return {str(k): _messages(v) if isinstance(v, dict) else v for k, v in found.items()}
    return {"_schema": found}


def same(value: Any) -> Any:
    """Return the value: input that needs no conversion."""
    return value


# -- the compiled dumper -----------------------------------------------------------------------------------


class Rows(typing.NamedTuple):
    """Rows of one statement together with what a page needs beside them."""

    items: Sequence[Any]
    extra: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Unless:
    """A computed field that is its own column in every row where all of `columns` are null.

    The dumper writes that branch into its code: the common row costs no call.
    """

    columns: tuple[str, ...]
    compute: Callable[[Any], Any]


Computed = Callable[[Any], Any] | Unless


class Dumper:
    """Turns rows into the JSON of a schema.

    A row is a named tuple (or any object with attributes) whose names are those of the schema; a nested
    object takes the columns `<field>__<name>`, and is null when its first column is. `computed` gives fields
    that no column holds: a function of the row.
    """

    def __init__(self, schema: type[Schema], *, computed: Mapping[str, Computed] | None = None) -> None:
        self.schema = schema
        self.computed = dict(computed or {})
        self._by_shape: dict[tuple[str, ...], Callable[[Any], Any]] = {}
        self._encoder = msgspec.json.Encoder()

    def build(self, row: Any) -> Any:
        """Return the msgspec struct of one row."""
        return self._for(row)(row)

    def build_all(self, rows: Iterable[Any]) -> list[Any]:
        """Return the structs of many rows of one statement."""
        rows = list(rows)
        if not rows:
            return []
        make = self._for(rows[0])
        return [make(row) for row in rows]

    def encode(self, row: Any) -> bytes:
        """Return the JSON of one row."""
        return self._encoder.encode(self.build(row))

    def encode_all(self, rows: Iterable[Any]) -> bytes:
        """Return the JSON list of many rows."""
        return self._encoder.encode(self.build_all(rows))

    def encode_page(self, rows: Iterable[Any], extra: Mapping[str, Any]) -> bytes:
        """Return the JSON of a page: the items and what stands beside them."""
        return self._encoder.encode({**extra, "items": self.build_all(rows)})

    def _for(self, row: Any) -> Callable[[Any], Any]:
        names = getattr(row, "_fields", ())
        make = self._by_shape.get(names)
        if make is None:
            make = _compile(self.schema, names, self.computed)
            self._by_shape[names] = make
        return make


@lru_cache(maxsize=1024)
def _words(value: str) -> tuple[str, ...]:
    return tuple(value.split(",")) if value else ()


def _split(value: Any) -> Sequence[str]:
    return _words(value) if isinstance(value, str) else list(value or ())


def _compile(
    schema: type[Schema], names: tuple[str, ...], computed: Mapping[str, Computed]
) -> Callable[[Any], Any]:
    """Write the positional code of one schema for rows with these columns, and execute it."""
    places = {name: i for i, name in enumerate(names)}
    env: dict[str, Any] = {"_iso": iso_second, "_split": _split}
    body = _expression(schema, places, computed, env, prefix="", counter=[0])
    source = f"def dump(r):\n    return {body}\n"
    exec(compile(source, f"<dumper of {schema.__name__}>", "exec"), env)  # noqa: S102 - our own names only
    return typing.cast(Callable[[Any], Any], env["dump"])


def _expression(
    schema: type[Schema], places: Mapping[str, int], computed: Mapping[str, Computed],
    env: dict[str, Any], prefix: str, counter: list[int],
) -> str:  # fmt: skip
    parts: list[str] = []
    shape: list[tuple[str, Any]] = []
    rename: dict[str, str] = {}
    for name, declared in schema().dump_fields.items():
        wire = declared.data_key or name
        safe = f"{wire}_" if keyword.iskeyword(wire) or not wire.isidentifier() else wire
        if safe != wire:
            rename[safe] = wire
        shape.append((safe, Any))
        parts.append(_field(schema, name, declared, places, computed, env, prefix, counter))
    struct = msgspec.defstruct(
        f"{schema.__name__}_", shape, rename=rename or None, frozen=True, gc=False
    )  # fmt: skip
    counter[0] += 1
    label = f"_s{counter[0]}"
    env[label] = struct
    return f"{label}({', '.join(parts)})"


def _field(
    schema: type[Schema], name: str, declared: Any, places: Mapping[str, int],
    computed: Mapping[str, Computed], env: dict[str, Any], prefix: str, counter: list[int],
) -> str:  # fmt: skip
    column = f"{prefix}{name}"
    if column in computed:
        return _computed(computed[column], column, places, env)
    if isinstance(declared, fields.Nested) and not declared.many:
        inner = declared.nested if isinstance(declared.nested, type) else type(declared.schema)
        sub_prefix = f"{column}__"
        first = next((n for n in places if n.startswith(sub_prefix)), None)
        if first is None:
            return _default(declared, env)
        built = _expression(typing.cast(type[Schema], inner), places, computed, env, sub_prefix, counter)
        return f"(None if r[{places[first]}] is None else {built})"
    if column not in places:
        return _default(declared, env)
    value = f"r[{places[column]}]"
    if isinstance(declared, Timestamp):
        return f"(None if {value} is None else _iso({value} // 1000000))"
    if isinstance(declared, fields.Boolean):
        return f"(None if {value} is None else not not {value})"  # cheaper than a call of bool
    if isinstance(declared, fields.List):
        return f"_split({value})"
    return value


def _computed(given: Computed, column: str, places: Mapping[str, int], env: dict[str, Any]) -> str:
    label = f"_c{len(env)}"
    if not isinstance(given, Unless):
        env[label] = given
        return f"{label}(r)"
    env[label] = given.compute
    if column not in places or not places.keys() >= {*given.columns}:
        return f"{label}(r)"
    plain = " and ".join(f"r[{places[name]}] is None" for name in given.columns)
    return f"(r[{places[column]}] if {plain} else {label}(r))"


def _default(declared: Any, env: dict[str, Any]) -> str:
    """Return the declared default: what a client sees while the owner of the field is off."""
    default = declared.dump_default
    if default is marshmallow.missing:
        default = None
    label = f"_d{len(env)}"
    env[label] = default() if callable(default) else default
    return label


@dataclass(frozen=True)
class FieldContributor:
    """A plugin's value for a field that another plugin's schema declares.

    `shape` is the name under which the owner publishes its rows (`content`, `space`, `user`); `expression`
    gives a scalar SQL expression from the id column. It may not invent a field: the owner declares it.
    """

    shape: str
    field: str
    expression: Callable[[Any], Any]
