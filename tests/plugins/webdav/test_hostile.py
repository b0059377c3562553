"""Locks in the way, doors that stay shut, and input that nobody sends by accident."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy import text

from atrio.kernel.testing.client import Client
from atrio.kernel.testing.plugin import ADMIN, PASSWORD, make_kernel

pytest.importorskip("wsgidav")

pytestmark = [pytest.mark.any_engine, pytest.mark.atrio_config(plugins__enabled=["webdav"])]
FILE, FOLDER = "/Alpha.space/file.txt", "/Alpha.space/Folder"


def token_of(answer: Any) -> str:
    assert answer.status in (200, 201), answer.body
    return str(answer.headers["lock-token"])


def fresh(place: Any) -> None:
    """Put back what a request before may have taken away or locked."""
    place.kernel.run(lambda ctx: ctx.execute(text("DELETE FROM webdav_lock")))
    assert place.boss("PUT", FILE, b"hello").status in (201, 204)


# -- locks ---------------------------------------------------------------------------------------------------


def test_a_lock_stops_who_does_not_send_its_token(place: Any, put: Any) -> None:
    put("/Alpha.space/other.txt", b"other")
    token = token_of(place.manager.lock(FILE))
    before = place.facts()
    for person, headers in (
        (place.manager, {}),
        (place.boss, {}),
        (place.boss, {"if_": f"({token}) (Not <DAV:no-lock>)"}),
    ):
        assert person("PUT", FILE, b"x", **headers).status == 423
        assert person("DELETE", FILE, **headers).status == 423
        assert person("MOVE", FILE, to="/Alpha.space/b.txt", **headers).status == 423
        assert person("MOVE", "/Alpha.space/other.txt", to=FILE, **headers).status == 423
        assert person("COPY", "/Alpha.space/other.txt", to=FILE, **headers).status == 423
        assert person.lock(FILE).status == 423
        assert person("UNLOCK", FILE, lock_token="<opaquelocktoken:none>").status == 409
    assert place.boss("UNLOCK", FILE, lock_token=token).status == 403
    assert place.facts() == before
    assert place.reader("GET", FILE).status == 200
    assert place.manager("PUT", FILE, b"mine", if_=f"({token})").status == 204
    assert place.manager("UNLOCK", FILE, lock_token=token).status == 204
    assert place.boss("PUT", FILE, b"his").status == 204


def test_nobody_refreshes_the_lock_of_another(place: Any) -> None:
    answer = place.manager.lock(FILE, timeout="Second-60")
    token, etag = token_of(answer), place.boss("GET", FILE).headers["etag"]
    expires = place.scalar("SELECT expires FROM webdav_lock")
    for condition in (f"({token})", f"({token}) ([{etag}])", f"({token}) (Not <DAV:no-lock>)"):
        assert place.boss("LOCK", FILE, if_=condition, timeout="Second-3000").status in (400, 403, 412)
        assert place.scalar("SELECT expires FROM webdav_lock") == expires
    assert place.manager("LOCK", FILE, if_=f"({token})", timeout="Second-3000").status == 200
    assert place.scalar("SELECT expires FROM webdav_lock") > expires


def test_who_may_not_write_may_not_lock(place: Any) -> None:
    for path in ("/", "/Alpha.space", FILE, FOLDER, "/Alpha.space/new.txt"):
        assert place.reader.lock(path).status == 403, path
    for path in ("/", "/Alpha.space"):
        assert place.boss.lock(path).status == 403, "one lock would stop everybody"
    assert place.scalar("SELECT count(*) FROM webdav_lock") == 0
    assert place.manager("GET", "/Alpha.space/new.txt").status == 404
    assert place.people["user"].lock(FILE).status in (404, 409)


def test_a_lock_of_a_folder_holds_below_and_ends_with_it(place: Any, put: Any) -> None:
    put(f"{FOLDER}/a.txt")
    token = token_of(place.manager.lock(FOLDER, depth="infinity"))
    for method, path in (("PUT", f"{FOLDER}/a.txt"), ("PUT", f"{FOLDER}/new.txt"), ("MKCOL", f"{FOLDER}/new")):
        assert place.boss(method, path, b"x" if method == "PUT" else None).status == 423
    assert (
        place.manager(
            "PUT", f"{FOLDER}/new.txt", b"x", if_=f"<http://testserver:80/webdav{FOLDER}> ({token})"
        ).status
        == 201
    )
    assert place.manager("DELETE", FOLDER, if_=f"({token})").status == 204
    assert place.scalar("SELECT count(*) FROM webdav_lock") == 0
    assert place.boss("MKCOL", FOLDER).status == 201


def test_locking_a_free_name_makes_an_empty_file(place: Any) -> None:
    answer = place.manager.lock("/Alpha.space/new.txt")
    assert answer.status == 201
    assert place.reader("GET", "/Alpha.space/new.txt").body == b""
    assert place.boss("PUT", "/Alpha.space/new.txt", b"x").status == 423
    token = token_of(answer)
    assert place.manager("PUT", "/Alpha.space/new.txt", b"x", if_=f"({token})").status == 204


def test_a_lock_outlives_a_restart(place: Any, tmp_path: Path) -> None:
    token = token_of(place.manager.lock(FILE))
    url = place.kernel.db.url.render_as_string(hide_password=False)
    other = make_kernel(tmp_path / "data", {"plugins__enabled": ["webdav"], "database__url": url})
    try:
        for name, headers, status in (
            ("the-workspace-manager", {}, 423),
            ("the-content-manager", {"if": f"({token})"}, 204),
        ):
            client = Client(other.app, name, PASSWORD)
            assert client.request("PUT", f"/webdav{FILE}", body=b"x", headers=headers).status == status
            client.close()
    finally:
        other.stop()
        other.app.pool.close()
        other.app.io.close()


def test_a_refusal_names_the_lock_by_an_address(place: Any) -> None:
    token_of(place.manager.lock(FOLDER))
    answer = place.boss("PUT", f"{FOLDER}/a.txt", b"x")
    assert answer.status == 423
    assert f"/webdav{FOLDER}" in answer.body.decode()
    assert b"opaquelocktoken" not in answer.body


# -- sign-in -------------------------------------------------------------------------------------------------


def test_the_session_cookie_is_no_credential(place: Any, stranger: Client) -> None:
    answer = stranger.post("/api/auth/login", {"username": "the-content-manager", "password": PASSWORD})
    assert answer.status == 200
    assert stranger.get("/api/auth/whoami").status == 200
    for method in ("GET", "PUT", "PROPFIND", "DELETE"):
        assert stranger.request(method, f"/webdav{FILE}").status == 401
    assert stranger.request("OPTIONS", "/webdav/").headers["dav"].startswith("1")


def test_a_wrong_password(place: Any, stranger: Client) -> None:
    for login in (ADMIN, "nobody"):
        basic = "Basic " + base64.b64encode(f"{login}:wrong".encode()).decode()
        answer = stranger.get("/webdav/", headers={"authorization": basic})
        assert answer.status == 401, login
        assert answer.headers["www-authenticate"].startswith('Basic realm="')
    for header in (
        "Basic",
        "Basic !!!",
        "Basic " + base64.b64encode(b"\xff\xfe").decode(),
        "Digest x",
        "Bearer x",
    ):
        answer = stranger.get("/webdav/", headers={"authorization": header})
        assert (answer.status, "www-authenticate" in answer.headers) == (401, True), header


@pytest.mark.atrio_config(plugins__enabled=["webdav"], accounts__failures_allowed=2)
def test_guessing_is_throttled(place: Any, stranger: Client) -> None:
    basic = "Basic " + base64.b64encode(b"the-reader:wrong").decode()
    statuses = [
        stranger.get("/webdav/", headers={"authorization": basic}, client="192.0.2.9").status for _ in range(4)
    ]
    assert statuses == [401, 401, 429, 429]
    right = "Basic " + base64.b64encode(f"the-reader:{PASSWORD}".encode()).decode()
    assert stranger.get("/webdav/", headers={"authorization": right}, client="192.0.2.9").status == 429


def test_an_application_token_is_a_credential(place: Any, stranger: Client) -> None:
    mine, who = place.reader.client, place.world.ids["reader"]
    body = {"label": "Laptop", "loggedin_user_password": PASSWORD}
    made = mine.post(f"/api/users/{who}/application_tokens", body)
    assert made.status == 200, made.body
    words = f"{made.json['login']}:{made.json['token']}"
    basic = {"authorization": "Basic " + base64.b64encode(words.encode()).decode()}
    assert stranger.request("PROPFIND", f"/webdav{FILE}", headers={**basic, "depth": "0"}).status == 207
    assert stranger.request("PUT", f"/webdav{FILE}", body=b"x", headers=basic).status == 403, "rights of its user"
    ended = mine.delete(f"/api/users/{who}/application_tokens/{made.json['token_id']}")
    assert ended.status == 204
    assert stranger.request("PROPFIND", f"/webdav{FILE}", headers={**basic, "depth": "0"}).status == 401


@pytest.mark.atrio_config(plugins__enabled=["webdav"], accounts__api_key="a-key-of-many-letters")
def test_the_api_key_is_a_credential(place: Any, stranger: Client) -> None:
    for key, status in (("a-key-of-many-letters", 200), ("another-key-of-letters", 401)):
        for name in ("tracim-api", "atrio-api"):
            headers = {f"{name}-key": key, f"{name}-login": "the-reader"}
            assert stranger.get(f"/webdav{FILE}", headers=headers).status == status


def test_a_changed_password_counts_at_once(place: Any, stranger: Client) -> None:
    old = "Basic " + base64.b64encode(f"the-reader:{PASSWORD}".encode()).decode()
    for _ in range(2):
        assert stranger.get(f"/webdav{FILE}", headers={"authorization": old}).status == 200
    fresh = "another-Password-2"
    body = {"loggedin_user_password": PASSWORD, "new_password": fresh, "new_password2": fresh}
    who = place.world.ids["reader"]
    assert place.reader.client.put(f"/api/users/{who}/password", body).status == 204
    assert stranger.get(f"/webdav{FILE}", headers={"authorization": old}).status == 401


def test_who_is_deactivated_is_out(place: Any) -> None:
    assert place.people["deactivated"]("PROPFIND", "/", depth="0").status == 401


# -- bad input -----------------------------------------------------------------------------------------------

PATHS = (
    "/webdav/Alpha.space/a%00b", "/webdav/Alpha.space/%ff%fe", "/webdav/Alpha.space/%ed%a0%80",
    "/webdav/Alpha.space/%", "/webdav/../etc/passwd", "/webdav/%2e%2e/%2e%2e/etc/passwd", "/webdav/..%2f..%2fetc",
    "/webdav/Alpha.space/../../../x", "/webdav/Alpha.space/" + "a/" * 300, "/webdav/Alpha.space/" + "n" * 1100,
    "/webdav/Alpha.space/%20", "/webdav/Alpha.space/a%0d%0ab%01", "/webdav/%5c..%5c..",
)  # fmt: skip


def test_paths(place: Any) -> None:
    for path in PATHS:
        fresh(place)
        one_path(place, path)


def one_path(place: Any, path: str) -> None:
    client = place.world.people["workspace-manager"]
    odd = "%01" in path or path.endswith("%")  # strange, and still names
    for method in ("GET", "HEAD", "PROPFIND", "PUT", "MKCOL", "DELETE", "LOCK", "PROPPATCH", "OPTIONS"):
        answer = client.request(method, path, body=b"x" if method == "PUT" else None)
        assert answer.status < 500, (method, path, answer.body)
        if not odd and method != "OPTIONS":
            assert answer.status >= 400, (method, path, answer.status)
    for method in ("COPY", "MOVE"):
        answer = client.request(method, f"/webdav{FILE}", headers={"destination": path})
        assert answer.status < 500 or answer.status == 502, (method, path, answer.body)
        if not odd:
            assert answer.status >= 400, (method, path, answer.status)


DESTINATIONS = (
    "", "x", "http://elsewhere.example/webdav/Alpha.space/x", "/Alpha.space/x", "/webdav", "http://[",
    "/webdav/\xff", "/webdav/Alpha.space/%ff", "ftp://testserver:80/webdav/Alpha.space/x",
)  # fmt: skip


def test_destinations(place: Any) -> None:
    before = place.facts()
    for value in DESTINATIONS:
        for method in ("COPY", "MOVE"):
            answer = place.manager(method, FILE, destination=value)
            assert 400 <= answer.status < 500 or answer.status == 502, (value, answer.body)
    assert place.facts() == before


BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
    + b"".join(b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(9))
    + b']><D:propfind xmlns:D="DAV:"><D:prop><D:x>&j;</D:x></D:prop></D:propfind>'
)
EXTERNAL = b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><D:propertyupdate xmlns:D="DAV:"><D:set><D:prop><x xmlns="u:x">&e;</x></D:prop></D:set></D:propertyupdate>'
BODIES = (
    BOMB, EXTERNAL, b"", b"x", b"<", b"\x00" * 10, b"<a/>", b"<D:propfind xmlns:D='DAV:'/>", b"\xff\xfe",
    b"<D:propfind xmlns:D='DAV:'><D:prop>" + b"<D:a>" * 5000, b"<!-- -->",
    b'<D:lockinfo xmlns:D="DAV:"><D:lockscope/><D:locktype/></D:lockinfo>',
    b"<D:propfind xmlns:D='DAV:'><D:prop>" + b"".join(b"<D:p%d/>" % n for n in range(3000)) + b"</D:prop></D:propfind>",
    b"<D:propertyupdate xmlns:D='DAV:'><D:set><D:prop><!-- c --><?p i?></D:prop></D:set></D:propertyupdate>",
)  # fmt: skip


@pytest.mark.parametrize("method", ["PROPFIND", "PROPPATCH", "LOCK"])
def test_bodies(place: Any, method: str) -> None:
    for number, body in enumerate(BODIES):
        answer = place.manager(method, FILE, body, depth="0")
        assert answer.status < 500, (number, answer.body)
        assert b"root:" not in answer.body
        assert b"a" * 30 not in answer.body, number
        left = place.manager("PROPFIND", FILE, depth="0")
        assert left.status == 207, number
        assert b"root:" not in left.body


def test_ten_megabytes_of_xml(place: Any) -> None:
    body = b"<D:propfind xmlns:D='DAV:'><D:prop>" + b"<D:a/>" * 1_700_000 + b"</D:prop></D:propfind>"
    for method in ("PROPFIND", "PROPPATCH", "LOCK", "MKCOL", "DELETE", "COPY"):
        assert place.manager(method, FILE, body).status == 413, method


HEADERS: tuple[dict[str, str], ...] = (
    {"depth": "2"}, {"depth": "x"}, {"timeout": "x"}, {"timeout": "Second-99999999999999999999"},
    {"timeout": "Second-"}, {"overwrite": "x"}, {"range": "bytes=x"}, {"range": "bytes=9-1"},
    {"if_modified_since": "x"}, {"if_unmodified_since": "x"}, {"if_": "(" * 5000}, {"if_": "<a>" * 5000},
    {"if_": "<x> ([a])" * 500}, {"if_": "".join(f"<{n}> ([a])" for n in range(500))}, {"if_match": '"' * 1000},
    {"lock_token": "x" * 5000}, {"content_type": "\x7f;;;"}, {"content_encoding": "gzip"},
    {"content_range": "bytes 0-1/2"}, {"expect": "x"}, {"if_": "<http://[> ([a])"}, {"host": ""},
    {"if_": "(" + "<opaquelocktoken:x> " * 5000 + ")"},
)  # fmt: skip


def test_headers(place: Any) -> None:
    for headers in HEADERS:
        fresh(place)
        for method, more in (
            ("GET", {}), ("PROPFIND", {}), ("PUT", {}), ("LOCK", {}), ("UNLOCK", {}),
            ("COPY", {"to": "/Alpha.space/x"}), ("PROPPATCH", {}), ("DELETE", {}), ("OPTIONS", {}),
        ):  # fmt: skip
            body = b"x" if method == "PUT" else None
            answer = place.manager(method, FILE, body, **{**more, **headers})
            assert answer.status < 500 or answer.status == 501, (method, headers, answer.status, answer.body)
            assert not re.search(rb"Traceback|/(plugins|kernel|site-packages)/", answer.body)


def test_methods(place: Any) -> None:
    for method in ("POST", "TRACE", "PATCH", "REPORT", "SEARCH", "CONNECT", "propfind", "_PRIVATE", "X" * 200):
        assert place.manager(method, FILE).status in (400, 405, 501), method


def test_names_that_are_no_names(place: Any) -> None:
    before = place.facts()
    for name in ("%20", "%20%20", "n" * 1100, "%00"):
        for method in ("PUT", "MKCOL"):
            answer = place.world.people["workspace-manager"].request(
                method, f"/webdav/Alpha.space/{name}", body=b"x" if method == "PUT" else None
            )
            assert 400 <= answer.status < 500, (method, name, answer.status)
    assert place.facts()[:2] == before[:2]
    assert quote("%") == "%25"
