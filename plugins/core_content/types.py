"""Content types and their rules (spec: contents, §1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from atrio.kernel.host import Kernel


@dataclass(frozen=True)
class ContentType:
    """One kind of content. `file_extension` None: from the upload; `route` is the segment of its own routes."""

    slug: str
    label: str
    creation_label: str
    fa_icon: str
    hexcolor: str
    route: str
    file_extension: str | None = ""
    minimal_role: str = "contributor"
    creatable: bool = True
    named: bool = True


BUILT_IN = (
    ContentType(
        "logbook", "Logbook", "Create a logbook", "fas fa-book", "#ff4081", "files", ".logbook"
    ),
    ContentType(
        "thread", "Thread", "Start a topic", "far fa-comments", "#428BCA", "threads", ".thread.html"
    ),
    ContentType("file", "File", "Upload files", "fas fa-paperclip", "#ffa500", "files", None),
    ContentType(
        "html-document", "Note", "Write a note", "far fa-file-alt", "#00CC00", "html-documents",
        ".document.html",
    ),
    ContentType(
        "folder", "Folder", "Create a folder", "far fa-folder", "#414548", "folders", "", "content-manager"
    ),
    ContentType(
        "kanban", "Kanban", "Create a Kanban board", "fas fa-columns", "#197474", "files", ".kanban"
    ),
    ContentType(
        "todo", "Todo", "Todo", "fas fa-check-square", "#2f7d30", "todos", creatable=False, named=False
    ),
    ContentType("comment", "Comment", "Comment", "", "", "comments", creatable=False, named=False),
)  # fmt: skip
SLUGS = tuple(t.slug for t in BUILT_IN)
ALIASES = {"page": "html-document", "journal": "logbook"}
"""Names of old data; taken by no route."""
FILE_LIKE = ("file", "kanban", "logbook")
STATUSES = ("open", "closed-validated", "closed-unvalidated", "closed-deprecated")
NAMESPACES = ("content", "upload", "publication")
REVISION_TYPES = (
    "archiving", "content-comment", "creation", "deletion", "edition", "revision", "status-update",
    "unarchiving", "undeletion", "move", "copy", "mark-as-template", "unmark-as-template",
)  # fmt: skip


def content_types(kernel: Kernel) -> Mapping[str, ContentType]:
    """Return every content type of this instance by slug."""

    def collect() -> dict[str, ContentType]:
        offered = kernel.hooks.hook.register_content_types()
        return {t.slug: t for t in (*BUILT_IN, *(t for given in offered for t in given or ()))}

    return kernel.memo("core_content.types", collect)
