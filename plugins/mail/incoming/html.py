"""The text of a reply that came as HTML: what clients mark as quote or signature is cut where they mark it."""

from __future__ import annotations

from typing import Any

from atrio.kernel.html import refuse_costly

from ..text import TextWriter
from .quotes import strip_reply

LONGEST_HTML = 1_000_000
"""Characters of HTML that are looked at: what was written stands at the beginning."""
REST = frozenset(
    (
        "divrplyfwdmsg", "appendonsend", "mail-editor-reference-message-container", "olk_src_body_section",
        "ms-outlook-mobile-reference-message", "x_divrplyfwdmsg",
    )
)  # fmt: skip
"""Ids and classes of elements at which the quoted mail begins: nothing after them was written now."""
PARTS = frozenset(
    (
        "yahoo_quoted", "gmail_signature", "gmail_signature_prefix", "moz-signature", "signature",
        "applemailsignature", "protonmail_signature_block", "protonmail_quote", "ymail_android_signature",
        "zmail_extra", "tutanota_quote", "ms-outlook-mobile-signature", "yahoo-signature", "tutao_quote",
        "lineBreakAtBeginningOfSignature".lower(),
    )
)  # fmt: skip
"""Ids and classes of quotes and signatures."""
VOID = frozenset(("br", "hr", "img", "wbr", "col", "input"))
KEPT = (
    "p", "br", "hr", "div", "span", "ul", "ol", "li", "dl", "dt", "dd", "a", "pre", "blockquote", "h1", "h2",
    "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tfoot", "tr", "td", "th", "center",
)  # fmt: skip
_CLEANERS: dict[str, Any] = {}


def _balanced(text: str) -> str:
    """Return any HTML as a tree that is closed, without scripts and styles; ids and classes stay."""
    if "in" not in _CLEANERS:
        import nh3

        _CLEANERS["in"] = nh3.Cleaner(
            tags=set(KEPT),
            clean_content_tags={"script", "style", "title"},
            attributes={"*": {"id", "class"}, "a": {"href"}}, url_schemes={"http", "https"}, strip_comments=True,
            link_rel=None,
        )  # fmt: skip
    cleaned: str = _CLEANERS["in"].clean(text)
    return cleaned


class _ReplyWriter(TextWriter):
    """Writes what was written, and passes over what the client marked."""

    def __init__(self) -> None:
        super().__init__()
        self.depth = 0
        self.skipped_from: int | None = None
        self.over = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = {word.lower() for key, value in attrs if key in ("id", "class") for word in (value or "").split()}
        if names & REST:
            self.over = True
        if tag not in VOID:
            self.depth += 1
            if self.skipped_from is None and names & PARTS:
                self.skipped_from = self.depth
        if not self.over and self.skipped_from is None:
            super().handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        skipped = self.skipped_from is not None
        if self.skipped_from == self.depth:
            self.skipped_from = None
        self.depth -= 1
        if not self.over and not skipped:
            super().handle_endtag(tag)

    def handle_data(self, data: str) -> None:
        if not self.over and self.skipped_from is None:
            super().handle_data(data)


def strip_html_reply(text: str) -> str:
    """Return what was written in an HTML mail as plain text; ValidationFailed where it would cost too much."""
    refuse_costly(text[:LONGEST_HTML])
    balanced = _balanced(text[:LONGEST_HTML])
    for writer in (_ReplyWriter(), TextWriter()):
        writer.feed(balanced)
        writer.close()
        found = strip_reply(writer.text())
        if found:
            return found
    return ""
