"""Previews of pictures."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageChops, ImageFile, ImageStat

from atrio.kernel.testing.client import Client
from atrio.plugins.preview.adapters import heif, pictures

from .files import SAMPLES, near, picture, png_bomb, seen

pytestmark = pytest.mark.any_engine


def test_a_picture_fits_the_box_and_keeps_its_ratio(place: Any) -> None:
    file = place.file("red.jpg", picture(800, 400, "JPEG"))
    answer = place.get(f"{file}/preview/jpg/128x128/x.jpg")
    image = seen(answer)
    assert image.size == (128, 64)
    assert near(image, (64, 32), (255, 0, 0))
    assert answer.headers["cache-control"] == "private, no-cache"
    assert answer.headers["content-disposition"] == "inline; filename=\"x.jpg\"; filename*=UTF-8''x.jpg;"
    assert "content-security-policy" not in answer.headers
    again = place.get(f"{file}/preview/jpg/128x128/x.jpg")
    assert (again.body, again.headers["etag"]) == (answer.body, answer.headers["etag"])
    assert len(answer.headers["etag"]) == 18
    fresh = place.client.get(
        f"{file}/preview/jpg/128x128/x.jpg", headers={"if-none-match": answer.headers["etag"]}
    )
    assert (fresh.status, fresh.body) == (304, b"")
    part = place.client.get(f"{file}/preview/jpg/128x128/x.jpg", headers={"range": "bytes=0-1"})
    assert (part.status, part.body) == (206, b"\xff\xd8")
    forced = place.get(f"{file}/preview/jpg/128x128/x.jpg", force_download=1)
    assert forced.headers["content-disposition"].startswith("attachment")


def test_sizes(place: Any) -> None:
    file = place.file("red.png", picture(1000, 500))
    assert seen(place.get(f"{file}/preview/jpg/x.jpg")).size == (256, 128)
    assert seen(place.get(f"{file}/preview/jpg/0x0/x.jpg")).size == (256, 128)
    assert seen(place.get(f"{file}/preview/jpg/99x999/x.jpg")).size == (99, 50)
    assert seen(place.get(f"{file}/preview/jpg/99999999999x99999999999/x.jpg")).size == (1000, 500)
    assert seen(place.get(f"{file}/preview/jpg/50x0/x.jpg")).size == (50, 25)
    small = place.file("small.png", picture(3, 2))
    assert seen(place.get(f"{small}/preview/jpg/256x256/x.jpg")).size == (3, 2), "not enlarged"
    thin = place.file("thin.png", picture(2000, 1))
    assert seen(place.get(f"{thin}/preview/jpg/64x64/x.jpg")).size == (64, 1)


def test_names(place: Any) -> None:
    file = place.file("räd.png", picture())
    number = place.number
    shown = place.get(file).json["current_revision_id"]

    def named(path: str) -> str:
        return place.get(f"{file}{path}").headers["content-disposition"].partition("UTF-8''")[2]

    assert named("/preview/jpg/") == f"{number}-r%C3%A4d_page_1.jpg;"
    assert named("/preview/jpg/raw") == f"{number}-r%C3%A4d_page_1.jpg;"
    assert named("/preview/jpg/64x65/") == f"{number}-r%C3%A4d_page_1_64x65.jpg;"
    assert named("/preview/jpg/64x65/my.jpg") == "my.jpg;"
    assert named(f"/revisions/{shown}/preview/jpg/64x65/") == f"{number}-r%C3%A4d_r{shown}_page_1_64x65.jpg;"


def test_pages_and_kinds(place: Any) -> None:
    file = place.file("red.png", picture())
    assert place.get(f"{file}/preview/jpg/x.jpg", page=0).code == 2001
    assert place.get(f"{file}/preview/jpg/x.jpg", page=2).code == 1012
    assert place.get(f"{file}/preview/pdf/x.pdf").code == 1011
    assert place.get(f"{file}/preview/pdf/full/x.pdf").code == 1011
    shown = place.get(file).json
    assert place.get(f"{file}/preview_info").json == {
        "content_id": shown["content_id"], "revision_id": shown["current_revision_id"], "page_nb": 1,
        "has_pdf_preview": False, "has_jpeg_preview": True,
    }  # fmt: skip
    assert place.get(f"{file}/preview/jpg/allowed_dims").json == {
        "restricted": False, "dimensions": [{"width": 256, "height": 256}],
    }  # fmt: skip


def test_restricted_sizes(place_with: Any) -> None:
    place = place_with(
        preview__restricted_dims=True, preview__allowed_dims=["64x64", "32X16"], preview__largest=64
    )
    file = place.file("red.png", picture(200, 200))
    assert place.get(f"{file}/preview/jpg/allowed_dims").json == {
        "restricted": True, "dimensions": [{"width": 64, "height": 64}, {"width": 32, "height": 16}],
    }  # fmt: skip
    assert seen(place.get(f"{file}/preview/jpg/x.jpg")).size == (64, 64)
    assert seen(place.get(f"{file}/preview/jpg/32x16/x.jpg")).size == (16, 16)
    assert seen(place.get(f"{file}/preview/jpg/0x0/x.jpg")).size == (64, 64)
    assert place.get(f"{file}/preview/jpg/63x64/x.jpg").code == 2033


def turned() -> bytes:
    """Return a picture whose left half is blue, turned so that this is below."""
    image = Image.new("RGB", (80, 40), "red")
    image.paste("blue", (0, 0, 40, 40))
    exif = Image.Exif()
    exif[0x0112] = 8
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", exif=exif)
    return buffer.getvalue()


def animated() -> bytes:
    frames = [Image.new("RGB", (20, 20), color) for color in ("lime", "red")]
    buffer = io.BytesIO()
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:], duration=50)
    return buffer.getvalue()


def grey_16() -> bytes:
    buffer = io.BytesIO()
    Image.new("I;16", (20, 20), 0x8000).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "data", "size", "where", "color"),
    [
        ("turned.jpg", turned(), (20, 40), (10, 35), (0, 0, 255)),
        ("animated.gif", animated(), (20, 20), (9, 9), (0, 255, 0)),
        ("grey.png", grey_16(), (20, 20), (9, 9), (128, 128, 128)),
        ("cmyk.jpg", picture(20, 20, "JPEG", "CMYK", color=(0, 255, 255, 0)), (20, 20), (9, 9), (255, 0, 0)),
        ("clear.png", picture(20, 20, "PNG", "RGBA", color=(0, 0, 0, 0)), (20, 20), (9, 9), (255, 255, 255)),
        ("palette.gif", picture(20, 20, "GIF", "P", color=0), (20, 20), (9, 9), (0, 0, 0)),
        ("grey.tiff", picture(20, 20, "TIFF", "L", color=200), (20, 20), (9, 9), (200, 200, 200)),
        ("one.webp", picture(20, 20, "WEBP", "RGBA", color=(0, 0, 255, 255)), (20, 20), (9, 9), (0, 0, 255)),
        ("one.avif", picture(20, 20, "AVIF"), (20, 20), (9, 9), (255, 0, 0)),
        ("one.bmp", picture(20, 20, "BMP"), (20, 20), (9, 9), (255, 0, 0)),
        ("one.ico", picture(32, 32, "ICO"), (32, 32), (9, 9), (255, 0, 0)),
        ("bits.png", picture(20, 20, "PNG", "1", color=1), (20, 20), (9, 9), (255, 255, 255)),
        ("lie.jpg", picture(20, 20, "PNG"), (20, 20), (9, 9), (255, 0, 0)),
    ],
)  # fmt: skip
def test_pictures_of_all_sorts(
    place: Any, name: str, data: bytes, size: tuple[int, int], where: tuple[int, int], color: tuple[int, int, int]
) -> None:  # fmt: skip
    file = place.file(name, data)
    image = seen(place.get(f"{file}/preview/jpg/40x40/x.jpg"))
    assert image.size == size
    assert near(image, where, color)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("text.png", b"not a picture"),
        ("empty.png", b""),
        ("cut.png", picture(500, 500)[:30]),
        ("bomb.png", png_bomb(60_000, 60_000)),
        ("tall.png", png_bomb(1, 2**31 - 1)),
        ("script.jpg", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\nshowpage\n"),
        ("page.gif", b"<html><script>alert(1)</script></html>"),
    ],
)  # fmt: skip
def test_pictures_that_are_none(place: Any, name: str, data: bytes) -> None:
    file = place.file(name, data)
    for _ in range(2):  # built, and known
        answer = place.get(f"{file}/preview/jpg/64x64/x.jpg")
        assert (answer.status, answer.code) == (400, 1013)
        assert "retry-after" not in answer.headers


@pytest.mark.parametrize(
    "size", [(4000, 3000), (3000, 4000), (4032, 3024), (4000, 2999), (1001, 997), (6000, 37), (37, 6000), (300, 300),
             (256, 300), (200, 100), (1, 900)],
)  # fmt: skip
@pytest.mark.parametrize("box", [(256, 256), (99, 999), (1, 1), (640, 480), (4096, 64)])
def test_a_jpeg_is_decoded_no_larger_than_it_need_be_and_drawn_in_the_size_that_pillow_chooses(
    tmp_path: Path, size: tuple[int, int], box: tuple[int, int]
) -> None:
    (tmp_path / "a.jpg").write_bytes(picture(*size, "JPEG"))
    pictures.thumbnail(str(tmp_path / "a.jpg"), str(tmp_path / "out"), *box, 10**9)
    whole = Image.new("1", size)
    whole.thumbnail(box, Image.Resampling.NEAREST)
    with Image.open(tmp_path / "out") as drawn:
        assert drawn.size == whole.size
    inner = pictures.fitted(size, box)
    assert all(ours - 1 <= drawn <= ours <= most or ours >= given for ours, drawn, most, given in zip(
        inner, whole.size, box, size, strict=True
    ))  # fmt: skip


def test_twelve_megapixels_are_decoded_at_an_eighth_and_look_like_all_of_them(tmp_path: Path) -> None:
    photograph = Image.effect_noise((100, 75), 60).resize((4000, 3000), Image.Resampling.BICUBIC).convert("RGB")
    photograph.paste("red", (400, 400, 1400, 1000))
    photograph.save(tmp_path / "a.jpg", quality=90)
    with Image.open(tmp_path / "a.jpg") as image:
        image.draft(None, tuple(int(side * pictures.GAP) for side in pictures.fitted(image.size, (256, 256))))
        assert image.size == (500, 375)
    pictures.thumbnail(str(tmp_path / "a.jpg"), str(tmp_path / "out"), 256, 256, 10**9)
    with Image.open(tmp_path / "out") as drawn:
        apart = ImageChops.difference(drawn, photograph.resize((256, 192), Image.Resampling.LANCZOS))
    assert max(ImageStat.Stat(apart).rms) < 8


def test_what_is_missing_of_a_cut_picture_is_left_out(place: Any) -> None:
    file = place.file("cut.jpg", picture(800, 800, "JPEG", quality=100)[:6000])
    assert seen(place.get(f"{file}/preview/jpg/64x64/x.jpg")).size == (64, 64)


def test_who_may_not_read_sees_nothing(client: Client, as_actor: Any, make_space: Any, send_file: Any) -> None:
    space = make_space()
    made = send_file(client, f"/api/workspaces/{space}/files", "red.png", picture()).json
    file = f"/api/workspaces/{space}/files/{made['content_id']}"
    paths = ("preview/jpg/x", "preview/jpg/9x9/x", "preview/jpg/allowed_dims", "preview_info", "preview/pdf/x",
             "preview/pdf/full/x", f"revisions/{made['current_revision_id']}/preview_info")  # fmt: skip
    assert client.get(f"{file}/preview/jpg/x").status == 200
    stranger = as_actor("eve")
    for path in paths:
        answer = stranger.get(f"{file}/{path}")
        assert (answer.status, answer.code) == (400, 1002), path
        assert Client(stranger.app).get(f"{file}/{path}").status == 401
    other = make_space("Beta")
    for path in paths:
        assert client.get(f"/api/workspaces/{other}/files/{made['content_id']}/{path}").code == 1003


def test_what_is_in_the_trash_is_seen_like_its_bytes(place: Any) -> None:
    file = place.file("gone.png", picture())
    content = file.replace("/files/", "/contents/")
    assert place.client.request("PUT", f"{content}/trashed").status == 204
    assert place.get(f"{file}/raw/x").status == 200
    seen(place.get(f"{file}/preview/jpg/64x64/x.jpg"))
    seen(place.get(f"{file}/preview/jpg/65x65/x.jpg"))


def test_revisions(place: Any) -> None:
    file = place.file("changing.png", picture(color="red"))
    first = place.get(file).json["current_revision_id"]
    changed = place.client.request(
        "PUT", f"{file}/raw/x.png", files={"files": ("x.png", picture(color="blue"), "image/png")}
    )
    assert changed.status == 204
    now = place.get(file).json["current_revision_id"]
    assert near(seen(place.get(f"{file}/preview/jpg/x")), (9, 9), (0, 0, 255))
    assert near(seen(place.get(f"{file}/revisions/{now}/preview/jpg/64x64/x")), (9, 9), (0, 0, 255))
    assert near(seen(place.get(f"{file}/revisions/{first}/preview/jpg/64x64/x")), (9, 9), (255, 0, 0))
    assert place.get(f"{file}/revisions/{first}/preview_info").json["revision_id"] == first
    other = place.file("other.png", picture())
    for path in ("preview/jpg/64x64/x", "preview_info", "preview/pdf/x", "preview/pdf/full/x"):
        wrong = place.get(f"{other}/revisions/{first}/{path}")
        assert (wrong.status, wrong.code) == (400, None)
        assert place.get(f"{other}/revisions/999999/{path}").code == 1003
        assert place.get(f"{other}/revisions/x/{path}").code == 2001


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="pictures rehearse where they can be forked")
def test_a_rehearsal_succeeds_and_leaves_nothing_open() -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    pictures.rehearse()
    assert len(list(Path("/proc/self/fd").iterdir())) == before


# -- photographs of phones -----------------------------------------------------------------------------------


def test_a_heic_is_upright(place: Any) -> None:
    """The sample is 48 x 64 and says that it is to be turned; then it is red above, and blue below."""
    file = place.file("IMG_0001.HEIC", (SAMPLES / "turned.heic").read_bytes())
    image = seen(place.get(f"{file}/preview/jpg/256x256/x.jpg"))
    assert image.size == (64, 48), "upright, and not enlarged"
    assert near(image, (32, 6), (255, 0, 0))
    assert near(image, (32, 42), (0, 0, 255))
    small = seen(place.get(f"{file}/preview/jpg/16x16/x.jpg"))
    assert small.size == (16, 12)
    info = place.get(f"{file}/preview_info").json
    assert (info["page_nb"], info["has_jpeg_preview"], info["has_pdf_preview"]) == (1, True, False)
    assert place.get(f"{file}/preview/pdf/full/x").code == 1011


def test_a_clear_heic_is_on_white(place: Any) -> None:
    file = place.file("clear.heif", (SAMPLES / "clear.heic").read_bytes())
    image = seen(place.get(f"{file}/preview/jpg/256x256/x.jpg"))
    assert near(image, (12, 24), (255, 0, 0))
    assert near(image, (52, 24), (255, 255, 255))


def test_a_heic_with_too_many_pixels(tmp_path: Path) -> None:
    sample, out = str(SAMPLES / "turned.heic"), tmp_path / "out"
    with pytest.raises(ValueError, match="64 x 48 pixels"):
        heif.draw(sample, str(out), 64 * 48 - 1)
    assert not out.exists()
    heif.draw(sample, str(out), 64 * 48)
    assert Image.open(out).size == (64, 48)


def test_pillow_stays_strict_for_others(tmp_path: Path) -> None:
    before = ImageFile.LOAD_TRUNCATED_IMAGES, Image.MAX_IMAGE_PIXELS
    assert before[0] is False
    assert before[1]
    (tmp_path / "cut.png").write_bytes(picture(200, 100)[:-20])
    pictures.thumbnail(str(tmp_path / "cut.png"), str(tmp_path / "out"), 16, 16, 10**6)
    with pytest.raises(ValueError, match="pixels"):
        pictures.thumbnail(str(tmp_path / "cut.png"), str(tmp_path / "out"), 16, 16, 10)
    assert before == (ImageFile.LOAD_TRUNCATED_IMAGES, Image.MAX_IMAGE_PIXELS)
