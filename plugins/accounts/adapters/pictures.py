"""Avatars and covers with Pillow: what people send becomes a PNG of ours, and previews are JPEG.

Nothing is opened before its size in bytes is known, nothing is decoded before its size in pixels is. SVG is
refused: it is a program, and drawing it needs a browser. One picture is decoded at a time, so that many
uploads at once do not multiply the memory that one needs.
"""

from __future__ import annotations

import io
import threading
from collections import OrderedDict
from colorsys import hls_to_rgb
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unicodedata import normalize
from xml.sax.saxutils import escape

from ..errors import MimetypeNotAllowed

if TYPE_CHECKING:
    from atrio.kernel.blobs import BlobStore

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF")
MEDIA = frozenset(
    {
        "image/png",
        "image/jpeg",
        "image/jpg",
        "image/pjpeg",
        "image/webp",
        "image/bmp",
        "image/x-ms-bmp",
        "image/gif",
    }
)
RATIOS = {"avatar": (1, 1), "cover": (35, 4)}
STORED = {"avatar": (512, 512), "cover": (2100, 240)}
DEFAULT_SIZE = {"avatar": (100, 100), "cover": (1300, 150)}
LARGEST = 2100
CACHE_BYTES = 16 * 1024 * 1024
_one_at_a_time = threading.Lock()
_one_font = threading.Lock()


def as_png(path: Path, kind: str, *, declared: str, max_pixels: int) -> bytes:
    """Return an upload as a PNG, cut to the shape of an avatar or cover; MimetypeNotAllowed when it is none."""
    from PIL import Image, ImageOps

    media = declared.lower()
    if media not in MEDIA and media not in ("", "application/octet-stream"):
        raise MimetypeNotAllowed
    try:
        with _one_at_a_time, Image.open(path, formats=FORMATS) as image:
            if image.width * image.height > max_pixels:
                raise MimetypeNotAllowed(f"a picture of {image.width} x {image.height} pixels is too large")
            width, height = STORED[kind]
            image.draft("RGB", (width * 2, height * 2))  # a large JPEG is decoded at a fraction of its size
            upright = ImageOps.exif_transpose(image)
            if upright.mode.startswith("I"):  # 16 bits of grey: a plain conversion would cut all that is bright
                upright = upright.convert("I").point(lambda grey: grey / 256).convert("L")
            shaped = ImageOps.fit(upright.convert("RGBA"), _target(upright.size, kind), Image.Resampling.LANCZOS)
            return _encode(shaped, "PNG")
    except MimetypeNotAllowed:
        raise
    except Exception as error:  # noqa: BLE001 - decoders raise what they like on broken bytes
        raise MimetypeNotAllowed(f"the picture cannot be read ({type(error).__name__})") from None


def _target(size: tuple[int, int], kind: str) -> tuple[int, int]:
    """Return the largest shape of this ratio inside a picture, at most as large as what is stored."""
    across, down = RATIOS[kind]
    unit = min(size[0] / across, size[1] / down, STORED[kind][0] / across)
    return max(1, round(unit * across)), max(1, round(unit * down))


def _encode(image: Any, form: str) -> bytes:
    buffer = io.BytesIO()
    if form == "JPEG":
        image.save(buffer, form, quality=88)
    else:
        image.save(buffer, form, optimize=False)
    return buffer.getvalue()


# -- previews --------------------------------------------------------------------------------------------------


class _Previews:
    """Rendered previews of this process, the least recently used dropped first."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.held: OrderedDict[str, bytes] = OrderedDict()
        self.size = 0
        self.lock = threading.Lock()

    def get(self, key: str) -> bytes | None:
        with self.lock:
            found = self.held.get(key)
            if found is not None:
                self.held.move_to_end(key)
            return found

    def put(self, key: str, data: bytes) -> None:
        with self.lock:
            self.size += len(data) - len(self.held.pop(key, b""))
            self.held[key] = data
            while self.size > self.limit:
                _, dropped = self.held.popitem(last=False)
                self.size -= len(dropped)


_previews = _Previews(CACHE_BYTES)


def bounded(width: int, height: int) -> tuple[int, int]:
    """Return a size that is drawn: larger ones are answered with the largest."""
    return max(1, min(width, LARGEST)), max(1, min(height, LARGEST))


def preview(store: BlobStore, digest: str, size: tuple[int, int]) -> bytes:
    """Return a stored picture as a JPEG that fits the size."""
    from PIL import Image

    key = f"{digest}-{size[0]}x{size[1]}"
    found = _previews.get(key)
    if found is None:
        with store.open(digest) as file, Image.open(file, formats=("PNG",)) as image:
            ratio = min(size[0] / image.width, size[1] / image.height)
            shape = max(1, round(image.width * ratio)), max(1, round(image.height * ratio))
            fitted = image.convert("RGBA").resize(shape, Image.Resampling.LANCZOS)
            ground = Image.new("RGB", fitted.size, "white")
            ground.paste(fitted, mask=fitted.getchannel("A"))
        found = _encode(ground, "JPEG")
        _previews.put(key, found)
    return found


# -- the picture of somebody who has none ------------------------------------------------------------------------


def initials(name: str) -> str:
    """Return one or two letters for a name: of its first and its last word."""
    words = [w for w in ("".join(c if c.isalnum() else " " for c in name)).split() if w]
    chosen = [words[0], words[-1]] if len(words) > 1 else words[:1]
    return "".join(w[0].upper()[:1] for w in chosen)


def colour(user_id: int, name: str) -> tuple[int, int, int]:
    """Return a colour that stays the same for a user and carries white letters."""
    hue = int.from_bytes(sha256(f"{user_id}/{name}".encode("utf-8", "replace")).digest()[:2], "big") / 65536
    red, green, blue = hls_to_rgb(hue, 0.38, 0.5)
    return round(red * 255), round(green * 255), round(blue * 255)


def default_svg(user_id: int, name: str) -> bytes:
    """Return the avatar of a user who has set none: his initials on his colour."""
    fill = "#{:02x}{:02x}{:02x}".format(*colour(user_id, name))
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" width="100" height="100" viewBox="0 0 100 100">'
        f'<rect width="100" height="100" fill="{fill}"/>'
        '<text x="50" y="50" dy="0.35em" text-anchor="middle" font-family="sans-serif" font-size="44" '
        f'fill="#fff">{escape(initials(name))}</text></svg>'
    ).encode()


def default_jpeg(user_id: int, name: str, size: tuple[int, int]) -> bytes:
    """Return the same picture as a JPEG, a square that fits the size."""
    side = min(size)
    letters = initials(name)
    key = f"{letters}/{colour(user_id, name)}/{side}"
    found = _previews.get(key)
    if found is None:
        with _one_font:  # a font is not to be used by two threads at once
            found = _draw(letters, colour(user_id, name), side)
        _previews.put(key, found)
    return found


def _draw(letters: str, ground: tuple[int, int, int], side: int) -> bytes:
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (side, side), ground)
    draw = ImageDraw.Draw(image)
    letters = "".join(_plain(letter) for letter in letters)
    if letters and all(_drawable(letter) for letter in letters):
        font: Any = _font(max(1, round(side * 0.44)))
        draw.text((side / 2, side / 2), letters, fill="white", font=font, anchor="mm")
    else:  # the font at hand does not know these letters: head and shoulders instead
        draw.ellipse((side * 0.33, side * 0.2, side * 0.67, side * 0.54), fill="white")
        draw.ellipse((side * 0.2, side * 0.62, side * 0.8, side * 1.3), fill="white")
    return _encode(image, "JPEG")


def _plain(letter: str) -> str:
    """Return the letter, without its accent where the font has only the bare one."""
    return letter if _drawable(letter) else normalize("NFD", letter)[:1]


@lru_cache(maxsize=64)
def _font(size: int) -> Any:
    from PIL import ImageFont

    return ImageFont.load_default(size)


@lru_cache(maxsize=1024)
def _drawable(letter: str) -> bool:
    font = _font(24)
    return bytes(font.getmask(letter)) != bytes(font.getmask("\uffff"))
