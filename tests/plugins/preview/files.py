"""Files that tests make themselves: good ones, and those that hurt."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any

from PIL import Image

from atrio.kernel.testing.client import Answer, Client

SAMPLES = Path(__file__).with_name("samples")
"""Pictures that no library of the tests can write."""


def send(client: Client, path: str, name: str, data: bytes, media: str) -> dict[str, Any]:
    """Upload a file."""
    made = client.request("POST", path, files={"files": (name, data, media)})
    assert made.status == 200, made.body
    return dict(made.json)


def picture(width: int = 80, height: int = 40, form: str = "PNG", mode: str = "RGB", **options: Any) -> bytes:
    """Return a picture of one colour."""
    buffer = io.BytesIO()
    Image.new(mode, (width, height), options.pop("color", "red")).save(buffer, form, **options)
    return buffer.getvalue()


def seen(answer: Answer) -> Image.Image:
    """Return the picture of an answer."""
    assert answer.status == 200, answer.body
    assert answer.headers["content-type"] == "image/jpeg"
    image = Image.open(io.BytesIO(answer.body))
    assert image.format == "JPEG"
    image.load()
    return image


def near(image: Image.Image, place: tuple[int, int], color: tuple[int, int, int]) -> bool:
    """Tell whether a picture has about this colour at a place."""
    there: Any = image.convert("RGB").getpixel(place)
    return all(abs(a - b) < 40 for a, b in zip(there, color, strict=True))


def pdf(pages: int = 2, size: tuple[float, float] = (200, 100), password: str = "") -> bytes:
    """Return a PDF of empty pages."""
    from pypdf import PdfWriter

    writer = PdfWriter()
    for _ in range(pages):
        writer.add_blank_page(*size)
    if password:
        writer.encrypt(password, algorithm="RC4-128")
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


def chunk(kind: bytes, data: bytes) -> bytes:
    """Return a chunk of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_bomb(width: int, height: int) -> bytes:
    """Return a PNG of a few kilobytes that says it has this many pixels."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(b"\0" * 1_000_000, 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
