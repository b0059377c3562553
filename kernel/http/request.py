"""The request as handlers and authenticators see it: parsed late, each part once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from ..errors import ValidationFailed


class Request:
    """One HTTP request. Header names are lower case; of a repeated header the last counts."""

    __slots__ = (
        "_cookies", "_query", "client", "headers", "id", "method", "path", "query_string", "raw_path",
        "root_path", "scheme",
    )  # fmt: skip

    def __init__(self, scope: Mapping[str, Any], request_id: str) -> None:
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.raw_path: bytes = (scope.get("raw_path") or scope["path"].encode()).partition(b"?")[0]
        self.query_string: bytes = scope.get("query_string", b"")
        self.scheme: str = scope.get("scheme", "http")
        self.root_path: str = scope.get("root_path", "")
        client = scope.get("client")
        self.client: str = client[0] if client else ""
        self.headers: dict[str, str] = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]
        }
        if "cookie" in self.headers:  # HTTP/2 sends each cookie as a header of its own (RFC 9113 §8.2.3)
            crumbs = [value.decode("latin-1") for name, value in scope["headers"] if name == b"cookie"]
            self.headers["cookie"] = "; ".join(crumbs)
        self.id = request_id
        self._cookies: dict[str, str] | None = None
        self._query: dict[str, str] | None = None

    @property
    def cookies(self) -> dict[str, str]:
        """The cookies by name, each read on its own: a malformed one of another program costs no session."""
        if self._cookies is None:
            self._cookies = {}
            for part in self.headers.get("cookie", "").split(";"):
                name, equals, value = part.strip().partition("=")
                if equals and name:
                    self._cookies[name] = value[1:-1] if len(value) > 1 and value[0] == value[-1] == '"' else value
        return self._cookies

    @property
    def query(self) -> dict[str, str]:
        """The query values by key, the last of a repeated key; bad UTF-8 is ValidationFailed."""
        if self._query is None:
            try:
                pairs = parse_qsl(
                    self.query_string.decode("ascii"), keep_blank_values=True, errors="strict",
                    max_num_fields=500,
                )  # fmt: skip
            except ValueError:
                raise ValidationFailed({"query": ["Not a valid query string."]}) from None
            self._query = dict(pairs)
        return self._query

    @property
    def content_length(self) -> int | None:
        """The announced length in bytes, None when absent."""
        value = self.headers.get("content-length", "")
        return int(value) if value.isascii() and value.isdigit() and len(value) < 19 else None

    @property
    def media_type(self) -> str:
        """The content type without parameters, lower case."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()
