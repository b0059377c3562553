"""Which store keeps the bytes of files: the folder of this machine, or what a plugin offers by `blob_store`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from .blobs import BlobStore, LocalBlobs
from .config import StorageConfig
from .errors import BootError
from .plugins import State

if TYPE_CHECKING:
    from .host import Kernel


def open_store(kernel: Kernel, name: str) -> BlobStore:
    """Return a store of bytes by its name in `storage.blobs`; BootError when nothing offers it."""
    makers = {"local": _local} | {k: make for k, (owner, make) in kernel.stores.items() if owner.enabled}
    if name not in makers:
        whole = (State.ENABLED, State.DISABLED)
        parked = [f"{r.name} is off: {r.reason}" for r in kernel.records if r.state not in whole]
        raise BootError("; ".join([f"nothing offers storage.blobs = {name!r} ({', '.join(makers)})", *parked]))
    return makers[name](kernel)


def _local(kernel: Kernel) -> BlobStore:
    storage = kernel.config[StorageConfig]
    return LocalBlobs(Path(storage.data_dir) / "blobs", fsync=storage.fsync)
