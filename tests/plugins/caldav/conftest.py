"""People with calendars: requests by path below the mount."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import text

from atrio.kernel.host import Kernel
from atrio.kernel.testing.client import Answer, Client

pytest.importorskip("radicale")

NAMES = 'xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:CR="urn:ietf:params:xml:ns:carddav" xmlns:CS="http://calendarserver.org/ns/" xmlns:ICAL="http://apple.com/ns/ical/"'


def event(uid: str = "one", start: str = "20260105T100000Z", end: str = "20260105T110000Z", *lines: str) -> bytes:
    """Return an event as a client writes it."""
    more = "".join(f"{line}\r\n" for line in lines)
    return (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Test//EN\r\nBEGIN:VEVENT\r\n"
        f"UID:{uid}\r\nDTSTAMP:20260101T000000Z\r\nDTSTART:{start}\r\nDTEND:{end}\r\nSUMMARY:About {uid}\r\n{more}"
        "END:VEVENT\r\nEND:VCALENDAR\r\n"
    ).encode()


def todo(uid: str = "todo", *lines: str) -> bytes:
    """Return a to-do."""
    more = "".join(f"{line}\r\n" for line in lines)
    return (
        f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Test//EN\r\nBEGIN:VTODO\r\nUID:{uid}\r\n"
        f"DTSTAMP:20260101T000000Z\r\nSUMMARY:Do {uid}\r\n{more}END:VTODO\r\nEND:VCALENDAR\r\n"
    ).encode()


def card(uid: str = "card", name: str = "Ann Example") -> bytes:
    """Return a card."""
    return f"BEGIN:VCARD\r\nVERSION:3.0\r\nUID:{uid}\r\nFN:{name}\r\nN:Example;Ann;;;\r\nEND:VCARD\r\n".encode()


@dataclass
class Person:
    """A client below /dav; `uid` is its user's id."""

    client: Client
    uid: int

    def __call__(self, method: str, path: str, body: bytes | str = b"", **headers: str) -> Answer:
        """Send a request; headers by name with `_` for `-`."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        payload = body.encode() if isinstance(body, str) else body
        return self.client.request(method, f"/dav{path}", body=payload or None, headers=given)

    @property
    def home(self) -> str:
        return f"/user_{self.uid}"

    @property
    def calendar(self) -> str:
        return f"{self.home}/user_{self.uid}_calendar"

    @property
    def book(self) -> str:
        return f"{self.home}/user_{self.uid}_addressbook"

    def space(self, space: int, kind: str = "calendar") -> str:
        return f"{self.home}/space_{space}_{kind}"

    def props(self, path: str, *names: str, depth: str = "0") -> Answer:
        """Ask for properties, by their prefixed names."""
        wanted = "".join(f"<{name}/>" for name in names)
        return self("PROPFIND", path, f"<D:propfind {NAMES}><D:prop>{wanted}</D:prop></D:propfind>", depth=depth)

    def hrefs(self, path: str) -> list[str]:
        """Return the paths that a listing tells, without the mount."""
        answer = self.props(path, "D:resourcetype", depth="1")
        assert answer.status == 207, answer.body
        return [
            h.removeprefix("/dav") for h in re.findall(r"<response><href>([^<]+)</href>", answer.body.decode())
        ]

    def sync(self, path: str, token: str = "") -> tuple[str, dict[str, str | None]]:
        """Return the token and what changed since an older one: etag by path, None for what is gone."""
        body = (
            f"<D:sync-collection {NAMES}><D:sync-token>{token}</D:sync-token><D:sync-level>1</D:sync-level>"
            "<D:prop><D:getetag/></D:prop></D:sync-collection>"
        )
        answer = self("REPORT", path, body)
        assert answer.status == 207, answer.body
        text_ = answer.body.decode()
        found = re.search(r"<sync-token>([^<]+)</sync-token>", text_)
        assert found is not None
        changed: dict[str, str | None] = {}
        for response in re.findall(r"<response>(.*?)</response>", text_):
            href = re.search(r"<href>([^<]+)</href>", response)
            etag = re.search(r"<getetag>([^<]+)</getetag>", response)
            assert href is not None
            changed[href.group(1).removeprefix("/dav")] = etag.group(1) if etag else None
        return found.group(1), changed

    def query(self, path: str, inner: str, component: str = "VEVENT") -> list[str]:
        """Return the paths that a calendar query finds."""
        body = (
            f'<C:calendar-query {NAMES}><D:prop><D:getetag/></D:prop><C:filter><C:comp-filter name="VCALENDAR">'
            f'<C:comp-filter name="{component}">{inner}</C:comp-filter></C:comp-filter></C:filter></C:calendar-query>'
        )
        answer = self("REPORT", path, body, depth="1")
        assert answer.status == 207, answer.body
        return sorted(h.removeprefix("/dav") for h in re.findall(r"<href>([^<]+)</href>", answer.body.decode()))


@dataclass
class Desk:
    """A space `Alpha` with a calendar, and its people; `root` is an administrator and no member."""

    kernel: Kernel
    world: Any
    owner: Client
    people: dict[str, Person]

    @property
    def space(self) -> int:
        return int(self.world.space)

    def __getattr__(self, name: str) -> Person:
        try:
            return self.people[name]
        except KeyError:
            raise AttributeError(name) from None

    def natively(self, native: bool) -> None:
        """Answer plain queries of entries without the protocol library, or with it."""
        mount = self.kernel.router.find_mount("/dav")
        assert mount is not None
        object.__setattr__(mount.app.settings, "native", native)

    def scalar(self, statement: str, **values: Any) -> Any:
        """Return one value from the database."""
        return self.kernel.run(lambda ctx: ctx.execute(text(statement), values).scalar(), writes=False)

    def modify(self, **values: Any) -> None:
        """Change the space."""
        answer = self.owner.put(f"/api/workspaces/{self.space}", values)
        assert answer.status == 200, answer.body


BOTH = [pytest.param(True, id="native"), pytest.param(False, id="library", marks=pytest.mark.slow)]


@pytest.fixture(params=BOTH)
def desk(kernel: Kernel, client: Client, world: Any, request: pytest.FixtureRequest) -> Desk:
    """The world with calendars; plain queries answered natively and, among the slow tests, by the library."""
    short = {"content-manager": "manager", "workspace-manager": "boss"}
    people = {short.get(name, name): Person(found, world.ids.get(name, 0)) for name, found in world.people.items()}
    found = Desk(kernel, world, client, people)
    found.natively(request.param)
    found.modify(label="Alpha", description="<p>All of <b>Alpha</b></p>")
    return found


@pytest.fixture
def save(desk: Desk) -> Callable[..., str]:
    """`save(path, body)` stores an entry as the user `user`; gives its ETag."""

    def put(path: str, body: bytes, **headers: str) -> str:
        answer = desk.user("PUT", path, body, **headers)
        assert answer.status in (201, 204), answer.body
        return answer.headers["etag"]

    return put
