"""If-Match and If-None-Match: several tags, weak ones, and `*` (RFC 9110 §13.1.1, §13.1.2)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

ANY = "*"
_TAG = r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"'
_LIST = re.compile(rf"[ \t,]*{_TAG}(?:[ \t]*,[ \t,]*{_TAG})*[ \t,]*")
_EACH = re.compile(_TAG)


def _tags(value: str | None) -> tuple[str, ...] | None:
    """Return the tags of a field, `*` as itself; None without the field. What is no list of tags has none."""
    if value is None or value.strip() == ANY:
        return None if value is None else (ANY,)
    return tuple(_EACH.findall(value)) if _LIST.fullmatch(value) else ()


@dataclass(frozen=True)
class Conditions:
    """What a request asks of the present state; None where it asks nothing."""

    match: tuple[str, ...] | None = None
    none_match: tuple[str, ...] | None = None

    @classmethod
    def of(cls, headers: Iterable[tuple[bytes, bytes]]) -> Conditions:
        """Return the conditions of a request; a repeated field is one list (§5.3)."""
        given: dict[bytes, list[str]] = {}
        for name, value in headers:
            if name in (b"if-match", b"if-none-match"):
                given.setdefault(name, []).append(value.decode("latin-1"))
        joined = {name: ",".join(values) for name, values in given.items()}
        return cls.said(joined.get(b"if-match"), joined.get(b"if-none-match"))

    @classmethod
    def said(cls, match: str | None, none_match: str | None) -> Conditions:
        """Return what the values of the two fields say."""
        return cls(_tags(match), _tags(none_match))

    def __bool__(self) -> bool:
        return self.match is not None or self.none_match is not None

    def is_stale(self, etag: str | None) -> bool:
        """Tell whether If-Match fails: compared strongly, a weak tag is never the same. None: nothing there."""
        if self.match is None:
            return False
        return etag is None or not (self.match == (ANY,) or f'"{etag}"' in self.match)

    def is_known(self, etag: str | None) -> bool:
        """Tell whether If-None-Match fails: compared weakly. None: nothing there."""
        if self.none_match is None or etag is None:
            return False
        return self.none_match == (ANY,) or any(tag.removeprefix("W/") == f'"{etag}"' for tag in self.none_match)

    def fails(self, etag: str | None) -> bool:
        """Tell whether a writing request must not be done (412)."""
        return self.is_stale(etag) or self.is_known(etag)
