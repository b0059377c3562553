"""Cleaning of HTML that users write: one allow-list for every write path.

What rich-text editors produce goes through unchanged; script, style elements, forms, event attributes,
`srcdoc` and comments do not. Cleaning twice equals cleaning once.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from .errors import ValidationFailed

BLOCK = (
    "address article aside blockquote br center dd details div dl dt figcaption figure footer h1 h2 h3 h4 h5 "
    "h6 header hr li main nav ol p pre section summary ul"
)
INLINE = (
    "a abbr b bdi bdo big cite code data del dfn em font i ins kbd mark q rp rt ruby s samp small span strike "
    "strong sub sup time tt u var wbr html-mention"
)
TABLE = "caption col colgroup table tbody td tfoot th thead tr"
MEDIA = "img video audio source track picture iframe"
TAGS = frozenset(" ".join((BLOCK, INLINE, TABLE, MEDIA)).split())

ATTRIBUTES: dict[str, set[str]] = {
    "*": {"class", "id", "style", "title", "lang", "dir"},
    "a": {"href", "name", "target", "rel"},
    "img": {"src", "alt", "width", "height"},
    "video": {"src", "controls", "width", "height", "poster", "loop", "muted"},
    "audio": {"src", "controls", "loop", "muted"},
    "source": {"src", "type", "srcset", "media"},
    "track": {"src", "kind", "srclang", "label"},
    "iframe": {"src", "width", "height", "allowfullscreen", "frameborder"},
    "td": {"colspan", "rowspan", "align", "valign"},
    "th": {"colspan", "rowspan", "scope", "align", "valign"},
    "col": {"span", "width"},
    "colgroup": {"span"},
    "table": {"border", "cellpadding", "cellspacing", "width", "align"},
    "ol": {"start", "type", "reversed"},
    "li": {"value"},
    "details": {"open"},
    "time": {"datetime"},
    "data": {"value"},
    "del": {"cite", "datetime"},
    "ins": {"cite", "datetime"},
    "blockquote": {"cite"},
    "q": {"cite"},
    "font": {"color", "size", "face"},
    "html-mention": {"userid", "roleid"},
}
STYLES = frozenset(
    [
        "color",
        "background-color",
        "text-align",
        "text-decoration",
        "text-indent",
        "vertical-align",
        "width",
        "height",
        "min-width",
        "max-width",
        "min-height",
        "max-height",
        "margin",
        "margin-top",
        "margin-right",
        "margin-bottom",
        "margin-left",
        "padding",
        "padding-top",
        "padding-right",
        "padding-bottom",
        "padding-left",
        "border",
        "border-top",
        "border-right",
        "border-bottom",
        "border-left",
        "border-color",
        "border-width",
        "border-style",
        "border-collapse",
        "border-spacing",
        "float",
        "clear",
        "list-style-type",
        "line-height",
        "white-space",
        "display",
        "font",
        "font-family",
        "font-size",
        "font-style",
        "font-weight",
        "font-variant",
    ]
)
STYLE_FUNCTIONS = frozenset({"rgb", "rgba", "hsl", "hsla"})
_PIECE = r"""[^;"'()]|"[^"\n]*"|'[^'\n]*'|\([^;"'()]*\)"""
_DECLARATION = re.compile(f"(?:{_PIECE})+")
_STYLE = re.compile(f"(?:{_PIECE}|;)*")  # one level of repetition: linear, whatever somebody sends
SCHEMES = {"http", "https", "mailto", "tel", "data"}
IMAGE_DATA = tuple(f"data:image/{kind}" for kind in ("png", "jpeg", "jpg", "gif", "webp", "bmp", "avif"))


@lru_cache(maxsize=8)
def _cleaner(iframe_hosts: tuple[str, ...]) -> Any:
    import nh3

    def attribute(tag: str, name: str, value: str) -> str | None:
        if name == "style":
            return clean_style(value)
        if name in ("src", "href", "cite", "poster", "srcset"):
            if value.strip().lower().startswith("data:") and not (
                tag == "img" and name == "src" and value.strip().lower().startswith(IMAGE_DATA)
            ):
                return None
            if tag == "iframe" and not allowed_frame(value, iframe_hosts):
                return None
        return value

    return nh3.Cleaner(
        tags=set(TAGS),
        clean_content_tags={"script", "style"},
        attributes=ATTRIBUTES,
        attribute_filter=attribute,
        strip_comments=True,
        link_rel=None,
        url_schemes=SCHEMES,
    )


def clean_style(value: str) -> str | None:
    """Return a style attribute with the allowed declarations, untouched when all are; None when none is left.

    The cleaner's own filter writes every declaration anew, so that a text would change by being saved.
    """
    if not _STYLE.fullmatch(value):
        return None
    given = [d for d in _DECLARATION.findall(value) if d.strip()]
    kept = [d for d in given if _allowed_declaration(d)]
    if len(kept) == len(given):
        return value
    return "; ".join(d.strip() for d in kept) or None


def _allowed_declaration(declaration: str) -> bool:
    name, colon, value = declaration.partition(":")
    if not colon or name.strip().lower() not in STYLES:
        return False
    functions = {f.lower() for f in re.findall(r"([\w-]*)\(", value)}
    return functions <= STYLE_FUNCTIONS and not any(c in value for c in "\\@<>{}") and "/*" not in value


def allowed_frame(url: str, hosts: tuple[str, ...]) -> bool:
    """Tell whether a frame may show this address: https or http, host on the list or below it."""
    try:
        parts = urlsplit(url.strip() if not url.strip().startswith("//") else f"https:{url.strip()}")
        host = (parts.hostname or "").lower()
    except ValueError:
        return False
    if parts.scheme not in ("http", "https"):
        return False
    return any(host == allowed or host.endswith(f".{allowed}") for allowed in hosts) or hosts == ("*",)


DEPTH_LIMIT = 256
COST_LIMIT = 1_000_000
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9-]*)")
_FORMATTING = frozenset(
    ["a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u"]
)
_VOID = [
    "area",
    "base",
    "br",
    "col",
    "embed",
    "hr",
    "img",
    "input",
    "link",
    "meta",
    "param",
    "source",
    "track",
    "wbr",
]
_SELF_CLOSING = [
    "p", "li", "dt", "dd", "option", "optgroup", "td", "th", "tr", "tbody", "thead", "tfoot", "colgroup",
    "caption", "rp", "rt",
]  # fmt: skip
_NEVER_DEEP = frozenset([*_VOID, *_SELF_CLOSING])
"""Elements without content, and those that the next of their kind closes."""


def refuse_costly(text: str) -> None:
    """Raise ValidationFailed for a text that no editor writes and that a parser would choke on.

    The work of an HTML parser grows with the square of the depth, and a formatting element that is left open
    is opened again in every block that follows: a megabyte could keep a processor busy for minutes.
    """
    depth = formatting = cost = 0
    for match in _TAG.finditer(text):
        closing, name = match[1], match[2].lower()
        if name in _FORMATTING:
            formatting = max(0, formatting - 1) if closing else formatting + 1
        elif closing:
            depth = max(0, depth - 1) if name not in _NEVER_DEEP else depth
        else:
            cost += formatting + depth // 8
            depth += name not in _NEVER_DEEP
        if depth + formatting > DEPTH_LIMIT or cost > COST_LIMIT:
            raise ValidationFailed({"_schema": ["The HTML is nested too deeply."]})


def clean_html(text: str, iframe_hosts: tuple[str, ...] = ()) -> str:
    """Return the text with everything dropped that could act in another reader's browser.

    ValidationFailed for a text that would cost too much to look at.
    """
    if "<" not in text and "&" not in text and ">" not in text:
        return text
    if len(text) > 2000:
        refuse_costly(text)
    cleaned: str = _cleaner(iframe_hosts).clean(text)
    return cleaned
