"""Files below a folder, and never outside it."""

from __future__ import annotations

from collections.abc import Iterable
from mimetypes import MimeTypes
from pathlib import Path

_TYPES = MimeTypes(filenames=())
for _extension, _type in (
    (".wasm", "application/wasm"), (".js", "text/javascript"), (".mjs", "text/javascript"),
    (".json", "application/json"), (".map", "application/json"), (".css", "text/css"), (".html", "text/html"),
    (".svg", "image/svg+xml"), (".ico", "image/x-icon"), (".webp", "image/webp"), (".avif", "image/avif"),
    (".woff", "font/woff"), (".woff2", "font/woff2"), (".ttf", "font/ttf"), (".otf", "font/otf"),
    (".eot", "application/vnd.ms-fontobject"), (".ogg", "audio/ogg"), (".mp3", "audio/mpeg"),
    (".mp4", "video/mp4"), (".webm", "video/webm"), (".txt", "text/plain"), (".pdf", "application/pdf"),
    (".md", "text/markdown"), (".xml", "text/xml"), (".webmanifest", "application/manifest+json"),
):  # fmt: skip
    _TYPES.add_type(_type, _extension)


def media_of(path: Path) -> str:
    """Return the media type of a file of a front end, by its name alone; text is UTF-8."""
    guessed, encoding = _TYPES.guess_type(path.name)
    if guessed is None or encoding is not None:
        return "application/octet-stream"
    return f"{guessed}; charset=utf-8" if guessed.startswith("text/") else guessed


def inside(folder: Path, path: Path) -> bool:
    """Tell whether a path, symbolic links followed, lies below a folder."""
    return path.resolve().is_relative_to(folder.resolve())


def find(folders: Iterable[Path], name: str) -> Path | None:
    """Return the first file of this name below one of some folders.

    A name that leads out of its folder, also through a symbolic link, names nothing, and so does one with a
    hidden part (`.git/config`). The name is what a client sent, each segment decoded once.
    """
    parts = name.split("/")
    if "\\" in name or "\x00" in name or any(part.startswith(".") for part in parts if part) or "" in parts:
        return None
    for folder in folders:
        try:
            root = folder.resolve()
            path = (root / name).resolve()
            if path.is_relative_to(root) and path.is_file():
                return path
        except (OSError, ValueError, RuntimeError):  # a name that is too long, a ring of links
            continue
    return None
