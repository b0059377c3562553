"""`atrio.asgi:app`: the application for any ASGI server. The config comes from the environment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from atrio.kernel.http.app import App

_app: App | None = None


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Serve one scope; the instance boots with the first one, which is the lifespan."""
    await _booted()(scope, receive, send)


def _booted() -> App:
    global _app
    if _app is None:
        from atrio.kernel.garbage import held

        with held():
            from atrio.kernel.config import Sources
            from atrio.kernel.host import boot
            from atrio.kernel.logs import configure_logging

            kernel = boot(Sources.load())
            configure_logging(kernel.config)
            _app = kernel.app
    return _app
