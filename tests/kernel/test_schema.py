"""Wire shapes: the compiled dumpers give what marshmallow gives, and input is read as clients send it."""

from __future__ import annotations

import json
import tempfile
from collections import namedtuple
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import marshmallow
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from marshmallow import fields

from atrio.kernel.docs import bundled_kernel
from atrio.kernel.errors import ValidationFailed
from atrio.kernel.http.schema import CommaList, Dumper, IdList, Int, Schema, Text, Timestamp, Unless, load

TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)
WORDS = st.lists(st.from_regex(r"[a-z-]{1,8}", fullmatch=True), max_size=4)


def strategy(field: Any) -> st.SearchStrategy[Any]:
    """Return values as a column of this field holds them."""
    if isinstance(field, CommaList):
        plain: st.SearchStrategy[Any] = WORDS.map(",".join)
    elif isinstance(field, Timestamp):
        plain = st.integers(0, 4_102_444_800_000_000)
    elif isinstance(field, fields.Boolean):
        plain = st.integers(0, 1)
    elif isinstance(field, fields.Integer):
        plain = st.integers(-(2**63), 2**63 - 1)
    elif isinstance(field, fields.Float):
        plain = st.floats(allow_nan=False, allow_infinity=False)
    elif isinstance(field, fields.Dict):
        plain = st.dictionaries(TEXT, TEXT, max_size=2)
    elif isinstance(field, fields.List):
        inner = field.inner
        if isinstance(inner, fields.Nested):
            member = st.fixed_dictionaries({n: strategy(f) for n, f in inner.schema.fields.items()})
            plain = st.lists(member, max_size=3)
        elif isinstance(inner, fields.Integer | fields.Dict):
            plain = st.lists(strategy(inner), max_size=3)
        else:
            plain = WORDS
    elif isinstance(field, fields.Dict):
        plain = st.dictionaries(TEXT, TEXT, max_size=3)
    else:
        plain = TEXT
    return st.one_of(st.none(), plain) if field.allow_none or isinstance(field, Timestamp) else plain


@st.composite
def rows(draw: Any, schema: type[Schema]) -> tuple[Any, Any]:
    """Return a row of flat columns, and the nested object that marshmallow would be given."""
    flat: dict[str, Any] = {}

    def fill(shape: Any, prefix: str, absent: bool) -> SimpleNamespace | None:
        members: dict[str, Any] = {}
        for name, field in shape.dump_fields.items():
            column = f"{prefix}{name}"
            if isinstance(field, fields.Nested):
                gone = absent or (field.allow_none and draw(st.booleans()))
                members[name] = fill(field.schema, f"{column}__", gone)
            elif field.dump_default is not marshmallow.missing and prefix == "" and draw(st.booleans()):
                continue  # the column of a plugin that is off
            else:
                value = draw(strategy(field))
                if prefix and name == next(iter(shape.dump_fields)) and isinstance(field, fields.Integer):
                    value = draw(st.integers(1, 9))  # the first column of a nested object is its key
                flat[column] = None if absent else value
                members[name] = value
        return None if absent else SimpleNamespace(**members)

    nested = fill(schema(), "", False)
    row = namedtuple("Row", flat)(**flat)
    return row, nested


def bundled() -> Iterator[type[Schema]]:
    """Return every schema that a route of an installed plugin answers with."""
    with tempfile.TemporaryDirectory() as folder:
        kernel = bundled_kernel(folder)
        kernel.db.close()
    answers = [route.answer for _, route in kernel.router.routes]
    seen = {answer.dumper.schema: answer.dumper for answer in answers if answer.dumper is not None}
    for found, dumper in seen.items():
        nested = {n for n, f in found().dump_fields.items() if isinstance(f, fields.Nested)}
        BUILT[found] = nested & set(dumper.computed)
    yield from sorted(seen, key=lambda s: s.__qualname__)


BUILT: dict[type[Schema], set[str]] = {}
"""The objects of a schema that its plugin builds from many rows, and that go through as they are."""
SCHEMAS = list(bundled())


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda s: s.__name__)
def test_the_compiled_dumper_equals_marshmallow(schema: type[Schema]) -> None:
    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(rows(schema))
    def agree(pair: tuple[Any, Any]) -> None:
        row, nested = pair
        expected = schema().dump(nested)
        lists = {
            n: getattr(nested, n) for n, f in schema().fields.items() if _made_by_code(f) and n in row._fields
        }
        compiled = json.loads(Dumper(schema, computed=_computed(schema)).encode(row))
        assert list(compiled) == list(expected), "fields keep their order"
        for name, made in lists.items():  # plugins build these objects themselves: they go through as they are
            assert compiled.pop(name) == json.loads(json.dumps(made))
            expected.pop(name)
        for name in BUILT[schema]:
            compiled.pop(name)
            expected.pop(name)
        assert compiled == json.loads(json.dumps(expected))

    agree()


def _made_by_code(field: Any) -> bool:
    return isinstance(field, fields.List) and isinstance(field.inner, fields.Nested)


def _computed(schema: type[Schema], prefix: str = "") -> dict[str, Any]:
    """Return the lists of objects, which no column holds, as the plugins give them: computed."""
    found: dict[str, Any] = {}
    for name, field in schema().dump_fields.items():
        if _made_by_code(field):
            found[f"{prefix}{name}"] = lambda r, column=f"{prefix}{name}": getattr(r, column)
        elif isinstance(field, fields.Nested):
            found |= _computed(type(field.schema), f"{prefix}{name}__")
    return found


class InnerSchema(Schema):
    """A nested object."""

    bird_id = Int()
    song = Text(allow_none=True)


class OuterSchema(Schema):
    """An object with one of each."""

    number = Int(dump_default=3)
    words = CommaList(Text())
    inner = fields.Nested(InnerSchema, allow_none=True)
    many = fields.List(Text(), dump_default=list)
    from_ = Text(data_key="from", dump_default="x")


def test_absent_columns_show_their_default_and_a_nested_object_without_key_is_null() -> None:
    dumper = Dumper(OuterSchema)
    row = namedtuple("Row", "words inner__bird_id inner__song")
    assert json.loads(dumper.encode(row("a,b", None, None))) == {
        "number": 3, "words": ["a", "b"], "inner": None, "many": [], "from": "x",
    }  # fmt: skip
    assert json.loads(dumper.encode(row("", 1, None)))["inner"] == {"bird_id": 1, "song": None}
    assert json.loads(dumper.encode(row("", 1, None)))["words"] == []
    other = namedtuple("Row", "words number")
    assert json.loads(dumper.encode(other("c", 9)))["inner"] is None
    assert json.loads(dumper.encode_all([other("c", 1), other("d", 2)]))[1]["number"] == 2
    assert json.loads(dumper.encode_all([])) == []
    page = json.loads(dumper.encode_page([other("c", 1)], {"has_next": False}))
    assert (page["has_next"], page["items"][0]["words"]) == (False, ["c"])


class InputSchema(Schema):
    """Input of each kind."""

    text = Text()
    number = Int(allow_none=True)
    flag = fields.Boolean()
    ids = IdList()


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"text": "  a b "}, {"text": "a b"}),
        ({"number": "12"}, {"number": 12}),
        ({"number": 12.0}, {"number": 12}),
        ({"number": None}, {"number": None}),
        ({"flag": "true"}, {"flag": True}),
        ({"flag": 0}, {"flag": False}),
        ({"ids": "3,1,3"}, {"ids": (3, 1)}),
        ({"ids": ""}, {"ids": ()}),
        ({"unknown": 1}, {}),
    ],
)
def test_input_is_taken_as_clients_send_it(given: dict[str, Any], expected: dict[str, Any]) -> None:
    assert load(InputSchema(), given) == expected


@pytest.mark.parametrize(
    "given",
    [
        {"text": "a\x00b"}, {"text": "\ud800"}, {"text": 5}, {"text": None}, {"text": ["a"]},
        {"number": "x"}, {"number": 1.5}, {"number": True}, {"number": 2**63}, {"number": "9" * 5000},
        {"number": [1]}, {"number": float("inf")}, {"number": float("nan")}, {"flag": "perhaps"}, {"flag": None}, {"ids": "1,a"},
        {"ids": "-1"}, {"ids": "٣"}, {"ids": "9" * 30},
    ],
)  # fmt: skip
def test_input_of_a_wrong_type_names_its_field(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationFailed) as caught:
        load(InputSchema(), given)
    assert list(caught.value.details) == list(given)
    assert all(isinstance(m, str) and m for m in caught.value.details[next(iter(given))])


def test_a_computed_field_is_its_column_while_the_others_are_null() -> None:
    """The branch is part of the code of the dumper: the function is asked only where it has something to say."""
    asked: list[Any] = []

    def shown(row: Any) -> str:
        asked.append(row)
        return f"{row.song}, gone"

    dumper = Dumper(InnerSchema, computed={"song": Unless(("gone_at",), shown)})
    row = namedtuple("row", ("bird_id", "song", "gone_at"))
    assert json.loads(dumper.encode_all([row(1, "la", None), row(2, "la", 5), row(3, None, None)])) == [
        {"bird_id": 1, "song": "la"}, {"bird_id": 2, "song": "la, gone"}, {"bird_id": 3, "song": None},
    ]  # fmt: skip
    assert [r.bird_id for r in asked] == [2]
    bare = namedtuple("bare", ("bird_id", "song"))
    assert json.loads(dumper.encode(bare(4, "lu"))) == {"bird_id": 4, "song": "lu, gone"}
