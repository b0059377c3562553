"""Router: method and path to a Route, by a tree over undecoded segments.

Grammar: literal segments, `{name}`, `{name:int}`, `{name:rest}` (the remainder), and a fixed prefix or suffix
around parameters inside a segment (`{width}x{height}`). A literal wins over a parameter, more fixed
characters over fewer, `int` over `str`; the order of declaration never matters. The last `str` may be empty.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from urllib.parse import unquote_to_bytes

from ..errors import BadPath, BootError
from .route import PARAMETER, Mount, Route


@dataclass
class _Pattern:
    """A segment with parameters."""

    text: str
    regex: re.Pattern[str]
    names: tuple[str, ...]
    kinds: tuple[str, ...]
    weight: tuple[int, int]
    node: _Node


@dataclass
class _Node:
    literals: dict[str, _Node] = field(default_factory=dict)
    patterns: list[_Pattern] = field(default_factory=list)
    rest: dict[str, Route] = field(default_factory=dict)
    rest_name: str = ""
    routes: dict[str, Route] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)


@dataclass
class Match:
    """What a path leads to: a route and its raw parameters, or the verbs that exist."""

    route: Route | None
    params: dict[str, str]
    allowed: tuple[str, ...] = ()


class Router:
    """The route table."""

    def __init__(self) -> None:
        self._root = _Node()
        self.mounts: list[Mount] = []
        self.routes: list[tuple[str, Route]] = []
        self._paths: set[str] = set()
        self._mount_owners: dict[str, str] = {}

    def only(self, wanted: Callable[[str], bool]) -> Router:
        """Return a table with the routes and mounts of those owners alone."""
        router = Router()
        for owner, route in self.routes:
            if wanted(owner):
                router.add(owner, route)
        for mount in self.mounts:
            if wanted(self._mount_owners[mount.prefix]):
                router.mount(self._mount_owners[mount.prefix], mount)
        return router

    def add(self, owner: str, route: Route) -> None:
        """Put a route in; a taken method and path, or a route without guards, is a boot error."""
        if not route.path.startswith("/"):
            raise BootError(f"{owner}: route path {route.path!r} must start with /")
        if not route.guards:
            raise BootError(f"{owner}: route {route.method} {route.path} has no guards (default deny)")
        node = self._root
        table, owners = node.routes, node.owners
        segments = route.path[1:].split("/")
        for position, segment in enumerate(segments):
            found = list(PARAMETER.finditer(segment))
            if not found:
                node = node.literals.setdefault(segment, _Node())
            elif found[0].group(2) == "rest":
                if position != len(segments) - 1 or found[0].group(0) != segment:
                    raise BootError(f"{owner}: {{…:rest}} must be the last segment of {route.path}")
                node.rest_name = found[0].group(1)
                table, owners = node.rest, node.owners
                self._put(owner, route, table, owners)
                return
            else:
                node = self._pattern(node, segment, last=position == len(segments) - 1).node
            table, owners = node.routes, node.owners
        self._put(owner, route, table, owners)

    def _put(self, owner: str, route: Route, table: dict[str, Route], owners: dict[str, str]) -> None:
        if route.method in table:
            raise BootError(f"route {route.method} {route.path} is declared by {owners[route.method]} and {owner}")
        for mount in self.mounts:
            if route.path == mount.prefix or route.path.startswith(mount.prefix + "/"):
                raise BootError(f"{owner}: route {route.path} lies in the mount {mount.prefix}")
        table[route.method] = route
        owners[route.method] = owner
        self.routes.append((owner, route))
        self._paths.add(route.path)

    def _pattern(self, node: _Node, segment: str, *, last: bool) -> _Pattern:
        names: list[str] = []
        kinds: list[str] = []
        regex, fixed, end = "", 0, 0
        for match in PARAMETER.finditer(segment):
            between = segment[end : match.start()]
            fixed += len(between)
            names.append(match.group(1))
            kinds.append(match.group(2) or "str")
            repeat = "*" if last and match.end() == len(segment) and kinds[-1] == "str" else "+"
            one = "[0-9]{1,18}" if kinds[-1] == "int" else f".{repeat}"
            regex += f"{re.escape(between)}({one})"
            end = match.end()
        fixed += len(segment) - end
        regex += re.escape(segment[end:])
        for pattern in node.patterns:
            if pattern.regex.pattern == regex:
                if pattern.names != tuple(names):
                    raise BootError(f"parameters of {segment} are named differently by two routes")
                return pattern
        weight = (-fixed, 0 if "int" in kinds else 1)
        pattern = _Pattern(segment, re.compile(regex, re.DOTALL), tuple(names), tuple(kinds), weight, _Node())
        node.patterns.append(pattern)
        node.patterns.sort(key=lambda p: p.weight)
        return pattern

    def mount(self, owner: str, mount: Mount) -> None:
        """Give a prefix to an ASGI application; overlap with a route or a mount is a boot error."""
        prefix = mount.prefix.rstrip("/")
        for other in self.mounts:
            if f"{prefix}/".startswith(f"{other.prefix}/") or f"{other.prefix}/".startswith(f"{prefix}/"):
                raise BootError(f"{owner}: mount {prefix} overlaps {other.prefix}")
        for path in self._paths:
            if path == prefix or path.startswith(prefix + "/"):
                raise BootError(f"{owner}: mount {prefix} covers the route {path}")
        self.mounts.append(Mount(prefix, mount.app, mount.summary))
        self._mount_owners[prefix] = owner

    def find_mount(self, path: str) -> Mount | None:
        """Return the mount that owns this path."""
        for mount in self.mounts:
            if path == mount.prefix or path.startswith(mount.prefix + "/"):
                return mount
        return None

    def match(self, method: str, raw_path: bytes) -> Match:
        """Find the route of an undecoded path; BadPath for NUL, `..`, or bytes that are not UTF-8."""
        segments = split_path(raw_path)
        allowed: set[str] = set()
        found = self._walk(self._root, segments, 0, method, {}, allowed)
        if found is None and method == "HEAD":
            found = self._walk(self._root, segments, 0, "GET", {}, allowed)
        if found is not None:
            return Match(found[0], found[1])
        if "GET" in allowed:
            allowed.add("HEAD")
        return Match(None, {}, tuple(sorted(allowed)))

    def _walk(
        self, node: _Node, segments: Sequence[str], index: int, method: str, params: dict[str, str],
        allowed: set[str],
    ) -> tuple[Route, dict[str, str]] | None:  # fmt: skip
        if index == len(segments):
            allowed.update(node.routes)
            route = node.routes.get(method)
            return (route, params) if route is not None else None
        segment = segments[index]
        child = node.literals.get(segment)
        if child is not None:
            found = self._walk(child, segments, index + 1, method, params, allowed)
            if found is not None:
                return found
        for pattern in node.patterns:
            match = pattern.regex.fullmatch(segment)
            if match is None:
                continue
            taken = {**params, **dict(zip(pattern.names, match.groups(), strict=True))}
            found = self._walk(pattern.node, segments, index + 1, method, taken, allowed)
            if found is not None:
                return found
        if node.rest_name:
            allowed.update(node.rest)
            route = node.rest.get(method)
            if route is not None:
                return route, {**params, node.rest_name: "/".join(segments[index:])}
        return None


@lru_cache(maxsize=2048)
def split_path(raw_path: bytes) -> tuple[str, ...]:
    """Return the decoded segments of a raw path, each decoded once (an encoded slash stays inside)."""
    segments: list[str] = []
    for part in raw_path[1:].split(b"/"):
        try:
            text = unquote_to_bytes(part).decode("utf-8")
        except UnicodeDecodeError:
            raise BadPath("the path is not UTF-8") from None
        if "\x00" in text or text in ("..", "."):
            raise BadPath("the path holds NUL, . or ..")
        segments.append(text)
    return tuple(segments)


def describe(routes: Sequence[tuple[str, Route]]) -> list[dict[str, Any]]:
    """Return the table as plain data, for docs and tests."""
    return [
        {
            "owner": owner, "method": r.method, "path": r.path, "guards": [g.name for g in r.guards],
            "group": r.group, "summary": r.summary,
        }
        for owner, r in sorted(routes, key=lambda pair: (pair[1].path, pair[1].method))
    ]  # fmt: skip
