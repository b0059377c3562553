"""SVG to PNG, with resvg: it runs no scripts and opens no addresses, and here no files either."""

from __future__ import annotations

import os
import re

import resvg_py

from .confinement import confine

LONGEST = 2048
"""Pixels of the longest side: JPEGs are drawn from it."""
LARGEST = 32 * 1024 * 1024
_INSIDE = r"\s*(?:#|data:)"
OUTSIDE = re.compile(rf"""(href\s*=\s*)(?:"(?!{_INSIDE})[^"]*"|'(?!{_INSIDE})[^']*')""", re.I)
"""A link that leads out of the document; inside are `#name` and `data:`."""
ENTITY = re.compile(r"<!(?:DOCTYPE|ENTITY)", re.I)


def draw(path: str, out: str, fonts: dict[str, list[str]], max_pixels: int) -> None:
    """Write a drawing as a PNG of 2,048 pixels; ValueError for what is none, or brings entities."""
    with open(path, "rb") as file:
        data = file.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise ValueError("too large a drawing")
    text = data.decode("utf-8-sig")
    if ENTITY.search(_without_public_doctype(text)):
        raise ValueError("entities")
    text = OUTSIDE.sub(r'\1""', text)
    width, height = _shape(text)
    family = _family(fonts["sans"])
    confine(os.path.dirname(out), fonts["sans"][:4], required=False)  # no link is left: a second wall
    drawn = resvg_py.svg_to_bytes(
        svg_string=text, skip_system_fonts=True, font_files=fonts["sans"][:4], background="white",
        font_family=family, serif_family=family, sans_serif_family=family, width=width, height=height,
    )  # fmt: skip
    with open(out, "wb") as file:
        file.write(bytes(drawn))


def _family(paths: list[str]) -> str:
    """Return the name by which the first font is known."""
    if not paths:
        return "sans-serif"
    from PIL import ImageFont

    return ImageFont.truetype(paths[0]).getname()[0] or "sans-serif"


def _without_public_doctype(text: str) -> str:
    """Leave out the usual document type, which declares nothing."""
    return re.sub(
        r"<!DOCTYPE\s+svg\s+PUBLIC\s+\"[^\"<>\[\]]*\"\s+\"[^\"<>\[\]]*\"\s*>", "", text, count=1, flags=re.I
    )


def _shape(text: str) -> tuple[int | None, int | None]:
    """Return width or height, whichever is longer, as it is drawn."""
    head = re.search(r"<svg\b[^>]*>", text)
    if head is None:
        raise ValueError("no drawing")
    box = re.search(r"""viewBox\s*=\s*["']\s*[-\d.eE]+[\s,]+[-\d.eE]+[\s,]+([\d.eE]+)[\s,]+([\d.eE]+)""", head[0])
    sides = [re.search(rf"""\s{name}\s*=\s*["']\s*([\d.]+)(?![\d.]*%)""", head[0]) for name in ("width", "height")]
    try:
        if sides[0] and sides[1]:
            across, down = float(sides[0][1]), float(sides[1][1])
        else:
            across, down = (float(box[1]), float(box[2])) if box else (1.0, 1.0)
    except ValueError:
        across = down = 1.0
    if not (across > 0 and down > 0 and 1 / 200 < across / down < 200):
        raise ValueError("no shape that can be drawn")
    return (LONGEST, None) if across >= down else (None, LONGEST)
