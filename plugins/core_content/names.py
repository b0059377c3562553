"""Names of contents in the tree: what is shown, what must be unique (spec: contents, §5; webdav, §3)."""

from __future__ import annotations

import unicodedata
from hashlib import sha256

_SHOWN = str.maketrans({"/": "⧸", "\\": "⧹"})
_DAV = str.maketrans(
    {"/": "⧸", "\\": "⧹", "*": "∗", "?": "ʔ", '"': "ʺ", "<": "❮", ">": "❯", "|": "∣"}
)  # fmt: skip
LABEL_LIMIT = 1024
EXTENSION_LIMIT = 255


def filename(label: str, extension: str) -> str:
    """Return the file name on the wire: label and extension, slashes replaced by their look-alikes."""
    return (label + extension).translate(_SHOWN)


def drive_name(label: str, extension: str) -> str:
    """Return the name on a drive: characters that drives refuse are replaced by their look-alikes."""
    return (label + extension).translate(_DAV)


def name_key(label: str, extension: str) -> str:
    """Return what must be unique in a folder: SHA-256 of the name as drives show it, in NFC.

    Computed in Python, so that every database compares alike.
    """
    shown = unicodedata.normalize("NFC", label + extension).translate(_DAV)
    return sha256(shown.encode("utf-8")).hexdigest()


def split_name(name: str) -> tuple[str, str]:
    """Split a file name into label and extension (`.bashrc` has none, `a.tar.gz` has `.gz`, `../etc` neither)."""
    stem, dot, extension = name.rpartition(".")
    if not dot or not stem.strip(". ") or len(extension) >= EXTENSION_LIMIT or {"/", "\\"} & {*extension}:
        return name, ""
    return stem, f".{extension}"


def usable(name: str) -> bool:
    """Tell whether a name can be stored: not blank, no NUL, no half characters, not too long."""
    return (
        bool(name.strip())
        and name not in (".", "..")
        and len(name) <= LABEL_LIMIT
        and "\x00" not in name
        and not any("\ud800" <= c <= "\udfff" for c in name)
    )
