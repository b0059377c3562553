"""A web page of our own, so that previews of pages never reach the network."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

from atrio.kernel.host import Kernel


class _Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = b"<html><head><title>A page</title><meta name='description' content='about it'></head></html>"
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


@contextmanager
def served() -> Iterator[str]:
    """Serve the page on the loopback and give its address."""
    server = HTTPServer(("127.0.0.1", 0), _Page)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


def allow_only(kernel: Kernel, page: str) -> None:
    """Let previews look at this page; no other port is asked, so no other address is."""
    from atrio.plugins.url_preview.config import UrlPreviewConfig

    port = page.rstrip("/").rpartition(":")[2]
    kernel.config.replace(UrlPreviewConfig, allowed_networks=("127.0.0.1/32",), ports=(port,))
