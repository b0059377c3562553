"""Bytes of users on their way out: ranges, conditions, names, and types that cannot act."""

from __future__ import annotations

from email import message_from_bytes
from email.policy import HTTP
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atrio.kernel.http.downloads import (
    SANDBOX,
    StoredFile,
    content_disposition,
    safe_media,
    sandboxed,
    user_bytes,
)
from atrio.kernel.http.ranges import Piece, parse_ranges
from atrio.kernel.http.request import Request
from atrio.kernel.http.response import FileResponse

MODIFIED = 1_700_000_000
DIGEST = "0123456789abcdef" * 4
ETAG = '"0123456789abcdef"'


def request(method: str = "GET", **headers: str) -> Request:
    pairs = [(k.replace("_", "-").encode(), v.encode("latin-1")) for k, v in headers.items()]
    return Request({"method": method, "path": "/", "headers": pairs}, "id")


def answer(given: Request, *, size: int = 100, media: str = "image/png", **options: Any) -> Any:
    stored = StoredFile(Path("/nowhere"), size, media, "a.png", DIGEST, MODIFIED * 1_000_000 + 5)
    return user_bytes(given, stored, **options)


def head(response: Any, name: str) -> str | None:
    return dict(response.headers).get(name)


@pytest.mark.parametrize(
    ("header", "size", "expected"),
    [
        ("bytes=0-0", 100, [(0, 0)]),
        ("bytes=0-", 100, [(0, 99)]),
        ("bytes=10-19", 100, [(10, 19)]),
        ("bytes=90-999", 100, [(90, 99)]),
        ("bytes=-1", 100, [(99, 99)]),
        ("bytes=-999", 100, [(0, 99)]),
        ("BYTES = 1-2 ", 100, [(1, 2)]),
        ("bytes=100-", 100, "unsatisfiable"),
        ("bytes=100-200", 100, "unsatisfiable"),
        ("bytes=-0", 100, "unsatisfiable"),
        ("bytes=0-0", 0, "unsatisfiable"),
        ("bytes=-5", 0, "unsatisfiable"),
        ("bytes=5-4", 100, None),
        ("bytes=0-1,5-6", 100, [(0, 6)]),
        ("bytes=0-1,500-501", 1000, [(0, 1), (500, 501)]),
        ("bytes=500-501 ,\t0-1", 1000, [(500, 501), (0, 1)]),
        ("bytes=900-,0-0,-1,600-", 1000, [(600, 999), (0, 0)]),
        ("bytes=0-1,2000-", 1000, [(0, 1)]),
        ("bytes=2000-,3000-", 1000, "unsatisfiable"),
        ("bytes=,0-1,", 100, [(0, 1)]),
        ("bytes=,", 100, None),
        ("bytes=0-1,x", 100, None),
        ("bytes=" + ",".join(["0-0"] * 64), 100, [(0, 0)]),
        ("bytes=" + ",".join(["0-0"] * 65), 100, None),
        ("bytes=", 100, None),
        ("bytes=-", 100, None),
        ("bytes=a-b", 100, None),
        ("bytes=--1", 100, None),
        ("bytes=1-2-3", 100, None),
        ("bytes=١-٢", 100, None),
        (f"bytes=0-{'9' * 40}", 100, None),
        ("lines=0-1", 100, None),
        ("nonsense", 100, None),
    ],
)
def test_ranges(header: str, size: int, expected: Any) -> None:
    assert parse_ranges(header, size) == expected


@given(st.lists(st.from_regex(r"[0-9]{0,4}-[0-9]{0,4}", fullmatch=True), max_size=8), st.integers(0, 3000))
def test_no_range_leads_outside_the_file_or_makes_it_longer(specs: list[str], size: int) -> None:
    parts = parse_ranges(f"bytes={','.join(specs)}", size)
    if isinstance(parts, list):
        assert all(0 <= start <= end < size for start, end in parts)
        assert sum(end - start + 1 for start, end in parts) <= size


@given(st.text(max_size=20), st.integers(0, 1000))
def test_any_text_is_a_range_or_none(spec: str, size: int) -> None:
    parts = parse_ranges(f"bytes={spec}", size)
    assert parts is None or parts == "unsatisfiable" or all(0 <= a <= b < size for a, b in parts)


def test_the_whole_file() -> None:
    response = answer(request())
    assert isinstance(response, FileResponse)
    assert (response.status, response.pieces, response.media) == (200, [Piece(b"", 0, 100)], "image/png")
    assert dict(response.headers) == {
        "etag": ETAG, "last-modified": formatdate(MODIFIED, usegmt=True), "accept-ranges": "bytes",
        "cache-control": "private, no-cache", "x-content-type-options": "nosniff",
        "content-disposition": "inline; filename=\"a.png\"; filename*=UTF-8''a.png;",
    }  # fmt: skip


def test_a_part_of_the_file() -> None:
    response = answer(request(range="bytes=10-19"))
    assert (response.status, response.pieces) == (206, [Piece(b"", 10, 10)])
    assert head(response, "content-range") == "bytes 10-19/100"
    assert answer(request("HEAD", range="bytes=10-19")).status == 200  # RFC 9110 §14.2: a range is for GET alone


def test_several_parts_of_the_file() -> None:
    data = bytes(range(256)) * 4
    stored = StoredFile(None, len(data), "text/html", "a.html", DIGEST, MODIFIED * 1_000_000, data)
    response = user_bytes(request(range="bytes=600-609,-10,0-4"), stored)
    assert response.status == 206
    assert head(response, "content-range") is None
    assert head(response, "content-security-policy") == SANDBOX
    parsed = message_from_bytes(f"Content-Type: {response.media}\r\n\r\n".encode() + response.body, policy=HTTP)
    assert parsed.get_content_type() == "multipart/byteranges"
    parts = [part.get_payload(decode=True) for part in parsed.get_payload()]
    assert parts == [data[600:610], data[-10:], data[:5]]
    assert [p["content-range"] for p in parsed.get_payload()] == [
        "bytes 600-609/1024", "bytes 1014-1023/1024", "bytes 0-4/1024",
    ]  # fmt: skip
    assert {p.get_content_type() for p in parsed.get_payload()} == {"text/plain"}


def test_a_part_that_is_not_there() -> None:
    response = answer(request(range="bytes=100-"))
    assert (response.status, head(response, "content-range")) == (416, "bytes */100")
    assert head(response, "content-disposition") is None


def test_an_empty_file() -> None:
    response = answer(request(), size=0)
    assert (response.status, response.length) == (200, 0)
    assert answer(request(range="bytes=0-"), size=0).status == 416


DATE = formatdate(MODIFIED, usegmt=True)
EARLIER = formatdate(MODIFIED - 1, usegmt=True)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"if_none_match": ETAG}, 304),
        ({"if_none_match": f'"x", W/{ETAG}'}, 304),
        ({"if_none_match": "*"}, 304),
        ({"if_none_match": '"other"'}, 200),
        ({"if_none_match": '"other"', "if_modified_since": DATE}, 200),
        ({"if_modified_since": DATE}, 304),
        ({"if_modified_since": EARLIER}, 200),
        ({"if_modified_since": "yesterday"}, 200),
        ({"if_modified_since": "Tue, 99 Foo 2000 00:00:00 GMT"}, 200),
        ({"if_none_match": ETAG, "range": "bytes=0-1"}, 304),
        ({"range": "bytes=0-1", "if_range": ETAG}, 206),
        ({"range": "bytes=0-1", "if_range": f"W/{ETAG}"}, 200),
        ({"range": "bytes=0-1", "if_range": '"other"'}, 200),
        ({"range": "bytes=0-1", "if_range": DATE}, 206),
        ({"range": "bytes=0-1", "if_range": EARLIER}, 200),
        ({"range": "bytes=900-", "if_range": '"other"'}, 200),
    ],
)
def test_conditional_requests(headers: dict[str, str], status: int) -> None:
    assert answer(request(**headers)).status == status


@pytest.mark.parametrize(
    ("name", "plain", "exact"),
    [
        ("a b.txt", "a b.txt", "a%20b.txt"),
        ("été.txt", "?t?.txt", "%C3%A9t%C3%A9.txt"),
        ('a"b\\c.txt', "a?b?c.txt", "a%22b%5Cc.txt"),
        ("a\r\nX-Evil: 1", "a??X-Evil: 1", "a%0D%0AX-Evil%3A%201"),
        ("../x", "../x", "..%2Fx"),
        ("a;b", "a;b", "a%3Bb"),
    ],
)
def test_content_disposition(name: str, plain: str, exact: str) -> None:
    expected = f"filename=\"{plain}\"; filename*=UTF-8''{exact};"
    assert content_disposition(name, attachment=False) == f"inline; {expected}"
    assert content_disposition(name, attachment=True) == f"attachment; {expected}"


@given(st.text(st.characters(exclude_categories=("Cs",))))
def test_no_name_breaks_the_header(name: str) -> None:
    header = content_disposition(name, attachment=True)
    assert header.isascii()
    assert header.isprintable()
    assert header.split('"')[2].startswith("; filename*=UTF-8''")


@pytest.mark.parametrize(
    ("media", "api", "dav"),
    [
        ("text/html", "text/plain", "text/html"),
        ("TEXT/HTML; charset=x", "text/plain", "text/html"),
        ("application/xhtml+xml", "text/plain", "application/xhtml+xml"),
        ("application/javascript", "text/plain", "application/javascript"),
        ("text/javascript", "text/plain", "text/javascript"),
        ("image/svg+xml", "image/svg+xml", "image/svg+xml"),
        ("text/xml", "text/xml", "text/xml"),
        ("image/png", "image/png", "image/png"),
        ("", "application/octet-stream", "application/octet-stream"),
        ("html", "application/octet-stream", "application/octet-stream"),
        ("a/b/c", "application/octet-stream", "application/octet-stream"),
        ("text/html\r\nX-Evil: 1", "application/octet-stream", "application/octet-stream"),
        ("text/é", "application/octet-stream", "application/octet-stream"),
    ],
)
def test_types_that_leave(media: str, api: str, dav: str) -> None:
    assert safe_media(media) == api
    assert safe_media(media, api=False) == dav


@pytest.mark.parametrize("media", ["text/html", "image/svg+xml", "text/xml", "application/octet-stream", "x/y"])
def test_all_but_harmless_types_are_sandboxed(media: str) -> None:
    for api in (True, False):
        assert head(answer(request(), media=media, api=api), "content-security-policy") == SANDBOX
    assert sandboxed(media)


@pytest.mark.parametrize("media", ["image/png", "image/webp", "audio/mpeg", "video/mp4", "application/pdf"])
def test_harmless_types_are_not(media: str) -> None:
    assert head(answer(request(), media=media), "content-security-policy") is None


def test_text_says_its_encoding() -> None:
    assert answer(request(), media="text/html").media == "text/plain; charset=utf-8"


def test_bytes_that_are_in_memory() -> None:
    stored = StoredFile(None, 10, "image/svg+xml", "a.svg", DIGEST, MODIFIED * 1_000_000, b"0123456789")
    whole = user_bytes(request(), stored)
    assert (whole.status, whole.body, whole.media) == (200, b"0123456789", "image/svg+xml")
    assert head(whole, "content-security-policy") == SANDBOX
    part = user_bytes(request(range="bytes=2-4"), stored)
    assert (part.status, part.body) == (206, b"234")
    assert user_bytes(request(if_none_match=ETAG), stored).status == 304
