"""Mentions in the markup of a text: `<html-mention userid="7">` and `<html-mention roleid="2">`."""

from __future__ import annotations

import html
import re
from functools import lru_cache
from typing import Any, NamedTuple

from .errors import InvalidMention

TAG = "html-mention"
_FOUND = re.compile(rf'<{TAG}((?: [a-z]+="[^"]*")*)>')
_ATTRIBUTE = re.compile(r' ([a-z]+)="([^"]*)"')
_AROUND = " \t\r\n\\\"'"
"""What stands around an id in a text that is JSON: its quotes are escaped there."""


class Mention(NamedTuple):
    """Who is meant: `user` with his id, or `role` with the least level, 0 for everybody."""

    recipient_type: str
    recipient_id: int


@lru_cache(maxsize=1)
def _parser() -> Any:
    """Return the HTML5 parser that leaves nothing of a text but its mentions, written in one way only."""
    import nh3

    return nh3.Cleaner(
        tags={TAG}, clean_content_tags={"script", "style"}, attributes={TAG: {"userid", "roleid"}},
        strip_comments=True, link_rel=None,
    )  # fmt: skip


def attributes_of(text: str) -> list[tuple[str, str]]:
    """Return (userid, roleid) of each mention in a text, empty where one lacks."""
    if TAG not in text.lower():
        return []
    found = []
    for match in _FOUND.finditer(_parser().clean(text)):
        given = {name: html.unescape(value).strip(_AROUND) for name, value in _ATTRIBUTE.findall(match[1])}
        found.append((given.get("userid", ""), given.get("roleid", "")))
    return found


def read(text: str, roles: frozenset[int]) -> list[Mention]:
    """Return the mentions of a text, each once; InvalidMention for one that names nobody."""
    return list(dict.fromkeys(_mention(user, role, roles) for user, role in attributes_of(text)))


def read_what_is_valid(text: str, roles: frozenset[int]) -> set[Mention]:
    """Return the mentions of a text that was stored already, whatever else stands there."""
    found = set()
    for user, role in attributes_of(text):
        try:
            found.add(_mention(user, role, roles))
        except InvalidMention:
            continue
    return found


def _mention(user: str, role: str, roles: frozenset[int]) -> Mention:
    if user:
        number = _number(user)
        if number == 0:
            raise InvalidMention
        return Mention("user", number)
    number = _number(role)
    if number not in roles:
        raise InvalidMention
    return Mention("role", number)


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise InvalidMention
    return int(text)
