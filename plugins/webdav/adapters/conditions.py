"""Conditions of a request: the whole of `If` (RFC 4918 §10.4), and `If-Match` where nothing is.

The library looks up tagged lists by a key that no client sends and so takes each of them for true, and asks
nothing of a request for what does not exist. Here the header is judged once, before the library sees it.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote, urlsplit

from wsgidav import util
from wsgidav.dav_error import HTTP_BAD_REQUEST, HTTP_PRECONDITION_FAILED, DAVError

TAGS = 50
"""Resources that one header may name."""
MAKING = frozenset({"PUT", "MKCOL", "LOCK"})
"""Methods that make what is not there."""


def judge(provider: Any, environ: dict[str, Any]) -> None:
    """Raise DAVError 412 where a condition does not hold, 400 for a header that says nothing."""
    util.parse_if_header_dict(environ)
    path = environ["PATH_INFO"]
    making = "HTTP_IF_MATCH" in environ and environ["REQUEST_METHOD"] in MAKING
    if making and provider.get_resource_inst(path, environ) is None:
        raise DAVError(HTTP_PRECONDITION_FAILED, "there is nothing that could match")
    if "HTTP_IF" not in environ:
        return
    lists = environ["wsgidav.conditions.if"]
    if not lists or len(lists) > TAGS:
        raise DAVError(HTTP_BAD_REQUEST, "the header If cannot be read")
    if not any(
        _holds(provider, environ, place, found)
        for tag, found in lists.items()
        for place in (_untagged(provider, environ) if tag == "*" else [_path(provider, tag)])
    ):
        raise DAVError(HTTP_PRECONDITION_FAILED, "'If' header condition failed.")
    environ["wsgidav.conditions.if"] = {}


def conditional(environ: dict[str, Any]) -> bool:
    """Tell whether a request names the state that it wants to change."""
    names = ("HTTP_IF_MATCH", "HTTP_IF_NONE_MATCH", "HTTP_IF_UNMODIFIED_SINCE")
    return any(name in environ for name in names) or "[" in environ.get("HTTP_IF", "")


def _untagged(provider: Any, environ: dict[str, Any]) -> list[str | None]:
    """Return what a list without a tag is about: the path of the request, and where something is moved to.

    Office moves its new file over the old one and names the lock of the old one so.
    """
    path = environ["PATH_INFO"]
    if environ["REQUEST_METHOD"] not in ("MOVE", "COPY") or "HTTP_DESTINATION" not in environ:
        return [path]
    return [path, _path(provider, environ["HTTP_DESTINATION"])]


def _path(provider: Any, tag: str) -> str | None:
    try:
        path = unquote(urlsplit(tag).path)
    except ValueError:
        return None
    prefix = str(provider.mount_path or "") + "/"
    return "/" + path.removeprefix(prefix) if path.startswith(prefix) else None


def _holds(provider: Any, environ: dict[str, Any], path: str | None, lists: list[Any]) -> bool:
    resource = None if path is None else provider.get_resource_inst(path, environ)
    etag = None if resource is None else resource.get_etag()
    tokens: set[str] = set()
    place = provider.place_of(path, environ) if resource is None else resource.get_ref_url()
    if place is not None:
        user = environ["wsgidav.user_name"]
        held = provider.lock_manager.get_indirect_url_lock_list(place, principal=user)
        tokens = {lock["token"] for lock in held}
    return any(
        all((value == etag if style == "entity" else value in tokens) == wanted for wanted, style, value in each)
        for each in lists
    )
