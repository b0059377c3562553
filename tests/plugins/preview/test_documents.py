"""Previews of PDF files, texts, tables, drawings and notes."""

from __future__ import annotations

import base64
import io
import json
from typing import Any

import pytest
from pypdf import PdfReader

from .files import SAMPLES, near, pdf, picture, seen

pytestmark = pytest.mark.any_engine


def text_of(answer: Any) -> list[str]:
    """Return the text of each page of an answer."""
    assert answer.status == 200, answer.body
    assert answer.headers["content-type"] == "application/pdf"
    return [page.extract_text() for page in PdfReader(io.BytesIO(answer.body)).pages]


def test_a_pdf(place: Any) -> None:
    data = pdf(3)
    file = place.file("three.pdf", data)
    assert place.get(f"{file}/preview_info").json["page_nb"] == 3
    assert place.get(f"{file}/preview_info").json["has_pdf_preview"] is True
    assert seen(place.get(f"{file}/preview/jpg/100x100/x", page=3)).size == (100, 50)
    assert seen(place.get(f"{file}/preview/jpg/1000x100/x")).size == (200, 100), "pages fill the box"
    whole = place.get(f"{file}/preview/pdf/full/")
    assert whole.body == data
    assert whole.headers["content-disposition"].endswith("three.pdf;")
    assert "content-security-policy" not in whole.headers
    page = place.get(f"{file}/preview/pdf/", page=2)
    assert len(text_of(page)) == 1
    assert page.headers["content-disposition"].endswith("three_page_2.pdf;")
    for path in ("jpg/100x100/x", "jpg/x", "pdf/x"):
        for number in (4, 2**31 - 1):
            assert place.get(f"{file}/preview/{path}", page=number).code == 1012
        assert place.get(f"{file}/preview/{path}", page=0).code == 2001
    shown = place.get(file).json["current_revision_id"]
    old = f"{file}/revisions/{shown}/preview/pdf"
    assert place.get(f"{old}/full/").headers["content-disposition"].endswith(f"three_r{shown}.pdf;")
    assert place.get(f"{old}/", page=2).headers["content-disposition"].endswith(f"three_r{shown}_page_2.pdf;")


def test_a_pdf_that_only_its_owner_may_change_is_read(place: Any) -> None:
    from pypdf import PdfWriter

    writer = PdfWriter(clone_from=io.BytesIO(pdf(1)))
    writer.encrypt("", owner_password="secret", algorithm="RC4-128")
    buffer = io.BytesIO()
    writer.write(buffer)
    file = place.file("owner.pdf", buffer.getvalue())
    assert seen(place.get(f"{file}/preview/jpg/50x50/x")).size == (50, 25)


def loop_of_pages() -> bytes:
    """Return a PDF whose tree of pages bites its tail."""
    return (
        b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
        b"2 0 obj<</Type/Pages/Kids[2 0 R]/Count 1000000>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF"
    )


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("text.pdf", b"no PDF at all"),
        ("cut.pdf", pdf(3)[:200]),
        ("locked.pdf", pdf(1, password="secret")),
        ("picture.pdf", picture()),
        ("page.pdf", b"<html><script>alert(1)</script></html>"),
        ("zeroes.txt", b"\0" * 5000),
        ("other.svg", b"<svg"),
        ("none.svg", b"<html/>"),
        ("entity.svg", b'<!DOCTYPE svg [<!ENTITY a "aaaa">]><svg xmlns="http://www.w3.org/2000/svg">&a;</svg>'),
        ("narrow.svg", b'<svg xmlns="http://www.w3.org/2000/svg" width="1" height="99999"/>'),
        ("cut.heic", (SAMPLES / "turned.heic").read_bytes()[:400]),
        ("other.heic", picture(form="JPEG")),
        ("sound.mp3", b"ID3"),
        ("unknown.xyz1", b"\1\2\3\xff\xfe\0"),
        ("empty.txt", b""),
    ],
)  # fmt: skip
def test_what_cannot_be_read(place: Any, name: str, data: bytes) -> None:
    file = place.file(name, data)
    for path in ("jpg/x", "jpg/64x64/x"):
        answer = place.get(f"{file}/preview/{path}")
        assert (answer.status, answer.code) == (400, 1013)
    answer = place.get(f"{file}/preview/pdf/full/x")
    assert answer.code in (1011, 1013)
    assert answer.status == 400
    info = place.get(f"{file}/preview_info")
    assert info.status == 200
    if not name.endswith((".svg", ".mp3", ".heic")):
        assert (info.json["page_nb"], info.json["has_pdf_preview"]) == (None, False)
        assert info.json["has_jpeg_preview"] is False


@pytest.mark.parametrize("data", [loop_of_pages(), pdf(1, (1e-3, 14000)), pdf(1, (200000, 200000))])
def test_a_strange_pdf_hurts_nobody(place: Any, data: bytes) -> None:
    file = place.file("strange.pdf", data)
    for path in ("preview/jpg/4096x4096/x", "preview/pdf/x", "preview/pdf/full/x", "preview_info"):
        answer = place.get(f"{file}/{path}")
        assert answer.status == 200 or (answer.status == 400 and answer.code in (1012, 1013)), path


def test_a_text_of_any_script(place: Any) -> None:
    line = "Grüße, Привет, Ελλάδα, naïve œuvre, € 5 \t│ x = λ → y\n"
    file = place.file("words.txt", (line + "line\n" * 200).encode())
    pages = text_of(place.get(f"{file}/preview/pdf/full/x"))
    for word in ("Grüße", "Привет", "Ελλάδα", "œuvre", "€", "λ"):
        assert word in pages[0]
    assert len(pages) == place.get(f"{file}/preview_info").json["page_nb"] == 3
    assert len(text_of(place.get(f"{file}/preview/pdf/x", page=3))) == 1
    assert place.get(f"{file}/preview/jpg/x", page=4).code == 1012
    image = seen(place.get(f"{file}/preview/jpg/300x300/x"))
    assert image.size in ((212, 300), (213, 300))
    assert place.get(f"{file}/preview/jpg/300x300/").headers["content-disposition"].endswith("_300x300.jpg;")


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("code.py", b"def f(x):\n    return x  # \xc3\xa9\n", "def f(x):"),
        ("latin.txt", "Müller & Söhne".encode("cp1252"), "Müller & Söhne"),
        ("wide.txt", "Wörter".encode("utf-16"), "Wörter"),
        ("data.json", b'{"a": [1, 2]}', '{"a": [1, 2]}'),
        ("notes.md", b"# Title\n*text*", "# Title"),
        ("table.csv", b"name;age\nAnn;12\nBob;\"1;3\"\n", "Bob"),
        ("page.html", b"<title>t</title><h1>Head</h1><script>evil()</script><p>a &amp; b</p>", "a & b"),
        ("controls.txt", b"a\x1b[31mb\x08c\rd", "a[31mbc"),
        ("long.txt", b"x" * 500, "x" * 90),
    ],
)  # fmt: skip
def test_texts_of_all_sorts(place: Any, name: str, data: bytes, words: str) -> None:
    file = place.file(name, data)
    pages = text_of(place.get(f"{file}/preview/pdf/full/x"))
    assert words in pages[0]
    assert "evil" not in pages[0]


def test_an_endless_text_is_cut(place_with: Any) -> None:
    place = place_with(preview__max_pages=3)
    file = place.file("endless.txt", b"line\n" * 100_000)
    assert place.get(f"{file}/preview_info").json["page_nb"] == 3
    file = place.file("deep.html", b"<div><b>" * 50_000 + b"x <p>" * 5000)
    assert place.get(f"{file}/preview_info").json["page_nb"] == 3


def svg(inside: str, more: str = "") -> bytes:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'xmlns:x="http://www.w3.org/1999/xlink" width="200" height="100" {more}>{inside}</svg>'
    ).encode()


def test_a_drawing(place: Any) -> None:
    file = place.file("box.svg", svg('<rect width="100" height="100" fill="blue"/><script>x</script>'))
    image = seen(place.get(f"{file}/preview/jpg/100x100/x"))
    assert image.size == (100, 50)
    assert near(image, (25, 25), (0, 0, 255))
    assert near(image, (75, 25), (255, 255, 255))
    assert place.get(f"{file}/preview/pdf/full/x").code == 1011


def test_a_drawing_loads_nothing(place: Any, tmp_path: Any) -> None:
    outside = tmp_path / "secret.png"
    outside.write_bytes(picture(10, 10, color="red"))
    inside = base64.b64encode(picture(10, 10, color="lime")).decode()
    nested = base64.b64encode(svg(f'<image href="{outside}" width="200" height="100"/>')).decode()
    quoted = ('"{}"', "'{}'", "\n '{}'", "'{}'\n", "'  {}'")
    links = [f"{link}={form}" for link in ("href", "xlink:href", "x:href", "href ", "HREF") for form in quoted]
    addresses = (
        str(outside),
        f"file://{outside}",
        "http://127.0.0.1:1/x.png",
        f"{outside}#x",
        f"{outside}?a=&quot;",
    )
    images = [f'<image {link.format(where)} width="100" height="100"/>' for link in links for where in addresses]
    images += [
        f'<image href="data:image/svg+xml;base64,{nested}" width="100" height="100"/>',
        f"<image href='{outside}\"' width='100' height='100'/>",
        f'<image href="&#47;{str(outside)[1:]}" width="100" height="100"/>',
        f'<image href="data:image/png;base64,{inside}" x="100" width="100" height="100"/>',
    ]
    image = seen(place.get(f"{place.file('links.svg', svg(''.join(images)))}/preview/jpg/100x100/x"))
    assert near(image, (25, 25), (255, 255, 255)), "outside"
    assert near(image, (75, 25), (0, 255, 0)), "inside"


def test_what_is_skipped(place_with: Any) -> None:
    place = place_with(preview__skiplist=[".svg", ".txt"])
    for name, data in (("box.svg", svg("")), ("x.TXT", b"text")):
        file = place.file(name, data)
        assert place.get(f"{file}/preview/jpg/x").code == 1013
        assert place.get(f"{file}/preview_info").json["has_jpeg_preview"] is False


def test_a_note_and_its_revisions(place: Any) -> None:
    client = place.client
    made = client.post(f"{place.space}/contents", {"label": "Nöte & co", "content_type": "html-document"}).json
    note = f"{place.space}/html-documents/{made['content_id']}"
    body = (
        '<h2>Ziel</h2><p>Grüße <b>fett</b> <img src="http://127.0.0.1:1/x" alt="Bild"></p><ol><li>eins</li></ol>'
    )
    first = client.put(note, {"raw_content": body}).json["current_revision_id"]
    second = client.put(note, {"raw_content": "<p>anders</p>"}).json["current_revision_id"]
    html = place.get(f"{note}/preview/html/")
    assert html.body == b"<p>anders</p>"
    assert html.headers["content-type"].startswith("text/plain")
    assert html.headers["content-security-policy"].startswith("sandbox")
    whole = place.get(f"{note}/preview/pdf/full/")
    assert "anders" in text_of(whole)[0]
    assert whole.headers["content-disposition"].endswith("N%C3%B6te%20%26%20co.pdf;")
    old = place.get(f"{note}/revisions/{first}/preview/pdf/full/raw")
    found = text_of(old)[0]
    for word in ("Nöte & co", "Ziel", "Grüße", "fett", "[Bild]", "1.", "eins"):
        assert word in found
    assert old.headers["content-disposition"].endswith(f"N%C3%B6te%20%26%20co_r{first}.pdf;")
    other = client.post(f"{place.space}/contents", {"label": "Other", "content_type": "html-document"}).json
    wrong = place.get(f"{place.space}/html-documents/{other['content_id']}/revisions/{second}/preview/pdf/full/x")
    assert (wrong.status, wrong.code) == (400, None)


def test_a_thread_begins_with_its_first_comment(place: Any) -> None:
    client = place.client
    made = client.post(f"{place.space}/contents", {"label": "Talk", "content_type": "thread"}).json
    thread = f"{place.space}/threads/{made['content_id']}"
    assert place.get(f"{thread}/preview/html/x").code == 1013
    comments = f"{place.space}/contents/{made['content_id']}/comments"
    ids = [client.post(comments, {"raw_content": f"<p>{n}</p>"}).json["content_id"] for n in range(3)]
    answer = place.get(f"{thread}/preview/html/")
    assert answer.body == b"<p>0</p>"
    assert answer.headers["content-disposition"].endswith("Talk.html;")
    assert client.request("DELETE", f"{comments}/{ids[0]}").status == 204
    assert place.get(f"{thread}/preview/html/x").body == b"<p>1</p>"


def test_boards_have_none(place: Any) -> None:
    made = place.client.post(f"{place.space}/contents", {"label": "Board", "content_type": "kanban"}).json
    file = f"{place.space}/files/{made['content_id']}"
    place.client.request(
        "PUT",
        f"{file}/raw/x",
        files={"files": ("board.kanban", json.dumps({"a": 1}).encode(), "application/json")},
    )
    assert place.get(f"{file}/preview/jpg/x").code == 1013
    assert place.get(f"{file}/preview_info").json["has_jpeg_preview"] is False
