"""LibreOffice and ffmpeg themselves, on files that they have made and on files that want more than a preview."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from .files import near, picture, seen

pytestmark = [pytest.mark.services, pytest.mark.timeout(400)]
WORDS = "Quarterly figures of the observatory"
SLIDES = """<?xml version="1.0" encoding="UTF-8"?>
<office:document xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
 xmlns:draw="urn:oasis:names:tc:opendocument:xmlns:drawing:1.0"
 xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"
 xmlns:svg="urn:oasis:names:tc:opendocument:xmlns:svg-compatible:1.0" office:version="1.3"
 office:mimetype="application/vnd.oasis.opendocument.presentation"><office:body><office:presentation>{pages}
</office:presentation></office:body></office:document>"""
SLIDE = (
    '<draw:page draw:name="p{n}"><draw:frame svg:width="20cm" svg:height="3cm" svg:x="2cm" svg:y="2cm">'
    "<draw:text-box><text:p>{words}</text:p></draw:text-box></draw:frame></draw:page>"
)
LINKED = """<?xml version="1.0" encoding="UTF-8"?>
<office:document xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
 xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" xmlns:xlink="http://www.w3.org/1999/xlink"
 xmlns:draw="urn:oasis:names:tc:opendocument:xmlns:drawing:1.0"
 xmlns:svg="urn:oasis:names:tc:opendocument:xmlns:svg-compatible:1.0"
 office:version="1.3" office:mimetype="application/vnd.oasis.opendocument.text"><office:body><office:text>
<text:p>{words}<draw:frame svg:width="8cm" svg:height="8cm" text:anchor-type="as-char"><draw:image
 xlink:href="file://{picture}" xlink:type="simple"/></draw:frame></text:p></office:text></office:body>
</office:document>"""


def program(name: str) -> str:
    """Return the path of a program; where CI is set it must be there."""
    found = shutil.which(name)
    if found is None:
        assert not os.environ.get("CI"), f"{name} is missing"
        pytest.skip(f"{name} is not installed")
    return found


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, bytes, str], bytes]:
    """`office("a.txt", data, "docx")`: a file in another format, by LibreOffice without any confinement."""
    soffice = program("soffice")
    folder = tmp_path_factory.mktemp("office")

    def convert(name: str, data: bytes, form: str) -> bytes:
        (folder / name).write_bytes(data)
        subprocess.run(
            [soffice, f"-env:UserInstallation=file://{folder}/profile", "--headless", "--convert-to", form,
             "--outdir", str(folder / form), str(folder / name)],
            check=True, capture_output=True, timeout=120,
        )  # fmt: skip
        return (folder / form / name).with_suffix(f".{form}").read_bytes()

    return convert


def pages(answer: Any) -> list[str]:
    """Return the text of each page of a PDF."""
    assert answer.status == 200, answer.body
    return [page.extract_text() for page in PdfReader(io.BytesIO(answer.body)).pages]


@pytest.mark.parametrize("form", ["docx", "odt", "doc", "rtf"])
def test_texts(place: Any, office: Any, form: str) -> None:
    file = place.file(f"letter.{form}", office("letter.txt", f"{WORDS}\n".encode(), form))
    (text,) = pages(place.get(f"{file}/preview/pdf/full/x"))
    assert WORDS in text
    assert place.get(f"{file}/preview_info").json["page_nb"] == 1
    page = seen(place.get(f"{file}/preview/jpg/512x512/x"))
    assert page.height == 512
    assert page.convert("L").getextrema()[0] < 100, "there is something on it"


@pytest.mark.parametrize("form", ["xlsx", "ods", "xls"])
def test_tables(place: Any, office: Any, form: str) -> None:
    file = place.file(f"table.{form}", office("table.csv", b"year,sum\n2026,1234\n", form))
    text = " ".join(pages(place.get(f"{file}/preview/pdf/full/x")))
    assert "1234" in text
    assert "year" in text


@pytest.mark.parametrize("form", ["pptx", "odp", "fodp"])
def test_slides(place: Any, office: Any, form: str) -> None:
    slides = SLIDES.format(pages="".join(SLIDE.format(n=n, words=f"{WORDS} {n}") for n in (1, 2))).encode()
    file = place.file(f"talk.{form}", slides if form == "fodp" else office("talk.fodp", slides, form))
    found = pages(place.get(f"{file}/preview/pdf/full/x"))
    assert [f"{WORDS} {n}" in text for n, text in enumerate(found, 1)] == [True, True]
    assert seen(place.get(f"{file}/preview/jpg/256x256/x", page=2)).width == 256
    assert place.get(f"{file}/preview/jpg/256x256/x", page=3).code == 1012


def test_a_document_shows_no_file_of_the_server(place: Any, office: Any, tmp_path: Path) -> None:
    """LibreOffice alone draws it, so the test proves something."""
    secret = tmp_path / "secret.png"
    secret.write_bytes(picture(300, 300))
    linked = LINKED.format(words=WORDS, picture=secret).encode()
    (alone,) = PdfReader(io.BytesIO(office("linked.fodt", linked, "pdf"))).pages
    assert len(alone.images) == 1
    file = place.file("linked.fodt", linked)
    answer = place.get(f"{file}/preview/pdf/full/x")
    (text,) = pages(answer)
    assert WORDS in text
    assert not PdfReader(io.BytesIO(answer.body)).pages[0].images


def test_what_is_no_document(place: Any, office: Any) -> None:
    for name, data in (("a.docx", b"PK\3\4" + b"\0" * 400), ("c.pptx", b"")):
        file = place.file(name, data)
        assert place.get(f"{file}/preview/pdf/full/x").code == 1013, name
        assert place.get(f"{file}/preview_info").status == 200
    picture_in_disguise = place.file("b.xlsx", picture())
    assert place.get(f"{picture_in_disguise}/preview/pdf/full/x").body.startswith(b"%PDF"), (
        "it is shown as what it is"
    )


# -- films and sounds ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., bytes]:
    """`film("a.mp4", "-f", "lavfi", …)`: what ffmpeg writes with these words."""
    ffmpeg = program("ffmpeg")
    folder = tmp_path_factory.mktemp("films")

    def make(name: str, *words: str | Path) -> bytes:
        subprocess.run(
            [ffmpeg, "-v", "error", "-y", *words, folder / name], check=True, stdin=subprocess.DEVNULL, timeout=120
        )  # fmt: skip
        return (folder / name).read_bytes()

    return make


@pytest.mark.parametrize("name", ["film.mp4", "film.webm", "film.avi", "film.mkv"])
def test_a_frame_of_a_film(place: Any, film: Any, name: str) -> None:
    file = place.file(name, film(name, "-f", "lavfi", "-i", "color=blue:s=160x80:d=1"), f"video/{name[5:]}")
    image = seen(place.get(f"{file}/preview/jpg/80x80/x"))
    assert image.size == (80, 40)
    assert near(image, (40, 20), (0, 0, 255))
    assert place.get(f"{file}/preview/pdf/x").code == 1011


def test_the_cover_of_a_sound(place: Any, film: Any, tmp_path: Path) -> None:
    cover = tmp_path / "cover.png"
    cover.write_bytes(picture(100, 100))
    tone = ("-f", "lavfi", "-i", "sine=frequency=440:duration=1")
    with_cover = film("song.mp3", *tone, "-i", cover, "-map", "0", "-map", "1", "-c:v", "copy")
    file = place.file("song.mp3", with_cover, "audio/mpeg")
    image = seen(place.get(f"{file}/preview/jpg/64x64/x"))
    assert near(image, (32, 32), (255, 0, 0))
    bare = place.file("bare.mp3", film("bare.mp3", *tone), "audio/mpeg")
    assert place.get(f"{bare}/preview/jpg/64x64/x").code == 1013


def test_a_playlist_opens_nothing(place: Any, film: Any, tmp_path: Path) -> None:
    secret = tmp_path / "a.mp4"
    secret.write_bytes(film("film.mp4", "-f", "lavfi", "-i", "color=blue:s=160x80:d=1"))
    for name, data in (
        ("list.mp4", f"ffconcat version 1.0\nfile '{secret}'\n"),
        ("list.m3u8", f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{secret}\n#EXT-X-ENDLIST\n"),
    ):
        file = place.file(name, data.encode(), "video/mp4")
        assert place.get(f"{file}/preview/jpg/80x80/x").code == 1013, name
