"""The documentation page in a real browser, against a real server, under a name that is not this machine's.

Swagger UI behaves differently on localhost (it hides its online validator there), so the browser is told that
`atrio.example` lives here and every other name nowhere.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

HOST = "atrio.example"
ADMIN = "admin@admin.admin"
PASSWORD = "admin-password"
CHROMIUM = os.environ.get("ATRIO_TEST_CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--no-proxy-server",
    f"--host-resolver-rules=MAP {HOST} 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]  # fmt: skip
WHOAMI = "#operations-Authentication-get_auth_whoami"


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def _serving(data: Path, port: int, base_url: str) -> Iterator[None]:
    command = [
        sys.executable, "-m", "atrio.kernel.cli", "--data-dir", str(data),
        "--set", f"accounts.admin_password={PASSWORD}", "--set", f"website.base_url={base_url}",
        "serve", "--bind", f"127.0.0.1:{port}",
    ]  # fmt: skip
    log = data.with_suffix(".log")
    with log.open("wb") as sink:
        child = subprocess.Popen(command, stdout=sink, stderr=subprocess.STDOUT)
    try:
        deadline = time.monotonic() + 30
        while True:
            assert child.poll() is None, log.read_text("utf-8", "replace")
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=2):
                    break
            except (urllib.error.URLError, ConnectionError):
                assert time.monotonic() < deadline, log.read_text("utf-8", "replace")
                time.sleep(0.1)
        yield
    finally:
        child.terminate()
        child.wait(15)


class _Prefix(BaseHTTPRequestHandler):
    """A reverse proxy that serves the instance under /team and nothing else."""

    protocol_version = "HTTP/1.0"
    upstream = 0

    def do_GET(self) -> None:
        status, headers, body = 404, [], b""
        if self.path.startswith("/team/"):
            request = urllib.request.Request(f"http://127.0.0.1:{self.upstream}{self.path[5:]}")
            for name in ("authorization", "cookie", "if-none-match"):
                if name in self.headers:
                    request.add_header(name, self.headers[name])
            try:
                answer = urllib.request.urlopen(request, timeout=10)
            except urllib.error.HTTPError as error:
                answer = error
            status, headers, body = answer.status, list(answer.headers.items()), answer.read()
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in ("connection", "transfer-encoding"):
                self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *parts: Any) -> None:
        """Stay silent."""


@dataclass
class Instance:
    """A running server and the address under which the browser knows it."""

    url: str


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    port = _free_port()
    url = f"http://{HOST}:{port}"
    with _serving(tmp_path_factory.mktemp("served") / "data", port, url):
        yield Instance(url)


@pytest.fixture(scope="module")
def prefixed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """The same behind a proxy that knows it as /team."""
    port = _free_port()
    handler = type("Handler", (_Prefix,), {"upstream": port})
    proxy = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    url = f"http://{HOST}:{proxy.server_address[1]}/team"
    thread = threading.Thread(target=proxy.serve_forever, daemon=True)
    thread.start()
    try:
        with _serving(tmp_path_factory.mktemp("prefixed") / "data", port, url):
            yield Instance(url)
    finally:
        proxy.shutdown()
        proxy.server_close()
        thread.join(5)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    assert Path(CHROMIUM).exists(), f"{CHROMIUM} is missing; name the browser in ATRIO_TEST_CHROMIUM"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@dataclass
class Visit:
    """An opened page and what happened on it."""

    page: Any
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def call_whoami(self) -> tuple[int, Any]:
        """Try `GET whoami` out on the page; gives status and body."""
        operation = self.page.locator(WHOAMI)
        if operation.locator(".execute").count() == 0:
            operation.locator(".opblock-summary-control").click()
            operation.locator(".try-out__btn").click()
        with self.page.expect_response(lambda r: r.url.endswith("/api/auth/whoami")) as waiting:
            operation.locator(".execute").click()
        shown = operation.locator(".live-responses-table .response-col_status").last
        shown.wait_for()
        assert shown.inner_text().split()[0] == str(waiting.value.status)
        return waiting.value.status, waiting.value.json()

    def end(self, url: str) -> None:
        """Assert that nothing went wrong and nothing went elsewhere."""
        violations = self.page.evaluate("() => window.violations")
        assert violations == []
        assert self.complaints == []
        own = urlsplit(url).netloc
        assert self.requests
        for address in self.requests:
            parts = urlsplit(address)
            assert parts.scheme in ("data", "blob") or parts.netloc == own, address


@contextmanager
def _visit(chromium: Any, url: str, *, signed_in: bool = False) -> Iterator[Visit]:
    context = chromium.new_context(viewport={"width": 1280, "height": 1600})
    try:
        if signed_in:
            answer = context.request.post(
                f"http://127.0.0.1:{urlsplit(url).port}/api/auth/login",
                data={"email": ADMIN, "password": PASSWORD},
            )
            assert answer.status == 200
            token = answer.headers["set-cookie"].partition("=")[2].partition(";")[0]
            context.clear_cookies()
            context.add_cookies([{"name": "session_key", "value": token, "url": url, "httpOnly": True}])
        page = context.new_page()
        visit = Visit(page)
        page.add_init_script(
            "window.violations = []; document.addEventListener('securitypolicyviolation',"
            " e => window.violations.push(`${e.violatedDirective} ${e.blockedURI} ${e.sourceFile}`))"
        )
        page.on("console", lambda m: visit.complaints.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda e: visit.complaints.append(str(e)))
        page.on("requestfailed", lambda r: visit.complaints.append(f"{r.url} {r.failure}"))
        page.on("request", lambda r: visit.requests.append(r.url))
        page.goto(f"{url}/api/doc/")
        page.locator(".opblock").first.wait_for()
        yield visit
    finally:
        context.close()


def _scrolled_over(page: Any) -> set[str]:
    """Return the ids of the operations that come into sight from top to bottom: the page draws what is looked at."""
    seen: set[str] = set()
    page.locator(".opblock").first.wait_for()
    top = 0
    while top < page.evaluate("() => document.body.scrollHeight"):
        page.evaluate("top => window.scrollTo(0, top)", top)
        page.wait_for_timeout(150)
        seen |= set(page.evaluate("() => [...document.querySelectorAll('.opblock')].map(e => e.id)"))
        top += 300
    page.evaluate("() => window.scrollTo(0, 0)")
    page.wait_for_timeout(300)
    return seen


def test_the_page_shows_every_operation(chromium: Any, instance: Instance, tmp_path: Path) -> None:
    """Every operation of the document is on the page, and it loads nothing from elsewhere."""
    with _visit(chromium, instance.url) as visit:
        document = visit.page.evaluate("() => fetch('spec.json').then(r => r.json())")
        operations = sum(len(methods) for methods in document["paths"].values())
        assert operations > 30
        assert len(_scrolled_over(visit.page)) == operations
        assert visit.page.locator(".info .title").inner_text().startswith("Atrio")
        assert visit.page.locator(".errors-wrapper").count() == 0
        for opblock in visit.page.locator(".opblock-summary-control").all()[:4]:
            opblock.click()
        visit.page.locator(".opblock.is-open .responses-table").first.wait_for()
        visit.page.screenshot(path=tmp_path / "page.png")
        assert visit.page.locator(".opblock.is-open .response").count() > 6
        visit.end(instance.url)


def test_try_it_out_with_the_session_cookie(chromium: Any, instance: Instance) -> None:
    """Who is signed in in this browser is so on the page."""
    with _visit(chromium, instance.url, signed_in=True) as visit:
        status, body = visit.call_whoami()
        assert status == 200, body
        assert body["email"] == ADMIN
        texts = visit.page.locator(f"{WHOAMI} .live-responses-table .microlight").all_inner_texts()
        assert json.loads(next(t for t in texts if t.startswith("{")))["email"] == ADMIN
        visit.end(instance.url)


def test_try_it_out_with_basic(chromium: Any, instance: Instance) -> None:
    """A stranger is refused, and let in with login and password from the page's own dialog."""
    with _visit(chromium, instance.url) as visit:
        assert visit.call_whoami()[0] == 401
        assert any("401" in text for text in visit.complaints)
        visit.complaints.clear()
        visit.page.locator(".auth-wrapper .authorize").click()
        dialog = visit.page.locator(".modal-ux")
        dialog.locator("#auth-basic-username, input[name=username]").first.fill(ADMIN)
        dialog.locator("#auth-basic-password, input[name=password]").first.fill(PASSWORD)
        form = dialog.locator(".auth-container", has=visit.page.locator("input[name=password]"))
        form.locator("button.authorize").click()
        dialog.locator(".btn-done, .close-modal").first.click()
        status, body = visit.call_whoami()
        assert (status, body.get("email")) == (200, ADMIN)
        visit.end(instance.url)


def test_everything_works_under_a_path_prefix(chromium: Any, prefixed: Instance) -> None:
    """Addresses are relative: page, document and calls stay under the prefix of the proxy."""
    with _visit(chromium, prefixed.url) as visit:
        status, body = visit.call_whoami()
        assert (status, body["code"]) == (401, None)
        paths = {urlsplit(address).path for address in visit.requests if address.startswith("http")}
        assert "/team/api/auth/whoami" in paths
        assert "/team/api/doc/spec.json" in paths
        assert all(path.startswith("/team/") for path in paths), paths
        assert all("401" in text for text in visit.complaints)
