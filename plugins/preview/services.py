"""What a preview is built of and how: orders, found in the folder or built outside of every unit of work."""

from __future__ import annotations

import contextlib
import html
import json
import logging
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from atrio.kernel import sandbox
from atrio.kernel.forkserver import ForkServer
from atrio.kernel.host import Kernel

from .config import PreviewConfig, cache_folder
from .previewers import HERE, Previewer
from .store import Failed, Key, Made, Missing, Store
from .workshop import Workshop

log = logging.getLogger("atrio.preview")
_GROUPS = (("pictures",), ("pdf", "documents"))
READY = {f"{HERE}.{name}": tuple(f"{HERE}.{one}" for one in group) for group in _GROUPS for name in group}
"""What is built so often that its libraries are kept at hand, and with what in one process.

Pictures are alone: a fork copies the tables of all memory there is, and theirs is half without PDF and fonts.
"""


@dataclass(frozen=True)
class Source:
    """What is previewed: stored bytes by their digest, or a text that is at hand."""

    digest: str
    size: int
    text: str | None = None


@dataclass(frozen=True)
class Order:
    """One file to build: by which function, of the source or of what the order before it made.

    `fails` is where a failure is kept when it is one of all orders like this: a picture that is none in any size.
    """

    key: Key
    source: Source
    target: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    before: Order | None = None
    tool: bool = False
    fails: Key | None = None


@contextlib.contextmanager
def local_file(kernel: Kernel, store: Store, source: Source) -> Iterator[Path]:
    """Give the path of a source's bytes while they are read; Missing when they are not in the store."""
    if source.text is not None:
        with store.file() as path:
            path.touch(mode=0o600)
            path.write_text(source.text, encoding="utf-8", errors="replace")
            yield path.absolute()
        return
    with contextlib.ExitStack() as stack:
        try:
            path = stack.enter_context(kernel.blobs.local(source.digest))
        except FileNotFoundError:
            raise Missing("unavailable", f"the bytes {source.digest} are not in the store") from None
        yield path.absolute()


# -- orders ---------------------------------------------------------------------------------------------------


def _made(source: Source, previewer: Previewer) -> Order | None:
    """Return the order of what all previews of a type are drawn from; None when that is the file itself."""
    if not previewer.target:
        return None
    return Order(
        Key(source.digest, previewer.id, "made"), source, previewer.target, previewer.options, tool=previewer.tool
    )


def jpeg(kernel: Kernel, source: Source, previewer: Previewer, size: tuple[int, int], page: int) -> Order:
    """Return the order of a JPEG of one page that fits a size. Failed where a picture has no such page."""
    settings = kernel.config[PreviewConfig]
    width, height = (min(side or settings.largest, settings.largest) for side in size)
    arguments: dict[str, Any] = {"width": width, "height": height, "max_pixels": settings.max_pixels}
    fails = None
    if previewer.makes == "image":
        if page != 1:
            raise Failed("page")
        fails = Key(source.digest, previewer.id, "jpg")
        target = f"{HERE}.pictures:thumbnail"
    else:
        target = f"{HERE}.pdf:draw"
        arguments["page"] = page
    key = Key(source.digest, previewer.id, f"jpg-{width}x{height}-{page}")
    return Order(key, source, target, arguments, _made(source, previewer), fails=fails)


def pdf_page(source: Source, previewer: Previewer, page: int) -> Order:
    """Return the order of one page as a PDF. Failed for a picture."""
    if previewer.makes != "pdf":
        raise Failed("type")
    key = Key(source.digest, previewer.id, f"pdf-{page}")
    return Order(key, source, f"{HERE}.pdf:extract", {"page": page}, _made(source, previewer))


def whole_pdf(source: Source, previewer: Previewer) -> Order:
    """Return the order of a whole PDF; of a PDF itself: of its facts, which tell that it can be read."""
    if previewer.makes != "pdf":
        raise Failed("type")
    return _made(source, previewer) or pages(source, previewer)


def pages(source: Source, previewer: Previewer) -> Order:
    """Return the order of the number of pages, which is a small JSON file."""
    key = Key(source.digest, previewer.id, "facts")
    return Order(key, source, f"{HERE}.pdf:count", {}, _made(source, previewer))


# -- building -------------------------------------------------------------------------------------------------


def store_of(kernel: Kernel) -> Store:
    """Return the folder of previews of an instance."""

    def make() -> Store:
        settings = kernel.config[PreviewConfig]
        return Store(
            cache_folder(kernel.config), largest=settings.cache_bytes, days=settings.cache_days,
            failure_hours=settings.failure_hours,
        )  # fmt: skip

    return kernel.memo("preview.store", make)


def workshop_of(kernel: Kernel) -> Workshop:
    """Return the threads that build previews for an instance."""

    def make() -> Workshop:
        settings = kernel.config[PreviewConfig]
        return Workshop(settings.at_once, settings.queue)

    return kernel.memo("preview.workshop", make)


def found(kernel: Kernel, order: Order) -> Made | None:
    """Return what an order makes, if it is there; Failed when it is known that it cannot be built."""
    store = store_of(kernel)
    there = store.find(order.key)
    if there is None:
        if order.fails is not None:
            store.check(order.fails)
        if order.before is not None:
            store.check(order.before.key)
    return there


def build(kernel: Kernel, order: Order) -> Made:
    """Build what an order wants and was not found, and first what it is made of; Failed when it cannot be.

    Blocks for as long as that takes: not for a thread of requests. Of several processes one builds.
    """
    store = store_of(kernel)
    before = order.before
    source = None if before is None else (found(kernel, before) or build(kernel, before)).path
    with store.lock(order.key):
        there = found(kernel, order)
        if there is not None:
            return there
        try:
            _build(kernel, store, order, source)
        except Failed as failed:
            log.info("no preview %s: %s", order.key.name, failed)
            if not isinstance(failed, Missing) and (source is None or source.exists()):
                store.keep_failure(order.fails or order.key, failed)
            raise
    made = store.find(order.key)
    if made is None:
        raise Failed("unavailable", "it vanished")
    return made


def _build(kernel: Kernel, store: Store, order: Order, made: Path | None) -> None:
    settings = kernel.config[PreviewConfig]
    if made is None and order.source.size > settings.file_size:
        raise Failed("unavailable", f"more than {settings.file_size} bytes")
    with contextlib.ExitStack() as stack:
        source = made or stack.enter_context(local_file(kernel, store, order.source))
        if not source.exists():
            raise Missing("unavailable", f"the bytes {source.name} are not in the store")
        # Our own functions write `out` and nothing else; whoever else builds is weighed by what is in its folder.
        folder = None if _module(order) in READY else stack.enter_context(store.folder()).absolute()
        out = stack.enter_context(store.file()).absolute() if folder is None else folder / "out"
        arguments = {"path": str(source.absolute()), "out": str(out), **order.arguments}
        answer = _run(kernel, order, arguments, folder)
        facts = answer if isinstance(answer, dict) else None
        if facts is not None:
            store.keep_facts(Key(order.key.digest, order.key.builder, "facts"), facts)
        if order.key.kind != "facts":
            if not out.is_file() or out.is_symlink():
                raise Failed("unavailable", "nothing was made")
            store.keep(order.key, out)


def _module(order: Order) -> str:
    return order.target.partition(":")[0]


def _run(kernel: Kernel, order: Order, arguments: Mapping[str, Any], folder: Path | None) -> Any:
    settings = kernel.config[PreviewConfig]
    seconds = settings.tool_seconds if order.tool else settings.seconds
    limits = sandbox.Limits(
        memory_mib=settings.tool_memory_mib if order.tool else settings.memory_mib, cpu_seconds=seconds,
        wall_seconds=2 * seconds, file_mib=512, answer_bytes=65536, processes=order.tool,
    )  # fmt: skip
    try:
        group = READY.get(_module(order))
        if group is not None:
            return _fork_server(os.getpid(), group).run(order.target, arguments, limits, folder=folder)
        return sandbox.run(order.target, arguments, limits, folder=folder)
    except sandbox.SandboxFailed as failure:
        kind = "page" if failure.kind == "IndexError" else "unavailable"
        raise Failed(kind, _shown(str(failure))) from None
    except ValueError as error:
        raise Failed("unavailable", _shown(str(error))) from None


@cache
def _fork_server(process: int, modules: tuple[str, ...]) -> ForkServer:
    """Return the one of this process for some modules, whatever instances it has."""
    return ForkServer(modules)


def _shown(detail: str) -> str:
    """Return a reason without what strangers may have put into it to confuse readers of logs."""
    return "".join(c if c.isprintable() else "?" for c in detail[:250])


# -- what routes ask for --------------------------------------------------------------------------------------


def stored_bytes(kernel: Kernel, source: Source) -> Any:
    """Return where to open the stored bytes of a source, to send them as they are."""
    return kernel.blobs.source(source.digest)


def page_number(made: Made) -> int | None:
    """Return the number of pages in the facts of a file."""
    try:
        return int(json.loads(made.content or b"{}")["pages"])
    except (ValueError, KeyError, TypeError):
        return None


def note_page(label: str, text: str) -> str:
    """Return a note as a page, with its title."""
    return f"<h1>{html.escape(label)}</h1>\n{text}"
