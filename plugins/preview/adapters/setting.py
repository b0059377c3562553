"""Setting of text on pages: fonts, widths, lines. Knows ReportLab's canvas and nothing of files."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from reportlab.lib.pagesizes import A4
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFError, TTFont
from reportlab.pdfgen.canvas import Canvas

MARGIN = 50.0
WIDTH = A4[0] - 2 * MARGIN


class Full(Exception):
    """As many pages as may."""


class Fonts:
    """The fonts of each style; the first that has a character shows it."""

    def __init__(self, paths: dict[str, list[str]]) -> None:
        self._faces: dict[str, tuple[str, TTFont]] = {}
        self._styles = {style: [f for f in map(self._load, files) if f] for style, files in paths.items()}
        self._chosen: dict[tuple[str, str], str] = {}

    def _load(self, path: str) -> str:
        """Return the name of a font, empty when it cannot be used."""
        if path not in self._faces:
            name = f"F{len(self._faces)}"
            try:
                font = TTFont(name, path)
            except (TTFError, OSError):
                return ""
            pdfmetrics.registerFont(font)
            self._faces[path] = name, font
        return self._faces[path][0]

    def name(self, style: str, character: str) -> str:
        """Return the font that shows a character, or the first of the style."""
        key = style, character
        if key not in self._chosen:
            self._chosen[key] = self._find(style, ord(character))
        return self._chosen[key]

    def _find(self, style: str, code: int) -> str:
        names = self._styles.get(style) or self._styles.get("sans") or []
        known = dict(self._faces.values())
        for name in names:
            if code in known[name].face.charToGlyph:
                return name
        return names[0] if names else "Helvetica"

    def runs(self, style: str, text: str) -> Iterable[tuple[str, str]]:
        """Yield the parts of a text with the font of each."""
        start = 0
        font = ""
        for place, character in enumerate(text):
            name = font if character == " " and font else self.name(style, character)
            if name != font:
                if place > start:
                    yield font, text[start:place]
                font, start = name, place
        if text[start:]:
            yield font, text[start:]

    def width(self, style: str, size: float, text: str) -> float:
        """Return how wide a text is, in points."""
        return float(sum(pdfmetrics.stringWidth(part, font, size) for font, part in self.runs(style, text)))


@dataclass(frozen=True)
class Word:
    """Characters without a gap, and how they look."""

    text: str
    style: str = "sans"
    color: str = "#000000"
    line: bool = False
    """Underlined: a link."""


class Sheets:
    """Pages that are filled from above."""

    def __init__(self, out: str, fonts: Fonts, title: str, limit: int) -> None:
        self.canvas = Canvas(out, pagesize=A4, invariant=1, pageCompression=1)
        self.canvas.setTitle(title[:200])
        self.fonts = fonts
        self.limit = limit
        self.pages = 1
        self.y = A4[1] - MARGIN

    def room(self, height: float) -> None:
        """Begin a new page unless there is room; Full when there may be no more."""
        if self.y - height >= MARGIN:
            return
        if self.pages >= self.limit:
            raise Full
        self.canvas.showPage()
        self.pages += 1
        self.y = A4[1] - MARGIN

    def skip(self, height: float) -> None:
        """Leave a gap, none at the top of a page."""
        if self.y < A4[1] - MARGIN:
            self.y -= height

    def words(self, words: Sequence[Word], x: float, size: float) -> None:
        """Write words on one line from x; the next line is below."""
        self.room(size * 1.4)
        self.y -= size * 1.4
        for word in _joined(words):
            self.canvas.setFillColor(word.color)
            begin = x
            for font, part in self.fonts.runs(word.style, word.text):
                self.canvas.setFont(font, size)
                self.canvas.drawString(x, self.y, part)
                x += pdfmetrics.stringWidth(part, font, size)
            if word.line:
                self.canvas.setStrokeColor(word.color)
                self.canvas.setLineWidth(0.5)
                self.canvas.line(begin, self.y - 1.5, x, self.y - 1.5)

    def cells(self, text: str, size: float, cell: float) -> None:
        """Write a line whose characters stand in cells of one width, or of two."""
        self.room(size * 1.25)
        self.y -= size * 1.25
        x = MARGIN
        for font, part in self.fonts.runs("mono", text):
            self.canvas.setFont(font, size)
            wide = cell * sum(map(cells_of, part))
            if abs(pdfmetrics.stringWidth(part, font, size) - wide) < 0.01:  # it stands in its cells by itself
                self.canvas.drawString(x, self.y, part)
                x += wide
                continue
            for character in part:
                self.canvas.drawString(x, self.y, character)
                x += cell * cells_of(character)

    def rule(self) -> None:
        """Draw a line across the page."""
        self.room(12)
        self.y -= 8
        self.canvas.setStrokeColor("#999999")
        self.canvas.setLineWidth(0.5)
        self.canvas.line(MARGIN, self.y, MARGIN + WIDTH, self.y)
        self.y -= 4

    def finish(self) -> dict[str, int]:
        """Write the file; returns how many pages it has."""
        self.canvas.save()
        return {"pages": self.pages}


def _joined(words: Sequence[Word]) -> Iterable[Word]:
    """Yield words that look alike as one, so that they are words for who searches the page."""
    for (style, color, line), alike in groupby(words, lambda w: (w.style, w.color, w.line)):
        yield Word("".join(word.text for word in alike), style, color, line)


def cells_of(character: str) -> int:
    """Return how many cells a character takes in a text of one width: 0, 1 or 2."""
    if character < "\u0300":
        return 1
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
