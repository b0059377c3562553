"""wsgidav's property manager, on the dead properties of the database.

Each call is a short unit of work of its own, or none where the properties were fetched before. Never call one
inside another unit: on SQLite the thread then waits for itself for ever; there `services.properties` is for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

from wsgidav import dav_error

from atrio.kernel.context import SYSTEM, Actor

from ..nodes import Node
from ..services import properties as service
from ..services.properties import Properties, PropertyRefused

if TYPE_CHECKING:
    from atrio.kernel.context import Context
    from atrio.kernel.host import Kernel

T = TypeVar("T")
Environ = dict[str, Any]
KeyOf = Callable[[str, Environ | None], str | None]
FETCHED = "atrio.webdav.properties"
"""Key of the environ for what this request has read: properties by the key of their resource."""

ASKED, WRITTEN = "atrio.webdav.asked", "atrio.webdav.written"
"""Keys of the environ for the changes of this request, and whether they are written."""


class PropertyManager:
    """A property manager of wsgidav, shared by all workers of the instance.

    `key_of(norm_url, environ)` names the resource of a URL, None for one that holds no dead properties. What a
    request reads it reads once; `prefetch` reads for a whole listing in one statement.
    """

    def __init__(self, kernel: Kernel, key_of: KeyOf, *, actor: Actor = SYSTEM) -> None:
        self._kernel = kernel
        self._key_of = key_of
        self._actor = actor

    def __repr__(self) -> str:
        return "PropertyManager"

    def prefetch(self, environ: Environ, resources: Iterable[str]) -> None:
        """Read the properties of many resources for the rest of this request."""
        fetched: dict[str, Properties] = environ.setdefault(FETCHED, {})
        missing = [resource for resource in resources if resource not in fetched]
        if missing:
            found = self._run(lambda ctx: service.properties_of(ctx, missing))
            fetched.update({resource: found.get(resource, {}) for resource in missing})

    def note(self, environ: Environ, nodes: Iterable[Node], found: dict[str, Properties]) -> None:
        """Take over what a listing has read."""
        fetched: dict[str, Properties] = environ.setdefault(FETCHED, {})
        fetched.update({n.resource: found.get(n.resource, {}) for n in nodes if n.resource is not None})

    def get_properties(self, norm_url: str, environ: Environ | None = None) -> list[str]:
        """Return the names of a resource's dead properties."""
        return list(self._of(norm_url, environ))

    def get_property(self, norm_url: str, name: str, environ: Environ | None = None) -> bytes | None:
        """Return the XML of a dead property, None where there is none.

        As bytes: lxml takes no text that declares an encoding.
        """
        value = self._of(norm_url, environ).get(name)
        return None if value is None else value.encode()

    def write_property(
        self, norm_url: str, name: str, property_value: bytes | str, dry_run: bool = False,
        environ: Environ | None = None,
    ) -> None:  # fmt: skip
        """Set a dead property; DAVError 507 for one too many or too long, 403 where none can be kept."""
        resource = self._key_of(norm_url, environ)
        if resource is None:
            raise dav_error.DAVError(dav_error.HTTP_FORBIDDEN)
        text = property_value.decode() if isinstance(property_value, bytes) else property_value
        self._change(resource, {name: text}, dry_run, environ)

    def remove_property(
        self, norm_url: str, name: str, dry_run: bool = False, environ: Environ | None = None
    ) -> None:
        """Remove a dead property; it need not be there."""
        resource = self._key_of(norm_url, environ)
        if resource is not None:
            self._change(resource, {name: None}, dry_run, environ)

    def remove_properties(self, norm_url: str, environ: Environ | None = None) -> None:
        """Remove every dead property of a resource, as when it is deleted."""
        resource = self._key_of(norm_url, environ)
        if resource is not None:
            self._run(lambda ctx: service.drop_properties(ctx, [resource]), writes=True)
            _forget(environ, resource)

    def copy_properties(self, src_url: str, dest_url: str, environ: Environ | None = None) -> None:
        """Give the target the properties of the source."""
        self._transfer(service.copy_properties, src_url, dest_url, environ)

    def move_properties(
        self, src_url: str, dest_url: str, with_children: bool, environ: Environ | None = None
    ) -> None:
        """Give the target the properties of the source, which loses them.

        Nothing to do for a resource that keeps its key, nor for its children, whose keys name no path.
        """
        self._transfer(service.move_properties, src_url, dest_url, environ)

    def _run(self, call: Callable[[Context], T], *, writes: bool = False) -> T:
        return self._kernel.run(call, writes=writes, actor=self._actor)

    def _of(self, norm_url: str, environ: Environ | None) -> Properties:
        resource = self._key_of(norm_url, environ)
        if resource is None:
            return {}
        kept: Environ = environ if environ is not None else {}
        self.prefetch(kept, [resource])
        found: Properties = kept[FETCHED][resource]
        return found

    def _change(
        self, resource: str, changes: dict[str, str | None], dry_run: bool, environ: Environ | None
    ) -> None:
        """Make changes at once, all of a request in one unit (RFC 4918 §9.2: all of them or none).

        The library asks for each property whether it could be set, and then sets each: what it asked for is
        judged as a whole, and written as a whole with the first one.
        """
        asked: dict[str, str | None] = {} if environ is None else environ.setdefault(ASKED, {})
        if dry_run:
            asked.update(changes)
            changes = asked
        elif changes.keys() <= asked.keys():
            if environ is not None and environ.get(WRITTEN):
                return
            changes = asked
        try:
            if dry_run:
                self._run(lambda ctx: service.check_properties(ctx, resource, changes))
                return
            self._run(lambda ctx: service.change_properties(ctx, resource, changes), writes=True)
        except PropertyRefused as refused:
            raise dav_error.DAVError(dav_error.HTTP_INSUFFICIENT_STORAGE, str(refused)) from None
        if environ is not None:
            environ[WRITTEN] = bool(asked)
        _forget(environ, resource)

    def _transfer(
        self, transfer: Callable[[Context, dict[str, str]], None], source: str, target: str,
        environ: Environ | None,
    ) -> None:  # fmt: skip
        old, new = self._key_of(source, environ), self._key_of(target, environ)
        if old is None or new is None or old == new:
            return
        self._run(lambda ctx: transfer(ctx, {old: new}), writes=True)
        _forget(environ, old)
        _forget(environ, new)


def _forget(environ: Environ | None, resource: str) -> None:
    if environ is not None:
        environ.get(FETCHED, {}).pop(resource, None)
