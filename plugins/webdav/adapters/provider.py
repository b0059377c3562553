"""The provider of wsgidav: finds resources for whoever asks."""

from __future__ import annotations

import threading
from typing import Any
from urllib.parse import quote, unquote

from wsgidav import util
from wsgidav.dav_error import HTTP_BAD_REQUEST, DAVError
from wsgidav.dav_provider import DAVProvider

from ..drive import Drive
from ..nodes import property_key
from .conditions import judge
from .input import tidy
from .resources import drive_of, resource, translated


class Provider(DAVProvider):  # type: ignore[misc]
    """All spaces of whoever asks."""

    def __init__(self, infinity_limit: int = 1000) -> None:
        super().__init__()
        self.infinity_limit = infinity_limit
        self._current = threading.local()

    def is_readonly(self) -> bool:
        return False

    def custom_request_handler(self, environ: dict[str, Any], start_response: Any, default_handler: Any) -> Any:
        """Put a request in order and judge its conditions, then let the library handle it."""
        self._current.drive = drive_of(environ)
        tidy(environ)
        judge(self, environ)
        return super().custom_request_handler(environ, start_response, default_handler)

    def asking(self) -> str:
        """Return the user of this request as locks name him."""
        drive: Drive | None = getattr(self._current, "drive", None)
        return "" if drive is None else str(drive.actor.id)

    def place_of(self, path: str | None, environ: dict[str, Any]) -> str | None:
        """Return the place that a new thing at a path would have, None where there is no folder for it."""
        if path is None:
            return None
        parent = self.get_resource_inst(util.get_uri_parent(path), environ)
        name = util.get_uri_name(path.rstrip("/"))
        return None if parent is None or not parent.is_collection else f"{parent.node.key}/n{quote(name)}"

    def get_resource_inst(self, path: str | None, environ: dict[str, Any]) -> Any:
        self._current.drive = drive_of(environ)
        if path is None:  # the parent of the root
            return None
        if "\x00" in path or any("\ud800" <= c <= "\udfff" for c in path):
            raise DAVError(HTTP_BAD_REQUEST, "the path is no text")
        with translated():
            node = drive_of(environ).find(path)
        return None if node is None else resource(path, environ, node)

    def ref_url_to_path(self, ref_url: str) -> str:
        """Return the path of a place by ids, as the user of this request knows it."""
        drive: Drive | None = getattr(self._current, "drive", None)
        return unquote(ref_url) if drive is None else drive.path_of(ref_url)

    def href_of(self, ref_url: str) -> str:
        """Return the address of a place by ids, as the user of this request knows it."""
        return quote(str(self.mount_path) + self.ref_url_to_path(ref_url))


def key_of(ref_url: str, environ: dict[str, Any] | None = None) -> str | None:
    """Return whose dead properties those of a place are."""
    return property_key(ref_url)
