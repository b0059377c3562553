"""Which types of files have previews, and what makes them."""

from __future__ import annotations

import importlib.util
import logging
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from atrio.kernel.host import Kernel

from .config import PreviewConfig

log = logging.getLogger("atrio.preview")
HERE = "atrio.plugins.preview.adapters"
PICTURES = (
    "image/jpeg", "image/png", "image/gif", "image/webp", "image/avif", "image/tiff", "image/bmp",
    "image/x-ms-bmp", "image/x-icon", "image/vnd.microsoft.icon", "image/jp2", "image/x-portable-pixmap",
    "image/x-portable-graymap", "image/x-portable-bitmap", "image/x-portable-anymap", "image/pjpeg",
    "image/x-png",
)  # fmt: skip
HEIF = ("image/heic", "image/heif", "image/heic-sequence", "image/heif-sequence")
TEXTS = (
    "application/json", "application/xml", "application/javascript", "application/x-javascript",
    "application/x-sh", "application/x-yaml", "application/yaml", "application/toml", "application/sql",
    "application/x-httpd-php", "application/x-tex", "application/x-latex", "application/x-csh",
    "application/x-perl", "application/x-python-code", "application/x-tcl", "application/ecmascript",
    "application/typescript", "application/x-texinfo", "application/x-troff", "application/x-ndjson",
    "application/xhtml+xml", "application/rss+xml", "application/atom+xml", "application/ld+json",
    "application/geo+json",
)  # fmt: skip
CODE = (
    ".py", ".js", ".ts", ".tsx", ".jsx", ".c", ".h", ".cpp", ".hpp", ".cc", ".rs", ".go", ".java", ".kt",
    ".rb", ".php", ".sh", ".sql", ".yaml", ".yml", ".toml", ".ini", ".cfg", ".conf", ".log", ".md", ".rst",
    ".tex", ".json", ".xml", ".css", ".scss", ".lua", ".pl", ".swift", ".cs", ".vue", ".gradle", ".dockerfile",
    ".diff", ".patch", ".po",
)  # fmt: skip
OFFICE = (
    ".odt", ".ott", ".ods", ".ots", ".odp", ".otp", ".odg", ".doc", ".docx", ".docm", ".dot", ".dotx", ".xls",
    ".xlsx", ".xlsm", ".xlt", ".ppt", ".pptx", ".pptm", ".pps", ".ppsx", ".pot", ".rtf", ".vsd", ".vsdx",
    ".pub", ".wps", ".wpd", ".pages", ".numbers", ".key", ".fodt", ".fods", ".fodp",
)  # fmt: skip


@dataclass(frozen=True)
class Previewer:
    """What makes previews of some types: of the file itself, or of what `target` makes of it.

    `needs` are the modules without which it cannot.
    """

    name: str
    version: int
    makes: Literal["image", "pdf"]
    target: str = ""
    media: tuple[str, ...] = ()
    extensions: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    tool: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """Name it with its version, as kept previews do."""
        return f"{self.name}.{self.version}"

    def takes(self, media: str, extension: str) -> bool:
        """Tell whether a file is one of its types; `text/*` is a type, too."""
        return media in self.media or extension in self.extensions or f"{media.partition('/')[0]}/*" in self.media


def found_tool(setting: str, name: str) -> str:
    """Return the path of a program; empty when there is none."""
    if setting == "no":
        return ""
    return shutil.which(setting or name) or ""


def previewers(kernel: Kernel) -> list[Previewer]:
    """Return what makes previews here, those of other plugins first; looked for once for an instance."""

    def collect() -> list[Previewer]:
        found = []
        for one in (one for each in kernel.hooks.hook.register_previewers() for one in each or ()):
            try:
                found.append(_offered(one))
            except (KeyError, TypeError, ValueError) as error:
                log.warning("register_previewers: %r is left out: %s: %s", one, type(error).__name__, error)
        return [*found, *_own(kernel)]

    return kernel.memo("preview.previewers", collect)


def _offered(given: Mapping[str, Any]) -> Previewer:
    target = str(given["target"])
    if given["makes"] not in ("image", "pdf"):
        raise ValueError("it makes neither image nor pdf")
    return Previewer(
        name=f"x-{given['name']}", version=int(given.get("version", 1)), makes=given["makes"], target=target,
        media=tuple(given.get("media", ())), extensions=tuple(given.get("extensions", ())),
        needs=(target.partition(":")[0],), tool=bool(given.get("tool", False)),
        options={"options": dict(given.get("options", {}))},
    )  # fmt: skip


def _own(kernel: Kernel) -> Iterable[Previewer]:
    settings = kernel.config[PreviewConfig]
    typeset = ("reportlab", "pypdfium2")
    print_options = {"fonts": fonts(settings), "max_pages": settings.max_pages}
    yield Previewer("picture", 1, "image", media=PICTURES)
    yield Previewer(
        "heif", 1, "image", f"{HERE}.heif:draw", HEIF, (".heic", ".heif"), ("pi_heif",),
        options={"max_pixels": settings.max_pixels},
    )  # fmt: skip
    yield Previewer("pdf", 1, "pdf", media=("application/pdf", "application/x-pdf"), needs=("pypdfium2",))
    yield Previewer(
        "svg", 1, "image", f"{HERE}.vector:draw", ("image/svg+xml",), (".svg",), ("resvg_py",),
        options={"fonts": fonts(settings), "max_pixels": settings.max_pixels},
    )  # fmt: skip
    yield Previewer(
        "page", 1, "pdf", f"{HERE}.documents:page", ("text/html", "application/xhtml+xml"), (".html", ".htm"),
        typeset, options=print_options,
    )  # fmt: skip
    tools = settings.unconfined or _can_be_confined()
    soffice = found_tool(settings.soffice, "soffice") if tools else ""
    if soffice:
        yield Previewer(
            "office", 1, "pdf", f"{HERE}.office:convert", extensions=OFFICE, needs=("pypdfium2",), tool=True,
            options={"program": soffice, "seconds": settings.tool_seconds, "unconfined": settings.unconfined},
        )  # fmt: skip
    ffmpeg = found_tool(settings.ffmpeg, "ffmpeg") if tools else ""
    if ffmpeg:
        yield Previewer(
            "film", 1, "image", f"{HERE}.film:cover", ("video/*", "audio/*"), tool=True,
            options={"program": ffmpeg, "seconds": settings.tool_seconds, "unconfined": settings.unconfined},
        )  # fmt: skip
    yield Previewer(
        "table", 1, "pdf", f"{HERE}.documents:table", ("text/csv", "text/tab-separated-values"), (".csv", ".tsv"),
        typeset, options=print_options,
    )  # fmt: skip
    yield Previewer(
        "text", 1, "pdf", f"{HERE}.documents:text", ("text/*", *TEXTS), CODE, typeset, options=print_options
    )  # fmt: skip


def _can_be_confined() -> bool:
    from .adapters.confinement import version

    return version() > 0


def note_previewer(kernel: Kernel) -> Previewer:
    """Return what makes the PDF of a note."""
    settings = kernel.config[PreviewConfig]
    options = {"fonts": fonts(settings), "max_pages": settings.max_pages}
    return Previewer(
        "note", 1, "pdf", f"{HERE}.documents:page", needs=("reportlab", "pypdfium2"), options=options
    )  # fmt: skip


def usable(kernel: Kernel, previewer: Previewer) -> bool:
    """Tell whether its libraries are installed; looked for once for an instance."""
    return kernel.memo(("preview.usable", previewer.id), lambda: all(_is_there(n) for n in previewer.needs))


def _is_there(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def previewer_of(kernel: Kernel, media: str, extension: str) -> Previewer | None:
    """Return what makes previews of a type of files; None when nothing does."""
    extension = extension.lower()
    if extension in kernel.config[PreviewConfig].skiplist:
        return None
    media = media.partition(";")[0].strip().lower()
    for previewer in previewers(kernel):
        if previewer.takes(media, extension):
            if previewer.name == "office":  # it goes by the extension where the bytes leave it open
                options = {**previewer.options, "extension": extension}
                found = replace(previewer, name=f"office-{extension[1:]}", options=options)
            else:
                found = previewer
            return found if usable(kernel, found) else None
    return None


# -- fonts ------------------------------------------------------------------------------------------------------

SYSTEM_FONTS = Path("/usr/share/fonts/truetype/dejavu")
EAST_ASIAN = Path("/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf")
STYLES = {
    "mono": "DejaVuSansMono.ttf", "sans": "DejaVuSans.ttf", "bold": "DejaVuSans-Bold.ttf",
    "italic": "DejaVuSans-Oblique.ttf",
}  # fmt: skip


def fonts(settings: PreviewConfig) -> dict[str, list[str]]:
    """Return the paths of the fonts to set texts in, by style; the first that has a character shows it.

    DejaVu where the system has it, then the fonts of the settings, then what the extra `preview` carries.
    """
    others = [Path(path) for path in settings.fonts]
    last = [*_carried(), SYSTEM_FONTS / STYLES["sans"], EAST_ASIAN]
    found = {}
    for style, name in STYLES.items():
        paths = dict.fromkeys([SYSTEM_FONTS / name, *others, *last])
        found[style] = [str(path) for path in paths if path.is_file()]
    return found


def _carried() -> list[Path]:
    spec = importlib.util.find_spec("fontpkg_noto_sans") if _is_there("fontpkg_noto_sans") else None
    places = spec.submodule_search_locations if spec is not None else None
    if not places:
        return []
    files = sorted(Path(places[0], "files").glob("*.ttf"))
    return [path for path in files if "Italic" not in path.name]
