"""wsgidav itself: its settings, and the two layers around it that are ours."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from wsgidav.dav_error import DAVError, get_http_status_string
from wsgidav.mw.base_mw import BaseMiddleware
from wsgidav.request_resolver import RequestResolver
from wsgidav.wsgidav_app import WsgiDAVApp

from atrio.kernel.http.wsgi import BodyCut

from .locks import LockManager, LockStorage
from .properties import PropertyManager
from .provider import Provider, key_of
from .resources import CREATED, DRIVE
from .upload import Refused

if TYPE_CHECKING:
    from atrio.kernel.host import Kernel

log = logging.getLogger("atrio.webdav")
BLOCK = 256 * 1024


class Printer(BaseMiddleware):  # type: ignore[misc]
    """Says why a request was refused, in a line of text or the XML of RFC 4918 §16, and nothing of our inside."""

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
        """Pass the request on and give its answer."""
        own: bytes | None = None

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            nonlocal own
            number = int(status[:3])
            page = any(n.lower() == "content-type" and v.startswith("text/html") for n, v in headers)
            if page and (number >= 400 or environ["REQUEST_METHOD"] not in ("GET", "HEAD")):
                own = f"{status}\n".encode() if number >= 400 else b""
                kept = [(n, v) for n, v in headers if n.lower() not in ("content-type", "content-length")]
                headers = [*_plain(own), *kept]
            return start_response(status, headers, exc_info)

        try:
            for block in self.next_app(environ, start):
                if own is None:
                    yield block
            if own:
                yield own
        except BodyCut:
            raise
        except DAVError as error:
            yield self._refusal(environ, error, start_response)
        except Refused as refused:
            yield self._refusal(environ, refused.error, start_response)
        except Exception:
            log.exception("%s %s failed", environ["REQUEST_METHOD"], environ.get("PATH_INFO"))
            start_response("500 Internal Server Error", _plain(b"500 Internal Server Error\n"))
            yield b"500 Internal Server Error\n"

    def _refusal(self, environ: dict[str, Any], error: DAVError, start_response: Any) -> bytes:
        status = get_http_status_string(error)
        if error.value in (204, 304):
            start_response(status, [("Content-Length", "0"), *(error.add_headers or ())])
            return b""
        if error.err_condition is not None:
            body: bytes = error.err_condition.as_string().encode()
            headers = [*_plain(body)[1:], ("Content-Type", "application/xml; charset=utf-8")]
        else:
            why = error.context_info if error.src_exception is None and error.value < 500 else ""
            body = f"{status}{': ' + str(why) if why else ''}\n".encode()
            headers = _plain(body)
        start_response(status, [*headers, *(error.add_headers or ())])
        return body


def _plain(body: bytes) -> list[tuple[str, str]]:
    return [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body)))]


class Shim(BaseMiddleware):  # type: ignore[misc]
    """Names the user, who was authenticated before, in the way the library expects."""

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Pass the request on."""
        user = str(environ[DRIVE].actor.id)
        environ["wsgidav.auth.user_name"] = user
        environ["wsgidav.user_name"] = user
        environ["wsgidav.auth.realm"] = "Atrio"
        environ["wsgidav.auth.roles"] = ("editor",)
        environ["wsgidav.auth.permissions"] = ("browse", "read", "write")
        environ["wsgidav.some_input_read"] = 1  # what is left of a refused body is the bridge's to drain

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            created = environ.get(CREATED) and status.startswith("204")
            return start_response("201 Created" if created else status, headers, exc_info)

        found: Iterable[bytes] = self.next_app(environ, start)
        return found


def make_application(kernel: Kernel, prefix: str, *, lock_seconds: int, infinity_limit: int) -> Any:
    """Return the WSGI application of the drive below a path prefix."""
    provider = Provider(infinity_limit)
    application = WsgiDAVApp(
        {
            "provider_mapping": {"/": provider}, "mount_path": prefix, "lock_storage": None,
            "property_manager": PropertyManager(kernel, key_of), "block_size": BLOCK,
            "suppress_version_info": True, "verbose": 1, "logging": {"enable": False},
            "middleware_stack": [Printer, Shim, RequestResolver],
            "hotfixes": {"re_encode_path_info": True, "unquote_path_info": False},
            "http_authenticator": {"domain_controller": None, "accept_digest": False, "accept_basic": False},
        }
    )  # fmt: skip
    locks = LockManager(LockStorage(kernel, max_seconds=lock_seconds), provider.href_of, provider.asking)
    application.lock_manager = locks
    provider.set_lock_manager(locks)
    return application
