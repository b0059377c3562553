"""Bells that ring, and what hears them: shared by the tests of the unit of work."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from sqlalchemy import insert, select

from atrio.kernel.blobs import Blob
from atrio.kernel.context import Context
from atrio.kernel.db.base import Base
from atrio.kernel.db.statement import Write
from atrio.kernel.errors import KernelError
from atrio.kernel.events import Event, Phase, Subscription
from atrio.kernel.host import Kernel
from atrio.kernel.plugins import PluginRecord

BLOBS = Base.metadata.tables["kernel_blob"]
WRITE = Write(insert(BLOBS))


@dataclass(frozen=True)
class Rang(Event):
    """A bell rang."""

    name: ClassVar[str] = "bell.rang"
    number: int = 0


@dataclass(frozen=True)
class Echoed(Event):
    """A bell was heard again."""

    name: ClassVar[str] = "bell.echoed"
    number: int = 0


class Quiet(KernelError):
    """No bells at night."""

    code = 30002


def hear(kernel: Kernel, owner: PluginRecord | None, handler: Any, **given: Any) -> None:
    given.setdefault("phase", Phase.BEFORE_COMMIT)
    event = given.pop("event", Rang)
    kernel.bus.subscribe(owner, Subscription(event, handler, **given))


def put(ctx: Context, digest: str) -> None:
    ctx.execute(insert(Blob).values(digest=digest, size=1, created=1))


def kept(kernel: Kernel) -> set[str]:
    with kernel.unit(writes=False) as ctx:
        return set(ctx.execute(select(Blob.digest)).scalars())


def ring(ctx: Context) -> None:
    ctx.emit(Rang(1))
