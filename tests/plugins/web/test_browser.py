"""A front-end build in a real browser: it starts, loads what it needs later, and breaks no policy."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
CHROMIUM = os.environ.get("ATRIO_TEST_CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--no-proxy-server",
]


@contextmanager
def _serving(data: Path, **settings: str) -> Iterator[str]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = int(listener.getsockname()[1])
    url = f"http://127.0.0.1:{port}"
    settings |= {
        "accounts.admin_password": "admin-password",
        "website.base_url": url,
        "website.title": "Our house",
    }
    chosen = [part for name, value in settings.items() for part in ("--set", f"{name}={value}")]
    command = [
        sys.executable,
        "-m",
        "atrio.kernel.cli",
        "--data-dir",
        str(data),
        *chosen,
        "serve",
        "--bind",
        f"127.0.0.1:{port}",
    ]
    log = data.with_suffix(".log")
    with log.open("wb") as sink:
        child = subprocess.Popen(command, stdout=sink, stderr=subprocess.STDOUT)
    try:
        deadline = time.monotonic() + 30
        while True:
            assert child.poll() is None, log.read_text("utf-8", "replace")
            try:
                with urllib.request.urlopen(f"{url}/health/ready", timeout=2):
                    break
            except (urllib.error.URLError, ConnectionError):
                assert time.monotonic() < deadline, log.read_text("utf-8", "replace")
                time.sleep(0.1)
        yield url
    finally:
        child.terminate()
        child.wait(15)


@pytest.fixture
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    assert Path(CHROMIUM).exists(), f"{CHROMIUM} is missing; name the browser in ATRIO_TEST_CHROMIUM"
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield opened
        opened.close()


@contextmanager
def _visit(browser: Any, url: str, **options: Any) -> Iterator[tuple[Any, list[str]]]:
    """Open an address; gives the page and what went wrong on it."""
    context = browser.new_context(**options)
    complaints: list[str] = []
    page = context.new_page()
    page.add_init_script(
        "window.violations = []; document.addEventListener('securitypolicyviolation',"
        " e => window.violations.push(`${e.violatedDirective} ${e.blockedURI}`))"
    )
    page.on("console", lambda m: complaints.append(m.text) if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda e: complaints.append(str(e)))
    page.on("requestfailed", lambda r: complaints.append(f"{r.url} {r.failure}"))
    page.goto(url)
    try:
        yield page, complaints
    finally:
        context.close()


def test_a_build_runs(browser: Any, build: Path, tmp_path: Path) -> None:
    with (
        _serving(tmp_path / "data", **{"web.dist_folder": str(build)}) as url,
        _visit(browser, f"{url}/ui/workspaces/1/contents?x=1#place") as (page, complaints),
    ):
        page.locator("#instance").wait_for()
        assert page.title() == "Our house"
        assert page.locator("#path").inner_text() == "/ui/workspaces/1/contents"
        assert page.locator("#instance").inner_text() == "Our house"
        assert page.locator("#colour").inner_text() == "#2f7d30"
        assert page.locator("#welcome h1").inner_text() == "Welcome to Our house"
        style = "e => getComputedStyle(document.querySelector(e)).color"
        assert page.evaluate(style, "#welcome") == "rgb(1, 2, 3)"
        page.wait_for_function("document.body.dataset.file && document.body.dataset.gallery")
        for loader, mark in (("loadChunk", "chunk"), ("loadEditor", "editor")):
            page.evaluate(f"() => {loader}()")
            assert page.evaluate(f"() => document.body.dataset.{mark}") == "loaded"
        assert page.evaluate("() => loadWasm().then(w => w.module instanceof WebAssembly.Module)") is True
        assert page.evaluate("() => window.violations") == []
        assert complaints == []
        # a script that somebody smuggles in does not run
        page.evaluate(
            "() => { const s = document.createElement('script'); s.textContent = 'window.owned = 1'; document.body.append(s) }"
        )
        assert page.evaluate("() => window.owned") is None
        assert len(page.evaluate("() => window.violations")) == 1


def test_the_start_page(browser: Any, tmp_path: Path) -> None:
    with _serving(tmp_path / "data") as url:
        grounds = set()
        for scheme in ("light", "dark"):
            with _visit(browser, f"{url}/", color_scheme=scheme, viewport={"width": 320, "height": 640}) as (
                page,
                complaints,
            ):
                assert page.locator("h1").inner_text() == "Our house"
                grounds.add(page.evaluate("() => getComputedStyle(document.body).backgroundColor"))
                assert page.evaluate("() => document.documentElement.scrollWidth") <= 320
                assert page.evaluate("() => window.violations") == []
                page.screenshot(path=tmp_path / f"{scheme}.png")
                page.locator("a").click()
                page.wait_for_url(f"{url}/api/doc/")
                assert [c for c in complaints if "favicon" not in c] == []
        assert len(grounds) == 2
