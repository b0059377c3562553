"""Files that go in and away again, for tests of what keeps their bytes."""

from __future__ import annotations

from atrio.kernel.testing.client import Client


def put(client: Client, place: str, name: str, data: bytes) -> int:
    """Upload a file; returns the id of its content."""
    made = client.request("POST", f"{place}/files", files={"files": (name, data, "text/plain")})
    assert made.status == 200, made.body
    return int(made.json["content_id"])


def purge(client: Client, place: str, content_id: int) -> None:
    """Delete a content for good."""
    client.put(f"{place}/contents/{content_id}/trashed")
    assert client.delete(f"{place}/contents/{content_id}/permanently").status == 204
