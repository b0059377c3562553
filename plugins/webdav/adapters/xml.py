"""What a PROPFIND or a LOCK asks for, read from XML that may be hostile."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from lxml import etree

DAV = "{DAV:}"


class BadXml(ValueError):
    """The body is no request that can be understood."""


@dataclass(frozen=True)
class Asked:
    """`mode` is allprop, propname or prop; `names` are in Clark notation, with allprop those to include."""

    mode: str
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class LockAsked:
    """What kind of lock, and the element `owner` as XML; empty where there is none."""

    exclusive: bool
    owner: str


def _parse(body: bytes) -> Any:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True)
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError):
        raise BadXml("the body is no XML") from None
    if root.getroottree().docinfo.doctype:
        raise BadXml("a document type is not taken")
    return root


def parse_lockinfo(body: bytes) -> LockAsked:
    """Return which lock a body asks for; BadXml where it is not exactly one on writing (RFC 4918 §14.11)."""
    root = _parse(body)
    found = {child.tag: child for child in root}
    scope, kind, owner = (found.pop(DAV + name, None) for name in ("lockscope", "locktype", "owner"))
    scopes = [child.tag for child in scope] if scope is not None else []
    kinds = [child.tag for child in kind] if kind is not None else []
    if root.tag != DAV + "lockinfo" or found or kinds != [DAV + "write"]:
        raise BadXml("the body is no lockinfo")
    if scopes not in ([DAV + "exclusive"], [DAV + "shared"]):
        raise BadXml("one scope is asked for")
    text = "" if owner is None else etree.tostring(owner, encoding="UTF-8", with_tail=False).decode()
    return LockAsked(scopes == [DAV + "exclusive"], text)


def parse_propfind(body: bytes) -> Asked:
    """Return what a body asks for; an empty one asks for all (RFC 4918 §9.1). BadXml for anything else."""
    if not body.strip():
        return Asked("allprop")
    root = _parse(body)
    if root.tag != DAV + "propfind":
        raise BadXml("the body is no propfind")
    mode: str | None = None
    names: list[str] = []
    for element in root:
        kind = element.tag.removeprefix(DAV) if element.tag.startswith(DAV) else ""
        if kind in ("allprop", "propname", "prop"):
            if mode is not None and not (mode == kind == "prop"):
                raise BadXml("allprop, propname and prop exclude each other")
            mode = kind
        if kind in ("prop", "include"):
            names += [child.tag for child in element]
    if mode is None:
        raise BadXml("neither allprop nor propname nor prop is asked for")
    return Asked(mode, tuple(dict.fromkeys(names)))


REMEMBERED = 2048
"""Bytes of the longest body that is remembered: a client sends the same few all day."""


def asked_of(body: bytes) -> Asked:
    """Return what `parse_propfind` does; short bodies are parsed once."""
    return _parsed(body) if len(body) <= REMEMBERED else parse_propfind(body)


_parsed = lru_cache(maxsize=128)(parse_propfind)
