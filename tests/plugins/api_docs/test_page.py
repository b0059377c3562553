"""The page's files: served whole, cached by ETag, under a strict policy, and part of the distribution."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from atrio.kernel.testing.client import Client
from atrio.plugins.api_docs import routes

pytestmark = pytest.mark.any_engine

STATIC = Path(routes.__file__).with_name("static")
PATHS = (
    "/api/doc/", "/api/doc/spec.json", "/api/doc/spec.yml", "/api/doc/static/init.js",
    "/api/doc/static/swagger-ui-bundle.js", "/api/doc/static/swagger-ui.css", "/api/doc/static/LICENSE",
)  # fmt: skip


def test_the_page_holds_no_script_and_no_foreign_address() -> None:
    """The policy forbids inline code; every address is relative, and every file it names is there."""
    html = (STATIC / "index.html").read_text("utf-8")
    for tag in re.findall(r"<script[^>]*>.*?</script>", html, re.DOTALL):
        assert re.fullmatch(r'<script src="static/[\w.-]+"></script>', tag), tag
    assert "<style" not in html
    assert not re.search(r"\bon\w+=|style=|javascript:", html)
    loaded = re.findall(r'(?:src|href)="([^"]+)"', html)
    assert len(loaded) >= 5
    for address in loaded:
        assert not address.startswith(("/", "http", "//")), address
        name = address.removeprefix("static/")
        assert name in ("spec.json", "spec.yml") or name in routes._files(), address


@pytest.mark.parametrize("path", PATHS)
def test_etags(stranger: Client, path: str) -> None:
    """A strong tag; with it the answer is 304 without a body, with another the whole file."""
    first = stranger.get(path)
    assert first.status == 200
    assert first.headers["cache-control"] == "no-cache"
    assert int(first.headers["content-length"]) == len(first.body) > 100
    tag = first.headers["etag"]
    assert re.fullmatch(r'"[0-9a-f]{16}"', tag)
    for condition in (tag, f'"x", {tag}', f"W/{tag}", "*"):
        again = stranger.get(path, headers={"if-none-match": condition})
        assert (again.status, again.body, again.headers["etag"]) == (304, b"", tag)
    other = stranger.get(path, headers={"if-none-match": '"x"'})
    assert (other.status, other.body) == (200, first.body)
    head = stranger.request("HEAD", path)
    assert (head.status, head.body, head.headers["etag"]) == (200, b"", tag)


def test_the_policy(stranger: Client) -> None:
    """No inline script or style, no frame, no other server."""
    answer = stranger.get("/api/doc/")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    policy = dict(p.strip().partition(" ")[::2] for p in answer.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == policy["form-action"] == "'none'"
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_types(stranger: Client) -> None:
    """Scripts and styles carry their types: nosniff makes a browser insist on them."""
    for name, media in (("init.js", "text/javascript"), ("page.css", "text/css"), ("icon.svg", "image/svg+xml")):
        answer = stranger.get(f"/api/doc/static/{name}")
        assert answer.headers["content-type"].startswith(media)
        assert answer.body == (STATIC / name).read_bytes()


@pytest.mark.parametrize(
    "name", ["nothing.js", "swagger-ui", "", "%2e%2e%2froutes.py", "..%2froutes.py", "swagger-ui%2fLICENSE"]
)
def test_nothing_else_is_served(stranger: Client, name: str) -> None:
    """Only names of the table are files; folders and paths are not."""
    answer = stranger.get(f"/api/doc/static/{name}")
    if answer.status == 307:  # an encoded slash: no route has this path, with or without a slash at its end
        assert answer.headers["location"] == f"/api/doc/static/{name}/"
        answer = stranger.get(answer.headers["location"])
    assert answer.status == 404
    assert answer.code == 9999


def test_the_page_without_its_slash(stranger: Client) -> None:
    """Relative addresses need the slash, so that the page without it redirects."""
    answer = stranger.get("/api/doc")
    assert (answer.status, answer.headers["location"]) == (307, "/api/doc/")


@pytest.mark.slow
def test_the_wheel_holds_page_and_licences(tmp_path: Path) -> None:
    """An installed Atrio has every file of the page, and the licences of what it ships."""
    root = STATIC.parents[2].resolve()
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(root)],
        check=True, capture_output=True,
    )  # fmt: skip
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        for path in STATIC.rglob("*"):
            if path.is_file():
                packed = f"atrio/plugins/api_docs/static/{path.relative_to(STATIC).as_posix()}"
                assert archive.read(packed) == path.read_bytes()
        licences = {n.partition("/licenses/")[2] for n in names if "/licenses/" in n}
    assert licences >= {"LICENSE", "NOTICE", "plugins/api_docs/static/swagger-ui/LICENSE"}
