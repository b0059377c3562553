"""XML that strangers made, read as a stream: no tree, no document type, and so no entities."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Protocol
from xml.parsers import expat

BLOCK = 1 << 16
Start = Callable[[str, dict[str, str]], None]


class Refused(ValueError):
    """XML that no office program writes."""


def _no_document_type(*_: Any) -> None:
    raise Refused("XML with a document type")


class Source(Protocol):
    """What bytes are read from."""

    def read(self, size: int, /) -> bytes:
        """Return bytes; none at the end."""
        ...


def stream(
    source: Source, start: Start, end: Callable[[str], None], data: Callable[[str], None]
) -> Iterator[None]:  # fmt: skip
    """Parse block by block, and yield after each; names come without their namespace. ValueError for bad XML."""
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _no_document_type
    parser.EntityDeclHandler = _no_document_type
    parser.StartElementHandler = lambda name, attributes: start(
        name.rpartition(" ")[2], {key.rpartition(" ")[2]: value for key, value in attributes.items()}
    )
    parser.EndElementHandler = lambda name: end(name.rpartition(" ")[2])
    parser.CharacterDataHandler = data
    try:
        while block := source.read(BLOCK):
            parser.Parse(block, False)
            yield
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise ValueError(f"XML: {error}") from None
    yield
