"""What of a request may be believed: proxies, origins, cookies."""

from __future__ import annotations

from typing import Any

import pytest

from atrio.kernel.config import Sources, kernel_config
from atrio.kernel.http.request import Request
from atrio.kernel.http.security import Gate
from atrio.kernel.testing.client import Client


def gate(**settings: Any) -> Gate:
    flags = {k.replace("__", "."): v for k, v in settings.items()}
    return Gate(kernel_config(Sources(None, {}, {}, flags)))


def scope(client: str | None = "203.0.113.9", method: str = "GET", **headers: str) -> dict[str, Any]:
    pairs = [(k.replace("_", "-").encode(), v.encode()) for k, v in headers.items()]
    return {
        "type": "http", "method": method, "path": "/", "scheme": "http", "headers": pairs,
        "client": (client, 1) if client else None,
    }  # fmt: skip


FORGED = {
    "x_forwarded_for": "10.0.0.1", "x_forwarded_proto": "https", "x_forwarded_host": "evil", "forwarded": "for=1",
    "x_real_ip": "10.0.0.1", "x_remote_user": "admin", "remote_user": "admin", "x_script_name": "/evil",
    "accept": "*/*",
}  # fmt: skip


@pytest.mark.parametrize("client", ["203.0.113.9", "127.0.0.1", None, "unix-socket"])
def test_forwarding_headers_of_anybody_are_dropped(client: str | None) -> None:
    cleaned = gate().clean(scope(client, **FORGED))
    assert cleaned["headers"] == [(b"accept", b"*/*")]
    assert (cleaned["scheme"], cleaned["client"]) == ("http", (client, 1) if client else None)


def test_a_trusted_proxy_names_scheme_and_address() -> None:
    trusted = gate(server__trusted_proxies=["10.0.0.0/8", "::1"])
    cleaned = trusted.clean(
        scope("10.1.2.3", x_forwarded_for="6.6.6.6, 198.51.100.7, 10.9.9.9", x_forwarded_proto="https")
    )
    assert (cleaned["client"], cleaned["scheme"]) == (("198.51.100.7", 0), "https")
    assert trusted.clean(scope("::1", x_forwarded_for="2001:db8::1"))["client"] == ("2001:db8::1", 0)
    assert trusted.clean(scope("10.1.2.3", x_forwarded_proto="gopher"))["scheme"] == "http"
    assert trusted.clean(scope("10.1.2.3", x_forwarded_for="10.0.0.1"))["client"] == ("10.1.2.3", 1)


def test_a_request_without_such_headers_is_left_alone() -> None:
    given = scope(accept="*/*")
    assert gate().clean(given) is given


# -- cross-origin --------------------------------------------------------------------------------------------

ALLOWED = pytest.mark.atrio_config(
    cors__allowed_origins=["https://app.example"], website__base_url="https://a.example/"
)


@ALLOWED
@pytest.mark.parametrize("origin", ["https://app.example", "https://a.example"])
def test_an_allowed_origin_may_read(client: Client, origin: str) -> None:
    answer = client.get("/api/auth/whoami", headers={"Origin": origin})
    assert answer.headers["access-control-allow-origin"] == origin
    assert answer.headers["access-control-allow-credentials"] == "true"
    assert (
        answer.headers["access-control-expose-headers"]
        == "Content-Type,Date,Content-Length,Authorization,X-Request-ID"
    )
    assert answer.headers["vary"] == "Origin"


@ALLOWED
@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "null", "https://a.example.evil", "http://a.example", "https://a.example/", ""],
)
def test_another_origin_may_not(client: Client, stranger: Client, origin: str) -> None:
    for answer in (
        client.get("/api/auth/whoami", headers={"Origin": origin}),
        stranger.get("/api/auth/whoami", headers={"Origin": origin}),
        stranger.request("OPTIONS", "/api/x", headers={"Origin": origin, "Access-Control-Request-Method": "PUT"}),
    ):
        assert not [name for name in answer.headers if name.startswith("access-control")]


@ALLOWED
@pytest.mark.parametrize("path", ["/api/users", "/nowhere", "/dav/x/y"])
def test_a_preflight_is_answered_on_any_path(stranger: Client, path: str) -> None:
    headers = {"Origin": "https://app.example", "Access-Control-Request-Method": "PUT"}
    answer = stranger.request("OPTIONS", path, headers=headers)
    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["access-control-allow-methods"] == (
        "OPTIONS, HEAD, GET, POST, PUT, DELETE, PROPFIND, PROPPATCH, REPORT, MOVE, LOCK, UNLOCK"
    )
    assert "X-Tracim-ClientToken" in answer.headers["access-control-allow-headers"]


def test_errors_carry_the_headers_too(stranger: Client) -> None:
    answer = stranger.get("/api/auth/whoami", headers={"Origin": "http://127.0.0.1:8080"})
    assert answer.status == 401
    assert answer.headers["access-control-allow-origin"] == "http://127.0.0.1:8080"
    assert "www-authenticate" not in answer.headers


# -- cookies that write --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({}, True),
        ({"sec_fetch_site": "same-origin"}, True),
        ({"sec_fetch_site": "same-site"}, True),
        ({"sec_fetch_site": "none"}, True),
        ({"sec_fetch_site": "cross-site"}, False),
        ({"sec_fetch_site": "anything"}, False),
        ({"origin": "http://127.0.0.1:8080"}, True),
        ({"origin": "http://127.0.0.1:8080", "sec_fetch_site": "cross-site"}, True),
        ({"origin": "https://evil.example"}, False),
        ({"origin": "null"}, False),
        ({"origin": "https://evil.example", "sec_fetch_site": "cross-site"}, False),
        ({"origin": "http://other.name", "sec_fetch_site": "same-origin"}, True),
    ],
)
def test_whether_a_cookie_may_write(headers: dict[str, str], allowed: bool) -> None:
    assert gate().may_write_with_cookie(Request(scope(**headers), "id")) is allowed


def _signed_in(stranger: Client) -> Client:
    body = {"email": "admin@admin.admin", "password": "admin-password"}
    assert stranger.post("/api/auth/login", body).status == 200
    assert stranger.cookies
    return stranger


def test_a_foreign_site_cannot_write_with_the_cookie_but_the_cookie_still_reads(stranger: Client) -> None:
    visitor = _signed_in(stranger)
    foreign = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    body = {"label": "A", "description": "", "access_type": "open", "default_user_role": "reader"}
    refused = visitor.post("/api/workspaces", body, headers=foreign)
    assert (refused.status, refused.code) == (403, 20008)
    assert visitor.get("/api/workspaces", headers=foreign).json == []
    assert visitor.post("/api/workspaces", body, headers={"Sec-Fetch-Site": "same-origin"}).status == 200


def test_basic_credentials_are_not_sent_by_a_foreign_site_and_need_no_origin(client: Client) -> None:
    body = {"label": "A", "description": "", "access_type": "open", "default_user_role": "reader"}
    assert client.post("/api/workspaces", body, headers={"Origin": "https://evil.example"}).status == 200


# -- cookies as they come ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "header",
    [
        "session_key=abc", "a=1; session_key=abc", 'x={"json": "[1]"}; session_key=abc', "bad name=1; session_key=abc",
        'session_key="abc"', "session_key=abc;", "é=è; session_key=abc", ";;; session_key=abc", "naked; session_key=abc",
    ],
)  # fmt: skip
def test_a_cookie_of_another_program_does_not_cost_the_session(header: str) -> None:
    given = scope()
    given["headers"] = [(b"cookie", header.encode())]
    assert Request(given, "id").cookies["session_key"] == "abc"


def test_cookies_split_by_http2_are_one_header() -> None:
    given = scope()
    given["headers"] = [(b"cookie", b"session_key=abc"), (b"cookie", b"other=1")]
    assert Request(given, "id").cookies == {"session_key": "abc", "other": "1"}


@pytest.mark.parametrize(
    ("value", "expected"),
    [("12", 12), ("", None), ("-1", None), ("1e3", None), ("١", None), ("9" * 30, None), ("+5", None)],
)
def test_the_announced_length(value: str, expected: int | None) -> None:
    given = scope()
    given["headers"] = [(b"content-length", value.encode())]
    assert Request(given, "id").content_length == expected
