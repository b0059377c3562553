"""The drive as wsgidav wants it: resources that translate and decide nothing."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

from lxml import etree
from wsgidav import util
from wsgidav.dav_error import (
    HTTP_CONFLICT,
    HTTP_FORBIDDEN,
    HTTP_NOT_FOUND,
    DAVError,
    DAVErrorCondition,
    PRECONDITION_CODE_PropfindFiniteDepth,
)
from wsgidav.dav_provider import DAVCollection, DAVNonCollection

from atrio.kernel.blobs import TemporaryBlob
from atrio.kernel.errors import KernelError
from atrio.kernel.http.downloads import SANDBOX, safe_media, sandboxed

from ..drive import Drive
from ..errors import status_of
from ..nodes import SECOND, Node
from ..propfind import ON_REQUEST, plain
from ..view import thread_etag
from .conditions import conditional
from .upload import Refused, Writing, received

DRIVE = "atrio.drive"
LISTED = "atrio.listed"
CREATED = "atrio.created"
"""Set where a copy or move made something new: the library would answer 204 for both."""


def drive_of(environ: dict[str, Any]) -> Drive:
    """Return the drive of the request's user."""
    drive = environ[DRIVE]
    assert isinstance(drive, Drive)
    return drive


@contextmanager
def translated() -> Iterator[None]:
    """Turn refusals into those of WebDAV."""
    try:
        yield
    except KernelError as error:
        raise DAVError(status_of(error), error.in_words()) from None


class _Placed:
    """What both kinds of resources share."""

    node: Node
    path: str
    environ: dict[str, Any]
    provider: Any

    def get_display_name(self) -> str:
        return plain(self.node.name) or "/"

    def get_creation_date(self) -> float | None:
        return None if self.node.created is None else self.node.created / SECOND

    def get_last_modified(self) -> float | None:
        return None if self.node.modified is None else self.node.modified / SECOND

    def get_ref_url(self) -> str:
        return self.node.key or "/"

    def support_recursive_delete(self) -> bool:
        return True

    def prevent_locking(self) -> bool:
        """Who may not write may not lock either: one lock on a space would stop everybody in it."""
        return not drive_of(self.environ).may_write(self.node)

    def get_property_value(self, name: str) -> Any:
        if name.startswith("{DAV:}quota-"):
            room = drive_of(self.environ).room(self.node)
            found = None if room is None else room[0 if name == "{DAV:}quota-used-bytes" else 1]
            if found is None or name not in ON_REQUEST:
                raise DAVError(HTTP_NOT_FOUND)
            return str(found)
        if name == "{DAV:}supportedlock" and self.prevent_locking():
            return etree.Element(name)  # clients that are promised locks and refused them open nothing
        return super().get_property_value(name)  # type: ignore[misc]

    def set_property_value(self, name: str, value: Any, *, dry_run: bool = False) -> Any:
        """Set or remove a dead property, which takes the right to write."""
        if not drive_of(self.environ).may_write(self.node):
            raise DAVError(HTTP_FORBIDDEN)
        return super().set_property_value(name, value, dry_run=dry_run)  # type: ignore[misc]

    def _with_tokens(self) -> Drive:
        """Return the drive, which knows the lock tokens that the request submits: its units look at the locks."""
        if "wsgidav.conditions.if" not in self.environ:
            util.parse_if_header_dict(self.environ)
        drive = drive_of(self.environ)
        drive.tokens = frozenset(self.environ["wsgidav.ifLockTokenList"])
        drive.conditional = conditional(self.environ)
        return drive

    def _refuse_locked(self, url: str, depth: str) -> None:
        """Raise 423 where a lock stands whose token was not sent (RFC 4918 §7)."""
        self.provider.lock_manager.check_write_permission(
            url=url, depth=depth, token_list=self._with_tokens().tokens,
            principal=self.environ["wsgidav.user_name"],
        )  # fmt: skip

    def handle_delete(self) -> bool:
        self._refuse_locked(self.get_ref_url(), "infinity")
        with translated():
            self._with_tokens().delete(self.node)
        self._forget()
        return True

    def handle_move(self, dest_path: str) -> bool:
        drive, parent, name, over = self._destination(dest_path)
        with translated():
            drive.move(self.node, parent, name, over)
        self._forget()
        return True

    def handle_copy(self, dest_path: str, *, depth_infinity: bool) -> bool:
        drive, parent, name, over = self._destination(dest_path)
        with translated():
            drive.copy(self.node, parent, name, over, deep=depth_infinity)
        return True

    def _destination(self, dest_path: str) -> tuple[Drive, Node, str, Node | None]:
        drive = self._with_tokens()
        path = dest_path.rstrip("/")
        name = util.get_uri_name(path)
        parent, over = drive.find(util.get_uri_parent(path)), drive.find(path)
        if parent is None or not parent.is_folder:
            raise DAVError(HTTP_CONFLICT, "there is no such folder")
        self.environ[CREATED] = over is None
        return drive, parent, name, over

    def _forget(self) -> None:
        """Locks do not follow what was moved or deleted (RFC 4918 §7.5, §9.9.3)."""
        self.provider.lock_manager.remove_all_locks_from_url(self.get_ref_url(), recursive=True)


class Folder(_Placed, DAVCollection):  # type: ignore[misc]
    """The root, a space, or a folder."""

    def __init__(self, path: str, environ: dict[str, Any], node: Node) -> None:
        super().__init__(path, environ)
        self.node = node

    def get_etag(self) -> None:
        return None

    def get_member_names(self) -> list[str]:
        return [node.name for node in drive_of(self.environ).members(self.node)]

    def get_member_list(self) -> list[Any]:
        base = "" if self.path == "/" else self.path.rstrip("/")
        members, known = drive_of(self.environ).listed(self.node)
        self._count(len(members))
        if self.provider.prop_manager is not None:
            self.provider.prop_manager.note(self.environ, members, known.properties)
        return [resource(f"{base}/{node.name}", self.environ, node) for node in members]

    def _count(self, members: int) -> None:
        """Refuse to list more below a folder than the limit (RFC 4918 §9.1)."""
        environ = self.environ
        if environ["REQUEST_METHOD"] == "PROPFIND" and environ.get("HTTP_DEPTH") == "infinity":
            seen = environ[LISTED] = environ.get(LISTED, 0) + members
            if seen > self.provider.infinity_limit:
                condition = DAVErrorCondition(PRECONDITION_CODE_PropfindFiniteDepth)
                raise DAVError(HTTP_FORBIDDEN, err_condition=condition)

    def get_member(self, name: str) -> Any:
        base = "" if self.path == "/" else self.path.rstrip("/")
        return self.provider.get_resource_inst(f"{base}/{name}", self.environ)

    def create_empty_resource(self, name: str) -> Any:
        base = "" if self.path == "/" else self.path.rstrip("/")
        pending = Pending(f"{base}/{name}", self.environ, self.node, name)
        if self.environ["REQUEST_METHOD"] == "LOCK":  # who locks a free name gets an empty file (§7.3)
            self._refuse_locked(self.get_ref_url(), "0")
            pending.begin_write().close()
            pending.end_write(with_errors=False)
        return pending

    def create_collection(self, name: str) -> None:
        with translated():
            self._with_tokens().make_folder(self.node, name)

    def delete(self) -> None:
        raise DAVError(HTTP_FORBIDDEN)

    def support_recursive_move(self, dest_path: str) -> bool:
        return True


class File(_Placed, DAVNonCollection):  # type: ignore[misc]
    """A content with bytes."""

    def __init__(self, path: str, environ: dict[str, Any], node: Node) -> None:
        super().__init__(path, environ)
        self.node = node
        self._text: bytes | None = None
        self._blob: TemporaryBlob | None = None
        self._media = ""

    def _bytes(self) -> bytes:
        if self._text is None:
            self._text = drive_of(self.environ).text_of(self.node)
        return self._text

    def get_content_length(self) -> int | None:
        return len(self._bytes()) if self.node.size is None else self.node.size

    def get_content_type(self) -> str:
        media = self.node.media
        return media if media.startswith("text/html; ") else safe_media(media, api=False)

    def get_etag(self) -> str | None:
        return thread_etag(self._bytes()) if self.node.etag is None else self.node.etag

    def support_etag(self) -> bool:
        return True

    def support_ranges(self) -> bool:
        return True

    def get_property_value(self, name: str) -> Any:
        if name == "{DAV:}getetag":
            return f'"{self.get_etag()}"'
        return super().get_property_value(name)

    def get_content(self) -> Any:
        digest = getattr(self.node.row, "digest", None)
        if digest is not None:
            return drive_of(self.environ).kernel.blobs.open(digest)
        return io.BytesIO(self._bytes())

    def begin_write(self, *, content_type: str | None = None) -> Writing:
        drive = drive_of(self.environ)
        try:
            with translated():
                drive.refuse_save(*self._saved())
        except DAVError as error:
            raise Refused(error) from None
        self._blob = received(self.environ) or drive.kernel.blobs.begin()
        self._media = content_type or ""
        return Writing(self._blob)

    def _saved(self) -> tuple[Node, str | None]:
        """Return what a save changes: a thing, or a folder and the name of a new thing in it."""
        return self.node, None

    def end_write(self, *, with_errors: bool) -> None:
        blob = self._blob
        assert blob is not None
        try:
            if not with_errors:
                blob.close(fsync=drive_of(self.environ).kernel.blobs.fsync)
                with translated():
                    self._store(blob)
        finally:
            blob.discard()

    def _store(self, blob: TemporaryBlob) -> None:
        drive = self._with_tokens()
        drive.put(self.node, blob, self._media)
        self._reload()

    def _reload(self) -> None:
        found = drive_of(self.environ).find(self.path)
        if found is None:
            raise DAVError(HTTP_NOT_FOUND)
        self.node = found
        self._text = None

    def delete(self) -> None:
        raise DAVError(HTTP_FORBIDDEN)

    def copy_move_single(self, dest_path: str, *, is_move: bool) -> None:
        raise DAVError(HTTP_FORBIDDEN)

    def finalize_headers(self, environ: dict[str, Any], response_headers: list[tuple[str, str]]) -> None:
        """Keep what users stored from running in a browser (design, §11)."""
        response_headers.append(("X-Content-Type-Options", "nosniff"))
        if sandboxed(self.get_content_type().partition(";")[0]):
            response_headers.append(("Content-Security-Policy", SANDBOX))


class Pending(File):
    """A file that is being sent for the first time: nothing exists before its last byte is there."""

    def __init__(self, path: str, environ: dict[str, Any], parent: Node, name: str) -> None:
        super().__init__(path, environ, Node("pending", name, f"{parent.key}/n{quote(name)}"))
        self.parent = parent

    def get_content_length(self) -> int | None:
        return None if self.node.kind == "pending" else super().get_content_length()

    def get_etag(self) -> Any:
        return None if self.node.kind == "pending" else super().get_etag()

    def get_content_type(self) -> str:
        return "application/octet-stream" if self.node.kind == "pending" else super().get_content_type()

    def prevent_locking(self) -> bool:
        return False

    def _saved(self) -> tuple[Node, str | None]:
        return self.parent, self.node.name

    def _store(self, blob: TemporaryBlob) -> None:
        self._with_tokens().put_new(self.parent, self.node.name, blob, self._media)
        self._reload()


def resource(path: str, environ: dict[str, Any], node: Node) -> Any:
    """Return the resource of a node."""
    return Folder(path, environ, node) if node.is_folder else File(path, environ, node)
