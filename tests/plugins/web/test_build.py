"""A front-end build is served as browsers need it, and nothing beside it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from atrio.kernel.host import Kernel
from atrio.kernel.testing.client import Client
from atrio.kernel.testing.plugin import ADMIN, PASSWORD, make_kernel

pytestmark = pytest.mark.any_engine


class Site:
    """An instance with a build, and a stranger's client."""

    def __init__(self, folder: Path, settings: dict[str, Any]) -> None:
        self.kernel: Kernel = make_kernel(folder / "data", settings)
        self.client = Client(self.kernel.app)

    def get(self, path: str, **options: Any) -> Any:
        return self.client.get(path, **options)

    def close(self) -> None:
        self.client.close()
        self.kernel.stop()
        self.kernel.app.pool.close()
        self.kernel.app.io.close()


@pytest.fixture
def site(build: Path, tmp_path: Path) -> Iterator[Callable[..., Site]]:
    """`site(web__key=value)` starts an instance that serves the build."""
    made: list[Site] = []

    def start(**settings: Any) -> Site:
        settings.setdefault("web__dist_folder", str(build))
        made.append(Site(tmp_path / str(len(made)), settings))
        return made[-1]

    yield start
    for one in made:
        one.close()


def nonce_of(answer: Any) -> str:
    found = re.search(r"'nonce-([^']+)'", answer.headers["content-security-policy"])
    assert found
    return found.group(1)


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/index.mak",
        "/ui",
        "/ui/",
        "/ui/login",
        "/ui/workspaces/1/contents",
        "/ui/a/null",
        "/ui/x.js",
        "/ui/?a=b",
        "/ui/%2e%2e%2f",
    ],
)
def test_the_page_is_everywhere_below_ui(site: Any, path: str) -> None:
    answer = site().get(path)
    assert (answer.status, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert answer.headers["cache-control"] == "no-store"
    assert b"<h1>Welcome to Atrio</h1>" in answer.body


def test_what_the_page_is_given(site: Any, tmp_path: Path) -> None:
    toolbox = tmp_path / "toolbox"
    toolbox.mkdir()
    for name in ("b.js", "a.js", "notes.txt", ".hidden.js"):
        (toolbox / name).write_text("1")
    here = site(
        website__title="Ours", web__description="Where we work", web__cache_token="build7",
        web__excluded_notifications=["user.*", "tag.*"], web__custom_toolbox_folder=str(toolbox),
    )  # fmt: skip
    answer = here.get("/")
    page = answer.body.decode()
    assert "<title>Ours</title>" in page
    assert '<meta name="description" content="Where we work">' in page
    assert 'GLOBAL_excludedNotifications = "user.*,tag.*"' in page
    assert re.findall(r'src="([^"]+)"', page) == [
        "/custom_toolbox-assets/a.js?token=build7", "/custom_toolbox-assets/b.js?token=build7", "/assets/main.js?token=build7",
        "/app/file.app.optimized.js?token=build7", "/app/gallery.app.optimized.js?token=build7",
    ]  # fmt: skip
    assert "--primary: #2f7d30; --primary-dark: #" in page
    assert "<!-- app/1a2b.module.wasm -->" in page
    assert set(re.findall(r'nonce="([^"]*)"', page)) == {nonce_of(answer)}
    assert nonce_of(here.get("/")) != nonce_of(answer)
    for name in ("a.js", "b.js"):
        assert here.get(f"/custom_toolbox-assets/{name}").body == b"1"
    assert here.get("/custom_toolbox-assets/.hidden.js").status == 404
    assert 'name="description"' not in site().get("/").body.decode()


def test_the_policy(site: Any) -> None:
    answer = site(website__base_url="https://x.org/").get("/ui/login")
    policy = dict(d.split(" ", 1) for d in answer.headers["content-security-policy"].split("; "))
    assert policy == {
        "default-src": "'self'", "connect-src": "'self'", "object-src": "'none'", "frame-src": "*", "base-uri": "'self'",
        "style-src": "'unsafe-inline' 'self'", "font-src": "data: blob: *", "img-src": "data: blob: *",
        "media-src": "data: blob: *", "frame-ancestors": "'self'",
        "script-src": f"'nonce-{nonce_of(answer)}' https://x.org/assets/hugerte-dist-1.0.7/ https://x.org/app/"
        " 'unsafe-eval' 'wasm-unsafe-eval'",
    }  # fmt: skip


def test_settings_of_the_policy(site: Any) -> None:
    off = site(web__policy_enabled=False).get("/")
    assert [name for name in off.headers if "policy" in name] == []
    assert 'nonce=""' in off.body.decode()
    only = site(
        web__policy_report_only=True, web__policy_report_uri="https://r.org/",
        web__policy_directives="object-src 'self'; worker-src blob:;; img-src data: x.org",
    ).get("/")  # fmt: skip
    assert "content-security-policy" not in only.headers
    policy = only.headers["content-security-policy-report-only"].split("; ")
    assert {
        "object-src 'self'",
        "worker-src blob:",
        "img-src data: blob: * x.org",
        "report-uri https://r.org/",
    } <= set(policy)


@pytest.mark.parametrize(
    ("path", "media"),
    [
        ("/app/file.app.optimized.js", "text/javascript; charset=utf-8"), ("/app/1a2b.module.wasm", "application/wasm"),
        ("/assets/data.json", "application/json"), ("/assets/styles/a.css", "text/css; charset=utf-8"),
        ("/assets/fonts/a.woff2", "font/woff2"), ("/assets/images/a.svg", "image/svg+xml"),
        ("/assets/branding/incoming-call.ogg", "audio/ogg"), ("/assets/branding.sample/manifest.json", "application/json"),
        ("/help/en/page.html", "text/html; charset=utf-8"), ("/robots.txt", "text/plain; charset=utf-8"),
        ("/index.html", "text/html; charset=utf-8"),
    ],
)  # fmt: skip
def test_files(site: Any, build: Path, path: str, media: str) -> None:
    here = site()
    answer = here.get(path)
    stored = build / path.lstrip("/").replace("assets/branding/", "assets/branding.sample/")
    assert (answer.status, answer.headers["content-type"], answer.body) == (200, media, stored.read_bytes())
    assert (answer.headers["cache-control"], answer.headers["x-content-type-options"]) == ("no-cache", "nosniff")
    head = here.client.request("HEAD", path)
    assert (head.status, head.body, head.headers["content-length"]) == (200, b"", str(len(answer.body)))
    assert here.get(path, headers={"If-None-Match": answer.headers["etag"]}).status == 304
    assert here.get(path, headers={"If-Modified-Since": answer.headers["last-modified"]}).status == 304
    for method in ("POST", "PUT", "DELETE"):
        refused = here.client.request(method, path)
        assert (refused.status, refused.headers["allow"]) == (405, "GET, HEAD")


def test_ranges(site: Any) -> None:
    here = site()
    path = "/assets/branding/incoming-call.ogg"
    whole = here.get(path)
    assert whole.headers["accept-ranges"] == "bytes"
    for wanted, start, end in (
        ("bytes=0-", 0, 255),
        ("bytes=10-19", 10, 19),
        ("bytes=-5", 251, 255),
        ("bytes=250-999", 250, 255),
    ):
        part = here.get(path, headers={"Range": wanted})
        assert (part.status, part.headers["content-range"], part.body) == (
            206,
            f"bytes {start}-{end}/256",
            whole.body[start : end + 1],
        )
    beyond = here.get(path, headers={"Range": "bytes=256-"})
    assert (beyond.status, beyond.headers["content-range"]) == (416, "bytes */256")
    other = here.get(path, headers={"Range": "bytes=0-1", "If-Range": '"other"'})
    assert (other.status, len(other.body)) == (200, 256)


def test_what_carries_the_mark_is_kept_until_the_build_changes(site: Any, build: Path) -> None:
    found = re.search(r"main\.js\?token=(\w+)", site().get("/").body.decode())
    assert found
    here = site()
    marked = here.get(f"/assets/main.js?token={found.group(1)}")
    assert marked.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert here.get("/assets/main.js?token=old").headers["cache-control"] == "no-cache"
    (build / "app" / "file.app.optimized.js").write_text("changed")
    assert found.group(1) not in site().get("/").body.decode(), (
        "every process of a build makes the same mark, a new build another"
    )
    etag = marked.headers["etag"]
    (build / "assets" / "main.js").write_text("changed too")
    assert here.get("/assets/main.js", headers={"If-None-Match": etag}).body == b"changed too"


@pytest.mark.parametrize(
    "path",
    [
        "/assets/../index.mak", "/assets/%2e%2e/index.mak", "/assets/..%2findex.mak", "/assets/%2e%2e%2findex.mak",
        "/assets/styles/..%2f..%2f..%2fsecret.txt", "/assets//etc/passwd", "/assets/%2fetc%2fpasswd", "/assets/..%5c..%5csecret.txt",
        "/assets/styles%5ca.css", "/assets/link.txt", "/assets/linked/secret.txt", "/assets/ring", "/linked/secret.txt",
        "/assets/branding/..%2f..%2findex.mak", "/assets/branding/link.txt", "/assets/.git/config", "/.env", "/assets/", "/assets/styles",
        "/assets/styles/", "/assets/styles/a.css/", "/assets/styles//a.css", "/assets/none.js", "/assets/" + "x" * 5000, "/assets/a%00b",
        "/custom_toolbox-assets/a.js", "/dist/index.mak",
    ],
)  # fmt: skip
def test_nothing_outside_and_nothing_hidden(site: Any, build: Path, tmp_path: Path, path: str) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    (build / "assets" / "link.txt").symlink_to(tmp_path / "secret.txt")
    (build / "assets" / "branding.sample" / "link.txt").symlink_to(tmp_path / "secret.txt")
    (build / "assets" / "linked").symlink_to(tmp_path)
    (build / "linked").symlink_to(tmp_path)
    (build / "assets" / "ring").symlink_to(build / "assets" / "ring")
    answer = site().get(path)
    assert answer.status in (307, 400, 404), answer.body
    assert b"secret" not in answer.body
    if answer.status == 404:
        assert answer.code == 9999


def test_a_link_inside_the_build_is_followed(site: Any, build: Path) -> None:
    (build / "assets" / "again.css").symlink_to(build / "assets" / "styles" / "a.css")
    assert site().get("/assets/again.css").status == 200


def test_unknown_paths_are_those_of_the_server(site: Any) -> None:
    here = site()
    for path in ("/nothing", "/api/nothing", "/api/stolen.json", "/appx/a", "/uix"):
        answer = here.get(path)
        assert (answer.status, answer.headers["location"]) == (307, f"{path}/"), path
        assert (here.get(f"{path}/").status, here.get(f"{path}/").code) == (404, 9999)
        assert here.client.post(path).status == 404


def test_branding(site: Any, build: Path, tmp_path: Path) -> None:
    mine, theirs = build / "assets" / "branding", tmp_path / "elsewhere"
    mine.mkdir()
    (mine / "welcome-simple.html").write_text("<p>ours</p>")
    here = site()
    assert b"<p>ours</p>" in here.get("/").body
    assert here.get("/assets/branding/welcome-simple.html").body == b"<p>ours</p>"
    assert here.get("/assets/branding/manifest.json").body == b"{}", "what is missing comes from the sample"
    theirs.mkdir()
    (theirs / "welcome-simple.html").write_text("<p>chosen</p>")
    here = site(web__branding_folder=str(theirs))
    assert b"<p>chosen</p>" in here.get("/").body
    assert here.get("/assets/branding/welcome-simple.html").body == b"<p>chosen</p>"
    assert here.get("/assets/branding/welcome-simple.css").status == 200
    here = site(web__welcome_page="none.html")
    assert (here.get("/").status, b'<div id="welcome"></div>' in here.get("/").body) == (200, True)


def test_conditions_of_use_are_files_of_the_branding(site: Any, tmp_path: Path) -> None:
    folder = tmp_path / "branding"
    folder.mkdir()
    (folder / "House rules.pdf").write_bytes(b"%PDF")
    here = site(
        web__branding_folder=str(folder),
        web__dist_folder="",
        system__usage_conditions=["House rules.pdf"],
        website__base_url="http://h",
    )
    admin = Client(here.kernel.app, ADMIN, PASSWORD)
    (item,) = admin.get("/api/system/usage_conditions").json["items"]
    admin.close()
    answer = here.get(item["url"].removeprefix("http://h"))
    assert (answer.body, answer.headers["content-type"]) == (b"%PDF", "application/pdf")


def test_custom_actions(site: Any, build: Path) -> None:
    link = {"icon_text": "fas fa-x", "icon_image": "", "label": {"en": "X"}, "link": "https://x.org/{user.id}"}
    file = build / "assets" / "branding.sample" / "app_custom_actions.json"
    file.write_text(json.dumps({"user_sidebar_shortcuts": [link]}))
    told = site().get("/api/system/config").json["app_custom_actions"]
    assert told == {
        "user_sidebar_dropdown": [], "user_sidebar_shortcuts": [link], "content_in_list_dropdown": [],
        "content_app_dropdown": [], "space_dashboard_action_list": [],
    }  # fmt: skip
    for wrong, complaint in (
        ("[]", "no JSON object"), ("{", "custom_actions_file"), ({"menu": []}, "no menu is called 'menu'"),
        ({"user_sidebar_dropdown": {}}, "no list"), ({"user_sidebar_dropdown": [{"link": "x"}]}, "lacks icon_text"),
    ):  # fmt: skip
        file.write_text(wrong if isinstance(wrong, str) else json.dumps(wrong))
        record = site().kernel.record("web")
        assert (str(record.state), complaint in record.reason) == ("unavailable", True), record.reason


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"web__dist_folder": "/nowhere"}, "/nowhere holds no index.mak"), ({"web__branding_folder": "/nowhere"}, "is no folder"),
        ({"web__custom_toolbox_folder": "/nowhere"}, "is no folder"), ({"web__welcome_page": "../x"}, "is not the name of a file"),
        ({"web__policy_report_only": True}, "needs web.policy_report_uri"), ({"web__policy_directives": "a b\r\nx: y"}, "one line"),
    ],
)  # fmt: skip
def test_settings_that_do_not_fit_park_the_plugin_and_nothing_else(
    site: Any, settings: Any, complaint: str
) -> None:
    here = site(**settings)
    record = here.kernel.record("web")
    assert (str(record.state), complaint in record.reason) == ("unavailable", True), record.reason
    assert here.get("/").status == 405  # calendar programs ask there too, by other verbs
    assert here.get("/api/system/config").status == 200


def test_the_gallery(site: Any) -> None:
    here = site()
    admin = Client(here.kernel.app, ADMIN, PASSWORD)
    gallery = admin.get("/api/system/applications").json[-1]
    assert gallery == {
        "label": "Gallery", "slug": "gallery", "fa_icon": "far fa-image", "hexcolor": "#999999", "is_active": True, "config": {}
    }  # fmt: skip
    body = {"label": "A", "description": "", "access_type": "open", "default_user_role": "reader"}
    entries = admin.post("/api/workspaces", body).json["sidebar_entries"]
    assert entries[-1] == {
        "slug": "gallery", "label": "Gallery", "route": "/ui/workspaces/1/gallery", "fa_icon": "far fa-image",
        "hexcolor": "#999999",
    }  # fmt: skip
    admin.close()


# -- without a build ---------------------------------------------------------------------------------------


@pytest.mark.atrio_config(website__title="<Ours> & {{nonce}}", web__description='Say "hi"')
def test_the_start_page(stranger: Client) -> None:
    answer = stranger.get("/")
    page = answer.body.decode()
    assert (answer.status, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "<h1>&lt;Ours&gt; &amp; {{nonce}}</h1>" in page
    assert '<html lang="en">' in page
    assert 'content="Say &quot;hi&quot;"' in page
    assert '<a href="api/doc/">' in page
    assert "<script" not in page
    assert "style=" not in page
    assert answer.headers["content-security-policy"].startswith("default-src 'none'; style-src 'nonce-")
    assert stranger.get("/api/doc/").status == 200
    for path in ("/ui", "/ui/login", "/assets/main.js", "/app/x.js", "/index.mak"):
        assert (stranger.get(path).status, stranger.get(f"{path}/").code) == (307, 9999)


@pytest.mark.atrio_config(plugins__disabled=["api_docs"])
def test_the_start_page_links_only_what_is_there(stranger: Client) -> None:
    page = stranger.get("/").body.decode()
    assert "api/doc/" not in page
    assert 'name="description"' not in page


def test_a_build_that_is_not_to_be_served(site: Any) -> None:
    here = site(web__serve=False)
    assert b"no front end is installed" in here.get("/").body
    assert here.get("/ui/login").status == 307
