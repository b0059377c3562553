"""Who may do what, where it is, and how it is found."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text as sql

from atrio.kernel.testing.client import Client
from atrio.kernel.testing.plugin import ADMIN, PASSWORD

from .conftest import NAMES, Desk, Person, card, event

PATCH = f"<D:propertyupdate {NAMES}><D:set><D:prop><D:displayname>New</D:displayname></D:prop></D:set></D:propertyupdate>"
ROLES = ("reader", "contributor", "manager", "boss")


def test_roles_in_a_space(desk: Desk) -> None:
    """One table: what each role gets, in the order read, save, properties, move, delete."""
    got: dict[str, list[int]] = {}
    for number, name in enumerate((*ROLES, "user", "root")):
        who: Person = getattr(desk, name)
        base = who.space(desk.space) if name in ROLES else f"/agenda/workspace/{desk.space}"
        path = f"{base}/{number}.ics"
        got[name] = [
            who("PROPFIND", f"{base}/", depth="1").status,
            who("REPORT", f"{base}/", f"<C:calendar-query {NAMES}/>").status,
            who("PUT", path, event(name)).status,
            who("PROPPATCH", f"{base}/", PATCH).status,
            who("MOVE", path, destination=f"http://testserver/dav{base}/{number}-b.ics").status,
            who("DELETE", f"{base}/{number}-b.ics").status,
        ]
    assert got == {
        "reader": [207, 207, 403, 403, 403, 403], "contributor": [207, 207, 201, 403, 201, 200],
        "manager": [207, 207, 201, 207, 201, 200], "boss": [207, 207, 201, 207, 201, 200],
        "user": [403] * 6, "root": [403] * 6,
    }  # fmt: skip


@pytest.mark.parametrize("kind", ["calendar", "addressbook"])
def test_nobody_touches_the_collections_that_everybody_has(desk: Desk, kind: str) -> None:
    body = event() if kind == "calendar" else card()
    for base in (desk.boss.space(desk.space, kind), f"{desk.boss.home}/user_{desk.boss.uid}_{kind}"):
        for method in ("DELETE", "PUT", "MOVE", "MKCALENDAR", "MKCOL", "POST", "COPY", "LINK"):
            answer = desk.boss(method, f"{base}/", body, destination=f"http://testserver/dav{desk.boss.home}/x/")
            assert (answer.status, answer.code) == (403, 5001), (method, base)
        assert desk.boss("MKCALENDAR", f"{base}/below/").code == 5001
        assert desk.boss.props(f"{base}/", "D:displayname").status == 207
    for path in ("/", f"{desk.boss.home}/"):
        for method in ("DELETE", "PUT", "PROPPATCH", "MKCOL"):
            assert desk.boss(method, path, PATCH).code == 5001


def test_another_s_is_refused_whether_it_is_there_or_not(desk: Desk) -> None:
    desk.reader("PUT", f"{desk.reader.calendar}/a.ics", event())
    desk.reader("MKCALENDAR", f"{desk.reader.home}/mine/")
    for who in (desk.user, desk.root, desk.boss):
        for path in (
            f"{desk.reader.home}/", f"{desk.reader.calendar}/", f"{desk.reader.calendar}/a.ics", f"{desk.reader.home}/mine/",
            f"/agenda/user/{desk.reader.uid}/a.ics", f"/addressbook/user/{desk.reader.uid}/", "/user_9999/", "/agenda/user/9999/",
            f"{who.home}/user_{desk.reader.uid}_calendar/", "/agenda/workspace/9999/", f"{desk.reader.home}/space_{desk.space}_calendar/",
        ):  # fmt: skip
            for method in ("GET", "PROPFIND", "REPORT", "PUT", "DELETE", "PROPPATCH", "MKCALENDAR"):
                answer = who(method, path)
                assert (answer.status, answer.code) == (403, 5001), (method, path)
    stolen = f"http://testserver/dav{desk.reader.calendar}/b.ics"
    desk.user("PUT", f"{desk.user.calendar}/a.ics", event())
    assert desk.user("MOVE", f"{desk.user.calendar}/a.ics", destination=stolen).status == 403
    assert desk.reader("GET", f"{desk.reader.calendar}/b.ics").status == 404


def test_strangers_are_asked_for_basic_credentials(desk: Desk) -> None:
    for method in ("GET", "PROPFIND", "REPORT", "PUT", "MKCALENDAR"):
        for path in ("/", "/user_1/", "/agenda/user/1/x.ics", "/nowhere"):
            answer = desk.stranger(method, path)
            assert (answer.status, answer.code) == (401, 5002)
            assert answer.headers["www-authenticate"].startswith("Basic realm=")
    wrong = Client(desk.kernel.app, ADMIN, "wrong")
    assert wrong.request("PROPFIND", "/dav/").code == 5002
    wrong.close()
    assert desk.deactivated("PROPFIND", "/").code == 5002
    assert "calendar-access" in desk.stranger("OPTIONS", "/").headers["dav"]


def test_found_from_the_bare_host(desk: Desk) -> None:
    for name in ("caldav", "carddav"):
        for method in ("GET", "HEAD", "OPTIONS", "PROPFIND"):
            answer = desk.stranger.client.request(method, f"/.well-known/{name}")
            assert (answer.status, answer.headers["location"]) == (301, "/dav/"), method
    answer = desk.stranger.client.request("PROPFIND", "/")
    assert (answer.status, answer.code, "www-authenticate" in answer.headers) == (401, 5002, True)
    for prefix in ("", "/dav"):
        answer = desk.user.client.request(
            "PROPFIND",
            f"{prefix}/",
            headers={"depth": "0"},
            body=b'<propfind xmlns="DAV:"><prop><current-user-principal/></prop></propfind>',
        )
        assert (answer.status, f"/dav/user_{desk.user.uid}/</" in answer.body.decode()) == (207, True)
        assert "calendar-access" in desk.stranger.client.request("OPTIONS", f"{prefix}/").headers["dav"]
    assert desk.user.client.request("PROPFIND", "/dav", headers={"depth": "0"}).status == 207
    shown = desk.user.props(
        f"{desk.user.home}/", "C:calendar-home-set", "CR:addressbook-home-set", "D:principal-URL"
    ).body.decode()
    assert shown.count(f"<href>/dav{desk.user.home}/</href>") == 4
    assert desk.user("GET", "/").status == 200


@pytest.mark.atrio_config(website__base_url="https://example.org/team")
def test_found_below_the_path_of_the_site(desk: Desk) -> None:
    me = desk.user
    assert desk.stranger.client.request("GET", "/.well-known/caldav").headers["location"] == "/team/dav/"
    assert f"/team/dav{me.home}/" in me.client.request("PROPFIND", "/").body.decode()
    assert (
        f"<href>/team/dav{me.calendar}/</href>"
        in me.props(f"{me.home}/", "D:displayname", depth="1").body.decode()
    )
    assert me("PUT", f"{me.calendar}/a.ics", event()).status == 201
    moved = me("MOVE", f"{me.calendar}/a.ics", destination=f"https://example.org/team/dav{me.calendar}/b.ics")
    assert (moved.status, me("GET", f"{me.calendar}/b.ics").status) == (201, 200)
    assert (
        me("MOVE", f"{me.calendar}/b.ics", destination=f"https://evil.example/team/dav{me.calendar}/c.ics").status
        == 502
    )
    assert (
        me.client.get(f"/api/users/{me.uid}/agenda").json[0]["agenda_url"]
        == f"https://example.org/team/dav/agenda/user/{me.uid}/"
    )


def test_the_cookie_counts_for_pages_of_this_site_alone(desk: Desk) -> None:
    browser = Client(desk.kernel.app)
    assert browser.post("/api/auth/login", {"username": "outsider", "password": PASSWORD}).status == 200
    path = f"/dav{desk.user.calendar}/"
    assert browser.request("PROPFIND", path).status == 401
    for site in ("cross-site", "same-site"):
        assert browser.request("PROPFIND", path, headers={"sec-fetch-site": site}).status == 401
    wrong = {"authorization": "Basic ZHVtbXk6ZHVtbXk="}
    for site in ("same-origin", "none"):
        assert browser.request("PROPFIND", path, headers={"sec-fetch-site": site, **wrong}).status == 207
    assert (
        browser.request("PUT", f"{path}a.ics", body=event(), headers={"sec-fetch-site": "same-origin"}).status
        == 201
    )
    browser.close()


def test_forwarding_headers_of_strangers_are_not_believed(desk: Desk) -> None:
    answer = desk.user(
        "PROPFIND",
        f"{desk.user.home}/",
        depth="0",
        x_script_name="/evil",
        x_remote_user="user_1",
        x_forwarded_host="evil",
    )
    assert b"evil" not in answer.body
    assert answer.status == 207


def test_the_switch_of_a_space(desk: Desk) -> None:
    who = desk.contributor
    base = who.space(desk.space)
    assert who("PUT", f"{base}/a.ics", event()).status == 201
    assert f"{base}/" in who.hrefs(f"{who.home}/")
    desk.modify(agenda_enabled=False)
    for kind in ("calendar", "addressbook"):
        for path in (f"{who.space(desk.space, kind)}/", f"{who.space(desk.space, kind)}/a.ics"):
            for method in ("GET", "PROPFIND", "PUT", "DELETE"):
                answer = who(method, path)
                assert (answer.status, answer.code) == (404, 2051)
    assert desk.user("PROPFIND", f"/agenda/workspace/{desk.space}/").code == 5001
    assert f"{base}/" not in who.hrefs(f"{who.home}/")
    assert [a["workspace_id"] for a in who.client.get(f"/api/users/{who.uid}/agenda").json] == [None]
    desk.modify(agenda_enabled=True)
    assert who("GET", f"{base}/a.ics").body == event()
    assert f"{base}/" in who.hrefs(f"{who.home}/")


def test_trash_purge_and_names(desk: Desk) -> None:
    from atrio.plugins.spaces.services.spaces import purge_space

    who = desk.contributor
    base = who.space(desk.space)
    assert who("PUT", f"{base}/a.ics", event()).status == 201
    shown = who.props(f"{base}/", "D:displayname", "C:calendar-description", "ICAL:calendar-color").body.decode()
    assert "<displayname>Alpha</displayname>" in shown
    assert "All of Alpha" in shown
    assert "#" in shown
    desk.modify(label="Beta & <co>")
    assert "Beta &amp; &lt;co&gt;" in who.props(f"{base}/", "D:displayname").body.decode()
    assert desk.owner.put(f"/api/workspaces/{desk.space}/trashed").status == 204
    assert who("PROPFIND", f"{base}/").code == 5001
    assert f"{base}/" not in who.hrefs(f"{who.home}/")
    assert desk.owner.put(f"/api/workspaces/{desk.space}/trashed/restore").status == 204
    assert who("GET", f"{base}/a.ics").body == event()
    desk.kernel.run(lambda ctx: purge_space(ctx, desk.space))
    assert desk.scalar("SELECT count(*) FROM caldav_item") == 0
    assert who("PROPFIND", f"{base}/").code == 5001


def test_a_user_that_is_deleted_for_good_takes_his_calendars_along(desk: Desk) -> None:
    from atrio.plugins.accounts.services import purge_user

    assert desk.user("PUT", f"{desk.user.calendar}/a.ics", event()).status == 201
    assert desk.owner.put(f"/api/users/{desk.user.uid}/trashed").status == 204
    assert desk.user("GET", f"{desk.user.calendar}/a.ics").status == 401
    assert desk.owner.put(f"/api/users/{desk.user.uid}/trashed/restore").status == 204
    assert desk.user("GET", f"{desk.user.calendar}/a.ics").status == 200
    desk.kernel.run(lambda ctx: purge_user(ctx, desk.user.uid))
    assert desk.scalar("SELECT count(*) FROM caldav_collection") == 0


def test_a_person_who_is_taken_out_of_his_account_leaves_no_calendar(desk: Desk) -> None:
    from atrio.plugins.accounts.services import anonymize_user

    assert desk.contributor("PUT", f"{desk.contributor.calendar}/a.ics", event()).status == 201
    assert desk.contributor("PUT", f"{desk.contributor.space(desk.space)}/b.ics", event("b")).status == 201
    desk.kernel.run(lambda ctx: anonymize_user(ctx, desk.contributor.uid))
    assert desk.scalar("SELECT count(*) FROM caldav_item") == 1
    assert desk.reader("GET", f"{desk.reader.space(desk.space)}/b.ics").body == event("b")


def test_a_role_that_changes_counts_at_once(desk: Desk) -> None:
    who = desk.contributor
    base = who.space(desk.space)
    member = f"/api/workspaces/{desk.space}/members/{who.uid}"
    assert who("PUT", f"{base}/a.ics", event()).status == 201
    assert desk.owner.put(member, {"role": "reader"}).status == 200
    assert who("PUT", f"{base}/b.ics", event("b")).code == 5001
    assert desk.owner.delete(member).status == 204
    assert who("GET", f"{base}/a.ics").code == 5001
    assert f"{base}/" not in who.hrefs(f"{who.home}/")


def test_a_role_that_is_lost_under_way_stops_the_write(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The body was read and judged, then the role goes: the unit that writes asks again."""
    import radicale.item

    parse = radicale.item.read_components
    who = desk.contributor
    member = f"/api/workspaces/{desk.space}/members/{who.uid}"

    def lose(text: str) -> Any:
        with desk.kernel.unit() as ctx:
            ctx.execute(sql("UPDATE spaces_member SET role = 1 WHERE user_id = :u"), {"u": who.uid})
        return parse(text)

    monkeypatch.setattr(radicale.item, "read_components", lose)
    answer = who("PUT", f"{who.space(desk.space)}/a.ics", event())
    assert (answer.status, answer.code) == (403, 5001)
    assert desk.owner.get(member).json["role"] == "reader"
    assert desk.scalar("SELECT count(*) FROM caldav_item") == 0


def test_addresses_for_the_web_application(desk: Desk) -> None:
    who = desk.reader
    base = "http://127.0.0.1:8080/dav"
    second = desk.owner.post(
        "/api/workspaces",
        {"label": "AAA", "description": "", "access_type": "confidential", "default_user_role": "reader"},
    ).json["workspace_id"]
    assert (
        desk.owner.post(f"/api/workspaces/{second}/members", {"user_id": who.uid, "role": "reader"}).status == 200
    )

    def ask(query: str = "", person: Person = who) -> list[Any]:
        answer = person.client.get(f"/api/users/{who.uid}/agenda{query}")
        assert answer.status == 200, answer.body
        return list(answer.json)

    assert ask() == [
        {
            "agenda_url": f"{base}/agenda/user/{who.uid}/",
            "with_credentials": True,
            "agenda_type": "private",
            "workspace_id": None,
            "resource_type": "calendar",
        },
        {
            "agenda_url": f"{base}/agenda/workspace/{second}/",
            "with_credentials": True,
            "agenda_type": "workspace",
            "workspace_id": second,
            "resource_type": "calendar",
        },
        {
            "agenda_url": f"{base}/agenda/workspace/{desk.space}/",
            "with_credentials": True,
            "agenda_type": "workspace",
            "workspace_id": desk.space,
            "resource_type": "calendar",
        },
    ]
    assert [a["workspace_id"] for a in ask(f"?workspace_ids={desk.space},999")] == [desk.space]
    assert [a["agenda_type"] for a in ask("?agenda_types=private")] == ["private"]
    assert [a["agenda_url"] for a in ask("?resource_types=directory,addressbook&agenda_types=private")] == [
        f"{base}/user_{who.uid}/",
        f"{base}/addressbook/user/{who.uid}/",
    ]
    assert ask("?agenda_types=remote") == []
    assert ask(person=desk.root) == ask()
    assert desk.user.client.get(f"/api/users/{who.uid}/agenda").status == 403
    for address in ask("?resource_types=calendar,addressbook,directory"):
        path = address["agenda_url"].removeprefix(base)
        assert who.props(path, "D:resourcetype").status == 207
    system = who.client.get("/api/system/applications").json
    assert {a["slug"]: a["label"] for a in system}["agenda"] == "Agenda"


def test_what_a_new_event_begins_with(desk: Desk) -> None:
    assert desk.user.client.get("/api/system/pre-filled-agenda-event").json == {"description": None}
    assert desk.stranger.client.get("/api/system/pre-filled-agenda-event").status == 401


def test_the_text_of_a_new_event_comes_from_a_file(tmp_path: Any) -> None:
    from atrio.kernel.testing.plugin import make_kernel

    path = tmp_path / "text.txt"
    path.write_text("Täglich\n", "utf-8")
    kernel = make_kernel(tmp_path / "one", {"caldav__prefilled_event_file": str(path)})
    client = Client(kernel.app, ADMIN, PASSWORD)
    assert client.get("/api/system/pre-filled-agenda-event").json == {"description": "Täglich\n"}
    client.close()
    kernel.stop()
    parked = make_kernel(tmp_path / "two", {"caldav__prefilled_event_file": str(tmp_path / "none")})
    record = parked.record("caldav")
    assert record is not None
    assert (str(record.state), "is no file" in record.reason) == ("unavailable", True)
    parked.stop()
