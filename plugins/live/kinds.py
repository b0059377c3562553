"""Event types as numbers that sort: a filter by entity, operation or subtype is a range.

`entity.operation.subtype` becomes three hashes side by side, 20 + 12 + 20 bits, so rows need no text and a filter
no join, and a type that nobody declared yet has its number too. Two declared types with one number stop the boot.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from zlib import crc32

from marshmallow import ValidationError

OPERATIONS = ("created", "modified", "deleted", "undeleted", "moved", "copied")
ENTITIES = (
    "user", "workspace", "workspace_member", "workspace_subscription", "content", "mention", "reaction", "tag",
    "content_tag", "user_call", "user_config",
)  # fmt: skip
"""The words of the wire: clients may filter by them whatever plugins run (spec: events, §1)."""
_OPERATION, _SUBTYPE = 12, 20


@lru_cache(maxsize=1024)
def kind_of(event_type: str) -> int:
    """Return the number of an event type."""
    entity, operation, subtype = (*event_type.split(".", 2), "", "")[:3]
    return (_entity(entity) << _OPERATION | _word(operation, _OPERATION)) << _SUBTYPE | _word(subtype, _SUBTYPE)


def _entity(word: str) -> int:
    return crc32(word.encode()) & 0xFFFFF


def _word(word: str, bits: int) -> int:
    return crc32(word.encode()) & (1 << bits) - 1 if word else 0


def span(pattern: str, entities: Iterable[str]) -> tuple[int, int]:
    """Return the first and last number of `entity`, `entity.operation` or `entity.operation.subtype`.

    With `*` as operation the subtype counts for nothing. ValidationError for words that are none.
    """
    entity, *rest = pattern.strip().split(".")
    operation = rest[0] if rest else "*"
    if entity not in ENTITIES and entity not in entities:
        raise ValidationError(f"unknown event type: {pattern[:60]}")
    if len(rest) > 2 or (operation != "*" and operation not in OPERATIONS):
        raise ValidationError(f"unknown event type: {pattern[:60]}")
    if operation == "*":
        first = _entity(entity) << _OPERATION + _SUBTYPE
        return first, first + (1 << _OPERATION + _SUBTYPE) - 1
    if len(rest) == 1:
        first = (_entity(entity) << _OPERATION | _word(operation, _OPERATION)) << _SUBTYPE
        return first, first + (1 << _SUBTYPE) - 1
    only = kind_of(f"{entity}.{operation}.{rest[1]}")
    return only, only
