"""Avatars and covers: what is taken, what is made of it, and how it is sent."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image

from atrio.kernel.host import Kernel
from atrio.kernel.http.downloads import SANDBOX
from atrio.kernel.testing.client import Client


def picture(
    form: str = "PNG", size: tuple[int, int] = (300, 200), colour: Any = (200, 30, 30), **options: Any
) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB" if form in ("JPEG", "BMP") else "RGBA", size, colour).save(buffer, form, **options)
    return buffer.getvalue()


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def put(client: Any, kind: str, data: bytes, media: str = "image/png", user_id: int | None = None) -> Any:
    path = f"/api/users/{user_id or client.user_id}/{kind}/raw/mine.png"
    return client.request("PUT", path, files={"files": ("mine.png", data, media)})


def path(client: Any, rest: str) -> str:
    return f"/api/users/{client.user_id}/{rest}"


# -- without a picture ---------------------------------------------------------------------------------------


def test_initials_stand_for_an_avatar(as_actor: Callable[..., Any], client: Client) -> None:
    bob = as_actor("bob")
    named = {"timezone": "", "lang": None, "public_name": "Zoé <script> & Ünal"}
    assert bob.put(f"/api/users/{bob.user_id}", named).status == 200
    answer = bob.get(path(bob, "avatar/raw/me.svg"))
    assert (answer.status, answer.headers["content-type"]) == (200, "image/svg+xml")
    assert answer.headers["content-security-policy"] == SANDBOX
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-disposition"].startswith('inline; filename="me.svg"')
    assert b">Z\xc3\x9c</text>" in answer.body
    assert b"<script" not in answer.body
    tag = answer.headers["etag"]
    again = bob.get(path(bob, "avatar/raw/me.svg"), headers={"If-None-Match": tag})
    assert (again.status, again.body) == (304, b"")
    assert bob.put(f"/api/users/{bob.user_id}", {**named, "public_name": "Xavier"}).status == 200
    changed = bob.get(path(bob, "avatar/raw/me.svg"), headers={"If-None-Match": tag})
    assert changed.status == 200, "another name is another picture"
    assert client.get(path(bob, "avatar/raw/")).body == changed.body, "everybody sees the same"


@pytest.mark.parametrize("name", ["Bob", "日本 太郎", "--- ---", "Éva", "<&>"])
def test_the_same_as_jpeg(as_actor: Callable[..., Any], name: str) -> None:
    bob = as_actor("bob")
    assert bob.put(f"/api/users/{bob.user_id}", {"timezone": "", "lang": None, "public_name": name}).status == 200
    for rest, size in (
        ("avatar/preview/jpg/a.jpg", (100, 100)),
        ("avatar/preview/jpg/37x50/a.jpg", (37, 37)),
        ("avatar/preview/jpg/1x1/a.jpg", (1, 1)),
        ("avatar/preview/jpg/9999x9999/", (2100, 2100)),
        ("avatar/preview/jpg/0x0/", (1, 1)),
    ):
        answer = bob.get(path(bob, rest))
        assert (answer.status, answer.headers["content-type"]) == (200, "image/jpeg")
        assert "content-security-policy" not in answer.headers
        assert (opened(answer.body).format, opened(answer.body).size) == ("JPEG", size)
        tag = answer.headers["etag"]
        assert bob.get(path(bob, rest), headers={"If-None-Match": tag}).status == 304


def test_letters_are_drawn(as_actor: Callable[..., Any]) -> None:
    """The picture is not one colour: letters that the font has are there, others have a stand-in."""
    bob = as_actor("bob")
    for name in ("Bob", "日本", "Éva"):
        named = {"timezone": "", "lang": None, "public_name": f"{name} x"}
        assert bob.put(f"/api/users/{bob.user_id}", named).status == 200
        image = opened(bob.get(path(bob, "avatar/preview/jpg/100x100/a")).body).convert("L")
        low, high = image.getextrema()
        assert high - low > 100, name


def test_there_is_no_cover_at_first(as_actor: Callable[..., Any]) -> None:
    bob = as_actor("bob")
    for rest in ("cover/raw/a", "cover/preview/jpg/a", "cover/preview/jpg/10x10/a"):
        answer = bob.get(path(bob, rest))
        assert (answer.status, answer.code) == (400, 1021)
    assert bob.get("/api/auth/whoami").json["has_cover"] is False


# -- with one ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("form", "media"),
    [
        ("PNG", "image/png"), ("JPEG", "image/jpeg"), ("WEBP", "image/webp"), ("BMP", "image/x-ms-bmp"),
        ("GIF", "image/gif"), ("PNG", "application/octet-stream"), ("JPEG", "image/png"),
    ],
)  # fmt: skip
def test_pictures_become_png_of_their_shape(
    as_actor: Callable[..., Any], events: list[Any], form: str, media: str
) -> None:
    bob = as_actor("bob")
    events.clear()
    for kind, size in (("avatar", (200, 200)), ("cover", (300, 34))):
        answer = put(bob, kind, picture(form), media)
        assert (answer.status, answer.body) == (204, b""), answer.body
        raw = bob.get(path(bob, f"{kind}/raw/x.png"))
        assert raw.headers["content-type"] == "image/png"
        assert "content-security-policy" not in raw.headers
        image = opened(raw.body)
        assert (image.format, image.size) == ("PNG", size)
        red, green, blue = image.convert("RGB").getpixel((size[0] // 2, size[1] // 2))
        assert abs(red - 200) < 8
        assert abs(green - 30) < 8
        assert abs(blue - 30) < 8
    assert [(e.name, e.fields) for e in events] == [("user.modified", ("avatar",)), ("user.modified", ("cover",))]
    shown = bob.get("/api/auth/whoami").json
    assert (shown["has_avatar"], shown["has_cover"]) == (True, True)


def test_grey_of_sixteen_bits(as_actor: Callable[..., Any]) -> None:
    bob = as_actor("bob")
    buffer = io.BytesIO()
    Image.new("I;16", (40, 40), 0x8000).save(buffer, "PNG")
    assert put(bob, "avatar", buffer.getvalue()).status == 204
    assert opened(bob.get(path(bob, "avatar/raw/a")).body).convert("RGB").getpixel((9, 9)) == (128, 128, 128)


def test_previews_fit_their_size(as_actor: Callable[..., Any], client: Client) -> None:
    bob = as_actor("bob")
    assert put(bob, "avatar", picture(size=(800, 800))).status == 204
    assert put(bob, "cover", picture(size=(4000, 1000))).status == 204
    assert opened(bob.get(path(bob, "avatar/raw/a")).body).size == (512, 512)
    assert opened(bob.get(path(bob, "cover/raw/a")).body).size == (2100, 240)
    for rest, size in (
        ("avatar/preview/jpg/a", (100, 100)), ("avatar/preview/jpg/64x32/a", (32, 32)),
        ("avatar/preview/jpg/5000x5000/a", (2100, 2100)), ("cover/preview/jpg/a", (1300, 149)),
        ("cover/preview/jpg/35x100/a", (35, 4)), ("cover/preview/jpg/2x1/a", (2, 1)),
    ):  # fmt: skip
        answer = client.get(path(bob, rest))
        assert (opened(answer.body).format, opened(answer.body).size) == ("JPEG", size), rest


def test_what_is_transparent_is_white_in_a_jpeg(as_actor: Callable[..., Any]) -> None:
    bob = as_actor("bob")
    assert put(bob, "avatar", picture(size=(64, 64), colour=(0, 0, 0, 0))).status == 204
    image = opened(bob.get(path(bob, "avatar/preview/jpg/a")).body)
    assert min(image.getpixel((50, 50))) > 250
    assert opened(bob.get(path(bob, "avatar/raw/a")).body).convert("RGBA").getpixel((5, 5))[3] == 0


def test_a_new_picture_is_seen_at_once(as_actor: Callable[..., Any]) -> None:
    bob = as_actor("bob")
    tags = set()
    for colour in ((1, 2, 3), (3, 2, 1)):
        assert put(bob, "avatar", picture(colour=colour)).status == 204
        for rest in ("avatar/raw/a", "avatar/preview/jpg/a"):
            answer = bob.get(path(bob, rest))
            assert answer.headers["cache-control"] == "private, no-cache"
            tags.add(answer.headers["etag"])
    assert len(tags) == 4


def test_a_photograph_stands_upright_and_says_nothing_of_its_place(as_actor: Callable[..., Any]) -> None:
    bob = as_actor("bob")
    image = Image.new("RGB", (60, 60), "red")
    image.paste("blue", (0, 0, 60, 30))  # the upper half
    exif = image.getexif()
    exif[0x0112] = 3  # turned by 180 degrees
    exif[0x010E] = "secret place"
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", exif=exif)
    assert put(bob, "avatar", buffer.getvalue(), "image/jpeg").status == 204
    raw = bob.get(path(bob, "avatar/raw/a")).body
    assert b"secret place" not in raw
    red, _, blue = opened(raw).convert("RGB").getpixel((30, 10))
    assert red > 200 > 60 > blue


def test_only_oneself_and_administrators_set_a_picture(as_actor: Callable[..., Any], client: Client) -> None:
    bob, eve = as_actor("bob"), as_actor("eve", profile="trusted-users")
    for kind in ("avatar", "cover"):
        assert put(eve, kind, picture(), user_id=bob.user_id).code == 4002
        assert put(client, kind, picture(), user_id=bob.user_id).status == 204
        assert put(client, kind, picture(), user_id=4711).code == 1001
        assert put(Client(client.app), kind, picture(), user_id=bob.user_id).status == 401


def test_downloads_and_ranges(as_actor: Callable[..., Any]) -> None:
    bob = as_actor("bob")
    for rest in ("avatar/raw/a.svg", "avatar/preview/jpg/a.jpg"):
        whole = bob.get(path(bob, rest))
        saved = bob.get(path(bob, rest), query={"force_download": 1})
        assert saved.headers["content-disposition"].startswith("attachment;")
        part = bob.get(path(bob, rest), headers={"Range": "bytes=2-5"})
        assert (part.status, part.body) == (206, whole.body[2:6])
        head = bob.request("HEAD", path(bob, rest))
        assert (head.status, head.body) == (200, b"")
        assert int(head.headers["content-length"]) == len(whole.body)
    for wrong in (2, -1, "x"):
        assert bob.get(path(bob, "avatar/raw/a"), query={"force_download": wrong}).code == 2001


# -- what is refused -----------------------------------------------------------------------------------------


def bomb(width: int, height: int) -> bytes:
    """A small PNG that says it is large."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + chunk(b"IEND", b"")
    )


SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


@pytest.mark.parametrize(
    ("data", "media"),
    [
        (SVG, "image/svg+xml"), (SVG, "image/png"), (picture(), "text/html"), (picture("TIFF"), "image/tiff"),
        (picture("TIFF"), "image/png"), (b"", "image/png"), (b"GIF89a", "image/gif"), (b"%PDF-1.4", "image/png"),
        (picture()[:90], "image/png"), (picture("JPEG")[:200], "image/jpeg"), (b"\x89PNG\r\n\x1a\n" * 9, ""),
        (bomb(6001, 6001), "image/png"), (bomb(60000, 60000), "image/png"), (bomb(10_000, 9_500), "image/png"),
        (picture("WEBP")[:-9], "image/webp"),
    ],
)  # fmt: skip
def test_what_is_no_picture(as_actor: Callable[..., Any], kernel: Kernel, data: bytes, media: str) -> None:
    bob = as_actor("bob")
    for kind in ("avatar", "cover"):
        answer = put(bob, kind, data, media)
        assert (answer.status, answer.code) == (400, 2071), (kind, media)
    assert bob.get(path(bob, "avatar/raw/a")).headers["content-type"] == "image/svg+xml"
    assert list(kernel.blobs.incoming.glob("*")) == [], "nothing is left behind"


@pytest.mark.parametrize("size", [(1, 1), (1, 900), (900, 1), (36, 4)])
def test_small_and_narrow_pictures(as_actor: Callable[..., Any], size: tuple[int, int]) -> None:
    bob = as_actor("bob")
    for kind in ("avatar", "cover"):
        assert put(bob, kind, picture(size=size)).status == 204
        assert bob.get(path(bob, f"{kind}/preview/jpg/a")).status == 200


def test_a_form_without_a_file(as_actor: Callable[..., Any]) -> None:
    bob = as_actor("bob")
    where = path(bob, "avatar/raw/a")
    answer = bob.request("PUT", where, fields={"a": "b"})
    assert (answer.status, answer.code) == (400, 2005)
    assert bob.put(where, {}).code == 2005
    assert bob.request("PUT", where, files={"other": ("a", picture(), "image/png")}).code == 2005


@pytest.mark.atrio_config(accounts__picture_max_bytes=2000, accounts__picture_max_pixels=10_000)
def test_limits_of_the_instance(as_actor: Callable[..., Any]) -> None:
    bob = as_actor("bob")
    assert put(bob, "avatar", picture(size=(100, 100))).status == 204
    assert put(bob, "avatar", picture(size=(101, 100))).code == 2071
    assert put(bob, "avatar", b"x" * 2001).status == 413
    assert put(bob, "avatar", b"x" * 100_000).status == 413, "refused by its announced length"
