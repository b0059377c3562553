"""A browser's own EventSource on a real server: tabs, signing out, a server that is started anew."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from atrio.kernel.testing.live import LiveServer, free_port
from atrio.kernel.testing.plugin import ADMIN, PASSWORD

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
CHROMIUM = os.environ.get("ATRIO_TEST_CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--no-proxy-server",
]  # fmt: skip
SIGN_IN = """async ([email, password]) => {
  const answer = await fetch('/api/auth/login', {
    method: 'POST', headers: {'content-type': 'application/json'}, body: JSON.stringify({email, password})});
  return answer.status;
}"""
LISTEN = """() => new Promise(done => {
  window.got = []; window.opens = 0;
  window.source = new EventSource('/api/users/1/live_messages');
  source.addEventListener('stream-open', () => { window.opens += 1; done(); });
  source.addEventListener('message', e => got.push([Number(e.lastEventId), JSON.parse(e.data)]));
})"""


@pytest.fixture
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    assert Path(CHROMIUM).exists(), f"{CHROMIUM} is missing; name the browser in ATRIO_TEST_CHROMIUM"
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield opened
        opened.close()


def note(server: LiveServer, space: int, label: str) -> None:
    body = {"label": label, "content_type": "html-document"}
    assert server.call("POST", f"/api/workspaces/{space}/contents", body)[0] == 200


def test_tabs_hear_resume_after_a_restart_and_end_with_the_session(browser: Any, tmp_path: Path) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    server = LiveServer(tmp_path, port=port, env={"ATRIO_WEBSITE__BASE_URL": url})
    context = browser.new_context(bypass_csp=True)  # the scripts here are the test, not the page
    try:
        space = server.space()
        tabs = [context.new_page() for _ in range(3)]
        for tab in tabs:
            tab.goto(f"{url}/api/doc/")
        assert tabs[0].evaluate(SIGN_IN, [ADMIN, PASSWORD]) == 200
        for tab in tabs:
            tab.evaluate(LISTEN)
        note(server, space, "First")
        for tab in tabs:
            tab.wait_for_function("got.length === 1")
            assert tab.evaluate("got[0][1].fields.content.label") == "First"
            assert tab.evaluate("got[0][0] === got[0][1].event_id")
        server.stop(signal.SIGTERM)
        server = LiveServer(tmp_path, port=port, env={"ATRIO_WEBSITE__BASE_URL": url})
        note(server, space, "While nobody listened")  # tabs come back after some seconds, by themselves
        note(server, space, "Or just then")
        for tab in tabs:
            tab.wait_for_function("opens === 2", timeout=30_000)
            tab.wait_for_function("got.length === 3", timeout=10_000)
            ids = tab.evaluate("got.map(g => g[0])")
            assert ids == list(range(ids[0], ids[0] + 3))
        status = tabs[0].evaluate("fetch('/api/auth/logout', {method: 'POST'}).then(a => a.status)")
        assert status == 204
        for tab in tabs:  # the stream ends, the next try is refused, and the browser gives up
            tab.wait_for_function("source.readyState === EventSource.CLOSED", timeout=20_000)
    finally:
        context.close()
        server.stop()
