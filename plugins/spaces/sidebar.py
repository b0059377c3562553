"""The side bar of a space, as JSON that is made once."""

from __future__ import annotations

from typing import Any

import msgspec

_NUMBER = "\x00id\x00"
_IN_JSON = msgspec.json.encode(_NUMBER)[1:-1]
"""What stands for the space's id in the JSON that is kept: no text of an entry can hold it."""


class SidebarEntries(tuple[Any, ...]):
    """The entries of all plugins in order, with their JSON for each combination of a space's switches."""

    def __init__(self, _entries: Any = ()) -> None:
        self._encoded: dict[tuple[bool, ...], list[bytes]] = {}
        self.settings = tuple(e["setting"] for e in self)

    def encode(self, space_id: int, shown: tuple[bool, ...]) -> msgspec.Raw:
        """Return the JSON list of the shown entries; their routes name the space."""
        pieces = self._encoded.get(shown)
        if pieces is None:
            pieces = self._encoded[shown] = self._cut(shown)
        return msgspec.Raw(str(space_id).encode().join(pieces))

    def _cut(self, shown: tuple[bool, ...]) -> list[bytes]:
        names = ("slug", "label", "route", "fa_icon", "hexcolor")
        entries = [{n: e[n] for n in names} for e, wanted in zip(self, shown, strict=True) if wanted]
        for entry in entries:
            entry["route"] = entry["route"].replace("{id}", _NUMBER)
        return msgspec.json.encode(entries).split(_IN_JSON)
