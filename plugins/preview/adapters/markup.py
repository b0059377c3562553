"""HTML as a list of blocks of words, for pages that are printed. Nothing in it is run or loaded."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

from .setting import Word

HEADINGS = {f"h{n}": n for n in range(1, 7)}
BREAKING = frozenset(
    {
        "p", "div", "section", "article", "header", "footer", "main", "aside", "nav", "ul", "ol", "li",
        "dl", "dt", "dd", "table", "thead", "tbody", "tfoot", "tr", "blockquote", "pre", "figure",
        "figcaption", "form", "fieldset", "details", "summary", "address", "body", "html", "caption",
        *HEADINGS,
    }
)  # fmt: skip
HIDDEN = frozenset(
    {"script", "style", "head", "template", "noscript", "svg", "math", "iframe", "object", "select"}
)
BOLD = frozenset({"b", "strong", "th", *HEADINGS})
ITALIC = frozenset({"i", "em", "cite", "dfn", "var"})
CODE = frozenset({"code", "kbd", "samp", "tt", "pre"})
LINK = "#0b5394"
DEEPEST = 200
"""Open elements that are kept in mind; what is deeper looks like them."""


@dataclass
class Block:
    """A paragraph; `level` of a heading, `mark` before a list item."""

    words: list[Word] = field(default_factory=list)
    kind: str = "text"
    level: int = 0
    indent: int = 0
    mark: str = ""


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.done: list[Block] = []
        self.block = Block()
        self.open: list[str] = []
        self.counters: list[int | None] = []
        self.hidden = 0
        self.mark = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self.hidden or tag in HIDDEN:
            self.hidden += tag in HIDDEN
            return
        if tag in BREAKING:
            self.end_block()
        if tag == "br":
            self.block.words.append(Word("\n"))
        elif tag == "hr":
            self.end_block()
            self.done.append(Block(kind="rule"))
        elif tag == "img":
            self.add(f"[{dict(attrs).get('alt') or 'image'}]")
        elif tag in ("td", "th") and self.block.words:
            self.block.words += [Word(" "), Word("│", color="#999999"), Word(" ")]
        elif tag in ("ul", "ol"):
            self.counters.append(0 if tag == "ol" else None)
        elif tag == "li":
            self.mark = self.next_mark()
        if tag not in ("br", "hr", "img", "input", "meta", "link", "wbr") and len(self.open) < DEEPEST:
            self.open.append(tag)

    def next_mark(self) -> str:
        """Return what stands before the item that begins."""
        if not self.counters or self.counters[-1] is None:
            return "•"
        self.counters[-1] += 1
        return f"{self.counters[-1]}."

    def handle_endtag(self, tag: str) -> None:
        if self.hidden:
            self.hidden -= tag in HIDDEN
            return
        if tag in BREAKING:
            self.end_block()
        if tag in ("ul", "ol") and self.counters:
            self.counters.pop()
        if tag in self.open:
            while self.open.pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        if not self.hidden:
            self.add(data)

    def add(self, data: str) -> None:
        """Add words to the block as they look here."""
        inside = set(self.open)
        style = "mono" if inside & CODE else "bold" if inside & BOLD else "italic" if inside & ITALIC else "sans"
        link = "a" in inside
        if "pre" in inside:
            for part in re.split(r"(\n)", data.expandtabs(4)):
                if part:
                    self.block.words.append(Word(_clean(part), style))
            return
        for part in re.split(r"([ \t\r\n\f]+)", data):
            if part and part.isspace() and part[0] in " \t\r\n\f":
                if self.block.words and not self.block.words[-1].text.isspace():
                    self.block.words.append(Word(" ", style, LINK if link else "#000000", link))
            elif part:
                self.block.words.append(Word(_clean(part), style, LINK if link else "#000000", link))

    def end_block(self) -> None:
        """Begin a new paragraph unless this one is empty."""
        block, self.block = self.block, Block()
        while block.words and block.words[-1].text.isspace():
            block.words.pop()
        if not block.words:
            return
        inside = set(self.open)
        block.level = next((HEADINGS[tag] for tag in reversed(self.open) if tag in HEADINGS), 0)
        block.kind = "code" if "pre" in inside else "text"
        block.indent = len(self.counters) + sum(tag in ("blockquote", "dd") for tag in self.open)
        block.mark, self.mark = self.mark, ""
        self.done.append(block)


def _clean(text: str) -> str:
    """Return a word without what no font shows."""
    return "".join(c if c.isprintable() or c == "\n" or c == "\xa0" else "" if c < " " else "\ufffd" for c in text)


def blocks(text: str) -> Iterator[Block]:
    """Yield the paragraphs of a page."""
    reader = _Reader()
    for start in range(0, len(text), 65536):
        reader.feed(text[start : start + 65536])
        yield from reader.done
        reader.done = []
    reader.close()
    reader.end_block()
    yield from reader.done
