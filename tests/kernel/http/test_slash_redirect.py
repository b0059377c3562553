"""The redirect that adds a slash: to the same path on the same server, whatever is encoded in it."""

from __future__ import annotations

import pytest

from atrio.kernel.testing.client import Client


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/%2Fevil.example",
        "/%2F%2Fevil.example",
        "/%5Cevil.example",
        "/a%2Fb",
        "/%2E%2Ex",
        "/a%25b",
        "/a%0D%0Ab",
    ],
)
def test_nothing_is_decoded_on_the_way(stranger: Client, path: str) -> None:
    """A decoded `/%2Fhost` would be the address of another server."""
    answer = stranger.get(path)
    assert (answer.status, answer.headers["location"]) == (307, f"{path}/")


def test_the_query_stays(stranger: Client) -> None:
    """The query goes along."""
    assert stranger.get("/nothing?a=%2F&b").headers["location"] == "/nothing/?a=%2F&b"
