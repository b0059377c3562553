"""Conditions of a request that needs no protocol library: `If` (RFC 4918 §10.4), `If-Match` and `If-None-Match`.

The same rules as in `adapters/conditions.py`, which judges for the library; the tests ask both.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlsplit

if TYPE_CHECKING:
    from atrio.kernel.context import Context
    from atrio.kernel.http.request import Request

    from .drive import Drive
    from .nodes import Node

TAGS = 50
"""Resources that one header may name."""
NATIVE = frozenset({"if", "if-match", "if-none-match"})
_PIECE = re.compile(r"<([^>]+)>|\(([^)]+)\)")

Term = tuple[bool, str, str]
"""Whether it must hold, what it is about (`etag` or `token`), and its value."""


@dataclass(frozen=True)
class IfHeader:
    """An `If` header: for each tag (None: without one) its lists, of which one must hold; and all tokens in it."""

    lists: dict[str | None, list[list[Term]]]
    tokens: frozenset[str]


class Unclear(Exception):
    """The header is nothing that can be judged here."""


def parse_if(header: str) -> IfHeader:
    """Return what an `If` header says; Unclear where it says nothing, or too much."""
    lists: dict[str | None, list[list[Term]]] = {}
    tokens: set[str] = set()
    tag: str | None = None
    for name, inside in _PIECE.findall(header):
        if name:
            tag = name
            continue
        terms: list[Term] = []
        wanted = True
        for word in inside.split():
            if word.upper() == "NOT":
                wanted = False
                continue
            if word.startswith("["):
                terms.append((wanted, "etag", word.strip('"[]')))
            else:
                terms.append((wanted, "token", word.strip("<>")))
                tokens.add(word.strip("<>"))
            wanted = True
        lists.setdefault(tag, []).append(terms)
    if not lists or len(lists) > TAGS:
        raise Unclear
    return IfHeader(lists, frozenset(tokens))


def holds(ctx: Context, drive: Drive, request: Request, node: Node | None) -> bool:
    """Judge all conditions of a request on a node (None: there is none yet), and note them in the drive.

    Called while the drive reads within `ctx`. False where one does not hold; Unclear where the library must look.
    """
    headers = request.headers
    conditional = "if-match" in headers or "if-none-match" in headers
    if conditional and node is not None and not node.is_folder and node.etag is None:
        raise Unclear  # its ETag is made when it is read
    drive.conditional = conditional or "[" in headers.get("if", "")
    if not _matches(headers.get("if-match"), headers.get("if-none-match"), node):
        return False
    if "if" not in headers:
        return True
    given = parse_if(headers["if"])
    drive.tokens = given.tokens
    mine = "/" + request.path.removeprefix(request.root_path).strip("/")
    for tag, lists in given.lists.items():
        path = mine if tag is None else _path(request, tag)
        found = node if tag is None else None if path is None else drive.find(path)
        etag = None if found is None else found.etag
        if etag is None and found is not None and not found.is_folder and drive.conditional:
            raise Unclear
        tokens = _tokens(ctx, drive, path, found)
        for terms in lists:
            if all(
                (value == etag if kind == "etag" else value in tokens) == wanted for wanted, kind, value in terms
            ):
                return True
    return False


def _matches(if_match: str | None, if_none_match: str | None, node: Node | None) -> bool:
    if node is None:
        return if_match is None
    if node.is_folder:
        return True
    if if_match is not None and not {"*", node.etag} & set(_etags(if_match)):
        return False
    return if_none_match is None or not {"*", node.etag} & set(_etags(if_none_match))


def _etags(header: str) -> list[str]:
    found = [each.strip().removeprefix("W/") for each in header.split(",")]
    return [each[1:-1] if len(each) > 1 and each[0] == each[-1] == '"' else each for each in found]


def _path(request: Request, tag: str) -> str | None:
    try:
        path = unquote(urlsplit(tag).path)
    except ValueError:
        return None
    prefix = request.root_path + "/"
    return "/" + path.removeprefix(prefix) if path.startswith(prefix) else None


def _tokens(ctx: Context, drive: Drive, path: str | None, node: Node | None) -> set[str]:
    """Return the tokens of the user's own locks over a path."""
    from .services import locks

    key: str | None = None
    if node is not None:
        key = node.key or "/"
    elif path is not None:
        folder, _, name = path.rstrip("/").rpartition("/")
        parent = drive.find(folder)
        if parent is not None and parent.is_folder:
            key = f"{parent.key}/n{quote(name)}"
    if key is None:
        return set()
    who = str(drive.actor.id)
    return {lock.token for lock in locks.locks_on(ctx, [key]) if lock.principal == who}
