"""A fault of ours is a 500 and an error in the log; what a client sent is its own."""

from __future__ import annotations

import importlib
from typing import Any

import pytest

from .conftest import NAMES, Desk, event

REPORT = f'<C:calendar-query {NAMES}><D:prop><D:getetag/></D:prop><C:filter><C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT"><C:prop-filter name="SUMMARY"><C:text-match>a</C:text-match></C:prop-filter></C:comp-filter></C:comp-filter></C:filter></C:calendar-query>'
DATA = REPORT.replace("D:getetag", "C:calendar-data")
LISTING = f"<D:propfind {NAMES}><D:prop><D:getetag/><D:owner/></D:prop></D:propfind>"


NAMED = f"<D:propertyupdate {NAMES}><D:set><D:prop><D:displayname>x</D:displayname></D:prop></D:set></D:propertyupdate>"


@pytest.mark.parametrize(
    ("where", "method", "body"),
    [
        ("adapters.collection.http_date", "PROPFIND", LISTING.replace("D:owner", "D:getlastmodified")),
        ("uids.find", "REPORT", REPORT.replace("SUMMARY", "UID")), ("adapters.collection.xml_safe", "REPORT", DATA),
        ("services.put_item", "PUT", event().decode()), ("services.set_props", "PROPPATCH", NAMED),
        ("services.delete_item", "DELETE", ""), ("services.move_item", "MOVE", ""),
        ("services.add_collection", "MKCALENDAR", ""),
    ],
)  # fmt: skip
def test_faults_of_ours(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: Any, where: str, method: str, body: str
) -> None:
    """Wherever it happens: while the lock is held, or while the answer is written."""
    me = desk.user
    assert me("PUT", f"{me.calendar}/0.ics", event("zero")).status == 201
    desk.natively(False)
    module, _, name = where.rpartition(".")

    def broken(*_: Any, **__: Any) -> Any:
        raise KeyError("a fault of ours")

    monkeypatch.setattr(importlib.import_module(f"atrio.plugins.caldav.{module}"), name, broken)
    entry = f"{me.calendar}/0.ics"
    path = {
        "PUT": f"{me.calendar}/1.ics", "MKCALENDAR": f"{me.home}/new/", "DELETE": entry, "MOVE": entry
    }.get(method, f"{me.calendar}/")  # fmt: skip
    answer = me(method, path, body, depth="1", destination=f"/dav{me.calendar}/2.ics")
    assert answer.status == 500, answer.body
    assert b"fault of ours" not in answer.body
    records = [r for r in caplog.records if r.levelname == "ERROR"]
    assert len(records) == 1, [r.getMessage() for r in records]
    assert records[0].exc_info is not None
    request_id, _, words = records[0].getMessage().partition(" ")
    assert (len(request_id), words) == (16, f"{method} failed")


def test_what_a_client_sends_is_no_fault_of_ours(desk: Desk, caplog: Any) -> None:
    me = desk.user
    assert me("PUT", f"{me.calendar}/0.ics", event("zero")).status == 201
    desk.natively(False)
    deep = REPORT.replace('name="SUMMARY"', 'name="SUMMARY"><C:unknown/></C:prop-filter><C:prop-filter name="X"')
    for method, body in (
        ("REPORT", deep),
        ("PROPFIND", "<a"),
        ("PROPFIND", "<D:propfind xmlns:D='DAV:'/>"),
        ("PROPPATCH", "<a/>"),
    ):
        assert me(method, f"{me.calendar}/", body, depth="1").status < 500, body
    assert me("PUT", f"{me.calendar}/1.ics", b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n").status == 403
    assert [r for r in caplog.records if r.levelname == "ERROR"] == []
