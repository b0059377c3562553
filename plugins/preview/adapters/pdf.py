"""PDF files: pages as JPEG, single pages, their number, with PDFium. It is built without JavaScript."""

from __future__ import annotations

import pypdfium2

QUALITY = 88


def count(path: str, out: str) -> dict[str, int]:
    """Return the number of pages; ValueError for what is no PDF, is encrypted, or has none."""
    return {"pages": len(_opened(path))}


def draw(path: str, out: str, page: int, width: int, height: int, max_pixels: int) -> None:
    """Write a page as a JPEG that fills a box in one direction; IndexError when there is none."""
    document = _opened(path)
    _check(document, page)
    sheet = document[page - 1]
    across, down = sheet.get_size()
    if not (0 < across < 1e6 and 0 < down < 1e6):
        raise ValueError(f"a page of {across:g} x {down:g} points")
    scale = min(width / across, height / down)
    if across * scale * down * scale > max_pixels:
        raise ValueError("too large a picture")
    if min(across, down) * scale < 1:
        raise ValueError("too narrow a page")
    bitmap = sheet.render(scale=scale, rev_byteorder=True, prefer_bgrx=False)
    image = bitmap.to_pil().convert("RGB")
    image.thumbnail((width, height))  # rounding may have made it a pixel too large
    image.save(out, "JPEG", quality=QUALITY)


def extract(path: str, out: str, page: int) -> None:
    """Write one page as a PDF; IndexError when there is none."""
    document = _opened(path)
    _check(document, page)
    single = pypdfium2.PdfDocument.new()
    single.import_pages(document, [page - 1])
    single.save(out)


def _opened(path: str) -> pypdfium2.PdfDocument:
    try:
        document = pypdfium2.PdfDocument(path)
        pages = len(document)
    except pypdfium2.PdfiumError as error:
        raise ValueError(f"PDF: {error}") from None
    if pages < 1:
        raise ValueError("PDF: no pages")
    return document


def _check(document: pypdfium2.PdfDocument, page: int) -> None:
    if page > len(document):
        raise IndexError(f"page {page} of {len(document)}")
