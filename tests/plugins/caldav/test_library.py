"""Radicale's interfaces change between its lines: what ours are written against, and that we cover all of it."""

from __future__ import annotations

import inspect
from importlib.metadata import version
from typing import Any

import pytest

pytestmark = pytest.mark.any_engine

pytest.importorskip("radicale")


def names(function: Any) -> list[str]:
    return list(inspect.signature(function).parameters)


def test_the_line_that_was_tested() -> None:
    assert version("radicale").startswith("3.9.")


def test_our_methods_take_what_the_library_gives() -> None:
    from radicale.auth import BaseAuth
    from radicale.rights import BaseRights
    from radicale.storage import BaseCollection, BaseStorage

    from atrio.plugins.caldav.adapters.storage import Auth, Collection, Rights, Storage

    for theirs, ours, methods in (
        (BaseStorage, Storage, ("discover", "move", "create_collection", "acquire_lock", "verify")),
        (BaseCollection, Collection, ("sync", "get_multi", "get_all", "get_filtered", "has_uid", "upload", "delete", "get_meta", "set_meta", "serialize")),
        (BaseRights, Rights, ("authorization",)), (BaseAuth, Auth, ("get_external_login", "_login")),
    ):  # fmt: skip
        for method in methods:
            assert names(getattr(theirs, method)) == names(getattr(ours, method)), method
        raising = [n for n in methods if getattr(ours, n) is getattr(theirs, n)]
        assert raising == []
    for name in ("path", "owner", "is_principal", "etag", "tag", "last_modified"):
        assert getattr(Collection, name) is not getattr(BaseCollection, name), name


def test_the_library_is_imported_with_the_first_request_only(kernel: Any) -> None:
    import subprocess
    import sys

    code = (
        "import sys; from pathlib import Path; import tempfile\n"
        "from atrio.kernel.testing.plugin import make_kernel\n"
        "k = make_kernel(Path(tempfile.mkdtemp()), {}); k.stop()\n"
        "print('radicale' in sys.modules, k.record('caldav').enabled)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True"]
