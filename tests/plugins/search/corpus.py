"""Files of every kind that is read, small and well-formed, and such as are made to do harm."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
import zlib

WORD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
S = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
A = "http://schemas.openxmlformats.org/drawingml/2006/main"
P = "http://schemas.openxmlformats.org/presentationml/2006/main"
O = "urn:oasis:names:tc:opendocument:xmlns:office:1.0"  # noqa: E741
T = "urn:oasis:names:tc:opendocument:xmlns:text:1.0"
CORE = (
    f'{WORD}<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties"'
    ' xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>Wintertitel</dc:title><dc:creator>Ada</dc:creator>'
    "</cp:coreProperties>"
)


def zipped(members, compression=zipfile.ZIP_DEFLATED):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data, compression)  # of a fixed date: the same bytes each time
    return buffer.getvalue()


def docx(**more):
    body = (
        f'{WORD}<w:document xmlns:w="{W}"><w:body><w:p><w:r><w:t>Quarterly re</w:t></w:r><w:r><w:t>port</w:t></w:r>'
        f"</w:p><w:p><w:r><w:t>Zweiter Absatz über Größen</w:t><w:tab/><w:t>rechts</w:t></w:r></w:p>"
        f"<w:p><w:r><w:instrText>HIDDENFIELD</w:instrText></w:r></w:p></w:body></w:document>"
    )
    footer = f'{WORD}<w:ftr xmlns:w="{W}"><w:p><w:r><w:t>Seitenfuß</w:t></w:r></w:p></w:ftr>'
    return zipped({
        "[Content_Types].xml": "<Types/>", "word/document.xml": body, "word/footer1.xml": footer,
        "docProps/core.xml": CORE, **more,
    })  # fmt: skip


def xlsx():
    shared = f'{WORD}<sst xmlns="{S}"><si><t>Umsatz</t></si><si><r><t>Nord</t></r><r><t>west</t></r></si></sst>'
    sheet = (
        f'{WORD}<worksheet xmlns="{S}"><sheetData><row><c t="s"><v>77</v></c><c><v>4711.5</v></c>'
        '<c t="inlineStr"><is><t>Eingebettet</t></is></c></row></sheetData></worksheet>'
    )
    book = f'{WORD}<workbook xmlns="{S}"><sheets><sheet name="Bilanz 2026" sheetId="1"/></sheets></workbook>'
    return zipped({
        "[Content_Types].xml": "<Types/>", "xl/workbook.xml": book, "xl/sharedStrings.xml": shared,
        "xl/worksheets/sheet1.xml": sheet,
    })  # fmt: skip


def pptx():
    def slide(text):
        return (
            f'{WORD}<p:sld xmlns:p="{P}" xmlns:a="{A}"><p:txBody><a:p><a:r><a:t>{text}</a:t></a:r></a:p></p:txBody>'
            "</p:sld>"
        )

    return zipped({
        "[Content_Types].xml": "<Types/>", "ppt/presentation.xml": "<p/>", "ppt/slides/slide10.xml": slide("Zehnte"),
        "ppt/slides/slide2.xml": slide("Zweite"), "ppt/notesSlides/notesSlide1.xml": slide("Sprechzettel"),
    })  # fmt: skip


def open_document(kind="text"):
    content = (
        f'{WORD}<office:document-content xmlns:office="{O}" xmlns:text="{T}"><office:automatic-styles>unseen'
        "</office:automatic-styles><office:body><office:text><text:h>Kapitel eins</text:h><text:p>Fluss<text:s/>"
        "ufer <text:span>gras</text:span>grün</text:p></office:text></office:body></office:document-content>"
    )
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("mimetype", f"application/vnd.oasis.opendocument.{kind}")
        archive.writestr("content.xml", content)
    return buffer.getvalue()


def epub():
    page = "<html><body><p>Es war ein<b>mal</b></p><script>no()</script></body></html>"
    return zipped({"mimetype": "application/epub+zip", "OEBPS/c1.xhtml": page, "META-INF/container.xml": "<c/>"})


def pdf(pages=("Hello from a PDF",), *, password=None, compress=True):
    """Write a PDF by hand: one font, one line a page."""
    objects = ["<< /Type /Catalog /Pages 2 0 R >>", None, "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"]
    kids = []
    for text in pages:
        drawn = f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET".encode("latin-1")
        data = zlib.compress(drawn) if compress else drawn
        filtered = "/Filter /FlateDecode " if compress else ""
        objects.append((f"<< {filtered}/Length {len(data)} >>", data))
        kids.append(len(objects) + 1)
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents {len(objects)} 0 R "
            "/Resources << /Font << /F1 3 0 R >> >> >>"
        )
    objects[1] = f"<< /Type /Pages /Kids [{' '.join(f'{k} 0 R' for k in kids)}] /Count {len(kids)} >>"
    whole = assembled(objects)
    if password is None:
        return whole
    import pypdf

    writer = pypdf.PdfWriter(clone_from=io.BytesIO(whole))
    writer.encrypt(password, algorithm="RC4-128")
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


def assembled(objects):
    out = io.BytesIO(b"")
    out.write(b"%PDF-1.4\n")
    places = []
    for number, body in enumerate(objects, 1):
        places.append(out.tell())
        out.write(f"{number} 0 obj\n".encode())
        if isinstance(body, tuple):
            out.write(body[0].encode() + b"\nstream\n" + body[1] + b"\nendstream")
        else:
            out.write(body.encode())
        out.write(b"\nendobj\n")
    start = out.tell()
    out.write(f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode())
    for place in places:
        out.write(f"{place:010d} 00000 n \n".encode())
    out.write(f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n".encode())
    return out.getvalue()


def mail():
    return (
        b"From: =?utf-8?q?J=C3=BCrgen?= <j@example.org>\r\nTo: ada@example.org\r\nSubject: =?utf-8?b?w4RyZ2VyIGltIEJ1ZXJv?=\r\n"
        b'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\nContent-Type: text/plain; '
        b"charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nDie Kaffeemaschine l=C3=A4uft aus.\r\n--b\r\n"
        b"Content-Type: text/html\r\n\r\n<p>Auch <b>hier</b></p><style>p{}</style>\r\n--b\r\nContent-Type: application/pdf; "
        b'name="rechnung.pdf"\r\nContent-Disposition: attachment; filename="rechnung.pdf"\r\n\r\nSECRETBYTES\r\n--b--\r\n'
    )


def tar(mode="w"):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:
        for name in ("plans/bridge.dwg", "plans/köln.txt"):
            info = tarfile.TarInfo(name)
            info.size = 5
            archive.addfile(info, io.BytesIO(b"inner"))
    return buffer.getvalue()


RTF = (
    rb"{\rtf1\ansi\ansicpg1252\deff0{\fonttbl{\f0 Arial;}}{\*\generator Unseen;}\f0 Caf\'e9 und \u1046\'3f"
    rb"\uc0\u26085 \par {\b fett}druck \{x\}}"
)
HTML = (
    b"<!doctype html><html><head><meta charset='iso-8859-1'><title>Titel</title><style>p{color:red}</style></head><body>"
    b"<p>Gr\xfc\xdfe an <b>al</b>le</p><script>var unseen = 1;</script><p>zwei&amp;drei</p></body></html>"
)

GOOD = {
    "note.txt": ("text/plain", "Straße und Wald".encode(), ["Straße und Wald"], []),
    "old.txt": ("text/plain", "Straße".encode("windows-1252"), ["Straße"], []),
    "wide.txt": ("text/plain", "Straße im Wald".encode("utf-16"), ["Straße im Wald"], []),
    "wide-bare.txt": ("text/plain", ("Straße im Wald " * 9).encode("utf-16-le"), ["Straße im Wald"], []),
    "read.md": ("text/markdown", b"# Titel\n\n*betont*", ["Titel", "betont"], []),
    "table.csv": ("text/csv", b"name;ort\nAda;London\n", ["Ada;London"], []),
    "page.html": ("text/html", HTML, ["Titel", "Grüße an alle", "zwei&drei"], ["unseen", "color"]),
    "drawing.svg": ("image/svg+xml", b"<svg><text>Beschriftung</text></svg>", ["Beschriftung"], ["svg"]),
    "report.docx": (
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document", docx(),
        ["Quarterly report", "über Größen", "Seitenfuß", "Wintertitel", "Ada"], ["HIDDENFIELD", "Types"],
    ),
    "macros.docm": (
        "application/vnd.ms-word.document.macroenabled.12", docx(**{"word/vbaProject.bin": b"\xd0\xcf\x11\xe0 Shell"}),
        ["Quarterly report"], ["Shell"],
    ),
    "book.xlsx": (
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", xlsx(),
        ["Bilanz 2026", "Umsatz", "Nordwest", "4711.5", "Eingebettet"], ["77"],
    ),
    "talk.pptx": (
        "application/vnd.openxmlformats-officedocument.presentationml.presentation", pptx(),
        ["Zweite\n\nZehnte", "Sprechzettel"], [],
    ),
    "letter.odt": (
        "application/vnd.oasis.opendocument.text", open_document(), ["Kapitel eins\n", "Fluss ufer grasgrün"], ["unseen"],
    ),
    "sheet.ods": ("application/vnd.oasis.opendocument.spreadsheet", open_document("spreadsheet"), ["Kapitel"], []),
    "talk.odp": ("application/vnd.oasis.opendocument.presentation", open_document("presentation"), ["Kapitel"], []),
    "tale.epub": ("application/epub+zip", epub(), ["Es war einmal"], ["no()"]),
    "paper.pdf": ("application/pdf", pdf(("Hello from a PDF", "second page")), ["Hello from a PDF", "second page"], []),
    "letter.rtf": ("application/rtf", RTF, ["Café und Ж日", "fettdruck {x}"], ["Arial", "Unseen"]),
    "post.eml": (
        "message/rfc822", mail(),
        ["Ärger im Buero", "Jürgen", "Kaffeemaschine läuft aus", "Auch hier", "rechnung.pdf"], ["SECRETBYTES", "p{}"],
    ),
    "plans.zip": ("application/zip", zipped({"plans/bridge.dwg": b"inner", "köln.txt": b"x"}), ["plans/bridge.dwg", "köln.txt"], ["inner"]),
    "plans.tar": ("application/x-tar", tar(), ["plans/bridge.dwg", "köln.txt"], ["inner"]),
    "plans.tar.gz": ("application/gzip", tar("w:gz"), ["plans/bridge.dwg"], ["inner"]),
    "plans.tar.bz2": ("application/x-bzip2", tar("w:bz2"), ["plans/bridge.dwg"], ["inner"]),
    "plans.tar.xz": ("application/x-xz", tar("w:xz"), ["plans/bridge.dwg"], ["inner"]),
    "lie.png": ("image/png", pdf(("Not a picture",)), ["Not a picture"], []),
    "lie.pdf": ("application/pdf", b"<html><p>Not a paper</p></html>", ["Not a paper"], ["html"]),
    "lie.docx": ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", b"plain words", ["plain words"], []),
    "nothing-said": ("application/octet-stream", b"plain words too", ["plain words too"], []),
}  # fmt: skip
"""Name: media type, bytes, what must be in the text, what must not."""

LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE w:document [<!ENTITY a "ha">'
    + "".join(f'<!ENTITY {chr(98 + i)} "{f"&{chr(97 + i)};" * 20}">' for i in range(12))
    + f']><w:document xmlns:w="{W}"><w:body><w:p><w:r><w:t>&m;</w:t></w:r></w:p></w:body></w:document>'
)
OUTSIDE = (
    '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY file SYSTEM "file:///etc/passwd">]>'
    f'<w:document xmlns:w="{W}"><w:body><w:p><w:r><w:t>&file;</w:t></w:r></w:p></w:body></w:document>'
)


def bomb(size, name="word/document.xml"):
    """Make a document whose text unpacks to a lot."""
    start = f'{WORD}<w:document xmlns:w="{W}"><w:body><w:p><w:r><w:instrText>'.encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        with archive.open(name, "w") as member:
            member.write(start)
            block = b" " * (1 << 20)
            for _ in range(size >> 20):
                member.write(block)
    return buffer.getvalue()


def nested(depth=20):
    data = b"core"
    for level in range(depth):
        data = zipped({f"level-{level}.zip": data, "again.zip": data})
        if len(data) > 1 << 20:
            break
    return data


def looping_pdf():
    """Make a PDF whose tree of pages bites its own tail, and whose contents name themselves."""
    return assembled([
        "<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [3 0 R 2 0 R] /Count 2 >>",
        "<< /Type /Pages /Kids [2 0 R 4 0 R] /Count 2 /Parent 2 0 R >>",
        "<< /Type /Page /Parent 3 0 R /Contents [4 0 R 5 0 R] /Resources 4 0 R /MediaBox [0 0 9 9] >>",
        ("<< /Length 6 0 R >>", b"BT (round) Tj ET"), "6 0 R",
    ])  # fmt: skip


def bomb_pdf(size):
    """Make a PDF whose page unpacks to a lot, packed twice."""
    packer = zlib.compressobj(9)
    data = b"".join([*(packer.compress(b" " * (1 << 20)) for _ in range(size >> 20)), packer.flush()])
    data = zlib.compress(data, 9)
    return assembled([
        "<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [4 0 R] /Count 1 >>", "<< >>",
        "<< /Type /Page /Parent 2 0 R /Contents 5 0 R /MediaBox [0 0 9 9] /Resources << >> >>",
        (f"<< /Filter [/FlateDecode /FlateDecode] /Length {len(data)} >>", data),
    ])  # fmt: skip


WORD_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
HOSTILE = {
    "bomb.docx": (WORD_TYPE, lambda: bomb(256 << 20)),
    "laughs.docx": (WORD_TYPE, lambda: docx(**{"word/document.xml": LAUGHS})),
    "outside.docx": (WORD_TYPE, lambda: zipped({"[Content_Types].xml": "<T/>", "word/document.xml": OUTSIDE})),
    "cut.docx": (WORD_TYPE, lambda: docx()[:500]),
    "noise.docx": (WORD_TYPE, lambda: b"PK\x03\x04" + bytes(range(256)) * 40),
    "cut.pdf": ("application/pdf", lambda: pdf()[:60]),
    "secret.pdf": ("application/pdf", lambda: pdf(password="x")),
    "loop.pdf": ("application/pdf", looping_pdf),
    "bomb.pdf": ("application/pdf", lambda: bomb_pdf(128 << 20)),
    "bomb.gz": ("application/gzip", lambda: gzip.compress(bytes(64 << 20))),
    "bomb.xz": ("application/x-xz", lambda: lzma.compress(bytes(64 << 20))),
    "cut.tar.gz": ("application/gzip", lambda: tar("w:gz")[:40]),
    "noise.bz2": ("application/x-bzip2", lambda: bz2.compress(b"x" * 5000)),
    "picture.png": ("image/png", lambda: b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20),
    "noise.txt": ("text/plain", lambda: bytes(range(256)) * 40),
}
"""Files that must neither do harm nor give a text; name: media type and what makes the bytes."""


def deep_xml(depth=200_000):
    text = (
        f'{WORD}<w:document xmlns:w="{W}">'
        + "<w:x>" * depth
        + "<w:t>bottom</w:t>"
        + "</w:x>" * depth
        + "</w:document>"
    )
    return zipped({"[Content_Types].xml": "<T/>", "word/document.xml": text})
