"""The router: its grammar, what wins, and what a path may not hold."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from atrio.kernel.context import Context
from atrio.kernel.errors import BadPath, BootError
from atrio.kernel.http.guards import PUBLIC
from atrio.kernel.http.response import json_response
from atrio.kernel.http.route import Answer, Call, Route
from atrio.kernel.http.router import Router, split_path
from atrio.kernel.testing.client import Client


def echo(ctx: Context, call: Call) -> Any:
    """Answer the parameters."""
    return json_response(call.path)


def table(*paths: str) -> Router:
    """Return a router with these paths, `VERB /path` or `/path`."""
    router = Router()
    for text in paths:
        method, _, path = text.rpartition(" ")
        router.add("test", Route(method or "GET", path, echo, (PUBLIC,), Answer(shape="any")))
    return router


def found(router: Router, path: str, method: str = "GET") -> tuple[str, dict[str, str]] | None:
    """Return the path of the matched route and its parameters."""
    match = router.match(method, path.encode("latin-1"))
    return None if match.route is None else (match.route.path, match.params)


PATHS = ("/f/new", "/f/{id:int}", "/f/{name}", "/f/v{n:int}", "/f/{w:int}x{h:int}", "/f/{a}.{b}")


@pytest.mark.parametrize("paths", [PATHS, PATHS[::-1]])
@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/f/new", ("/f/new", {})),
        ("/f/12", ("/f/{id:int}", {"id": "12"})),
        ("/f/neW", ("/f/{name}", {"name": "neW"})),
        ("/f/v7", ("/f/v{n:int}", {"n": "7"})),
        ("/f/vx", ("/f/{name}", {"name": "vx"})),
        ("/f/64x48", ("/f/{w:int}x{h:int}", {"w": "64", "h": "48"})),
        ("/f/64x", ("/f/{name}", {"name": "64x"})),
        ("/f/a.b", ("/f/{a}.{b}", {"a": "a", "b": "b"})),
        ("/f/a.b.c", ("/f/{a}.{b}", {"a": "a.b", "b": "c"})),
        ("/f/", ("/f/{name}", {"name": ""})),
        ("/f/1234567890123456789", ("/f/{name}", {"name": "1234567890123456789"})),
    ],
)
def test_the_more_literal_wins_whatever_the_order(paths: tuple[str, ...], path: str, expected: Any) -> None:
    assert found(table(*paths), path) == expected


def test_a_dead_end_goes_back() -> None:
    router = table("/a/b/c", "/a/{x}/d", "/{y}/b/e", "/{z:rest}")
    assert found(router, "/a/b/d") == ("/a/{x}/d", {"x": "b"})
    assert found(router, "/a/b/e") == ("/{y}/b/e", {"y": "a"})
    assert found(router, "/a/b/f") == ("/{z:rest}", {"z": "a/b/f"})


def test_only_the_last_string_may_be_empty() -> None:
    router = table("/a/{x}/b", "/a/{x}/b/{y}", "/n/{i:int}")
    assert found(router, "/a//b") is None
    assert found(router, "/a/1/b/") == ("/a/{x}/b/{y}", {"x": "1", "y": ""})
    assert found(router, "/a/1/b") == ("/a/{x}/b", {"x": "1"})
    assert found(router, "/n/") is None


def test_rest_takes_everything_below() -> None:
    router = table("/ui/{path:rest}", "/ui/own")
    assert found(router, "/ui/own") == ("/ui/own", {})
    assert found(router, "/ui/") == ("/ui/{path:rest}", {"path": ""})
    assert found(router, "/ui/a/b/") == ("/ui/{path:rest}", {"path": "a/b/"})
    assert found(router, "/ui") is None


def test_segments_are_decoded_once_and_an_encoded_slash_stays_inside() -> None:
    router = table("/f/{name}", "/f/{name}/x")
    router.add("test", Route("GET", "/a b", echo, (PUBLIC,)))
    assert found(router, "/f/a%2Fb") == ("/f/{name}", {"name": "a/b"})
    assert found(router, "/f/a%2Fb/x") == ("/f/{name}/x", {"name": "a/b"})
    assert found(router, "/f/%252e") == ("/f/{name}", {"name": "%2e"})
    assert found(router, "/f/%C3%A9%0A") == ("/f/{name}", {"name": "é\n"})
    assert found(router, "/a%20b") == ("/a b", {})


@pytest.mark.parametrize("path", ["/f/%00", "/f/a%00b", "/f/..", "/f/%2e%2E/x", "/./f", "/f/%FF", "/f/%C3"])
def test_what_a_path_may_not_hold(path: str, stranger: Client) -> None:
    with pytest.raises(BadPath):
        split_path(path.encode())
    answer = stranger.get(f"/api{path}")
    assert (answer.status, answer.code) == (400, 20006)


def test_verbs() -> None:
    router = table("GET /a", "PUT /a", "POST /b", "DELETE /{x}")
    assert found(router, "/a", "HEAD") == ("/a", {})
    assert found(router, "/b", "HEAD") is None
    assert router.match("POST", b"/a").allowed == ("DELETE", "GET", "HEAD", "PUT")
    assert router.match("GET", b"/b").allowed == ("DELETE", "POST")
    assert router.match("GET", b"/nowhere/x").allowed == ()


def test_parameters_of_one_shape_have_one_name() -> None:
    with pytest.raises(BootError, match="named differently"):
        table("/a/{x}/b", "/a/{y}/c")


def test_only_keeps_the_wanted_owners() -> None:
    router = Router()
    for owner in ("a", "b"):
        router.add(owner, Route("GET", f"/{owner}", echo, (PUBLIC,)))
    assert [p for p in ("/a", "/b") if found(router.only(lambda o: o == "b"), p)] == ["/b"]


# -- through the door ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    ("path", "location"),
    [
        ("/api/nothing", "/api/nothing/"),
        ("/api/nothing?a=1&b=%2F", "/api/nothing/?a=1&b=%2F"),
        ("/api/n%C3%A9%20x", "/api/n%C3%A9%20x/"),
        ("/ui", "/ui/"),
    ],
)
def test_an_unknown_path_is_sent_to_its_slash(stranger: Client, method: str, path: str, location: str) -> None:
    answer = stranger.request(method, path)
    assert (answer.status, answer.headers["location"], answer.body) == (307, location, b"")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PROPFIND"])
def test_other_verbs_are_not_found_at_once(stranger: Client, method: str) -> None:
    answer = stranger.request(method, "/api/nothing")
    assert (answer.status, answer.code) == (404, 9999)
    assert answer.json == {"code": 9999, "message": "PageNotFound", "details": {"error_detail": {}}}


def test_with_the_slash_it_is_not_found(stranger: Client) -> None:
    answer = stranger.get("/api/nothing/")
    assert (answer.status, answer.code, answer.headers["content-type"]) == (404, 9999, "application/json")


@pytest.mark.parametrize(
    "path",
    ["//evil.example", "//evil.example/x", "/%2Fevil.example", "/%2f%2fevil.example", "/%5Cevil.example",
     "/\\evil.example", "/%09/evil.example", "///evil.example"],
)  # fmt: skip
def test_the_redirect_stays_on_this_server(stranger: Client, path: str) -> None:
    answer = stranger.get(path)
    assert answer.status in (307, 404)
    location = answer.headers.get("location", "/")
    assert location.startswith("/")
    assert not location.startswith(("//", "/\\"))


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("POST", "/api/auth/whoami", "GET, HEAD"),
        ("GET", "/api/auth/login", "POST"),
        ("PATCH", "/api/workspaces/1", "GET, HEAD, PUT"),
        ("DELETE", "/api/workspaces", "GET, HEAD, POST"),
    ],
)
def test_a_known_path_names_its_verbs(stranger: Client, method: str, path: str, allow: str) -> None:
    answer = stranger.request(method, path)
    assert (answer.status, answer.code, answer.headers["allow"]) == (405, 9999, allow)


def test_options_names_the_verbs(stranger: Client) -> None:
    answer = stranger.request("OPTIONS", "/api/workspaces")
    assert (answer.status, answer.headers["allow"], answer.body) == (204, "GET, HEAD, POST", b"")


def test_head_is_get_without_the_body(client: Client) -> None:
    full, head = client.get("/api/auth/whoami"), client.request("HEAD", "/api/auth/whoami")
    assert (head.status, head.body) == (200, b"")
    assert head.headers["content-length"] == full.headers["content-length"] == str(len(full.body))


def test_the_table_is_asked_before_the_database(stranger: Client, statements: Callable[[], Any]) -> None:
    with statements() as seen:
        stranger.get("/api/nothing")
        stranger.request("PATCH", "/api/workspaces/1")
    assert seen == []
