"""Media types of uploads."""

from __future__ import annotations

import mimetypes

_TYPES = mimetypes.MimeTypes()
for _extension, _type in (
    (".md", "text/markdown"), (".webp", "image/webp"), (".avif", "image/avif"), (".webm", "video/webm"),
    (".mp4", "video/mp4"), (".ics", "text/calendar"), (".vcf", "text/vcard"), (".kanban", "application/json"),
    (".logbook", "application/json"), (".odt", "application/vnd.oasis.opendocument.text"),
    (".ods", "application/vnd.oasis.opendocument.spreadsheet"),
    (".odp", "application/vnd.oasis.opendocument.presentation"),
    (".docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    (".xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    (".pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
    (".gz", "application/gzip"), (".7z", "application/x-7z-compressed"),
):  # fmt: skip
    _TYPES.add_type(_type, _extension)


def guess_media(name: str, given: str, head: bytes) -> str:
    """Return the media type of a file: by its name, else what the client said, else by its first bytes."""
    guessed, encoding = _TYPES.guess_type(f"x{name[-64:]}", strict=True)
    if encoding:
        guessed = {"gzip": "application/gzip", "bzip2": "application/x-bzip2"}.get(encoding, guessed)
    if guessed:
        return guessed
    given = given.strip().lower()
    if given.count("/") == 1 and len(given) <= 255 and given.isascii() and given != "application/octet-stream":
        return given
    try:
        head[:4096].decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(head[:4096]) - 4:
            return "application/octet-stream"
    return "text/plain" if head and b"\x00" not in head[:4096] else "application/octet-stream"
