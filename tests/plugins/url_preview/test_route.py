"""Previews through the route, of pages on a real server."""

from __future__ import annotations

import gzip
import socket
import ssl
import threading
import zlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from atrio.kernel.host import Kernel
from atrio.kernel.testing.client import Client
from atrio.kernel.testing.plugin import ADMIN, PASSWORD
from atrio.plugins.url_preview.config import UrlPreviewConfig

pytestmark = pytest.mark.any_engine

PATH = "/api/url-preview"
PAGE = (
    '<html><head><title>T</title><meta name="description" content="D">'
    '<meta property="og:image" content="/i.png"></head></html>'
)


def look(client: Client, url: str) -> Any:
    return client.get(PATH, query={"url": url})


def refused(client: Client, url: str, code: int = 1014) -> None:
    answer = look(client, url)
    assert (answer.status, answer.code) == (400, code), (url, answer.body)


def names(monkeypatch: pytest.MonkeyPatch, table: dict[str, list[str]]) -> list[str]:
    """Let names mean addresses; returns the names that were asked for."""
    asked: list[str] = []
    real = socket.getaddrinfo

    def resolve(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
        if host not in table:
            return real(host, port, *args, **kwargs)
        asked.append(host)
        if not table[host]:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in table[host]]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return asked


# -- what is shown ------------------------------------------------------------------------------------------


def test_a_page_is_shown(client: Client, open_door: Any) -> None:
    answer = look(client, open_door.page("/p", PAGE))
    assert answer.status == 200
    assert answer.json == {"title": "T", "description": "D", "image": open_door.url("/i.png")}
    path, headers, _ = open_door.asked[0]
    assert path == "/p"
    assert set(headers) == {"host", "user-agent", "accept", "accept-encoding", "connection"}
    assert headers["host"] == f"127.0.0.1:{open_door.port}"
    assert headers["user-agent"].startswith("Atrio-Link-Preview/")


def test_what_a_page_does_not_say_is_null(client: Client, open_door: Any) -> None:
    assert look(client, open_door.page("/p", "<title>T</title>")).json == {
        "title": "T", "description": None, "image": None,
    }  # fmt: skip


def test_a_page_is_kept_for_half_an_hour(client: Client, open_door: Any, clock: Any) -> None:
    url = open_door.page("/p", "<title>old</title>")
    assert look(client, url).json["title"] == "old"
    open_door.page("/p", "<title>new</title>")
    clock.move(29 * 60)
    assert look(client, f"{url}#elsewhere").json["title"] == "old"
    clock.move(61)
    assert look(client, url).json["title"] == "new"
    assert len(open_door.asked) == 2


def test_few_pages_are_kept(kernel: Kernel, client: Client, open_door: Any) -> None:
    kernel.config.replace(UrlPreviewConfig, cache_size=2)
    urls = [open_door.page(f"/{n}", "<title>T</title>") for n in range(3)]
    for url in (urls[0], urls[1], urls[0], urls[2], urls[0], urls[1]):
        assert look(client, url).status == 200
    assert [path for path, _, _ in open_door.asked] == ["/0", "/1", "/2", "/1"]


def test_a_name_is_resolved_once_and_stays_the_host(
    client: Client, open_door: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = names(monkeypatch, {"pages.example": ["127.0.0.1"]})
    open_door.page("/p", PAGE)
    answer = look(client, open_door.url("/p", "Pages.example"))
    assert answer.json["image"] == open_door.url("/i.png", "pages.example")
    assert asked == ["pages.example"]
    assert open_door.asked[0][1]["host"] == f"pages.example:{open_door.port}"


def test_redirects_are_followed(client: Client, open_door: Any) -> None:
    open_door.page("/dir/p", PAGE)
    for n, status in enumerate((301, 302, 303, 307, 308)):
        open_door.redirect(f"/{n}", f"/{n + 1}" if n < 4 else "dir/p", status)
    assert look(client, open_door.url("/0")).json["title"] == "T"
    open_door.redirect("/first", "/0")
    refused(client, open_door.url("/first"))
    refused(client, open_door.redirect("/loop", "/loop"))


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_compressed_pages(client: Client, open_door: Any, encoding: str) -> None:
    data = gzip.compress(PAGE.encode()) if encoding == "gzip" else zlib.compress(PAGE.encode())
    assert look(client, open_door.page("/p", data, Content_Encoding=encoding)).json["title"] == "T"


def test_only_the_beginning_is_read(kernel: Kernel, client: Client, open_door: Any) -> None:
    kernel.config.replace(UrlPreviewConfig, max_content_length=4096)
    filler = "<p>" + "x" * 5000
    assert look(client, open_door.page("/a", f"<title>T</title>{filler}")).json["title"] == "T"
    refused(client, open_door.page("/b", f"{filler}<title>T</title>"))
    bomb = gzip.compress(b"<title>T</title>" + b"x" * 50_000_000)
    assert look(client, open_door.page("/c", bomb, Content_Encoding="gzip")).json["title"] == "T"
    late = gzip.compress(b"x" * 4096 + b"<title>T</title>")
    refused(client, open_door.page("/d", late, Content_Encoding="gzip"))


def test_a_certificate_must_be_for_the_name(
    client: Client, open_door: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    """The connection goes to a number; TLS is spoken with the name."""
    names(monkeypatch, {"good.example": ["127.0.0.1"], "bad.example": ["127.0.0.1"]})
    certificate = _certificate(tmp_path, "good.example")
    monkeypatch.setenv("SSL_CERT_FILE", certificate)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    open_door.server.socket = context.wrap_socket(open_door.server.socket, server_side=True)
    open_door.page("/p", PAGE)
    assert look(client, f"https://good.example:{open_door.port}/p").json["title"] == "T"
    refused(client, f"https://bad.example:{open_door.port}/p")
    assert [headers["host"] for _, headers, _ in open_door.asked] == [f"good.example:{open_door.port}"]


def _certificate(folder: Any, name: str) -> str:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "certificate.pem"
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(private + made.public_bytes(pem))
    return str(path)


# -- what is refused ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "", "x", "example.org", "file:///etc/passwd", "ftp://example.org/", "gopher://example.org/", "javascript:1",
        "data:text/html,x", "http://", "http:///path", "http://[::1", "http://a b/", "http://a\n.b/", "http://x:99999/",
        "http://x:y/", "http://.../", "http://a\\b/", "http://" + "a" * 3000, "http://xn--\ud7ff.\u2028/",
    ],
)  # fmt: skip
def test_bad_addresses(client: Client, url: str) -> None:
    refused(client, url, 2001)


def test_no_address(client: Client) -> None:
    answer = client.get(PATH)
    assert (answer.status, answer.code) == (400, 2001)


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "0.0.0.0", "[::1]", "[::]",
     "[::ffff:127.0.0.1]", "[64:ff9b::7f00:1]", "10.0.0.1", "169.254.169.254", "[fe80::1]", "100.64.0.1"],
)  # fmt: skip
def test_addresses_that_are_not_public(kernel: Kernel, client: Client, web: Any, host: str) -> None:
    kernel.config.replace(UrlPreviewConfig, ports=(str(web.port),))
    web.page("/p", PAGE)
    refused(client, web.url("/p", host))
    assert web.asked == []


def test_a_name_with_one_address_that_is_not_public(
    kernel: Kernel, client: Client, web: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    kernel.config.replace(UrlPreviewConfig, ports=(str(web.port),))
    names(
        monkeypatch, {"inside.example": ["127.0.0.1"], "both.example": ["8.8.8.8", "127.0.0.1"], "no.example": []}
    )
    web.page("/p", PAGE)
    for host in ("inside.example", "both.example", "no.example"):
        refused(client, web.url("/p", host))
    assert web.asked == []


def test_each_redirect_is_checked(client: Client, open_door: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first page lies in the allowed network, where it points does not."""
    names(monkeypatch, {"inside.example": ["127.0.0.2"]})
    open_door.page("/p", PAGE)
    for n, location in enumerate((
        open_door.url("/p", "127.0.0.2"), open_door.url("/p", "inside.example"), open_door.url("/p", "[::1]"),
        "http://127.0.0.1:22/", f"http://u:p@127.0.0.1:{open_door.port}/p", "file:///etc/passwd", "",
        f"//127.0.0.2:{open_door.port}/p", "http://[", "\\\\x",
    )):  # fmt: skip
        refused(client, open_door.redirect(f"/{n}", location))
    assert "/p" not in [path for path, _, _ in open_door.asked]


def test_credentials_and_ports(client: Client, open_door: Any) -> None:
    open_door.page("/p", PAGE)
    assert look(client, open_door.url("/p")).status == 200
    refused(client, open_door.url("/p", "user:secret@127.0.0.1"))
    refused(client, "http://127.0.0.1:22/")
    assert len(open_door.asked) == 1


def test_what_is_no_page(client: Client, open_door: Any) -> None:
    refused(client, open_door.url("/missing"))
    refused(client, open_door.page("/a", b"\x89PNG", "image/png"))
    refused(client, open_door.page("/b", "{}", "application/json"))
    refused(client, open_door.page("/c", "<p>nothing to show</p>"))
    refused(client, open_door.page("/d", b"no gzip", Content_Encoding="gzip"))
    refused(client, open_door.page("/e", PAGE, Content_Encoding="br"))
    dead = socket.socket()
    dead.bind(("127.0.0.1", 0))
    refused(client, f"http://127.0.0.1:{dead.getsockname()[1]}/")
    dead.close()


def test_failures_are_not_kept(client: Client, open_door: Any) -> None:
    refused(client, open_door.url("/p"))
    open_door.page("/p", PAGE)
    assert look(client, open_door.url("/p")).status == 200


def test_a_server_that_trickles_is_given_up(kernel: Kernel, client: Client, open_door: Any) -> None:
    """Each byte comes in time, the whole does not: the deadline is for everything."""
    kernel.config.replace(UrlPreviewConfig, fetch_timeout=1)
    stopped = threading.Event()

    def trickle(request: Any) -> None:
        request.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n")
        while not stopped.wait(0.1):
            try:
                request.wfile.write(b"X-A: b\r\n")
            except OSError:
                return

    open_door.pages["/slow"] = trickle
    refused(client, open_door.url("/slow"))
    stopped.set()


def test_the_database_is_free_while_a_page_is_fetched(kernel: Kernel, client: Client, open_door: Any) -> None:
    """On SQLite one unit runs at a time: another request is answered while the page is still coming."""
    asked, go_on = threading.Event(), threading.Event()

    def wait(request: Any) -> None:
        asked.set()
        go_on.wait(30)
        request.send_response(200)
        request.send_header("Content-Type", "text/html")
        request.end_headers()
        request.wfile.write(b"<title>T</title>")

    open_door.pages["/wait"] = wait
    answers: list[Any] = []

    def ask() -> None:
        mine = Client(kernel.app, ADMIN, PASSWORD)
        answers.append(look(mine, open_door.url("/wait")).status)
        mine.close()

    thread = threading.Thread(target=ask)
    thread.start()
    assert asked.wait(30)
    kernel.run(lambda ctx: None)
    assert client.get("/api/auth/whoami").status == 200
    kernel.memo("url_preview.shelf", dict).seats.acquire()
    kernel.memo("url_preview.shelf", dict).seats.acquire()
    kernel.memo("url_preview.shelf", dict).seats.acquire()
    full = look(client, open_door.page("/other", PAGE))
    assert (full.status, full.code, full.headers["retry-after"]) == (503, 20005, "10")
    go_on.set()
    thread.join()
    assert answers == [200]
    assert look(client, open_door.url("/other")).status == 200


def test_signed_in_users_only(world: Any, open_door: Any) -> None:
    url = open_door.page("/p", PAGE)
    for who, person in world.people.items():
        answer = look(person, url)
        expected = (401, None) if who in ("stranger", "deactivated") else (200, None)
        assert (answer.status, answer.json.get("code")) == expected, who


def test_the_log_names_the_host_only(client: Client, open_door: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    refused(client, open_door.url("/missing?token=secret-word"))
    assert "127.0.0.1" in caplog.text
    assert "secret-word" not in caplog.text


@pytest.mark.atrio_config(url_preview__allowed_networks=["10.0.0.0/99"])
def test_settings_that_mean_nothing_are_said(kernel: Kernel) -> None:
    record = kernel.record("url_preview")
    assert record is not None
    assert str(record.state) == "unavailable"
    assert "allowed_networks" in record.reason
