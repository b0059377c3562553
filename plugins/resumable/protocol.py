"""The headers of tus 1.0 (https://tus.io/protocols/resumable-upload): read, checked, written."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import formatdate
from typing import Any
from urllib.parse import urlsplit

from atrio.kernel.errors import ValidationFailed
from atrio.kernel.http.request import Request

from .errors import BadUploadHeader

VERSION = "1.0.0"
EXTENSIONS = "creation,creation-with-upload,expiration,checksum,termination,concatenation"
ALGORITHMS = ("sha1", "sha256")
OFFSET_STREAM = "application/offset+octet-stream"
METADATA_LIMIT = 8192
PARTIAL = "partial"
PARTS = 64
"""How many parts one upload may be put together of."""
REQUEST_HEADERS = (
    "Tus-Resumable", "Upload-Length", "Upload-Metadata", "Upload-Offset", "Upload-Checksum", "Upload-Concat",
    "X-HTTP-Method-Override", "X-Requested-With", "X-Request-ID",
)  # fmt: skip
"""What pages of other origins may send."""
EXPOSED = (
    "Location,Content-Location,Tus-Resumable,Tus-Version,Tus-Extension,Tus-Max-Size,Tus-Checksum-Algorithm,"
    "Upload-Concat,Upload-Offset,Upload-Length,Upload-Metadata,Upload-Expires,Atrio-Content-Id,Retry-After"
)
"""What they may read of the answers."""


@dataclass(frozen=True)
class Checksum:
    """What the bytes of one request must hash to."""

    algorithm: str
    digest: bytes

    def begin(self) -> Any:
        """Return a new hash."""
        return hashlib.new(self.algorithm, usedforsecurity=False)


def number(request: Request, name: str) -> int:
    """Return a header that is a whole number of bytes; BadUploadHeader when it is missing or none."""
    text = request.headers.get(name.lower(), "")
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise BadUploadHeader(f"{name} is missing or no number of bytes")
    return int(text)


def checksum(request: Request) -> Checksum | None:
    """Return what `Upload-Checksum` asks for; BadUploadHeader for another algorithm or broken Base64."""
    text = request.headers.get("upload-checksum")
    if text is None:
        return None
    algorithm, _, coded = text.strip().partition(" ")
    if algorithm not in ALGORITHMS:
        raise BadUploadHeader(f"Upload-Checksum: one of {', '.join(ALGORITHMS)}")
    try:
        digest = base64.b64decode(coded.strip(), validate=True)
    except (binascii.Error, ValueError):
        raise BadUploadHeader("Upload-Checksum: not Base64") from None
    return Checksum(algorithm, digest)


def metadata(request: Request) -> tuple[str, dict[str, str]]:
    """Return `Upload-Metadata` as it was sent, and its values by key; BadUploadHeader for what is none."""
    text = request.headers.get("upload-metadata", "").strip()
    if len(text) > METADATA_LIMIT or not text.isascii() or not (text.isprintable() or not text):
        raise BadUploadHeader("Upload-Metadata: too long, or not ASCII")
    found: dict[str, str] = {}
    for pair in text.split(",") if text else ():
        key, _, coded = pair.strip().partition(" ")
        if not key or key in found:
            raise BadUploadHeader("Upload-Metadata: an empty key, or one that comes twice")
        try:
            found[key] = base64.b64decode(coded.strip(), validate=True).decode("utf-8")
        except (binascii.Error, ValueError):
            raise BadUploadHeader(f"Upload-Metadata: {key} is not Base64 of UTF-8") from None
    return text, found


def concat(request: Request) -> tuple[str, list[str]]:
    """Return `Upload-Concat` as it was sent, and the names of the parts of a final upload."""
    text = request.headers.get("upload-concat", "").strip()
    if text in ("", PARTIAL):
        return text, []
    kind, _, places = text.partition(";")
    parts = [urlsplit(place).path.rstrip("/").rpartition("/")[2] for place in places.split()]
    if kind.strip() != "final" or not 0 < len(parts) <= PARTS or len(set(parts)) != len(parts):
        raise BadUploadHeader(f"Upload-Concat: `partial`, or `final;` and up to {PARTS} addresses of parts")
    return text, parts


def id_of(values: Mapping[str, str], key: str) -> int | None:
    """Return an id among the metadata, None where it is absent, empty or 0; ValidationFailed for no number."""
    text = values.get(key, "").strip()
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise ValidationFailed({key: ["Not a valid integer."]})
    return int(text) or None


def state(*, offset: int | None = None, expires: int | None = None) -> list[tuple[str, str]]:
    """Return the headers that tell where an upload stands; `expires` in microseconds."""
    found = []
    if offset is not None:
        found.append(("upload-offset", str(offset)))
    if expires is not None:
        found.append(("upload-expires", formatdate(expires / 1_000_000, usegmt=True)))
    return found
