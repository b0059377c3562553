"""Routes, mounts and the call that a handler receives."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from ..errors import KernelError

if TYPE_CHECKING:
    from ..events import Event
    from .guards import Guard
    from .request import Request
    from .schema import Dumper, Schema

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "PROPFIND", "REPORT"})
PARAMETER = re.compile(r"\{([a-z_][a-z0-9_]*)(?::(int|str|rest))?\}")


@dataclass(frozen=True)
class Answer:
    """What a route sends on success: a schema in one of three arrangements, bytes, nothing, or a redirect.

    `etag` gives the revision part of the tag: `"<revision>-<8 hex of the body>"`. `also` names further statuses
    with the same body, or without one where HTTP forbids it.
    """

    dumper: Dumper | None = None
    shape: Literal["one", "list", "page", "bytes", "empty", "redirect", "any"] = "one"
    status: int = 200
    media: str = "application/json"
    doc: str = ""
    etag: Callable[[Any], str] | None = None
    also: tuple[tuple[int, str], ...] = ()


EMPTY = Answer(shape="empty", status=204)


@dataclass
class Call:
    """One call of a handler: the request and its validated values. Doors without HTTP leave `request` None."""

    path: dict[str, Any] = field(default_factory=dict)
    query: dict[str, Any] = field(default_factory=dict)
    body: dict[str, Any] = field(default_factory=dict)
    raw_body: Mapping[str, Any] = field(default_factory=dict)
    request: Request | None = None
    upload: Any = None

    @property
    def http(self) -> Request:
        """The request; only for routes."""
        assert self.request is not None
        return self.request


@dataclass(frozen=True)
class Route:
    """One method on one path.

    `guards` run in order and each names its refusals; a public route says so with the guard `PUBLIC`.
    `handler(ctx, call)` returns what `answer` dumps, or a Response. On a writing route `after(ctx, value)`
    loads the answer once the projections have run, still in the transaction. `emits` names events with which
    other plugins may refuse the unit: what their subscriptions veto stands in the API document. `stream` looks at
    a streaming request before its first byte and returns an UploadLimit, or a Sink that takes the body raw, of the
    type `media`. `cors` names request headers that pages of other origins may send beside the usual ones.
    """

    method: str
    path: str
    handler: Callable[..., Any]
    guards: tuple[Guard, ...]
    answer: Answer = EMPTY
    query: type[Schema] | None = None
    body: type[Schema] | None = None
    kind: Literal["none", "json", "stream"] = "none"
    form: type[Schema] | None = None
    after: Callable[..., Any] | None = None
    errors: tuple[type[KernelError], ...] = ()
    emits: tuple[type[Event], ...] = ()
    writes: bool | None = None
    summary: str = ""
    group: str = ""
    stream: Callable[..., Any] | None = None
    media: str = "multipart/form-data"
    cors: tuple[str, ...] = ()
    hidden: bool = False

    @property
    def writing(self) -> bool:
        """Tell whether the unit may write: by default every method but the safe ones."""
        return self.method not in SAFE_METHODS if self.writes is None else self.writes

    @property
    def takes(self) -> Literal["none", "json", "stream"]:
        """The kind of body: JSON when a body schema is declared."""
        return "json" if self.body is not None and self.kind == "none" else self.kind

    @property
    def public(self) -> bool:
        """True when nobody need sign in."""
        return any(guard.public for guard in self.guards)

    def parameters(self) -> Sequence[tuple[str, str]]:
        """Return (name, kind) of each path parameter."""
        return [(m.group(1), m.group(2) or "str") for m in PARAMETER.finditer(self.path)]

    def openapi_path(self) -> str:
        """Return the path as OpenAPI writes it."""
        return PARAMETER.sub(lambda m: "{" + m.group(1) + "}", self.path)


@dataclass(frozen=True)
class Mount:
    """An ASGI application that owns a path prefix (`/webdav`)."""

    prefix: str
    app: Callable[..., Any]
    summary: str = ""
