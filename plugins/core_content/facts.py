"""What clients are told of the content types: the answers to two hooks of the plugin system."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .types import BUILT_IN, content_types

if TYPE_CHECKING:
    from atrio.kernel.host import Kernel

STATUS_FACTS = (
    ("open", "open", "Opened", "far fa-square", "#3f52e3"),
    ("closed-validated", "closed", "Validated", "far fa-check-square", "#008000"),
    ("closed-unvalidated", "closed", "Cancelled", "fas fa-times", "#f63434"),
    ("closed-deprecated", "closed", "Deprecated", "fas fa-exclamation-triangle", "#ababab"),
)
APPLICATION_LABELS = {
    "logbook": "Logbooks", "thread": "Threads", "file": "Files", "html-document": "Notes", "folder": "Folder",
    "kanban": "Kanban boards", "todo": "Todo",
}  # fmt: skip
WITHOUT_SCRIPT = ("todo",)


def _colour(slug: str, hexcolor: str) -> str:
    return "primary" if slug == "todo" else hexcolor


def content_type_facts(kernel: Kernel) -> list[dict[str, Any]]:
    """Return the facts of every content type, those of other plugins after the own ones."""
    statuses = [
        dict(zip(("slug", "global_status", "label", "fa_icon", "hexcolor"), status, strict=True))
        for status in STATUS_FACTS
    ]
    return [
        {
            "slug": kind.slug, "label": kind.label, "creation_label": kind.creation_label,
            "fa_icon": kind.fa_icon, "hexcolor": _colour(kind.slug, kind.hexcolor),
            "available_statuses": statuses,
        }
        for kind in content_types(kernel).values()
    ]  # fmt: skip


def application_facts() -> list[dict[str, Any]]:
    """Return one application for each built-in type that people create; others declare their own."""
    return [
        {
            "order": 10 * place, "slug": f"contents/{kind.slug}", "label": APPLICATION_LABELS[kind.slug],
            "fa_icon": kind.fa_icon, "hexcolor": _colour(kind.slug, kind.hexcolor),
            "script": None if kind.slug in WITHOUT_SCRIPT else kind.slug,
        }
        for place, kind in enumerate((k for k in BUILT_IN if k.slug in APPLICATION_LABELS), start=1)
    ]  # fmt: skip
