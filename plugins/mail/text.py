"""HTML to plain text and back, both ways: for mails that leave and for replies that come."""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser
from typing import Any

from atrio.kernel.html import refuse_costly

BLOCKS = frozenset(
    (
        "address", "article", "aside", "blockquote", "center", "dd", "div", "dl", "dt", "figure", "footer",
        "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol", "p", "pre",
        "section", "table", "tbody", "tr", "ul",
    )
)  # fmt: skip
PARAGRAPHS = frozenset(
    (
        "p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "blockquote", "pre", "table", "dl",
    )
)  # fmt: skip
_SPACES = re.compile(r"[ \t\r\n\f]+")
_BLANK_LINES = re.compile(r"\n{3,}")
_LINK = re.compile(r"https?://[^\s<>\"']+[^\s<>\"'.,;:!?)\]}]")


class TextWriter(HTMLParser):
    """Writes balanced HTML as text: one line a block, lists with dashes, quotes with `> `, links behind words."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.lines: list[str] = [""]
        self.lists: list[int | None] = []
        self.quotes = 0
        self.pre = 0
        self.link: tuple[str, int, int] | None = None
        self.wanted_blank = False

    def text(self) -> str:
        """Return what was written."""
        return _BLANK_LINES.sub("\n\n", "\n".join(line.rstrip() for line in self.lines)).strip("\n")

    def _fresh(self, *, blank: bool = False) -> None:
        prefix = "> " * self.quotes
        if self.lines[-1].strip("> "):
            self.lines.append(prefix)
        else:
            self.lines[-1] = prefix
        if blank and len(self.lines) > 1 and self.lines[-2].strip("> "):
            self.lines.insert(len(self.lines) - 1, prefix.rstrip())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin an element."""
        if tag == "br":
            self.lines.append("> " * self.quotes)
        elif tag in BLOCKS:
            if tag == "blockquote":
                self._fresh(blank=True)
                self.quotes += 1
            if tag in ("ul", "ol"):
                self.lists.append(0 if tag == "ol" else None)
            self._fresh(blank=tag in PARAGRAPHS and len(self.lists) < 2)
            if tag == "li":
                self._bullet()
            elif tag == "hr":
                self.lines[-1] += "-" * 20
            self.pre += tag == "pre"
        elif tag in ("td", "th") and self.lines[-1].strip("> "):
            self.lines[-1] += "  "
        elif tag == "a":
            self.link = (dict(attrs).get("href") or "", len(self.lines) - 1, len(self.lines[-1]))

    def _bullet(self) -> None:
        depth = max(0, len(self.lists) - 1)
        if self.lists and self.lists[-1] is not None:
            self.lists[-1] += 1
            self.lines[-1] += f"{'  ' * depth}{self.lists[-1]}. "
        else:
            self.lines[-1] += f"{'  ' * depth}- "

    def handle_endtag(self, tag: str) -> None:
        """End an element."""
        if tag == "a" and self.link is not None:
            href, line, column = self.link
            shown = "\n".join(self.lines[line:])[column:].strip()
            if href.startswith(("http://", "https://")) and href.rstrip("/") != shown.rstrip("/"):
                self.lines[-1] += f" <{href}>" if shown else f"<{href}>"
            self.link = None
        elif tag in BLOCKS:
            self.pre -= tag == "pre" and self.pre > 0
            if tag == "blockquote":
                while len(self.lines) > 1 and not self.lines[-1].strip("> "):
                    self.lines.pop()
                self.quotes = max(0, self.quotes - 1)
            if tag in ("ul", "ol") and self.lists:
                self.lists.pop()
            self._fresh(blank=tag in PARAGRAPHS and not self.lists)

    def handle_data(self, data: str) -> None:
        """Write text."""
        if self.pre:
            first, *rest = data.split("\n")
            self.lines[-1] += first
            self.lines += [("> " * self.quotes) + line for line in rest]
            return
        words = _SPACES.sub(" ", data.replace("\xa0", " "))
        if (not self.lines[-1].strip("> ") and not self.lines[-1].endswith("- ")) or self.lines[-1].endswith(" "):
            words = words.lstrip(" ")
        self.lines[-1] += words


def to_text(balanced: str) -> str:
    """Return clean HTML (closed elements, as a cleaner gives it) as plain text."""
    writer = TextWriter()
    writer.feed(balanced)
    writer.close()
    return writer.text()


def to_html(text: str) -> str:
    """Return plain text as HTML: paragraphs, line breaks, links; everything else escaped."""
    paragraphs = re.split(r"\n[ \t]*\n+", text.strip("\n"))
    return "".join(f"<p>{_linked(p)}</p>" for p in paragraphs if p.strip())


def _linked(text: str) -> str:
    parts: list[str] = []
    last = 0
    for match in _LINK.finditer(text):
        address = html.escape(match[0])
        parts += [html.escape(text[last : match.start()]), f'<a href="{address}">{address}</a>']
        last = match.end()
    parts.append(html.escape(text[last:]))
    return "".join(parts).replace("\n", "<br>")


# -- texts of users in mails that leave ----------------------------------------------------------------------

SHOWN = 20_000
"""Characters of a text that a mail shows; the rest is behind the link."""
_MENTION = re.compile(r"<html-mention((?: [a-z]+=\"[^\"]*\")*)>[^<]*</html-mention>")
_USER = re.compile(r' userid="\D{0,3}([0-9]{1,18})')
KEPT = (
    "p", "br", "div", "span", "ul", "ol", "li", "dl", "dt", "dd", "a", "b", "strong", "i", "em", "u", "s",
    "del", "ins", "code", "pre", "blockquote", "h1", "h2", "h3", "h4", "h5", "h6", "table", "thead", "tbody",
    "tr", "td", "th", "hr", "sub", "sup", "html-mention",
)  # fmt: skip
"""Elements of a text that a mail shows."""
_CLEANERS: dict[str, Any] = {}


def _cleaner() -> Any:
    """Return the cleaner of bodies: no picture, no style, nothing that a mail client would fetch."""
    if "body" not in _CLEANERS:
        import nh3

        _CLEANERS["body"] = nh3.Cleaner(
            tags=set(KEPT),
            clean_content_tags={"script", "style"},
            attributes={"a": {"href"}, "html-mention": {"userid", "roleid"}},
            url_schemes={"http", "https", "mailto"}, strip_comments=True, link_rel="noopener noreferrer",
        )  # fmt: skip
    return _CLEANERS["body"]


def clean_body(text: str) -> str:
    """Return a user's HTML as a mail may carry it: no pictures (they would track the reader), no styles.

    Mentions stay as `<html-mention>`: see `name_mentions`. ValidationFailed for HTML that would cost too much.
    """
    if len(text) > 2000:
        refuse_costly(text)
    cleaned: str = _cleaner().clean(text)
    return cleaned


def shortened(body: str) -> str:
    """Return a body that is not too long for a mail: of a long one the beginning, as plain paragraphs."""
    return body if len(body) <= SHOWN else to_html(to_text(body[: 10 * SHOWN])[:SHOWN] + " …")


def mentioned_ids(body: str) -> set[int]:
    """Return the ids of the users that a body names."""
    found = (_USER.search(match[1]) for match in _MENTION.finditer(body))
    return {int(match[1]) for match in found if match is not None}


def name_mentions(body: str, names: dict[int, str]) -> str:
    """Return a body with a name in the place of each mention."""

    def name(match: re.Match[str]) -> str:
        user = _USER.search(match[1])
        known = names.get(int(user[1])) if user is not None else None
        return f"@{html.escape(known or ('?' if user is not None else 'all'))}"

    return _MENTION.sub(name, body)
