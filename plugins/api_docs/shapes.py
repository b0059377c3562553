"""JSON Schemas of wire shapes: marshmallow schemas as components of the document.

An answer always holds every declared field, a body only those it must: the two are converted apart, and a
class that serves as both gets two components.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator
from typing import Any, cast

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from marshmallow import fields

from atrio.kernel.http.route import Route
from atrio.kernel.http.schema import Schema

VERSION = "3.1.0"
SchemaClass = type[Schema]


class Shapes:
    """Converts the schemas of a route table; `components()` gives what the references point at."""

    def __init__(self, routes: Iterable[Route]) -> None:
        routes = list(routes)
        answers = _closure(r.answer.dumper.schema for r in routes if r.answer.dumper is not None)
        bodies = _closure(r.body for r in routes if r.body is not None)
        names = _names([*answers, *(b for b in bodies if b not in answers)])
        self._answers = _Converter(names)
        self._bodies = _Converter({c: f"{names[c]}Input" if c in answers else names[c] for c in bodies})
        self._loose = _Converter({})

    def answer(self, schema: SchemaClass) -> dict[str, Any]:
        """Return the reference to an answer's shape."""
        return self._answers.reference(schema)

    def body(self, schema: SchemaClass) -> dict[str, Any]:
        """Return the reference to a body's shape."""
        return self._bodies.reference(schema)

    def query(self, schema: SchemaClass) -> list[dict[str, Any]]:
        """Return the query parameters of a schema; no value can be null there."""
        found: list[dict[str, Any]] = self._loose.converter.schema2parameters(schema(), location="query")
        for parameter in found:
            parameter["schema"] = _without_null(parameter["schema"])
        return sorted(found, key=lambda p: not p["required"])

    def form(self, schema: SchemaClass) -> dict[str, Any]:
        """Return the properties of a form's plain fields; no value can be null there."""
        shape: dict[str, Any] = self._loose.converter.schema2jsonschema(schema())
        return {name: _without_null(value) for name, value in shape["properties"].items()}

    def components(self) -> dict[str, Any]:
        """Return every referenced shape by name."""
        found: dict[str, Any] = {}
        for name, shape in self._answers.components().items():
            properties = {k: v for k, v in shape["properties"].items() if not v.pop("writeOnly", False)}
            found[name] = {**shape, "properties": properties, "required": list(properties)}
        for name, shape in self._bodies.components().items():
            properties = {k: v for k, v in shape["properties"].items() if not v.get("readOnly", False)}
            found[name] = {**shape, "properties": properties}
        return dict(sorted(found.items()))


class _Converter:
    """apispec's converter with the kernel's own fields and names that do not depend on other plugins."""

    def __init__(self, names: dict[SchemaClass, str]) -> None:
        plugin = MarshmallowPlugin(schema_name_resolver=lambda schema: names[_class(schema)])
        self.spec = APISpec(title="", version="", openapi_version=VERSION, plugins=[plugin])
        self.converter = cast(Any, plugin.converter)
        self.converter.attribute_functions.append(_own_rules)
        self.names = names

    def reference(self, schema: SchemaClass) -> dict[str, Any]:
        found: dict[str, Any] = self.converter.resolve_nested_schema(schema)
        return found

    def components(self) -> dict[str, Any]:
        by_name = {name: cls for cls, name in self.names.items()}
        shapes: dict[str, Any] = self.spec.to_dict().get("components", {}).get("schemas", {})
        return {
            name: {**shape, "description": inspect.cleandoc(by_name[name].__doc__ or "")}
            for name, shape in shapes.items()
        }


def _own_rules(field: fields.Field[Any], *, ret: dict[str, Any]) -> dict[str, Any]:
    """Add what a field class says of itself, and write patterns as ECMA 262 does."""
    own = dict(getattr(type(field), "json_schema", {}))
    kind = own.get("type")
    if kind is not None and field.allow_none:
        own["type"] = [kind, "null"]
    pattern = ret.get("pattern")
    if pattern is not None:
        own["pattern"] = pattern.replace(r"\A", "^").replace(r"\Z", "$")
    default = ret.get("default")
    if isinstance(default, tuple):
        own["default"] = ",".join(map(str, default)) if kind == "string" else list(default)
    return own


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    found = dict(schema)
    if isinstance(found.get("type"), list):
        kinds = [kind for kind in found["type"] if kind != "null"]
        found["type"] = kinds[0] if len(kinds) == 1 else kinds
    if "enum" in found:
        found["enum"] = [value for value in found["enum"] if value is not None]
    if found.get("default", "") is None:
        del found["default"]
    return found


def _class(schema: Any) -> SchemaClass:
    return schema if isinstance(schema, type) else type(schema)


def _nested(schema: SchemaClass) -> Iterator[SchemaClass]:
    for field in schema().fields.values():
        inner: Any = field
        while isinstance(inner, fields.List):
            inner = inner.inner
        if isinstance(inner, fields.Nested):
            yield _class(inner.schema)


def _closure(schemas: Iterable[SchemaClass]) -> dict[SchemaClass, None]:
    """Return these classes and those nested in them, in a stable order."""
    found: dict[SchemaClass, None] = {}
    waiting = list(schemas)
    while waiting:
        schema = waiting.pop(0)
        if schema not in found:
            found[schema] = None
            waiting += _nested(schema)
    return found


def _names(schemas: Iterable[SchemaClass]) -> dict[SchemaClass, str]:
    """Name components after their classes; where two plugins use one name, each is told by its plugin."""
    by_name: dict[str, list[SchemaClass]] = {}
    for schema in schemas:
        by_name.setdefault(schema.__name__.removesuffix("Schema"), []).append(schema)
    return {
        schema: name if len(twins) == 1 else f"{schema.__module__.split('.')[-2]}.{name}"
        for name, twins in by_name.items()
        for schema in twins
    }
