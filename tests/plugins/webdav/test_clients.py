"""What programs send, step by step, and what is left of it: one content, its revisions, no litter.

The sequences are those that issue threads of DAV servers report of Finder, Windows Explorer, Microsoft Office,
LibreOffice, gvfs, davfs2 and macOS programs. The programs themselves cannot be had here.
"""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("wsgidav")

pytestmark = pytest.mark.atrio_config(plugins__enabled=["webdav"])
S = "/Alpha.space"
NOW = "SELECT content_id FROM core_content_content WHERE filename = :f AND trashed_at IS NULL"
VISIBLE = "SELECT count(*) FROM core_content_content WHERE trashed_at IS NULL AND type <> 'comment'"
WIN32 = (
    b'<?xml version="1.0" encoding="utf-8" ?><D:propertyupdate xmlns:D="DAV:" xmlns:Z="urn:schemas-microsoft-com:">'
    b"<D:set><D:prop><Z:Win32CreationTime>Fri, 27 Nov 2026 08:00:00 GMT</Z:Win32CreationTime>"
    b"<Z:Win32LastAccessTime>Fri, 27 Nov 2026 08:00:00 GMT</Z:Win32LastAccessTime>"
    b"<Z:Win32LastModifiedTime>Fri, 27 Nov 2026 08:00:00 GMT</Z:Win32LastModifiedTime>"
    b"<Z:Win32FileAttributes>00000020</Z:Win32FileAttributes></D:prop></D:set></D:propertyupdate>"
)
FINDER = (
    b'<?xml version="1.0" encoding="utf-8"?>\n<D:propfind xmlns:D="DAV:">\n<D:prop>\n<D:getlastmodified/>\n'
    b"<D:getcontentlength/>\n<D:creationdate/>\n<D:resourcetype/>\n</D:prop>\n</D:propfind>\n"
)
OFFICE = (
    b'<?xml version="1.0" encoding="utf-8" ?><a:propfind xmlns:a="DAV:" xmlns:b="urn:schemas-microsoft-com:office:'
    b'office"><a:prop><a:displayname/><a:resourcetype/><b:authoritative-directory/><a:lockdiscovery/>'
    b"<a:supportedlock/><a:getetag/><a:IsReadOnly/></a:prop></a:propfind>"
)


class Program:
    """Somebody's program: every step has to be answered as it expects."""

    def __init__(self, person: Any, agent: str) -> None:
        self.person = person
        self.agent = agent
        self.tokens: dict[str, str] = {}

    def __call__(self, method: str, path: str, status: int, body: bytes | None = None, **headers: str) -> Any:
        """Send a step; `lock` names the path whose token goes along."""
        held = headers.pop("lock", None)
        if held is not None:
            headers["if_"] = f"({self.tokens[held]})"
        answer = self.person(method, path, body, user_agent=self.agent, **headers)
        assert answer.status == status, (method, path, answer.status, answer.body)
        return answer

    def lock(self, path: str, status: int = 200, **headers: str) -> None:
        """Lock a path and keep its token."""
        answer = self.person.lock(path, user_agent=self.agent, **headers)
        assert answer.status == status, (path, answer.status, answer.body)
        self.tokens[path] = answer.headers["lock-token"]

    def unlock(self, path: str) -> None:
        """Give a lock back."""
        self("UNLOCK", path, 204, lock_token=self.tokens.pop(path))


@pytest.fixture
def settled(place: Any, events: list[Any]) -> Any:
    """Look at what a program has left behind."""
    before = place.scalar(VISIBLE)
    events.clear()

    def look(path: str, body: bytes, *, revisions: int, contents: int = 0, told: list[str] | None = None) -> int:
        name = path.rpartition("/")[2]
        found = place.scalar(NOW, f=name)
        assert place.reader("GET", path).body == body
        assert place.scalar(VISIBLE) - before == contents
        count = place.scalar("SELECT count(*) FROM core_content_revision WHERE content_id = :c", c=found)
        assert count == revisions
        heard = [e.name for e in events if e.name.startswith("content.")]
        if told is not None:
            assert heard == told
        assert {e.content_id for e in events if e.name.startswith("content.")} <= {found}
        assert place.scalar("SELECT count(*) FROM webdav_lock") == 0
        return int(found)

    return look


PEOPLE = pytest.mark.parametrize("who", ["manager", "contributor"])


@PEOPLE
def test_windows_explorer_copies_a_file_in_and_over(place: Any, settled: Any, who: str) -> None:
    dav = Program(place.people[who], "Microsoft-WebDAV-MiniRedir/10.0.19045")
    path = f"{S}/photo.jpg"
    for answered, body in ((404, b"JFIF one"), (207, b"JFIF two")):
        dav("OPTIONS", S, 200)
        dav("PROPFIND", path, answered, depth="0")
        dav("PUT", path, 201 if answered == 404 else 204, b"")
        dav.lock(path, timeout="Second-3600")
        dav("PROPPATCH", path, 207, WIN32, lock=path)
        dav("HEAD", path, 200)
        dav("PUT", path, 204, body, lock=path)
        dav("PROPPATCH", path, 207, WIN32, lock=path)
        dav.unlock(path)
    settled(path, b"JFIF two", revisions=4, contents=1)
    told = place.reader("PROPFIND", path, depth="0").body
    assert b"Win32LastModifiedTime" in told
    assert b"00000020" in told


@PEOPLE
def test_finder_copies_a_file_in(place: Any, settled: Any, who: str) -> None:
    dav = Program(place.people[who], "WebDAVFS/3.0.0 (03008000) Darwin/23.0.0 (x86_64)")
    path, twin = f"{S}/photo.jpg", f"{S}/._photo.jpg"
    dav("OPTIONS", S, 200)
    dav("PROPFIND", S, 207, FINDER, depth="0")
    for name in (
        f"{S}/.DS_Store",
        f"{S}/._.",
        f"{S}/.metadata_never_index",
        "/.metadata_never_index_unless_rootfs",
    ):
        dav("PROPFIND", name, 404, FINDER, depth="0")
    dav("PUT", f"{S}/.DS_Store", 201, b"Bud1")
    for name, body in ((path, b"JFIF"), (twin, b"\x00\x05\x16\x07")):
        dav("PROPFIND", name, 404, FINDER, depth="0")
        dav("PUT", name, 201, b"")
        dav.lock(name, timeout="Second-600")
        dav("PROPFIND", name, 207, FINDER, depth="0")
        dav("PUT", name, 204, body, lock=name, x_expected_entity_length=str(len(body)))
        dav("PROPFIND", name, 207, FINDER, depth="0")
        dav.unlock(name)
    dav("DELETE", twin, 204)
    dav("PUT", twin, 201, b"\x00\x05\x16\x08")
    dav("PROPFIND", S, 207, FINDER, depth="1")
    settled(path, b"JFIF", revisions=2, contents=1, told=["content.created", "content.modified"])
    assert not any(name.startswith("._") or name == ".DS_Store" for name in place.reader.names(S))


@PEOPLE
def test_a_macos_program_saves_by_exchange(place: Any, settled: Any, who: str) -> None:
    dav = Program(place.people[who], "WebDAVFS/3.0.0 (03008000) Darwin/23.0.0 (x86_64)")
    path, folder = f"{S}/file.txt", f"{S}/file.txt.sb-6d7f3a10-pQ9xYz"
    dav("PROPFIND", path, 207, FINDER, depth="0")
    dav("MKCOL", folder, 201)
    dav("PUT", f"{folder}/file.txt", 201, b"")
    dav.lock(f"{folder}/file.txt")
    dav("PUT", f"{folder}/file.txt", 204, b"saved", lock=f"{folder}/file.txt")
    dav.unlock(f"{folder}/file.txt")
    dav("MOVE", path, 201, to=f"{S}/._file.txt.old")
    dav("MOVE", f"{folder}/file.txt", 201, to=path, overwrite="F")
    dav("DELETE", f"{S}/._file.txt.old", 204)
    dav("DELETE", folder, 204)
    assert settled(path, b"saved", revisions=2, told=["content.modified"]) == place.world.file


@PEOPLE
def test_word_saves(place: Any, put: Any, settled: Any, events: list[Any], who: str) -> None:
    path = f"{S}/plan.docx"
    put(path, b"PK one")
    number = place.scalar(NOW, f="plan.docx")
    events.clear()
    dav = Program(place.people[who], "Microsoft Office Word 2019")
    owner, new, old = f"{S}/~$plan.docx", f"{S}/~WRD0000.tmp", f"{S}/~WRL0001.tmp"
    dav("OPTIONS", S, 200)
    dav("PROPFIND", path, 207, OFFICE, depth="0")
    dav.lock(path, timeout="Second-3600")
    dav("PUT", owner, 201, b"\x05Alice")
    dav("GET", path, 200)
    dav("PROPFIND", new, 404, depth="0")
    dav("PUT", new, 201, b"")
    dav.lock(new)
    dav("PUT", new, 204, b"PK two", lock=new)
    dav("PROPPATCH", new, 207, WIN32, lock=new)
    dav.unlock(new)
    dav.unlock(path)
    dav("MOVE", path, 201, to=old, overwrite="F")
    dav("PROPFIND", path, 404, depth="0")
    dav("MOVE", new, 201, to=path, overwrite="F")
    dav("PROPFIND", path, 207, OFFICE, depth="0")
    dav("DELETE", old, 204)
    dav.lock(path, timeout="Second-3600")
    dav("LOCK", path, 200, lock=path, timeout="Second-3600")
    dav("DELETE", owner, 204)
    dav.unlock(path)
    assert settled(path, b"PK two", revisions=2, contents=1, told=["content.modified"]) == number


@PEOPLE
def test_excel_saves_under_a_number(place: Any, put: Any, settled: Any, events: list[Any], who: str) -> None:
    path = f"{S}/sums.xlsx"
    put(path, b"PK one")
    number = place.scalar(NOW, f="sums.xlsx")
    events.clear()
    dav = Program(place.people[who], "Microsoft Office Excel 2019")
    new, old = f"{S}/7A3F1C00", f"{S}/B04D2E1F.tmp"
    dav.lock(path, timeout="Second-3600")
    dav("PUT", new, 201, b"")
    dav("PUT", new, 204, b"PK two")
    dav("MOVE", path, 201, to=old, lock=path)
    dav("MOVE", new, 201, to=path)
    dav("DELETE", old, 204)
    assert settled(path, b"PK two", revisions=2, contents=1, told=["content.modified"]) == number


@PEOPLE
def test_office_moves_over_what_it_has_locked(
    place: Any, put: Any, settled: Any, events: list[Any], who: str
) -> None:
    path, new = f"{S}/plan.docx", f"{S}/~WRD0003.tmp"
    put(path, b"PK one")
    number = place.scalar(NOW, f="plan.docx")
    events.clear()
    dav = Program(place.people[who], "Microsoft Office Word 2019")
    dav.lock(path, timeout="Second-3600")
    dav("PUT", new, 201, b"PK two")
    dav("MOVE", new, 423, to=path, overwrite="T")
    dav("MOVE", new, 204, to=path, overwrite="T", lock=path)
    dav("PUT", path, 204, b"PK three", lock=path)
    dav.unlock(path)
    assert settled(path, b"PK three", revisions=3, contents=1, told=["content.modified"] * 2) == number


@PEOPLE
def test_libreoffice_edits(place: Any, put: Any, settled: Any, events: list[Any], who: str) -> None:
    path = f"{S}/letter.odt"
    put(path, b"PK one")
    number = place.scalar(NOW, f="letter.odt")
    events.clear()
    dav = Program(place.people[who], "LibreOffice 24.8 denylistedbackend/8.5.0")
    mark = f"{S}/.~lock.letter.odt#"
    answer = dav("PROPFIND", path, 207, OFFICE, depth="0")
    assert b"exclusive" in answer.body
    dav.lock(path, timeout="Second-180", depth="infinity")
    dav("PUT", mark, 201, b",alice,host,27.11.2026 08:00,file:///;")
    dav("GET", path, 200)
    for _ in range(3):
        dav("LOCK", path, 200, lock=path, timeout="Second-180")
    dav("PUT", path, 204, b"PK two", lock=path)
    dav("PROPFIND", path, 207, OFFICE, depth="0")
    dav("DELETE", mark, 204)
    dav.unlock(path)
    assert settled(path, b"PK two", revisions=2, contents=1, told=["content.modified"]) == number


def test_libreoffice_opens_read_only_for_a_reader(place: Any, put: Any) -> None:
    put(f"{S}/letter.odt", b"PK one")
    dav = Program(place.reader, "LibreOffice 24.8")
    for native in (True, False):
        place.natively(native)
        answer = dav("PROPFIND", f"{S}/letter.odt", 207, OFFICE, depth="0")
        assert b"exclusive" not in answer.body, "what is refused is not promised"
    dav("PUT", f"{S}/.~lock.letter.odt#", 403, b",bob")
    dav("GET", f"{S}/letter.odt", 200)


@PEOPLE
def test_gvfs_and_editors_on_linux(place: Any, settled: Any, who: str) -> None:
    dav = Program(place.people[who], "gvfs/1.50.3")
    path, new = f"{S}/file.txt", f"{S}/.goutputstream-X1Y2Z3"
    dav("PROPFIND", S, 207, FINDER, depth="0")
    dav("PROPFIND", "/", 207, FINDER, depth="0")
    etag = dav("HEAD", path, 200).headers["etag"]
    dav("PUT", new, 201, b"gedit", if_none_match="*")
    dav("MOVE", new, 204, to=path, overwrite="T")
    assert dav("HEAD", path, 200).headers["etag"] != etag
    swap, backup = f"{S}/.file.txt.swp", f"{S}/file.txt~"
    dav("PUT", swap, 201, b"b0VIM")
    dav("PUT", f"{S}/4913", 201, b"")
    dav("DELETE", f"{S}/4913", 204)
    dav("MOVE", path, 201, to=backup)
    dav("PUT", path, 201, b"vim")
    dav("DELETE", backup, 204)
    dav("DELETE", swap, 204)
    told = ["content.modified"] * 2
    assert settled(path, b"vim", revisions=3, told=told) == place.world.file


def test_davfs2_writes_what_it_has_locked(place: Any, settled: Any) -> None:
    dav = Program(place.contributor, "davfs2/1.6.1 neon/0.32.5")
    path = f"{S}/new.txt"
    dav("PROPFIND", S, 207, depth="1")
    dav("HEAD", path, 404)
    dav.lock(path, 201, timeout="Second-1800")
    etag = dav("HEAD", path, 200).headers["etag"]
    dav("PUT", path, 204, b"mounted", lock=path, if_match=etag)
    dav("PUT", path, 412, b"lost", lock=path, if_match=etag)
    dav.unlock(path)
    settled(path, b"mounted", revisions=2, contents=1, told=["content.created", "content.modified"])


def test_sync_tools_delete_and_upload_again(place: Any, settled: Any) -> None:
    dav = Program(place.manager, "rclone/v1.60.1")
    path = f"{S}/file.txt"
    dav("PROPFIND", path, 207, depth="0")
    dav("DELETE", path, 204)
    dav("MKCOL", f"{S}/Folder", 405)
    dav("PUT", path, 201, b"again", x_oc_mtime="1732694400")
    told = ["content.trashed", "content.restored", "content.modified"]
    assert settled(path, b"again", revisions=4, told=told) == place.world.file
