"""Upload links: people without an account put files into a space."""

from __future__ import annotations

from typing import Any

import pytest

from atrio.kernel.host import Kernel
from atrio.kernel.testing.client import Client
from atrio.kernel.testing.plugin import of_the_request
from atrio.plugins.upload_links.events import GuestUploaded, UploadLinkDisabled, UploadLinksCreated
from atrio.plugins.upload_links.services import folder_label

KEYS = {
    "upload_permission_id", "workspace_id", "type", "email", "has_password", "token",
    "upload_permission_group_uuid", "author_id", "author", "created", "disabled", "is_disabled", "url",
}  # fmt: skip
SECRET = "open sesame"
PLAIN = "text/plain"


@pytest.fixture
def guest(kernel: Kernel) -> Client:
    return Client(kernel.app)


@pytest.fixture
def place(make_space: Any) -> str:
    return f"/api/workspaces/{make_space()}/upload_permissions"


def space_of(place: str) -> int:
    return int(place.split("/")[3])


def invite(client: Client, place: str, *emails: str, password: str | None = None) -> list[Any]:
    answer = client.post(place, {"emails": emails or ["ann@example.org"], "password": password})
    assert answer.status == 200, answer.body
    return list(answer.json)


def public(token: str, *more: str) -> str:
    return "/".join(("/api/public/guest-upload", token, *more))


def send(guest: Client, token: str, files: dict[str, tuple[str, bytes, str]] | None = None, **fields: str) -> Any:
    given = files if files is not None else {"file_0": ("a.txt", b"hello", PLAIN)}
    return guest.request("POST", public(token), files=given, fields={"username": "Zoë", **fields})


def uploads(client: Client, place: str, parent_id: int = 0) -> list[Any]:
    query = {"namespaces_filter": "upload", "parent_ids": parent_id}
    return list(client.get(f"/api/workspaces/{space_of(place)}/contents", query=query).json["items"])


def test_one_link_for_each_address(client: Client, place: str, events: list[Any]) -> None:
    events.clear()
    made = invite(client, place, "Ann Bee <Ann@Example.org>", "bob@example.org")
    assert [set(one) for one in made] == [KEYS] * 2
    first = made[0]
    assert [one["email"] for one in made] == ["ann bee <ann@example.org>", "bob@example.org"]
    assert first["url"].endswith(f"/ui/guest-upload/{first['token']}")
    assert (first["workspace_id"], first["type"], first["is_disabled"]) == (space_of(place), "email", False)
    assert client.get(place).json == made
    ids = tuple(one["upload_permission_id"] for one in made)
    assert events == [UploadLinksCreated(space_of(place), 1, first["upload_permission_group_uuid"], ids)]


def test_what_a_guest_sends_lies_in_a_folder_of_its_own(
    client: Client, guest: Client, place: str, clock: Any, events: list[Any]
) -> None:
    (made,) = invite(client, place)
    assert guest.get(public(made["token"])).json == {"has_password": False}
    events.clear()
    files = {"file_0": ("a.txt", b"hello", PLAIN), "file_x": ("b.html", b"<p>", "text/html")}
    sent = send(guest, made["token"], files, message="<b>Look</b><script>alert(1)</script>")
    assert (sent.status, sent.body) == (204, b"")
    (folder,) = uploads(client, place)
    label = folder_label("Zoë", clock.now())
    assert (folder["label"], folder["content_namespace"]) == (label, "upload")
    inside = uploads(client, place, folder["content_id"])
    assert {(f["filename"], f["content_namespace"], f["author"]["user_id"]) for f in inside} == {
        ("a.txt", "upload", 1), ("b.html", "upload", 1),
    }  # fmt: skip
    for file in inside:
        base = f"/api/workspaces/{space_of(place)}"
        (comment,) = client.get(f"{base}/contents/{file['content_id']}/comments").json["items"]
        assert comment["raw_content"] == "Message from Zoë: <b>Look</b>"
        assert comment["author"]["user_id"] == 1
        raw = client.get(f"{base}/files/{file['content_id']}/raw/{file['filename']}").body
        assert raw == {"a.txt": b"hello", "b.html": b"<p>"}[file["filename"]]
    told = [e for e in events if isinstance(e, GuestUploaded)]
    ids = tuple(sorted(f["content_id"] for f in inside))
    link = made["upload_permission_id"]
    assert told == [GuestUploaded(link, space_of(place), 1, "Zoë", folder["content_id"], ids)]
    assert uploads(client, place) == [folder]
    listed = client.get(f"/api/workspaces/{space_of(place)}/contents").json["items"]
    assert all(c["content_namespace"] != "upload" for c in listed)


def test_equal_names_get_numbers(client: Client, guest: Client, place: str, clock: Any) -> None:
    (made,) = invite(client, place)
    files = {f"file_{n}": ("a.txt", f"{n}".encode(), PLAIN) for n in range(3)}
    assert send(guest, made["token"], files).status == 204
    assert send(guest, made["token"], files).status == 204  # within the same second: the same folder
    (folder,) = uploads(client, place)
    names = {f["filename"] for f in uploads(client, place, folder["content_id"])}
    assert names == {"a.txt", *(f"a ({n}).txt" for n in range(2, 7))}


def test_the_label_of_the_folder() -> None:
    noon, midnight = 1_795_521_600_000_000, 1_795_478_400_000_000
    assert folder_label("Zoë", noon) == "Files uploaded by Zoë on Nov 24, 2026 at 12:00:00 PM"
    assert folder_label("x", midnight + 5_000_000) == "Files uploaded by x on Nov 24, 2026 at 12:00:05 AM"


def test_a_name_is_text(client: Client, guest: Client, place: str) -> None:
    (made,) = invite(client, place)
    assert send(guest, made["token"], username="<img src=x onerror=alert(1)>\r\nBcc: x").status == 204
    (folder,) = uploads(client, place)
    (file,) = uploads(client, place, folder["content_id"])
    path = f"/api/workspaces/{space_of(place)}/contents/{file['content_id']}/comments"
    (comment,) = client.get(path).json["items"]
    assert comment["raw_content"] == "Uploaded by &lt;img src=x onerror=alert(1)&gt; Bcc: x."


def test_password(client: Client, guest: Client, place: str) -> None:
    (made,) = invite(client, place, password=SECRET)
    token = made["token"]
    assert guest.get(public(token)).json == {"has_password": True}
    for answer in (
        guest.post(public(token, "check"), {"password": "wrong one"}), guest.post(public(token, "check"), {}),
        send(guest, token), send(guest, token, password="wrong one"),
    ):  # fmt: skip
        assert (answer.status, answer.code) == (403, 2053)
    assert uploads(client, place) == []
    assert guest.post(public(token, "check"), {"password": SECRET}).status == 204
    assert send(guest, token, password=SECRET).status == 204
    codes = [guest.post(public(token, "check"), {"password": f"guess {n}"}).status for n in range(9)]
    assert codes[-1] == 429


def test_wrong_forms(client: Client, guest: Client, kernel: Kernel, place: str) -> None:
    (made,) = invite(client, place)
    token = made["token"]
    path = public(token)
    without = guest.request("POST", path, files={}, fields={"username": "x"})
    assert (without.status, without.code) == (400, 2005)
    other = guest.request("POST", path, files={"files": ("a.txt", b"x", PLAIN)}, fields={"username": "x"})
    assert (other.status, other.code) == (400, 2005)
    unnamed = guest.request("POST", path, files={"file_0": ("a.txt", b"x", PLAIN)}, fields={})
    assert (unnamed.status, unnamed.code) == (400, 2001)
    long = send(guest, token, username="x" * 256)
    assert (long.status, long.code) == (400, 2001)
    many = send(guest, token, {f"file_{n}": ("a.txt", b"x", PLAIN) for n in range(140)})
    assert many.status == 400
    nameless = send(guest, token, {"file_0": ("..", b"x", PLAIN)})
    assert (nameless.status, nameless.code) == (400, 2005)
    assert uploads(client, place) == []
    assert list(kernel.blobs.incoming.glob("*")) == []


def test_a_cut_connection_changes_nothing(client: Client, guest: Client, kernel: Kernel, place: str) -> None:
    (made,) = invite(client, place)
    files = {"file_0": ("a.bin", b"a" * 700_000, PLAIN), "file_1": ("b.bin", b"b" * 700_000, PLAIN)}
    for after in (10, 300_000, 700_200, 1_300_000):
        guest.request("POST", public(made["token"]), files=files, fields={"username": "x"}, cut_after=after)
    assert uploads(client, place) == []
    assert list(kernel.blobs.incoming.glob("*")) == []


@pytest.mark.atrio_config(core_content__space_size=100)
def test_no_more_than_the_space_has_room_for(client: Client, guest: Client, kernel: Kernel, place: str) -> None:
    (made,) = invite(client, place)
    for size, expected in ((200_000, 400), (50, 204), (51, 400), (50, 204), (1, 400)):
        answer = send(guest, made["token"], {"file_0": (f"{size}", b"x" * size, PLAIN)})
        assert (answer.status, answer.code if answer.status == 400 else 6003) == (expected, 6003), size
    two = {f"file_{n}": (f"{n}", b"x" * 60, PLAIN) for n in range(2)}
    assert send(guest, made["token"], two).code == 6003
    assert list(kernel.blobs.incoming.glob("*")) == []


@pytest.mark.atrio_config(core_content__max_file_size=100)
def test_the_limit_of_a_file_holds_for_guests_too(client: Client, guest: Client, place: str) -> None:
    (made,) = invite(client, place)
    sent = send(guest, made["token"], {"file_0": ("a", b"x" * 101, PLAIN)})
    assert (sent.status, sent.code) == (400, 6002)
    two = {f"file_{n}": (f"{n}", b"x" * 100, PLAIN) for n in range(2)}
    assert send(guest, made["token"], two).status == 204


def test_a_disabled_link_ends_at_once(client: Client, guest: Client, place: str, events: list[Any]) -> None:
    first, second = invite(client, place, "ann@example.org", "bob@example.org")
    events.clear()
    assert client.delete(f"{place}/{first['upload_permission_id']}").status == 204
    assert events == [UploadLinkDisabled(first["upload_permission_id"], space_of(place))]
    for answer in (guest.get(public(first["token"])), send(guest, first["token"])):
        assert (answer.status, answer.code) == (400, 1008)
    assert send(guest, second["token"]).status == 204
    for gone in (first["upload_permission_id"], 4711, "x"):
        answer = client.delete(f"{place}/{gone}")
        assert (answer.status, answer.code) == (400, 1008)
    assert [one["token"] for one in client.get(place).json] == [second["token"]]
    assert [one["is_disabled"] for one in client.get(place, query={"show_disabled": 1}).json] == [True, False]


def test_what_ends_all_links(client: Client, guest: Client, place: str) -> None:
    (made,) = invite(client, place)
    path = f"/api/workspaces/{space_of(place)}"
    client.put(path, {"public_upload_enabled": False})
    for answer in (guest.get(public(made["token"])), send(guest, made["token"]), client.get(place)):
        assert (answer.status, answer.code) == (400, 2054)
    client.put(path, {"public_upload_enabled": True})
    assert guest.get(public(made["token"])).status == 200
    client.put(f"{path}/trashed")
    assert guest.get(public(made["token"])).code == 1008


@pytest.mark.parametrize(
    ("who", "expected"),
    [
        ("reader", (403, 4003)), ("contributor", (403, 4003)), ("content-manager", (200, None)),
        (None, (400, 1002)),
    ],
)  # fmt: skip
def test_roles(client: Client, as_actor: Any, place: str, who: str | None, expected: Any) -> None:
    bob = as_actor("bob")
    if who:
        client.post(f"/api/workspaces/{space_of(place)}/members", {"user_id": bob.user_id, "role": who})
    (mine,) = invite(client, place)
    for answer in (bob.post(place, {"emails": ["a@b.org"], "password": None}), bob.get(place)):
        assert (answer.status, answer.code if answer.status != 200 else None) == expected
    ended = bob.delete(f"{place}/{mine['upload_permission_id']}")
    assert ended.status == (204 if expected[0] == 200 else expected[0])


@pytest.mark.parametrize(
    "body", [{}, {"emails": []}, {"emails": ["x"]}, {"emails": ["a@b.org"], "password": "short"}]
)
def test_wrong_lists(client: Client, place: str, body: Any) -> None:
    answer = client.post(place, body)
    assert (answer.status, answer.code) == (400, 2001)


def test_the_list_takes_the_same_statements_for_many(client: Client, place: str, statements: Any) -> None:
    def count() -> int:
        found = []
        for _ in range(3):  # readers of the event log may come in between
            with statements() as seen:
                assert client.get(place).status == 200
            found.append(len(of_the_request(seen)))
        return min(found)

    invite(client, place)
    few = count()
    for _ in range(6):
        invite(client, place, *(f"a{n}@example.org" for n in range(200)))
    assert count() == few
