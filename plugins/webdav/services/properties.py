"""Dead properties in the database: XML that clients leave on resources, kept as it came.

Every function takes the Context of a unit of work. Resources are opaque keys such as `content:12`: a rename or
a move changes none of them. Whoever deletes a resource for good calls `drop_properties`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

from sqlalchemy import bindparam, delete, insert, select

from atrio.kernel.context import Context
from atrio.kernel.db.statement import Statement
from atrio.kernel.db.upsert import upsert

from ..models import PROPERTY

MAX_VALUE = 64 * 1024
MAX_NAME = 2 * 1024
MAX_PROPERTIES = 200
MAX_RESOURCE = 100
PAGE = 500

_OF = (
    select(PROPERTY.c.resource, PROPERTY.c.name, PROPERTY.c.value)
    .where(PROPERTY.c.resource.in_(bindparam("resources", expanding=True)))
    .order_by(PROPERTY.c.resource, PROPERTY.c.name_key)
)
_mine = PROPERTY.c.resource == bindparam("resource")
_HELD = select(PROPERTY.c.name_key).where(_mine).order_by(PROPERTY.c.name_key)
LOCK_ROWS = _HELD.with_for_update()
NAMES = Statement(_HELD, "NameRow")
INSERT = insert(PROPERTY)

Properties = dict[str, str]


class PropertyRefused(ValueError):
    """A property is not kept: its value is too long, or the resource has too many."""


def _key(name: str) -> str:
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()


def properties_of(ctx: Context, resources: Iterable[str]) -> dict[str, Properties]:
    """Return the properties by name of each resource that has any: one statement for up to 500 resources."""
    keys = sorted(set(resources))
    found: dict[str, Properties] = {}
    for start in range(0, len(keys), PAGE):
        for row in ctx.execute(_OF, {"resources": keys[start : start + PAGE]}):
            found.setdefault(row.resource, {})[row.name] = row.value
    return found


def check_properties(ctx: Context, resource: str, changes: Mapping[str, str | None]) -> None:
    """Raise PropertyRefused when `change_properties` would, and write nothing."""
    _check_sizes(resource, changes)
    _check_number({row.name_key for row in NAMES.all(ctx, resource=resource)}, changes)


def _check_sizes(resource: str, changes: Mapping[str, str | None]) -> None:
    if len(resource) > MAX_RESOURCE:
        raise PropertyRefused("the key of the resource is too long")
    for name, value in changes.items():
        if len(name.encode("utf-8", "replace")) > MAX_NAME:
            raise PropertyRefused("the name is too long")
        if value is not None and len(value.encode("utf-8", "replace")) > MAX_VALUE:
            raise PropertyRefused("the value is too long")
        if "\0" in name or (value is not None and "\0" in value):
            raise PropertyRefused("neither a name nor a value holds NUL")


def _check_number(held: set[str], changes: Mapping[str, str | None]) -> None:
    added = {_key(name) for name, value in changes.items() if value is not None} - held
    removed = {_key(name) for name, value in changes.items() if value is None} & held
    if added and len(held) + len(added) - len(removed) > MAX_PROPERTIES:
        raise PropertyRefused("the resource has too many properties")


def change_properties(ctx: Context, resource: str, changes: Mapping[str, str | None]) -> None:
    """Set properties of a resource, remove those whose value is None: all of them, or PropertyRefused and none.

    The rows of the resource are locked and then counted, so that two at the same moment do not both become
    the last one allowed. (Those who set the very first property of a resource have nothing to lock.)
    """
    _check_sizes(resource, changes)
    if ctx.dialect != "sqlite":
        ctx.execute(LOCK_ROWS, {"resource": resource}).all()
    _check_number({row.name_key for row in NAMES.all(ctx, resource=resource)}, changes)
    gone = sorted(_key(name) for name, value in changes.items() if value is None)
    if gone:
        ctx.execute(delete(PROPERTY).where(PROPERTY.c.resource == resource, PROPERTY.c.name_key.in_(gone)))
    rows = [
        {"resource": resource, "name_key": _key(name), "name": name, "value": value}
        for name, value in changes.items()
        if value is not None
    ]
    if rows:
        rows.sort(key=lambda row: str(row["name_key"]))
        ctx.execute(upsert(ctx.dialect, PROPERTY, ("resource", "name_key"), overwrite=("value",)), rows)


def drop_properties(ctx: Context, resources: Iterable[str]) -> None:
    """Delete all properties of resources."""
    keys = sorted(set(resources))
    for start in range(0, len(keys), PAGE):
        ctx.execute(delete(PROPERTY).where(PROPERTY.c.resource.in_(keys[start : start + PAGE])))


def copy_properties(ctx: Context, pairs: Mapping[str, str]) -> None:
    """Give each target the properties of its source (source → target) in place of its own.

    A resource that is its own target keeps what it has. Rows are read and written in pages, never one resource
    at a time: a copied tree has thousands of them and few have properties.
    """
    todo = [(source, target) for source, target in pairs.items() if source != target]
    for start in range(0, len(todo), PAGE):
        page = todo[start : start + PAGE]
        found = properties_of(ctx, [source for source, _ in page])
        drop_properties(ctx, [target for _, target in page])
        rows = [
            {"resource": target, "name_key": _key(name), "name": name, "value": value}
            for source, target in page
            for name, value in found.get(source, {}).items()
        ]
        if rows:
            ctx.execute(INSERT, rows)


def move_properties(ctx: Context, pairs: Mapping[str, str]) -> None:
    """Give each target the properties of its source and leave the source without."""
    todo = {source: target for source, target in pairs.items() if source != target}
    copy_properties(ctx, todo)
    drop_properties(ctx, todo.keys() - set(todo.values()))
