"""A server in front of the wire server: as Elasticsearch presents itself, too busy, too old, or away."""

from __future__ import annotations

import http.client
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

COMPATIBLE = "application/vnd.elasticsearch+{}; compatible-with=9"


class Shim:
    """Passes requests on. `answers` are given instead, first come, first served: (path part, status, body)."""

    def __init__(self, url: str, *, product: str = "elasticsearch", number: str = "9.2.0") -> None:
        self.behind = urlsplit(url)
        self.product = product
        self.number = number
        self.answers: list[tuple[str, int, Any]] = []
        self.seen: list[tuple[str, str, dict[str, str]]] = []
        self.away = False
        handler = type("Handler", (_Handler,), {"shim": self})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    shim: Shim

    def log_message(self, *_: Any) -> None:
        pass

    def do(self) -> None:
        shim = self.shim
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        shim.seen.append((self.command, self.path, dict(headers)))
        if shim.away:
            self.close_connection = True
            return
        for given in shim.answers:
            if given[0] in self.path:
                shim.answers.remove(given)
                return self.answer(given[1], json.dumps(given[2]).encode())
        if shim.product == "elasticsearch":
            for name in ("accept", "content-type"):
                kind = "x-ndjson" if "ndjson" in headers.get(name, "") else "json"
                if name in headers and headers[name] != COMPATIBLE.format(kind):
                    return self.answer(400, json.dumps({"error": f"{name} is {headers[name]}"}).encode())
                if name in headers:
                    headers[name] = f"application/{kind}"
        headers.pop("host", None)
        connection = http.client.HTTPConnection(shim.behind.hostname or "", shim.behind.port or 80)
        connection.request(self.command, self.path, body or None, headers)
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        if urlsplit(self.path).path == "/" and answer.status == 200:
            about = json.loads(data)
            about["version"]["number"] = shim.number
            about["version"].pop("distribution")
            if shim.product == "opensearch":
                about["version"]["distribution"] = "opensearch"
            data = json.dumps(about).encode()
        self.answer(answer.status, data)
        return None

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do  # noqa: N815

    def answer(self, status: int, data: bytes) -> None:
        elastic = self.shim.product == "elasticsearch"
        self.send_response(status)
        self.send_header("content-type", COMPATIBLE.format("json") if elastic else "application/json")
        if elastic:
            self.send_header("x-elastic-product", "Elasticsearch")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)
