"""What the library would misread in a request, put into words that it reads right."""

from __future__ import annotations

import io
from typing import Any
from urllib.parse import quote, unquote_to_bytes, urlsplit

from lxml import etree
from wsgidav.dav_error import HTTP_BAD_REQUEST, DAVError


def tidy(environ: dict[str, Any]) -> None:
    """Put destination and body in order, or raise DAVError 400."""
    if environ["REQUEST_METHOD"] in ("COPY", "MOVE") and "HTTP_DESTINATION" in environ:
        environ["HTTP_DESTINATION"] = destination(environ["HTTP_DESTINATION"])
    if environ["REQUEST_METHOD"] in ("PROPFIND", "PROPPATCH", "LOCK"):
        _read_xml(environ)


def destination(header: str) -> str:
    """Return the header so that the library, which decodes it before it splits it, finds the path meant.

    It would cut a name at `?` and at `;`, decode twice what was sent undecoded, and fail where there is no text.
    """
    try:
        parts = urlsplit(header)
        path = unquote_to_bytes(parts.path.encode("latin-1", "strict")).decode()
    except ValueError:
        raise DAVError(HTTP_BAD_REQUEST, "the header Destination cannot be read") from None
    path = path.replace("?", "ʔ")  # as drives show it
    if ";" in path.rpartition("/")[2]:
        path += "/"
    host = f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""
    return host + quote(path)


def _read_xml(environ: dict[str, Any]) -> None:
    """Parse a body once, and write it out so that the library reads it right.

    It takes comments and instructions for elements without a name, fails at entities, and knows `propname` by
    another name.
    """
    body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"] or 0))
    if body.strip():
        parser = etree.XMLParser(
            resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True
        )  # fmt: skip
        try:
            root = etree.fromstring(body, parser)
        except (etree.XMLSyntaxError, ValueError):
            raise DAVError(HTTP_BAD_REQUEST, "Invalid XML format.") from None
        if root.getroottree().docinfo.doctype:
            raise DAVError(HTTP_BAD_REQUEST, "a document type is not taken")
        if environ["REQUEST_METHOD"] == "PROPFIND":
            for element in root.iterfind("{DAV:}propname"):
                element.tag = "{DAV:}name"
        body = etree.tostring(root)
    environ["wsgi.input"] = io.BytesIO(body)
    environ["CONTENT_LENGTH"] = str(len(body))
