"""The order of migrations is read from their files, however its two lines are written."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from atrio.kernel.db.migrate import _assigned, revisions

BY_RULE = 'revision = "a002"\ndown_revision = "a001"\n'
OTHERS = (
    '"""As a template has it:\n\nrevision = "x"\ndown_revision = "y"\n"""\n' + BY_RULE,
    "revision = ('a' '002')\ndown_revision = \"a001\"\n",
    "revision: str = \"a002\"  # the second\ndown_revision: str | None = 'a001'\n",
    'def f():\n    revision = "x"\n\n' + BY_RULE,
    'revision = "a00\\x32"\ndown_revision = "a001"\n',
)


@pytest.mark.parametrize("source", [BY_RULE, *OTHERS])
def test_what_is_assigned_is_found(source: str, tmp_path: Any) -> None:
    (tmp_path / "0002.py").write_text(source)
    (tmp_path / "__init__.py").write_text("revision = 'no'\n")
    assert revisions(cast("Any", _lineage(tmp_path))) == (("a002", "a001"),)


def test_the_first_has_none_below_it(tmp_path: Any) -> None:
    (tmp_path / "1.py").write_text("revision = 'a001'\ndown_revision = None\n")
    (tmp_path / "2.py").write_text("revision = 'a002'\n")
    (tmp_path / "3.py").write_text("nothing = 1\n")
    assert revisions(cast("Any", _lineage(tmp_path))) == (("a001", None), ("a002", None))
    assert _assigned("revision = 'a001'") == {"revision": "'a001'"}


class _Folder(SimpleNamespace):
    __hash__ = object.__hash__  # type: ignore[assignment]


def _lineage(folder: Any) -> Any:
    return _Folder(folder=folder)
