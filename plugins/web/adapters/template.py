"""The page of a front-end build, rendered with Mako.

The template and what it includes come from the operator's own build and branding folder and are code: whoever
writes there runs programs here.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mako.lookup import TemplateLookup
from mako.template import Template

log = logging.getLogger("atrio.web")
BRANDING = "assets/branding/"


class _Lookup(TemplateLookup):  # type: ignore[misc]
    """Finds included files in the build; those of the branding where the branding lies, an absent one is empty."""

    def __init__(self, dist: Path, branding: Callable[[str], Path | None]) -> None:
        super().__init__(directories=[str(dist)], input_encoding="utf-8", filesystem_checks=True)
        self._branding = branding

    def get_template(self, uri: str) -> Any:
        name = uri.lstrip("/")
        if not name.startswith(BRANDING):
            return super().get_template(uri)
        path = self._branding(name.removeprefix(BRANDING))
        if path is None:
            log.warning("the branding folder lacks %s", name.removeprefix(BRANDING))
            return Template("", lookup=self)  # noqa: S702 - empty
        return Template(filename=str(path), lookup=self, input_encoding="utf-8")  # noqa: S702 - HTML on purpose


class Page:
    """The index page of a build; a changed template is read again."""

    def __init__(self, dist: Path, branding: Callable[[str], Path | None]) -> None:
        self._lookup = _Lookup(dist, branding)

    def render(self, **values: Any) -> bytes:
        """Return the page in UTF-8."""
        text: str = self._lookup.get_template("index.mak").render_unicode(**values)
        return text.encode()
