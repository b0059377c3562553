"""Photographs as phones store them (HEIC), with pi-heif: libheif and libde265, which decode and do not encode."""

from __future__ import annotations

import pi_heif
from PIL import Image

from .pictures import forgiving, on_white, plain

LONGEST = 2048
"""Pixels of the longest side: JPEGs are drawn from it."""


def draw(path: str, out: str, max_pixels: int) -> None:
    """Write the main picture of a file as a JPEG of 2,048 pixels at most, upright.

    ValueError for a picture of more than `max_pixels`, or for a file that is none.
    """
    pi_heif.register_heif_opener()
    with forgiving(), Image.open(path, formats=("HEIF",)) as image:
        if image.width * image.height > max_pixels:
            raise ValueError(f"a picture of {image.width} x {image.height} pixels")
        image.load()  # turned as the file says: the library does it, and takes the turn out of the EXIF
        drawn = plain(image)
        drawn.thumbnail((LONGEST, LONGEST), Image.Resampling.LANCZOS, reducing_gap=2.0)
        on_white(drawn).save(out, "JPEG", quality=95)
