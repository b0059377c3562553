"""Radicale's storage on the kernel's database, and its rights and sign-in on what the kernel knows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from radicale.auth import BaseAuth
from radicale.rights import BaseRights
from radicale.storage import BaseStorage

from .. import places, services
from ..holdings import NAME, Holding
from ..places import ADDRESSBOOK, CALENDAR
from .asking import Escape, current
from .collection import Collection, kept


class Storage(BaseStorage):
    """Collections and entries in the database; the unit of work is the lock."""

    _is_collision_free = True
    _supports_unicode = True
    _supports_trailing_whitespace = True
    _supports_problematic_chars = True

    def discover(
        self, path: str, depth: str = "0", child_context_manager: Any = None,
        user_groups: set[str] | None = None,
    ) -> Iterator[Any]:  # fmt: skip
        """Yield what a path names, and what is right inside it unless `depth` is 0."""
        place = places.parse(path)
        asking = current()
        if place is None:
            return
        if place.kind == "root":
            yield Collection("", None, {})
            if depth != "0":
                yield from self.discover(f"/{asking.login}/")
        elif place.kind == "principal":
            if place.home != asking.user_id:
                return
            yield Collection(place.path, None, {NAME: asking.public_name})
            if depth != "0":
                yield from (_collection(holding) for holding in asking.home())
        else:
            yield from self._in_collection(path, place.href, depth)

    def _in_collection(self, path: str, href: str | None, depth: str) -> Iterator[Any]:
        holding = current().holding(path)
        if holding is None or not holding.exists:
            return
        collection = _collection(holding)
        if href is not None:
            item = collection.get_one(href)
            if item is not None:
                yield item
            return
        yield collection
        if depth != "0":
            yield from collection.get_all()

    def move(self, item: Any, to_collection: Any, to_href: str) -> None:
        """Move an entry."""
        asking = current()
        source, target = asking.held(item.collection.holding), asking.held(to_collection.have)
        with kept():
            services.move_item(asking.writing, source, item.href, target, to_href)

    def create_collection(
        self, href: str, items: Any = None, props: Mapping[str, str] | None = None
    ) -> tuple[Collection, dict[str, Any], list[str]]:
        """Add a collection to the user's own."""
        place = places.parse(href)
        tag = (props or {}).get("tag", "")
        if place is None or place.kind != "collection" or not place.added or place.href is not None:
            raise ValueError("no collection can be added here")
        if tag not in (CALENDAR, ADDRESSBOOK):
            raise ValueError("only calendars and address books are kept")
        given = {k: v for k, v in (props or {}).items() if k != "tag"}
        with kept():
            services.add_collection(current().writing, place, tag, given)
        current().forget()
        holding = current().holding(href)
        assert holding is not None
        return _collection(holding), {}, []

    @contextmanager
    def acquire_lock(self, mode: str, user: str = "", *args: Any, **kwargs: Any) -> Iterator[None]:
        """Open the unit of work; a writing one locks the collections that the request names."""
        paths = None
        if mode == "w":
            paths = tuple(kwargs[name] for name in ("path", "to_path") if kwargs.get(name))
        with current().unit(paths):
            yield

    def verify(self) -> bool:
        """Nothing can be wrong here that the database does not see."""
        return True


def _collection(holding: Holding) -> Collection:
    return Collection(holding.place.path, holding, holding.props())


class Rights(BaseRights):
    """Rights from roles."""

    def authorization(self, user: str, user_groups: set[str], path: str) -> str:
        """Return the letters of a path."""
        try:
            return current().letters(path)
        except Exception as error:
            raise Escape(error) from error


class Auth(BaseAuth):
    """The kernel has authenticated the request."""

    def get_external_login(self, environ: Mapping[str, Any]) -> tuple[()] | tuple[str, str]:
        """Return who asks."""
        return current().login, ""

    def _login(self, login: str, password: str) -> str:
        return login
