"""A client that calls the ASGI application in this process, the whole way of a request but the socket."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes
    all_headers: list[tuple[str, str]] = field(default_factory=list)

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def code(self) -> Any:
        """The wire code of a refusal."""
        return self.json["code"]


class Client:
    """Signs in by Basic credentials or by a cookie; keeps cookies of its own."""

    def __init__(self, app: Any, login: str | None = None, password: str | None = None) -> None:
        self.app = app
        self.login = login
        self.password = password
        self.cookies: dict[str, str] = {}
        self.loop = asyncio.new_event_loop()

    def close(self) -> None:
        """End the loop."""
        self.loop.close()

    def request(
        self, method: str, path: str, *, json_body: Any = None, query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None, body: bytes | Iterable[bytes] | None = None,
        files: Mapping[str, tuple[str, bytes, str]] | None = None, fields: Mapping[str, str] | None = None,
        client: str = "127.0.0.1", announce: int | None = None, cut_after: int | None = None,
        leave_after: int = 1,
    ) -> Answer:  # fmt: skip
        """Send one request. `cut_after` N: the client goes away after N bytes of the body.

        A stream of events has no end of its own: its answer is the first `leave_after` chunks, or what came
        until it was silent for some seconds.
        """
        sent: dict[str, str] = {}
        payload = b"" if body is None else (body if isinstance(body, bytes) else b"".join(body))
        if json_body is not None:
            payload = json.dumps(json_body).encode()
            sent["content-type"] = "application/json"
        elif files is not None or fields is not None:
            payload, sent["content-type"] = encode_form(fields or {}, files or {})
        if payload or method in ("POST", "PUT"):
            sent["content-length"] = str(len(payload) if announce is None else announce)
        if self.login is not None:
            token = base64.b64encode(f"{self.login}:{self.password}".encode()).decode()
            sent["authorization"] = f"Basic {token}"
        if self.cookies:
            sent["cookie"] = "; ".join(f"{k}={v}" for k, v in self.cookies.items())
        sent.update({k.lower(): v for k, v in (headers or {}).items()})
        raw, _, inline = path.partition("?")
        scope = {
            "type": "http", "http_version": "1.1", "method": method, "scheme": "http",
            "path": _decoded(raw), "raw_path": raw.encode("latin-1", "ignore"),
            "query_string": (urlencode(query) if query else inline).encode(), "root_path": "",
            "headers": [(k.encode("latin-1"), v.encode("latin-1")) for k, v in sent.items()],
            "client": (client, 1234), "server": ("testserver", 80),
        }  # fmt: skip
        return self.loop.run_until_complete(self._call(scope, payload, cut_after, leave_after))

    async def _call(
        self, scope: dict[str, Any], payload: bytes, cut_after: int | None, leave_after: int
    ) -> Answer:  # fmt: skip
        blocks = [payload[i : i + 65536] for i in range(0, len(payload), 65536)] or [b""]
        if cut_after is not None:
            blocks = [payload[:cut_after]]
        position = 0
        messages: list[Any] = []
        answered = asyncio.Event()

        async def receive() -> Any:
            nonlocal position
            if position >= len(blocks):
                if cut_after is None:
                    await answered.wait()
                return {"type": "http.disconnect"}
            block = blocks[position]
            position += 1
            more = position < len(blocks) or cut_after is not None
            return {"type": "http.request", "body": block, "more_body": more}

        async def send(message: Any) -> None:
            messages.append(message)
            if message["type"] == "http.response.body" and not message.get("more_body", False):
                answered.set()

        await LeavesStreams(self.app, leave_after)(scope, receive, send)
        await _end_what_streams_left()
        if not messages:
            return Answer(0, {}, b"")
        start = messages[0]
        pairs = [(k.decode("latin-1"), v.decode("latin-1")) for k, v in start["headers"]]
        for name, value in pairs:
            if name == "set-cookie":
                key, _, rest = value.partition("=")
                text = rest.partition(";")[0]
                self.cookies.pop(key, None)
                if text:
                    self.cookies[key] = text
        body = b"".join(m.get("body", b"") for m in messages[1:])
        return Answer(start["status"], dict(pairs), body, pairs)

    def get(self, path: str, **options: Any) -> Answer:
        """GET."""
        return self.request("GET", path, **options)

    def post(self, path: str, json_body: Any = None, **options: Any) -> Answer:
        """POST."""
        return self.request("POST", path, json_body=json_body, **options)

    def put(self, path: str, json_body: Any = None, **options: Any) -> Answer:
        """PUT."""
        return self.request("PUT", path, json_body=json_body, **options)

    def delete(self, path: str, **options: Any) -> Answer:
        """DELETE."""
        return self.request("DELETE", path, **options)


class LeavesStreams:
    """An application whose clients leave a stream of events after its first chunks, or when it is silent."""

    SILENCE_SECONDS = 5.0

    def __init__(self, app: Any, leave_after: int = 1) -> None:
        self.app = app
        self.leave_after = leave_after

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass the call on; what is no stream of events is left alone."""
        streaming, chunks, over = False, 0, asyncio.Event()

        async def hear() -> Any:
            if not streaming:
                return await receive()
            try:
                async with asyncio.timeout(self.SILENCE_SECONDS):
                    await over.wait()
            except TimeoutError:
                over.set()
            return {"type": "http.disconnect"}

        async def pass_on(message: Any) -> None:
            nonlocal streaming, chunks
            if message["type"] == "http.response.start":
                streaming = (b"content-type", b"text/event-stream") in message["headers"]
            elif streaming and over.is_set():
                return
            elif streaming:
                chunks += 1
                if chunks >= self.leave_after or not message.get("more_body"):
                    over.set()
                    message = {**message, "more_body": False}
            await send(message)

        await self.app(scope, hear, pass_on)
        if streaming and not over.is_set():
            await send({"type": "http.response.body", "body": b""})


async def _end_what_streams_left() -> None:
    """End the tasks that a stream leaves in the loop of its client, which runs for one request at a time."""
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)


def _decoded(raw: str) -> str:
    from urllib.parse import unquote

    return unquote(raw, errors="replace")


def encode_form(
    fields: Mapping[str, str], files: Mapping[str, tuple[str, bytes, str]], boundary: str = "atrio-boundary"
) -> tuple[bytes, str]:
    """Return the body and content type of a multipart form; files are (name, bytes, media type)."""
    parts: list[bytes] = []
    for name, value in fields.items():
        parts.append(f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode())
    for name, (filename, data, media) in files.items():
        quoted = filename.replace("\\", "\\\\").replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
        head = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="{quoted}"\r\n'
            f"Content-Type: {media}\r\n\r\n"
        )
        parts.append(head.encode() + data + b"\r\n")
    parts.append(f"--{boundary}--\r\n".encode())
    return b"".join(parts), f"multipart/form-data; boundary={boundary}"
