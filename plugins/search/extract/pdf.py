"""Text of PDF files; a page that cannot be read is left out."""

from __future__ import annotations

from collections.abc import Iterator

import pypdf
from pypdf.errors import PyPdfError

PAGES = 5_000


def pieces(path: str, limit: int) -> Iterator[str]:
    """Yield the title and the text of the pages; ValueError for a file that is encrypted or no PDF."""
    try:
        reader = pypdf.PdfReader(path)
        if reader.is_encrypted and not reader.decrypt(""):
            raise ValueError("encrypted")
        pages = iter(reader.pages)
    except PyPdfError as error:
        raise ValueError(f"PDF: {error}") from None
    yield _title(reader)
    failed: Exception | None = None
    read = 0
    for number, page in enumerate(_within(pages)):
        if number >= PAGES:
            return
        try:
            text = page.extract_text()
        except (MemoryError, OSError):
            raise
        except Exception as error:  # noqa: BLE001 - the library fails in many ways at what strangers make
            failed = error
            continue
        read += 1
        yield text
        yield "\n"
    if failed is not None and not read:
        raise ValueError(f"PDF: no page can be read: {type(failed).__name__}")


def _within(pages: Iterator[pypdf.PageObject]) -> Iterator[pypdf.PageObject]:
    try:
        yield from pages
    except PyPdfError as error:
        raise ValueError(f"PDF: {error}") from None


def _title(reader: pypdf.PdfReader) -> str:
    try:
        about = reader.metadata
        found = [about.title, about.subject, about.author] if about else []
    except Exception:  # noqa: BLE001 - see above
        return ""
    return "".join(f"{text}\n" for text in found if text)
