"""Files in and out, feeds, a Radicale folder, the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner

from atrio.kernel.testing.client import Answer
from atrio.plugins.caldav import imports, texts
from atrio.plugins.caldav.places import ADDRESSBOOK, CALENDAR

from .conftest import Desk, Person, card, event, todo

FILES = sorted(Path(__file__).with_name("corpus").iterdir())


def mine(who: Person, name: str = "", rest: str = "") -> str:
    return f"/api/users/{who.uid}/calendars/{name or f'user_{who.uid}_calendar'}{rest}"


def read_in(who: Person, name: str, data: bytes) -> Answer:
    return who.client.request(
        "POST", mine(who, name, "/import"), files={"files": ("a.ics", data, "text/calendar")}
    )


def test_a_file_goes_in_and_comes_out(desk: Desk) -> None:
    me = desk.user
    many = texts.join_calendar(
        [event(f"e{n}").decode() for n in range(5)]
        + [todo().decode()]
        + [p.read_bytes().decode() for p in FILES if p.suffix == ".ics"]
    )
    first = read_in(me, "", many.encode())
    count = 6 + sum(p.suffix == ".ics" for p in FILES)
    assert (first.status, first.json) == (
        200,
        {"created": count, "modified": 0, "unchanged": 0, "refused": 0, "refused_entries": []},
    )
    assert read_in(me, "", many.encode()).json == {
        "created": 0,
        "modified": 0,
        "unchanged": count,
        "refused": 0,
        "refused_entries": [],
    }
    changed = many.replace("SUMMARY:About e3", "SUMMARY:All about e3")
    assert read_in(me, "", changed.encode()).json["modified"] == 1
    out = me.client.get(mine(me, "", "/export"))
    assert (out.status, out.headers["content-type"]) == (200, "text/calendar; charset=utf-8")
    assert out.headers["content-disposition"].startswith("attachment")
    assert sorted(uid for uid, _ in texts.split(out.body.decode(), CALENDAR)) == sorted(
        uid for uid, _ in texts.split(changed, CALENDAR)
    )
    assert read_in(me, "", out.body).json["unchanged"] == count
    assert len(me.hrefs(f"{me.calendar}/")) == count + 1


def test_cards_and_entries_without_a_uid(desk: Desk) -> None:
    me = desk.user
    nameless = card("x").replace(b"UID:x\r\n", b"")
    data = (
        card("a")
        + card("b", "Bob")
        + nameless
        + b"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:\xfc\r\nUID:latin\r\nEND:VCARD\r\n"
    )
    answer = read_in(me, f"user_{me.uid}_addressbook", data)
    assert answer.json == {"created": 4, "modified": 0, "unchanged": 0, "refused": 0, "refused_entries": []}
    assert read_in(me, f"user_{me.uid}_addressbook", data).json["unchanged"] == 4
    bad = read_in(
        me,
        "",
        texts.join_calendar(
            [
                event("good").decode(),
                event("bad", "20260101T000000Z", "20260101T010000Z", "RRULE:FREQ=SECONDLY").decode(),
            ]
        ).encode(),
    )
    named = [{"index": 2, "uid": "bad", "reason": "C:max-instances"}]
    told = {"created": 1, "modified": 0, "unchanged": 0, "refused": 1, "refused_entries": named}
    assert bad.json == told


def test_a_big_file_is_stored_in_slices(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Others write between two slices; what was stored before a fault stays, and the same file goes on there."""
    me = desk.user
    many = [event(f"e{n:03}").decode() for n in range(35)]
    many[7] = many[7].replace("END:VEVENT", "RRULE:FREQ=SECONDLY\r\nEND:VEVENT")
    data = texts.join_calendar(many).encode()
    monkeypatch.setattr(imports, "SLICE", 10)
    store, slices = imports.store, 0

    def store_and_write(*args: Any) -> imports.Report:
        nonlocal slices
        slices += 1
        if slices == 3:
            raise OSError("the disk is gone")
        return store(*args)

    monkeypatch.setattr(imports, "store", store_and_write)
    assert read_in(me, "", data).status == 500
    assert desk.scalar("SELECT count(*) FROM caldav_item") == 20
    before = desk.scalar("SELECT seq FROM caldav_collection WHERE path = :p", p=me.calendar[1:])
    assert me("PUT", f"{me.calendar}/between.ics", event("between")).status == 201
    again = read_in(me, "", data).json
    assert (again["created"], again["unchanged"], again["refused"]) == (14, 20, 1)
    assert again["refused_entries"] == [{"index": 8, "uid": "e007", "reason": "C:max-instances"}]
    assert slices == 3 + 4
    assert desk.scalar("SELECT seq FROM caldav_collection WHERE path = :p", p=me.calendar[1:]) == before + 15


def test_only_so_many_refused_entries_are_named(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imports, "NAMED", 2)
    bad = [
        event(f"b{n}", "20260101T000000Z", "20260101T010000Z", "RRULE:FREQ=SECONDLY").decode() for n in range(5)
    ]
    found = read_in(desk.user, "", texts.join_calendar(bad).encode()).json
    assert (found["refused"], [one["index"] for one in found["refused_entries"]]) == (5, [1, 2])


def test_the_whole_entries_of_a_broken_file_are_taken(desk: Desk) -> None:
    me = desk.user
    parts = [event(f"e{n}").decode().split("\r\n", 3)[3].rpartition("END:VCALENDAR")[0] for n in range(5)]
    parts[1] = parts[1].replace("END:VEVENT\r\n", "")
    parts[3] = parts[3].replace("SUMMARY", "BEGIN:VALARM\r\nSUMMARY")
    data = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n" + "".join(parts)
    answer = read_in(me, "", data.encode())
    assert (answer.status, answer.json["created"], answer.json["refused"]) == (200, 3, 2)
    named = [(one["index"], one["uid"]) for one in answer.json["refused_entries"]]
    assert named == [(2, "e1"), (4, "e3")]
    assert {h.rpartition("/")[2] for h in me.hrefs(f"{me.calendar}/")} == {"", "e0.ics", "e2.ics", "e4.ics"}
    cards = card("a") + card("b").replace(b"END:VCARD\r\n", b"") + card("c")
    answer = read_in(me, f"user_{me.uid}_addressbook", cards)
    assert (answer.json["created"], [one["uid"] for one in answer.json["refused_entries"]]) == (2, ["b"])


def test_what_is_no_calendar(desk: Desk) -> None:
    broken = b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nEND:VCALENDAR\r\n"
    for data in (b"", b"x", broken, card(), b"\x00\xff" * 100, b"BEGIN:A\r\n" * 2000):
        answer = read_in(desk.user, "", data)
        assert (answer.status, answer.code) == (400, 2001), data[:50]
    assert desk.scalar("SELECT count(*) FROM caldav_item") == 0


@pytest.mark.atrio_config(caldav__import_bytes=65536)
def test_a_file_that_is_too_large(desk: Desk) -> None:
    assert read_in(desk.user, "", b"x" * 70_000).status == 413
    assert desk.user.client.request("POST", mine(desk.user, "", "/import"), fields={"a": "b"}).status == 400


def test_files_follow_the_roles(desk: Desk) -> None:
    name = f"space_{desk.space}_calendar"
    assert read_in(desk.reader, name, event()).code == 5001
    assert read_in(desk.contributor, name, event()).status == 200
    assert b"About one" in desk.reader.client.get(mine(desk.reader, name, "/export")).body
    assert desk.user.client.get(mine(desk.user, name, "/export")).code == 5001
    assert desk.root.client.get(mine(desk.reader, name, "/export")).status == 403
    assert desk.stranger.client.get(mine(desk.reader, name, "/export")).status == 401
    assert desk.reader.client.get(mine(desk.reader, "nothing", "/export")).code == 9999
    listed = desk.reader.client.get(f"/api/users/{desk.reader.uid}/calendars").json
    assert [(c["kind"], c["is_writable"], c["workspace_id"]) for c in listed] == [
        ("calendar", True, None),
        ("addressbook", True, None),
        ("calendar", False, desk.space),
        ("addressbook", False, desk.space),
    ]
    for one in listed:
        assert desk.reader("PROPFIND", urlsplit(one["url"]).path.removeprefix("/dav"), depth="0").status == 207
    desk.modify(agenda_enabled=False)
    assert desk.reader.client.get(mine(desk.reader, name, "/export")).code == 2051


def test_a_feed_lives_as_long_as_its_maker_may_read(desk: Desk) -> None:
    who, name = desk.reader, f"space_{desk.space}_calendar"
    made = who.client.post(mine(who, name, "/feed"))
    assert made.status == 200
    address = made.json["url"]
    path = address.removeprefix("http://127.0.0.1:8080")
    ask = desk.stranger.client.get
    assert ask(path).status == 200
    assert desk.contributor("PUT", f"{desk.contributor.space(desk.space)}/a.ics", event()).status == 201
    got = ask(path)
    assert (b"About one" in got.body, got.headers["content-type"]) == (True, "text/calendar; charset=utf-8")
    assert desk.stranger.client.request("GET", path, headers={"if-none-match": got.headers["etag"]}).status == 304
    token = path.partition("token=")[2]
    assert desk.scalar("SELECT count(*) FROM caldav_feed WHERE token_hash = :t", t=token) == 0
    second = who.client.post(mine(who, name, "/feed")).json["url"].removeprefix("http://127.0.0.1:8080")
    assert (ask(path).code, ask(second).status) == (9999, 200)
    desk.modify(agenda_enabled=False)
    assert ask(second).code == 9999
    desk.modify(agenda_enabled=True)
    assert ask(second).status == 200
    assert desk.owner.delete(f"/api/workspaces/{desk.space}/members/{who.uid}").status == 204
    assert ask(second).code == 9999
    own = desk.user.client.post(mine(desk.user, "", "/feed")).json["url"].removeprefix("http://127.0.0.1:8080")
    assert ask(own).status == 200
    assert desk.user.client.delete(mine(desk.user, "", "/feed")).status == 204
    assert ask(own).code == 9999
    for wrong in ("x" * 30, "", "%00" * 30):
        assert ask(f"/api/calendar-feed.ics?token={wrong}").status in (400, 404)


def test_texts() -> None:
    assert texts.fold("x" * 75) == "x" * 75
    assert all(len(line.encode()) <= 75 for line in texts.fold("ü" * 200).split("\r\n"))
    assert texts.fold("ü" * 200).replace("\r\n ", "") == "ü" * 200
    assert texts.escape("a;b,c\\d\ne") == "a\\;b\\,c\\\\d\\ne"
    with pytest.raises(texts.Unreadable):
        list(texts.split("BEGIN:VCALENDAR\r\nEND:VCARD\r\n", CALENDAR))
    with pytest.raises(texts.Unreadable):
        list(texts.split(event().decode(), ADDRESSBOOK))


def radicale_folder(root: Path, uid: int, space: int) -> Path:
    """Lay out what the two known layouts look like on disk."""
    top = root / "store" / "collection-root"
    for name, tag, files in (
        (f"agenda/user/{uid}", "VCALENDAR", {"a.ics": event("a"), "bad.ics": b"x"}), (f"agenda/workspace/{space}", "VCALENDAR", {"s.ics": event("s")}),
        (f"addressbook/user/{uid}", "VADDRESSBOOK", {"c.vcf": card()}), ("outsider/work", "VCALENDAR", {"w.ics": event("w")}), ("nobody/x", "VCALENDAR", {"x.ics": event("x")}),
        ("agenda/workspace/9999", "VCALENDAR", {"n.ics": event("n")}),
    ):  # fmt: skip
        folder = top / name
        folder.mkdir(parents=True)
        (folder / ".Radicale.props").write_text(
            json.dumps({"tag": tag, "D:displayname": f"Old {name}", "ICAL:calendar-color": "#123456ff"})
        )
        (folder / ".Radicale.cache").mkdir()
        for file, body in files.items():
            (folder / file).write_bytes(body)
    (top / f"user_{uid}").mkdir()
    (top / f"user_{uid}" / f"user_{uid}_calendar").symlink_to(top / f"agenda/user/{uid}")
    return root / "store"


class Settings:
    """What the command line gives its commands."""

    def __init__(self, kernel: Any) -> None:
        self.kernel = kernel

    def boot(self) -> Any:
        return self.kernel


def test_the_command_line(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from atrio.plugins.caldav.cli import caldav

    monkeypatch.setattr(desk.kernel.db, "close", lambda: None)
    me, settings = desk.user, Settings(desk.kernel)

    def atrio(*words: str) -> Any:
        return CliRunner().invoke(caldav, list(words), obj=settings)

    folder = radicale_folder(tmp_path, me.uid, desk.space)
    dry = atrio("import-radicale", "--dry-run", str(folder))
    assert dry.exit_code == 1
    assert desk.scalar("SELECT count(*) FROM caldav_item") == 0
    done = atrio("import-radicale", str(folder))
    assert (done.exit_code, done.exception is None or isinstance(done.exception, SystemExit)) == (1, True), (
        done.output
    )
    assert me("GET", f"{me.calendar}/a.ics").body == event("a")
    assert me("GET", f"{me.book}/c.vcf").body == card()
    assert me("GET", f"{me.home}/work/w.ics").body == event("w")
    assert desk.reader("GET", f"{desk.reader.space(desk.space)}/s.ics").body == event("s")
    assert "Old agenda/user" in me.props(f"{me.calendar}/", "D:displayname").body.decode()
    before = desk.scalar("SELECT sum(seq) FROM caldav_collection")
    atrio("import-radicale", str(folder))
    assert desk.scalar("SELECT sum(seq) FROM caldav_collection") == before
    assert desk.scalar("SELECT count(*) FROM caldav_item") == 4

    file = tmp_path / "out.ics"
    assert atrio("export", "outsider", str(file)).exit_code == 0
    assert b"About a" in file.read_bytes()
    again = atrio("import", "outsider", str(file), "--collection", "work")
    assert (again.exit_code, "1 created" in again.output) == (0, True), again.output
    assert "work" in atrio("list", "outsider").output
    for words in (
        ("list", "nobody"),
        ("export", "outsider", str(file), "--collection", "none"),
        ("import", "outsider", str(file), "--collection", f"user_{me.uid}_addressbook"),
    ):
        assert atrio(*words).exit_code == 1, words


def test_names_of_imported_entries() -> None:
    assert imports.name_of("abc-1@x.org", CALENDAR) == "abc-1@x.org.ics"
    assert len(imports.name_of("../../etc", CALENDAR)) == 44
    assert imports.name_of("ü", ADDRESSBOOK).endswith(".vcf")


@pytest.mark.atrio_config(caldav__feed_requests=3)
def test_a_feed_is_not_sent_without_end(desk: Desk) -> None:
    who = desk.user
    assert who("PUT", f"{who.calendar}/a.ics", event()).status == 201
    address = who.client.post(mine(who, rest="/feed")).json["url"].partition("/api/")[2]
    asked = [desk.stranger.client.request("GET", f"/api/{address}") for _ in range(4)]
    assert [one.status for one in asked] == [200, 200, 200, 429]
    assert asked[3].code == 20004
    assert asked[3].headers["retry-after"] == "600"
    other = [desk.stranger.client.request("GET", f"/api/calendar-feed.ics?token={'x' * 30}{n}") for n in range(40)]
    assert {one.status for one in other} == {404, 429}, "one address asks for many"


def test_a_feed_says_when_nothing_changed(desk: Desk) -> None:
    who, name = desk.reader, f"space_{desk.space}_calendar"
    assert desk.boss("PUT", f"{desk.boss.space(desk.space)}/a.ics", event()).status == 201
    address = f"/api/{who.client.post(mine(who, name, '/feed')).json['url'].partition('/api/')[2]}"

    def ask(tag: str) -> Answer:
        return desk.stranger.client.request("GET", address, headers={"if-none-match": tag})

    etag = ask('"x"').headers["etag"]
    for tag in (etag, f"W/{etag}", f'"x", {etag}', "*"):
        assert (ask(tag).status, ask(tag).body) == (304, b""), tag
    desk.modify(label="Another name")
    renamed = ask(etag)
    assert (renamed.status, b"Another name" in renamed.body) == (200, True)
    assert desk.boss("PUT", f"{desk.boss.space(desk.space)}/b.ics", event("b")).status == 201
    assert ask(renamed.headers["etag"]).status == 200
