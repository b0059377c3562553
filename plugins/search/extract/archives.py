"""Names in tar archives, compressed or not; nothing in them is opened."""

from __future__ import annotations

import bz2
import gzip
import lzma
import tarfile
import zlib
from collections.abc import Iterator
from typing import IO

from .package import Budget, Counted
from .xmlstream import Source

UNPACKED = 2 * 1024 * 1024 * 1024
MEMBERS = 20_000


def pieces(path: str, limit: int) -> Iterator[str]:
    """Yield the names of the members; nothing for a compressed file that is no archive."""
    with open(path, "rb") as file:
        source = Counted(_unpacked(file), Budget(UNPACKED))
        try:
            with tarfile.open(fileobj=source, mode="r|") as archive:
                for number, member in enumerate(archive):
                    if number >= MEMBERS:
                        return
                    yield f"{member.name}\n"
                    archive.members.clear()  # type: ignore[attr-defined] # the library remembers every member
        except (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile) as error:
            raise ValueError(f"a damaged archive: {error}") from None
        except tarfile.TarError as error:
            if "truncated" in str(error) or "unexpected" in str(error):
                raise ValueError(f"a damaged archive: {error}") from None
            return  # something else than an archive, compressed


def _unpacked(file: IO[bytes]) -> Source:
    head = file.read(6)
    file.seek(0)
    if head.startswith(b"\x1f\x8b"):
        return gzip.GzipFile(fileobj=file)
    if head.startswith(b"BZh"):
        return bz2.BZ2File(file)
    if head.startswith(b"\xfd7zXZ\x00"):
        return lzma.LZMAFile(file)
    return file
