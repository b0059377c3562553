"""Stored bytes: named by the SHA-256 of their content, received into temporary files, kept by a committed row."""

from __future__ import annotations

from .local import LocalBlobs
from .rows import DOOMED, FRESHEN, Blob
from .store import BLOCK, BlobStore, Known, Source, Stored
from .temporary import TemporaryBlob

__all__ = (
    "BLOCK", "DOOMED", "FRESHEN", "Blob", "BlobStore", "Known", "LocalBlobs", "Source", "Stored", "TemporaryBlob",
)  # fmt: skip
