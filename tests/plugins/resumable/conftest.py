"""A client that speaks tus 1.0 by hand, as the protocol's text has it."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from atrio.kernel.host import Kernel
from atrio.kernel.testing.client import Answer, Client

VERSION = {"Tus-Resumable": "1.0.0"}
STREAM = {**VERSION, "Content-Type": "application/offset+octet-stream"}


def encoded(**values: Any) -> str:
    return ",".join(f"{k} {base64.b64encode(str(v).encode()).decode()}" for k, v in values.items())


@dataclass
class Tus:
    """Uploads of one person into one space."""

    kernel: Kernel
    client: Client
    space: int

    @property
    def base(self) -> str:
        return f"/api/workspaces/{self.space}/uploads"

    @property
    def folder(self) -> Path:
        from atrio.plugins.resumable.arrival import shelf_of

        return shelf_of(self.kernel).folder

    def post(
        self, length: Any, body: bytes | None = None, headers: dict[str, str] | None = None, **meta: Any
    ) -> Answer:
        given = {**(STREAM if body is not None else VERSION), "Upload-Length": str(length), **(headers or {})}
        if meta:
            given["Upload-Metadata"] = encoded(**meta)
        return self.client.request("POST", self.base, body=body, headers=given)

    def begin(self, length: int, **meta: Any) -> str:
        answer = self.post(length, **{"filename": "a.txt", **meta})
        assert answer.status == 201, answer.body
        return answer.headers["location"]

    def patch(
        self, path: str, offset: Any, body: bytes, headers: dict[str, str] | None = None, **options: Any
    ) -> Answer:
        given = {**STREAM, "Upload-Offset": str(offset), "Content-Length": str(len(body)), **(headers or {})}
        return self.client.request("PATCH", path, body=body, headers=given, **options)

    def head(self, path: str) -> Answer:
        return self.client.request("HEAD", path, headers=VERSION)

    def offset(self, path: str) -> int:
        answer = self.head(path)
        assert answer.status == 200, answer.status
        return int(answer.headers["upload-offset"])

    def delete(self, path: str) -> Answer:
        return self.client.request("DELETE", path, headers=VERSION)

    def bytes_of(self, content_id: int | str) -> bytes:
        answer = self.client.get(f"/api/workspaces/{self.space}/files/{content_id}/raw/x")
        assert answer.status == 200, answer.body
        return answer.body

    def files(self) -> dict[str, int]:
        listed = self.client.get(f"/api/workspaces/{self.space}/contents").json["items"]
        return {c["filename"]: c["content_id"] for c in listed}


@pytest.fixture
def tus(kernel: Kernel, client: Client, make_space: Any) -> Tus:
    return Tus(kernel, client, make_space())
