"""Greetings on the drive: everybody finds his own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from atrio.kernel.testing.client import Client

pytest.importorskip("wsgidav")
pytestmark = pytest.mark.atrio_config(plugins__enabled=["hello", "webdav"])


def test_greetings_are_files(client: Client, as_actor: Callable[..., Any]) -> None:
    bob = as_actor("bob")
    made = client.post("/api/hello/greetings", {"user_id": bob.user_id, "text": "Good morning, Bøb"})
    path = f"/webdav/Hello/{made.json['greeting_id']}.txt"
    listed = bob.request("PROPFIND", "/webdav/Hello/", headers={"depth": "1"})
    assert listed.status == 207
    assert path in listed.body.decode()
    assert bob.get(path).body.decode() == "Good morning, Bøb"
    assert client.get(path).status == 404, "not his who sent it"
    assert bob.get("/webdav/Hello/x.txt").status == 404
    assert bob.request("PUT", path, body=b"x").status == 403
    assert bob.request("DELETE", path).status == 403
