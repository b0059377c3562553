"""Shares: links to the current bytes of a file, for people without an account."""

from __future__ import annotations

from typing import Any

import pytest

from atrio.kernel.host import Kernel
from atrio.kernel.testing.client import Client
from atrio.kernel.testing.plugin import of_the_request
from atrio.plugins.share.events import ContentShared, ShareDisabled

KEYS = {
    "share_id", "content_id", "type", "email", "has_password", "share_token", "share_group_uuid", "author_id",
    "author", "created", "disabled", "is_disabled", "url", "direct_url",
}  # fmt: skip
PUBLIC_KEYS = {
    "author", "author_id", "content_file_extension", "content_filename", "content_id", "content_label",
    "content_size", "has_password", "share_id",
}  # fmt: skip
SECRET = "open sesame"


@pytest.fixture
def guest(kernel: Kernel) -> Client:
    return Client(kernel.app)


@pytest.fixture
def place(client: Client, make_space: Any, send_file: Any) -> str:
    space = make_space()
    made = send_file(client, f"/api/workspaces/{space}/files", "report.html", b"<h1>hello</h1>")
    return f"/api/workspaces/{space}/contents/{made.json['content_id']}/shares"


def share(client: Client, place: str, *emails: str, password: str | None = None) -> list[Any]:
    answer = client.post(place, {"emails": emails or ["ann@example.org"], "password": password})
    assert answer.status == 200, answer.body
    return list(answer.json)


def public(token: str, *more: str) -> str:
    return "/".join(("/api/public/guest-download", token, *more))


def form(client: Client, path: str, **fields: str) -> Any:
    body = "&".join(f"{k}={v.replace(' ', '+')}" for k, v in fields.items()).encode()
    return client.request("POST", path, body=body, headers={"content-type": "application/x-www-form-urlencoded"})


def test_one_link_for_each_address(client: Client, place: str, events: list[Any], clock: Any) -> None:
    events.clear()
    made = share(client, place, "Ann Bee <Ann@Example.org>", "bob@example.org", "bob@example.org")
    assert [set(one) for one in made] == [KEYS] * 3
    assert [one["email"] for one in made] == ["ann bee <ann@example.org>", "bob@example.org", "bob@example.org"]
    assert len({one["share_token"] for one in made}) == 3
    assert len({one["share_group_uuid"] for one in made}) == 1
    first = made[0]
    token, content = first["share_token"], int(place.split("/")[5])
    base = first["url"].partition("/ui/")[0]
    assert first | {"author": None, "created": None} == {
        "share_id": first["share_id"], "content_id": content, "type": "email", "email": first["email"],
        "has_password": False, "share_token": token, "share_group_uuid": first["share_group_uuid"], "author_id": 1,
        "author": None, "created": None, "disabled": None, "is_disabled": False,
        "url": f"{base}/ui/guest-download/{token}",
        "direct_url": f"{base}/api/public/guest-download/{token}/report.html",
    }  # fmt: skip
    assert client.get(place).json == made
    ids = tuple(one["share_id"] for one in made)
    assert events == [ContentShared(content, int(place.split("/")[3]), 1, first["share_group_uuid"], ids)]


def test_a_guest_is_given_the_current_bytes_and_nothing_else(
    client: Client, guest: Client, place: str, send_file: Any
) -> None:
    (made,) = share(client, place)
    told = guest.get(public(made["share_token"]))
    assert (told.status, set(told.json)) == (200, PUBLIC_KEYS)
    assert (told.json["content_filename"], told.json["content_size"]) == ("report.html", 14)
    assert made["share_token"] not in told.body.decode()
    assert "ann@example.org" not in told.body.decode()
    got = guest.get(public(made["share_token"], "other name.html"))
    assert (got.status, got.body) == (200, b"<h1>hello</h1>")
    assert got.headers["content-disposition"].startswith('attachment; filename="other name.html"')
    assert got.headers["content-type"].startswith("text/plain")
    assert "sandbox" in got.headers["content-security-policy"]
    content, space = place.split("/")[5], place.split("/")[3]
    path = f"/api/workspaces/{space}/files/{content}/raw/report.html"
    assert send_file(client, path, "report.html", b"second", method="PUT").status == 204
    assert guest.get(public(made["share_token"], "report.html")).body == b"second"
    part = guest.get(public(made["share_token"], "report.html"), headers={"range": "bytes=1-2"})
    assert (part.status, part.body) == (206, b"ec")


def test_a_password_is_asked_for_again_at_the_download(client: Client, guest: Client, place: str) -> None:
    (made,) = share(client, place, password=SECRET)
    assert made["has_password"] is True
    token = made["share_token"]
    bytes_path = public(token, "report.html")
    for answer in (
        guest.get(bytes_path), form(guest, bytes_path), form(guest, bytes_path, password="wrong one"),
        guest.post(public(token, "check"), {"password": "wrong one"}), guest.post(public(token, "check"), {}),
    ):  # fmt: skip
        assert (answer.status, answer.code) == (403, 2053)
    assert guest.post(public(token, "check"), {"password": SECRET}).status == 204
    assert form(guest, bytes_path, password=SECRET).body == b"<h1>hello</h1>"
    boundary = "x" * 20
    parts = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="password"\r\n\r\n{SECRET}\r\n--{boundary}--\r\n'
    )
    sent = guest.request(
        "POST", bytes_path, body=parts.encode(),
        headers={"content-type": f"multipart/form-data; boundary={boundary}"},
    )  # fmt: skip
    assert (sent.status, sent.body) == (200, b"<h1>hello</h1>")


def test_guesses_are_counted(client: Client, guest: Client, place: str) -> None:
    (made,) = share(client, place, password=SECRET)
    check = public(made["share_token"], "check")
    codes = [guest.post(check, {"password": f"guess {n}"}).status for n in range(12)]
    assert codes == [403] * 10 + [429] * 2
    assert guest.post(check, {"password": SECRET}).status == 429
    (other,) = share(client, place, password=SECRET)
    assert guest.post(public(other["share_token"], "check"), {"password": SECRET}).status == 204


def test_the_password_is_stored_hashed(client: Client, kernel: Kernel, place: str) -> None:
    from sqlalchemy import text

    share(client, place, password=SECRET)
    with kernel.unit(writes=False) as ctx:
        (stored,) = ctx.execute(text("SELECT password_hash FROM share_share")).scalars()
    assert stored.startswith("$argon2id$")


def test_a_disabled_share_ends_at_once(client: Client, guest: Client, place: str, events: list[Any]) -> None:
    first, second = share(client, place, "ann@example.org", "bob@example.org")
    events.clear()
    assert client.delete(f"{place}/{first['share_id']}").status == 204
    assert events == [ShareDisabled(first["share_id"], int(place.split("/")[5]), int(place.split("/")[3]))]
    for path in (public(first["share_token"]), public(first["share_token"], "report.html")):
        answer = guest.get(path)
        assert (answer.status, answer.code) == (400, 1007)
    assert guest.get(public(second["share_token"])).status == 200
    for gone in (first["share_id"], 4711, "x", "9" * 30):
        answer = client.delete(f"{place}/{gone}")
        assert (answer.status, answer.code) == (400, 1007)
    assert [one["share_id"] for one in client.get(place).json] == [second["share_id"]]
    everything = client.get(place, query={"show_disabled": 1}).json
    assert [(one["is_disabled"], one["disabled"] is None) for one in everything] == [(True, False), (False, True)]


def test_active_shares_are_counted(client: Client, place: str) -> None:
    space, content = place.split("/")[3], place.split("/")[5]

    def count() -> set[int]:
        listed = client.get(f"/api/workspaces/{space}/contents").json["items"][0]
        return {
            listed["actives_shares"],
            client.get(f"/api/workspaces/{space}/files/{content}").json["actives_shares"],
        }

    assert count() == {0}
    first, _ = share(client, place, "ann@example.org", "bob@example.org")
    assert count() == {2}
    client.delete(f"{place}/{first['share_id']}")
    assert count() == {1}


def test_what_ends_all_links(client: Client, guest: Client, place: str) -> None:
    (made,) = share(client, place)
    space, content = place.split("/")[3], place.split("/")[5]
    path = public(made["share_token"])
    client.put(f"/api/workspaces/{space}/contents/{content}/trashed")
    assert (guest.get(path).code, client.get(place).code) == (1003, 1003)
    client.put(f"/api/workspaces/{space}/contents/{content}/trashed/restore")
    assert guest.get(path).status == 200
    client.put(f"/api/workspaces/{space}", {"public_download_enabled": False})
    for answer in (guest.get(path), client.get(place), client.post(place, {"emails": ["a@b.org"]})):
        assert (answer.status, answer.code) == (400, 2055)
    client.put(f"/api/workspaces/{space}", {"public_download_enabled": True})
    assert guest.get(path).status == 200
    client.put(f"/api/workspaces/{space}/trashed")
    assert guest.get(path).code == 1007


def test_below_a_trashed_folder(client: Client, guest: Client, make_content: Any, place: str) -> None:
    (made,) = share(client, place)
    space, content = place.split("/")[3], place.split("/")[5]
    folder = make_content(int(space), "Folder", "folder")["content_id"]
    move = {"new_parent_id": folder, "new_workspace_id": int(space)}
    assert client.put(f"/api/workspaces/{space}/contents/{content}/move", move).status == 200
    client.put(f"/api/workspaces/{space}/contents/{folder}/trashed")
    assert guest.get(public(made["share_token"])).code == 1003


def test_only_files(client: Client, make_space: Any, make_content: Any) -> None:
    space = make_space()
    note = make_content(space, "n")["content_id"]
    answer = client.post(f"/api/workspaces/{space}/contents/{note}/shares", {"emails": ["a@b.org"]})
    assert (answer.status, answer.code) == (400, 2031)


@pytest.mark.parametrize(
    "body",
    [
        {}, {"emails": []}, {"emails": ["nobody"]}, {"emails": "a@b.org"}, {"emails": ["a@b.org", "x\r\nBcc: c@d.e"]},
        {"emails": ["a@b.org"], "password": "short"}, {"emails": ["a@b.org"], "password": "x" * 513},
        {"emails": [f"a{n}@b.org" for n in range(201)]},
    ],
)  # fmt: skip
def test_wrong_lists(client: Client, place: str, body: Any) -> None:
    answer = client.post(place, body)
    assert (answer.status, answer.code) == (400, 2001)
    assert client.get(place).json == []


@pytest.mark.parametrize(
    ("token", "code"),
    [("x", 1007), ("%00", 20006), ("..%2f..", 1007), ("1%27%20OR%20%271%27=%271", 1007), ("x" * 5000, 1007)],
)
def test_guessed_tokens(guest: Client, token: str, code: int) -> None:
    for path in (public(token), public(token, "a.txt")):
        answer = guest.get(path)
        assert (answer.status, answer.code) == (400, code)


@pytest.mark.parametrize(
    ("who", "post", "get"),
    [
        ("reader", (403, 4003), (403, 4003)), ("contributor", (403, 4003), (200, None)),
        ("content-manager", (200, None), (200, None)), (None, (400, 1002), (400, 1002)),
    ],
)  # fmt: skip
def test_roles(client: Client, as_actor: Any, place: str, who: str | None, post: Any, get: Any) -> None:
    bob = as_actor("bob")
    if who:
        client.post(f"/api/workspaces/{place.split('/')[3]}/members", {"user_id": bob.user_id, "role": who})
    (mine,) = share(client, place)
    made = bob.post(place, {"emails": ["a@b.org"]})
    assert (made.status, made.code if made.status != 200 else None) == post
    listed = bob.get(place)
    assert (listed.status, listed.code if listed.status != 200 else None) == get
    ended = bob.delete(f"{place}/{mine['share_id']}")
    assert ended.status == (204 if post[0] == 200 else post[0])


def test_a_purged_file_takes_its_shares_along(client: Client, guest: Client, kernel: Kernel, place: str) -> None:
    from sqlalchemy import text

    (made,) = share(client, place)
    with kernel.unit() as ctx:
        ctx.execute(
            text("DELETE FROM core_content_content WHERE content_id = :c"), {"c": int(place.split("/")[5])}
        )
    assert guest.get(public(made["share_token"])).code == 1007


def test_the_list_takes_the_same_statements_for_many(client: Client, place: str, statements: Any) -> None:
    def count() -> int:
        found = []
        for _ in range(3):  # readers of the event log may come in between
            with statements() as seen:
                assert client.get(place).status == 200
            found.append(len(of_the_request(seen)))
        return min(found)

    share(client, place)
    few = count()
    for _ in range(6):
        share(client, place, *(f"a{n}@example.org" for n in range(200)))
    assert count() == few


@pytest.mark.atrio_config(server__access_log=True)
def test_no_log_holds_the_secret_of_a_link(
    client: Client, guest: Client, place: str, caplog: pytest.LogCaptureFixture
) -> None:
    (made,) = share(client, place)
    token = made["share_token"]
    caplog.set_level("INFO")
    for path in (public(token), public(token, "a.txt"), f"/ui/guest-download/{token}"):
        guest.get(path)
    guest.request("PUT", public(token))
    guest.request("POST", public(token, "check"), json_body={"password": 5})
    assert "/api/public/guest-download/" in caplog.text
    assert token not in caplog.text
