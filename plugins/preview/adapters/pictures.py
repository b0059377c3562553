"""Pictures to JPEG, with Pillow."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager

from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    IcoImagePlugin,
    Image,
    ImageFile,
    ImageOps,
    Jpeg2KImagePlugin,
    JpegImagePlugin,
    PngImagePlugin,
    PpmImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "AVIF", "TIFF", "BMP", "DIB", "ICO", "PPM", "JPEG2000")
KNOWN = (
    AvifImagePlugin, BmpImagePlugin, GifImagePlugin, IcoImagePlugin, Jpeg2KImagePlugin, JpegImagePlugin,
    PngImagePlugin, PpmImagePlugin, TiffImagePlugin, WebPImagePlugin,
)  # fmt: skip
TURNED = (5, 6, 7, 8)
"""EXIF orientations that swap width and height."""
QUALITY = 85
GAP = 1.5
"""A JPEG is decoded at the smallest scale that leaves this many times the pixels of a side, then drawn well."""


@contextmanager
def forgiving() -> Iterator[None]:
    """Open pictures for a block that are cut off, and of any size: whoever opens one asks for its size first.

    Both are settings of Pillow for the whole process, where others may want it to be strict.
    """
    before = ImageFile.LOAD_TRUNCATED_IMAGES, Image.MAX_IMAGE_PIXELS
    ImageFile.LOAD_TRUNCATED_IMAGES, Image.MAX_IMAGE_PIXELS = True, None
    try:
        yield
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES, Image.MAX_IMAGE_PIXELS = before


def thumbnail(path: str, out: str, width: int, height: int, max_pixels: int) -> None:
    """Write a picture as a JPEG that fits a box, never enlarged; the first frame, upright, on white.

    ValueError for a picture of more than `max_pixels`.
    """
    with forgiving(), Image.open(path, formats=FORMATS) as image:
        if image.width * image.height > max_pixels:
            raise ValueError(f"a picture of {image.width} x {image.height} pixels")
        turned = image.getexif().get(0x0112) in TURNED
        box = (height, width) if turned else (width, height)
        if image.format in ("JPEG", "MPO"):
            image.thumbnail(fitted(image.size, box), Image.Resampling.LANCZOS, reducing_gap=GAP)
            drawn: Image.Image = image
        else:
            image.load()
            drawn = plain(image)
            drawn.thumbnail(box, Image.Resampling.LANCZOS, reducing_gap=2.0)
        on_white(ImageOps.exif_transpose(drawn)).save(out, "JPEG", quality=QUALITY)


def rehearse() -> None:
    """Draw a picture of our own, before children are forked (`kernel.forkserver`)."""
    handle = os.memfd_create("rehearsal")
    try:
        path = f"/proc/self/fd/{handle}"
        Image.new("RGB", (64, 48)).save(path, "JPEG")
        for _ in range(3):
            thumbnail(path, os.devnull, 16, 16, 64 * 48)
    finally:
        os.close(handle)


def fitted(size: tuple[int, int], box: tuple[int, int]) -> tuple[int, int]:
    """Return the part of a box that a picture fills, rounded up.

    Pillow draws in the same size for it, but decodes a JPEG as if it had to fill all of the box that it is given:
    in a square box a photograph of 4:3 or 3:2 would be decoded at twice the side that it needs.
    """
    scale = min(box[0] / size[0], box[1] / size[1])
    return min(box[0], math.ceil(size[0] * scale)), min(box[1], math.ceil(size[1] * scale))


def plain(image: Image.Image) -> Image.Image:
    """Return a picture in a mode that can be scaled well."""
    if image.mode.startswith("I"):  # 16 bits of grey: a plain conversion would cut all that is bright
        return _with_exif(image.convert("I").point(lambda grey: grey / 256).convert("L"), image)
    if image.mode in ("L", "RGB", "RGBA", "CMYK"):
        return image
    clear = image.mode in ("LA", "PA", "La", "RGBa") or "transparency" in image.info
    return _with_exif(image.convert("RGBA" if clear else "RGB"), image)


def _with_exif(drawn: Image.Image, image: Image.Image) -> Image.Image:
    if "exif" in image.info:
        drawn.info["exif"] = image.info["exif"]
    return drawn


def on_white(image: Image.Image) -> Image.Image:
    """Return a picture without transparency, in grey or in colours."""
    if image.mode == "RGBA":
        ground = Image.new("RGB", image.size, "white")
        ground.paste(image, mask=image.getchannel("A"))
        return ground
    return image if image.mode in ("L", "RGB") else image.convert("RGB")
