"""Radicale itself: its settings, and the layer around it that is ours."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from radicale import config as radicale_config
from radicale.app import Application

from atrio.kernel.db.work import RETRIES, is_retryable, pause
from atrio.kernel.errors import KernelError, ServiceUnavailable
from atrio.kernel.http.downloads import SANDBOX

from ..answers import XML, failed, too_large
from ..door import ASKED
from ..holdings import COMPONENTS, Holding
from ..places import READS
from ..texts import BOM, decode
from . import limits
from .asking import Asking, Escape, current, serving
from .faults import is_ours
from .storage import Auth, Rights, Storage
from .wanted import earliest

log = logging.getLogger("atrio.caldav")
DAV = "1, 3, calendar-access, addressbook, extended-mkcol"
"""What is there; the library says 2 as well, and has no locks."""
OURS = (("X-Content-Type-Options", "nosniff"), ("Content-Security-Policy", SANDBOX))
METHODS = (
    "DELETE",
    "GET",
    "HEAD",
    "MKCALENDAR",
    "MKCOL",
    "MOVE",
    "OPTIONS",
    "PROPFIND",
    "PROPPATCH",
    "PUT",
    "REPORT",
)
ASKS_IN_XML = frozenset({"PROPFIND", "PROPPATCH", "REPORT", "MKCOL", "MKCALENDAR", "MOVE"})


class _Quiet(logging.Filter):
    """Keeps the library's own reports of bad requests out of the root log: what matters is logged by us."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether a record stays."""
        return "/radicale/" not in record.pathname.replace("\\", "/")


def precondition(name: str) -> tuple[str, list[tuple[str, str]], bytes]:
    """Return the answer that names a precondition that failed (RFC 4918 §16)."""
    body = failed(name)
    return "403 Forbidden", _headers(body, XML), body


def _headers(body: bytes, media: str) -> list[tuple[str, str]]:
    return [("Content-Type", media), ("Content-Length", str(len(body))), *OURS]


def _plain(status: str) -> tuple[str, list[tuple[str, str]], bytes]:
    body = f"{status}\n".encode()
    return status, _headers(body, "text/plain; charset=utf-8"), body


def _failed(asking: Asking, error: BaseException | None) -> tuple[str, list[tuple[str, str]], bytes]:
    """Return the answer to a request that failed by our fault, after telling the log of it."""
    log.error("%s %s failed", asking.request_id, asking.method, exc_info=error)
    return _plain("500 Internal Server Error")


class Server(Application):
    """Radicale, which notes what it stumbled over before it makes a 500 of it."""


def _noting(do: Any) -> Any:
    def noted(self: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return do(self, *args, **kwargs)
        except Exception as error:
            current().fault = error
            raise

    return noted


for _name in METHODS:
    setattr(Server, f"do_{_name}", _noting(getattr(Application, f"do_{_name}")))


class Front:
    """The WSGI application: looks at what comes in, asks Radicale, and tries a lost race again."""

    def __init__(self, max_item: int) -> None:
        self.max_item = max_item
        self.radicale = make_radicale(max_item)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Serve one request."""
        body = environ["wsgi.input"].read()
        kernel, actor, request_id, holding, conditions = environ[ASKED]
        method = environ["REQUEST_METHOD"]
        if method not in READS:  # judged under the lock of the collection
            for name in ("HTTP_IF_MATCH", "HTTP_IF_NONE_MATCH"):
                environ.pop(name, None)
        for attempt in range(RETRIES + 1):
            asking = Asking(kernel, actor, request_id, method, conditions)
            asking.asked_from = earliest(body) if method == "REPORT" else None
            try:
                with serving(asking):
                    status, headers, answer = self._once(asking, dict(environ), body, holding)
                break
            except Escape as escape_:
                error = escape_.error
                if not is_retryable(error):
                    if isinstance(error, KernelError):
                        raise error from None
                    status, headers, answer = _failed(asking, error)
                    break
                if attempt == RETRIES:
                    raise ServiceUnavailable("too many writers at once") from None
                pause(attempt)
        start_response(status, headers)
        return [] if method == "HEAD" else [answer]

    def _once(
        self, asking: Asking, environ: dict[str, Any], body: bytes, holding: Holding | None
    ) -> tuple[str, list[tuple[str, str]], bytes]:  # fmt: skip
        tag, exact = "" if holding is None else holding.tag, True
        if asking.method == "PUT" and tag:
            if len(body) > self.max_item:
                return precondition(too_large(tag))
            assert holding is not None
            text, exact = decode(body, _charset(environ))
            why = limits.refusal(text.removeprefix(BOM), tag, holding.props().get(COMPONENTS))
            if why is not None:
                return precondition(why)
            asking.body = body if exact else text.encode("utf-8", "replace")
            body = text.removeprefix(BOM).encode("utf-8", "replace")
            environ["CONTENT_TYPE"] = environ.get("CONTENT_TYPE", "").partition(";")[0] + "; charset=utf-8"
        if "HTTP_DESTINATION" in environ:
            environ["HTTP_DESTINATION"] = _own_path(environ, str(asking.kernel.app.gate.own_origin))
        environ["wsgi.input"], environ["CONTENT_LENGTH"] = io.BytesIO(body), str(len(body))
        status, headers, answer = self._ask(environ)
        code = int(status[:3])
        if code == 500 and (asking.fault is None or is_ours(asking.fault)):
            return _failed(asking, asking.fault)
        if asking.method == "PUT" and tag and code in (400, 500):
            log.info("%s a PUT was no valid entry", asking.request_id)
            return precondition(limits.invalid(tag))
        if code == 500 and asking.method in ASKS_IN_XML:
            why = type(asking.fault).__name__
            log.warning("%s %s could not be understood: %s", asking.request_id, asking.method, why)
            return _plain("400 Bad Request")
        return status, [*self._adapted(headers, exact=exact), *OURS], answer

    def _ask(self, environ: dict[str, Any]) -> tuple[str, list[tuple[str, str]], bytes]:
        told: list[Any] = []

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
            told[:] = [status, headers]

        parts = self.radicale(environ, start)
        return told[0], told[1], b"".join(parts)

    def _adapted(self, headers: list[tuple[str, str]], *, exact: bool) -> list[tuple[str, str]]:
        """Say only what is so: no class 2; no ETag for an entry that is not stored as it was sent (§5.3.4)."""
        kept = [(n, DAV if n.lower() == "dav" else v) for n, v in headers]
        if not any(n.lower() == "content-length" for n, _ in kept):
            kept.append(("Content-Length", "0"))
        return kept if exact else [(n, v) for n, v in kept if n.lower() != "etag"]


def _charset(environ: dict[str, Any]) -> str | None:
    _, found, rest = str(environ.get("CONTENT_TYPE", "")).lower().partition("charset=")
    return rest.partition(";")[0].strip(" \"'") or None if found else None


def _own_path(environ: dict[str, Any], origin: str) -> str:
    """Return the path of a destination on this host: behind a proxy scheme and port are not what they seem."""
    given = str(environ["HTTP_DESTINATION"])
    try:
        target, here = urlsplit(given), urlsplit(f"//{environ.get('HTTP_HOST', '')}")
        own = target.hostname in (here.hostname, urlsplit(origin).hostname)
    except ValueError:
        return given
    return target.path if target.netloc and own else given


def make_radicale(max_item: int) -> Application:
    """Return Radicale on our storage, with its own sign-in, pages, logs, hooks and delays off."""
    logging.getLogger("radicale").setLevel(logging.CRITICAL + 1)
    root = logging.getLogger()
    if not any(isinstance(f, _Quiet) for f in root.filters):
        root.addFilter(_Quiet())
    configuration = radicale_config.load()
    configuration.update(
        {
            "server": {
                "delay_on_error": "0", "max_content_length": str(max_item * 4),
                "max_resource_size": str(max_item * 2),
                # no file system has to hold the names of entries; control characters are refused anyway
                "validate_path_value": "none",
                "max_vevent_rrule_occurrence": str(limits.MAX_INSTANCES),
            },
            "auth": {"type": Auth, "delay": "0"},
            "rights": {
                "type": Rights, "permit_delete_collection": "False", "permit_overwrite_collection": "False",
            },
            "storage": {"type": Storage, "predefined_collections": "{}"},
            "web": {"type": "none"}, "hook": {"type": "none"},
            "logging": {"level": "critical"},
        },
        "atrio", privileged=True,
    )  # fmt: skip
    return Server(configuration)
