"""Hostile values in every place of every operation: refused as documented, never a fault.

The values are those that break servers: numbers beyond 64 bits, NUL and half characters, deep JSON, bytes that
are no UTF-8, conditions and ranges that make no sense, forms that end in the middle.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from atrio.kernel.host import Kernel
from atrio.kernel.testing.client import Answer, Client
from tests.contract.page import allow_only
from tests.contract.stage import EVERYTHING
from tests.wire.documented import Document, Operation
from tests.wire.walk import Walk

pytestmark = [pytest.mark.slow, EVERYTHING, pytest.mark.timeout(600)]

PATHS = (
    "0", "-1", "999999999999999999", "9" * 30, "1.0", "%20", "%00", "%FF", "%ED%A0%80", "%2e%2e", "..", "a%2Fb",
    "%D9%A1", "x" * 4000, "%0d%0aX:y", "", ".", "%", "%zz", "1%00", "null", "me",
)  # fmt: skip
QUERIES = (
    "", "%00", "%FF", "%ED%A0%80", "9" * 30, "-1", "1.0", "1e3", "%D9%A1", "0x10", "1_0", "null", "true", "[]",
    "x" * 70_000, "%F0%9F%98%80", "a,b", ",", "1,,2", ",".join(map(str, range(600))), "%", "é",
    "content," * 40_000,
    "WyI-IiwxLDFd", "WyI-IiwiXHUwMDAwIiwxXQ==", "WyI-Iiw5OTk5OTk5OTk5OTk5OTk5OTk5OSwxXQ==", "W10=", "bnVsbA==",
)  # fmt: skip
VALUES = (
    "null", "true", "0", "-1", str(2**63 - 1), str(2**63), str(-(2**63)), "1" * 400, "1.5", "1e308", "[]", "{}",
    '""', '" "', '"\\u0000"', '"a\\u0000b"', '"\\ud83d\\ude00"', '".."', '"a/b\\\\c"', '"\\r\\nX: y"', '"0x10"',
    '"1_0"', '"\\u0661"', json.dumps("9" * 5000), json.dumps("x" * 2000), '[[["x"]]]', '{"$gt": ""}', '[null]',
    '"<script>alert(1)</script>"', '"%s%n"', '"a@b\\nc"', '"\\u202e"', '"x <y@z>"',
    '"\\ud800"', '"a\\udfffb"', json.dumps("x" * 200_000), json.dumps("é" * 70_000), "-" + "9" * 30,
    "[" * 60 + "]" * 60, '{"a":' * 60 + "1" + "}" * 60, "[" * 5000 + "]" * 5000, "1e400", "-0", "[1,2]",
)  # fmt: skip
BODIES = (
    b"", b"null", b"[]", b"1", b'"x"', b"{", b"}", b"{}", b"\xff\xfe{\x00}\x00", b"\x00", b"\xef\xbb\xbf{}",
    b"[" * 100_000, b'{"a":' * 100_000, b'{"label": NaN}', b'{"label": 1e999}', b'{"label": "\\ud800"}',
    b'{"label": "\xed\xa0\x80"}', b'{"label": "\xff"}', b'{"a": 1, "a": 2}', b"{'a': 1}", b'{"": ""}',
)  # fmt: skip
MEDIA = (
    "", "text/plain", "application/json; charset=utf-16", "application/x-www-form-urlencoded", "json", "/", ";",
    "multipart/form-data", "multipart/form-data; boundary=", 'multipart/form-data; boundary="', "\xff", "a" * 5000,
    f"multipart/form-data; boundary={'b' * 300}", "application/json;" * 50,
)  # fmt: skip
HEADERS: dict[str, tuple[str, ...]] = {
    "authorization": (
        "", "Basic", "Basic ", "Basic =", "Basic /w==", "Basic Og==", "Basic YTo=", "Basic AGE6YQ==", "Bearer x",
        "Basic YQ==", "basic \xff", f"Basic {'QUFB' * 5000}", "Digest username=x",
    ),
    "cookie": (
        "", "session_key", "session_key=", f"session_key={'x' * 43}", 'session_key="', "session_key=\xff" * 30,
        "; ; =; a", f"session_key={'x' * 9000}", "a=b; session_key=\\ud800\\ud800\\ud800\\ud800",
    ),
    "tracim-api-key": ("", "x", "\xff"),
    "x-tracim-clienttoken": ("", "\xff", "x" * 5000),
    "origin": ("null", "http://evil.example", "\xff"),
    "content-length": ("", "-1", "abc", "9" * 40, "+1", " 1"),
    "range": (
        "", "bytes", "bytes=", "bytes=-", "bytes=0-", "bytes=-0", "bytes=-5", "bytes=5-2", "bytes=0-0,2-3",
        f"bytes={'9' * 40}-", f"bytes=0-{'9' * 18}", "bytes=\u00b2-", "items=0-1", "bytes=0-0\xff",
    ),
    "if-range": ("", '"', "W/", "x", "Mon, 01 Jan 0001 00:00:00 GMT", "Thu, 99 Foo 99999 99:99:99 GMT"),
    "if-modified-since": ("", "x", "Thu, 99 Foo 99999 99:99:99 GMT", "Mon, 01 Jan 0001 00:00:00 -2359"),
    "if-match": ("", "*", '"', "W/", ",", '"1", "2"', "9" * 5000, "\xff"),
    "if-none-match": ("", "*", '"', "W/", ",", '"1", "2"', "9" * 5000, "\xff"),
}  # fmt: skip
FORM = "multipart/form-data; boundary=b"


def _form(*parts: bytes, end: bytes = b"--b--\r\n") -> bytes:
    return b"".join(b"--b\r\n" + part + b"\r\n" for part in parts) + end


def _file(name: bytes = b"a.txt", data: bytes = b"x") -> bytes:
    return b'Content-Disposition: form-data; name="files"; filename="' + name + b'"\r\n\r\n' + data


def _field(name: bytes, value: bytes) -> bytes:
    return b'Content-Disposition: form-data; name="' + name + b'"\r\n\r\n' + value


FORMS = (
    b"", b"--b", b"--b--", b"--b\r\n", b"--b--\r\n", b"no boundary at all", _form(_file(), end=b""),
    _form(_file())[:-4], _form(_file())[:30], _form(b"\r\n"), _form(b"no colon\r\n\r\nx"), _form(b": x\r\n\r\nx"),
    _form(b"Content-Disposition\r\n\r\nx"), _form(b"Content-Disposition: form-data\r\n\r\nx"),
    _form(b'Content-Disposition: form-data; name="files"\r\n\r\nx'),
    _form(b"Content-Disposition: form-data; name=files; filename=\r\n\r\nx"),
    _form(b"Content-Disposition: form-data; name=files; filename*=UTF-8''%00%FF\r\n\r\nx"),
    *(
        _form(_file(b"m.qqq").replace(b"\r\n\r\n", b"\r\nContent-Type: " + m + b"\r\n\r\n"))
        for m in (b"", b"te\x00xt/x", b"text/\xff", b"text/" + b"x" * 400, b"text/html;a=b", b"a/b\tc")
    ),
    _form(b"X: " + b"x" * 100_000 + b"\r\n\r\nx"), _form(*([_field(b"a", b"b")] * 100)),
    _form(_field(b"parent_id", b"9" * 70_000), _file()), _form(_file(), _file(b"b.txt")),
    _form(_field(b"\xff", b"\xff"), _file()), _form(_field(b"", b"x"), _file()),
    *(_form(_file(name)) for name in (
        b"", b".", b"..", b"../../etc/passwd", b"a\\b", b"\x00", b"a\x00b.txt", b"\xff\xfe", b"\xed\xa0\x80.txt",
        b"x" * 5000, b"x." + b"y" * 600, b"a%22b", b"a\r\n b", b" ", "\u202etxt.exe".encode(), b"CON", b".bashrc",
    )),
    *(_form(_field(b"parent_id", value), _file(b"p.txt")) for value in (
        b"", b"x", b"-1", b"9" * 30, b"1.5", b"null", b"\x00", b"\xd9\xa1", b"1e3",
    )),
    *(_form(_field(b"content_type", value), _file(b"t.txt")) for value in (
        b"", b"folder", b"kanban", b"x" * 3000, b"\x00", b"comment", b"file",
    )),
    *(_form(_field(b"content_namespace", value), _file(b"n.txt")) for value in (b"", b"x", b"\x00", b"upload")),
)  # fmt: skip


class Attack:
    """An instance with data, its document, and what went wrong so far."""

    def __init__(self, walk: Walk) -> None:
        self.walk = walk
        self.client: Client = walk.root
        self.space_id = walk.space
        self.document = Document(self.client.get("/api/doc/spec.json").json)
        self.sent = 0
        self.statuses: set[int] = set()
        self.wrong: dict[str, str] = {}

    def operations(self) -> Iterator[Operation]:
        """Give every operation; whatever the last one broke is whole again before the next."""
        for operation in self.document.operations():
            self.walk.mend()
            self.names = self.walk.names(
                operation.method, operation.path, [p["name"] for p in operation.parameters("path")]
            )
            yield operation
            self.walk.forget()

    def path(self, operation: Operation, **replaced: str) -> str:
        """Return the path with ids of things that exist, but for those replaced."""
        path = operation.path
        for name, value in {**self.names, **replaced}.items():
            path = path.replace(f"{{{name}}}", str(value))
        return path

    def send(
        self, operation: Operation, what: str, path: str = "", *, elsewhere: bool = False, **options: Any
    ) -> None:
        answer: Answer = self.client.request(operation.method, path or self.path(operation), **options)
        self.sent += 1
        self.statuses.add(answer.status)
        for complaint in self.document.complaints(operation, answer, elsewhere=elsewhere):
            self.wrong.setdefault(f"{operation.label}: {complaint}", what[:200])

    def valid_body(self, operation: Operation) -> dict[str, Any]:
        """Return a body that the schema takes."""
        schema = operation.body("application/json")
        if not schema:
            return {}
        properties = self.document.resolve(schema)["properties"]
        example = self.walk.example(operation.method, operation.path).get("json_body", {})
        return {name: _sample(name, shape) for name, shape in properties.items()} | example

    def verdict(self, at_least: int) -> None:
        assert self.wrong == {}
        assert self.sent >= at_least


def _sample(name: str, shape: dict[str, Any]) -> Any:
    kinds = shape.get("type", "string")
    if "null" in kinds and isinstance(kinds, list):
        return None
    if "enum" in shape:
        return shape["enum"][0]
    if "examples" in shape:
        return shape["examples"][0]
    return {"boolean": True, "integer": 1, "array": []}.get(kinds, f"a valid {name}")


@pytest.fixture
def attack(kernel: Kernel, client: Client, as_actor: Callable[..., Any], page: str) -> Iterator[Attack]:
    """The administrator's attack on an instance with everything on it."""
    allow_only(kernel, page)
    walk = Walk(kernel, client, as_actor, page, "administrator")
    yield Attack(walk)
    walk.people["stranger"].close()


def test_valid_requests_are_as_documented(attack: Attack) -> None:
    """The samples that the attacks start from reach the routes: not all of this file tests refusals."""
    for operation in attack.operations():
        body = attack.valid_body(operation) or None
        attack.send(operation, "valid", json_body=body)
    attack.verdict(40)
    assert {200, 204, 307} <= attack.statuses


def test_hostile_paths(attack: Attack) -> None:
    """Each path parameter takes each value; the path may then lead elsewhere."""
    for operation in attack.operations():
        for parameter in operation.parameters("path"):
            for value in PATHS:
                path = attack.path(operation, **{parameter["name"]: value})
                attack.send(operation, f"{parameter['name']}={value}", path, elsewhere=True)
    attack.verdict(1000)


def test_hostile_queries(attack: Attack) -> None:
    """Each query key takes each value, in bytes that no browser would send; so do keys that nobody knows."""
    for operation in attack.operations():
        base = attack.path(operation)
        names = [p["name"] for p in operation.parameters("query")]
        for name in (*names, "unknown"):
            for value in QUERIES:
                attack.send(operation, f"{name}={value}", f"{base}?{name}={value}")
        attack.send(operation, "600 keys", f"{base}?{'&'.join(f'k{i}=1' for i in range(600))}")
        attack.send(operation, "repeated", f"{base}?{'&'.join(f'{n}=1&{n}=x' for n in (*names, 'x'))}")
        attack.send(operation, "separators", f"{base}?&&==&;=&?&%&%=%")
    attack.verdict(1500)


def test_hostile_headers(attack: Attack) -> None:
    """Each header takes each value: credentials, cookies, conditions, ranges, lengths."""
    for operation in attack.operations():
        for name, values in HEADERS.items():
            for value in values:
                attack.send(operation, f"{name}: {value}", headers={name: value})
    attack.verdict(3000)
    assert {206, 304, 412, 416} <= attack.statuses


def test_hostile_fields(attack: Attack) -> None:
    """Each field of each JSON body takes each value while the others are valid."""
    headers = {"content-type": "application/json"}
    for operation in attack.operations():
        sample = attack.valid_body(operation)
        for name in sample:
            rest = json.dumps({k: v for k, v in sample.items() if k != name})[1:-1]
            for value in VALUES:
                raw = f'{{"{name}": {value}{", " + rest if rest else ""}}}'.encode()
                attack.send(operation, raw.decode(), body=raw, headers=headers)
    attack.verdict(1000)


def test_hostile_bodies(attack: Attack) -> None:
    """Bodies that are no JSON object, and media types that are none, go to every operation."""
    for operation in attack.operations():
        for body in BODIES:
            attack.send(operation, repr(body[:80]), body=body, headers={"content-type": "application/json"})
        for media in MEDIA:
            attack.send(
                operation, f"content-type: {media}", body=b'{"label": "x"}', headers={"content-type": media}
            )
    attack.verdict(1000)


def test_hostile_forms(attack: Attack) -> None:
    """Broken multipart forms, hostile file names and fields; nothing is left in the store."""
    for operation in attack.operations():
        if not operation.body("multipart/form-data"):
            continue
        for form in FORMS:
            attack.send(operation, repr(form[:120]), body=form, headers={"content-type": FORM})
        for announced in (0, 1, 10**6, 2**62):
            attack.send(operation, f"announced {announced}", body=FORMS[7], headers={"content-type": FORM},
                        announce=announced)  # fmt: skip
        attack.send(operation, "in an url-encoded form", body=b"files=x", headers={
            "content-type": "application/x-www-form-urlencoded"})  # fmt: skip
    attack.verdict(100)
    assert {200, 204, 400} <= attack.statuses


def test_nul_reaches_no_database(attack: Attack) -> None:
    """SQLite stores NUL, PostgreSQL fails on it: it has to be stopped before, wherever text comes in."""
    client, base = attack.client, f"/api/workspaces/{attack.space_id}"
    token = base64.urlsafe_b64encode(b'[">","a\\u0000",1]').decode()
    for path in ("contents", f"files/{attack.walk.values['file']}/revisions"):
        answer = client.get(f"{base}/{path}", query={"page_token": token, "sort": "label:asc"})
        assert (answer.status, answer.code) == (400, 2001)
    refused = client.post("/api/auth/login", {"username": "a\x00b", "password": "a valid password"})
    assert (refused.status, refused.code) == (400, 2001)
    token = base64.b64encode(b"a\x00b:a valid password").decode()
    refused = client.get("/api/auth/whoami", headers={"authorization": f"Basic {token}"})
    assert refused.status == 401
    part = b'Content-Disposition: form-data; name="files"; filename="m.qqq"\r\nContent-Type: a\x00b/c\r\n\r\nx'
    made = client.request("POST", f"{base}/files", body=_form(part), headers={"content-type": FORM})
    assert made.status == 200, made.body
    assert client.get(f"{base}/files/{made.json['content_id']}").json["mimetype"] == "text/plain"


@pytest.fixture(autouse=True)
def no_temporary_file_is_left(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[None]:
    """Refused uploads leave nothing behind."""
    yield
    incoming = tmp_path / "data" / "blobs" / "incoming"
    assert incoming.is_dir()
    assert list(incoming.iterdir()) == []
