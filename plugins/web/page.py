"""What the page of a front-end build is given, and the start page of an instance without one."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from hashlib import sha256
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from atrio.kernel.config import WebsiteConfig, base_url
from atrio.kernel.host import Kernel
from atrio.plugins.system.api import applications, colours

from .branding import branding_folders
from .colours import as_colours
from .config import WebConfig
from .files import find
from .policy import policy_header

if TYPE_CHECKING:
    from .adapters.template import Page

EDITORS = ("hugerte-dist-", "tinymce-")
DOCUMENTATION = "/api/doc/"
PLACE = re.compile(r"\{\{(\w+)\}\}")
START_POLICY = (
    "default-src 'none'; style-src 'nonce-{nonce}'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)


@dataclass(frozen=True)
class Script:
    """An application whose script the build holds."""

    minislug: str


@dataclass(frozen=True)
class Named:
    """A file of the custom toolbox."""

    name: str


Rendered = tuple[bytes, list[tuple[str, str]]]


def index_page(kernel: Kernel) -> Rendered:
    """Return the page of the build and the headers that go with it."""
    settings = kernel.config[WebConfig]
    dist = settings.dist_folder
    assert dist is not None
    folders = branding_folders(settings)

    def make() -> Page:
        from .adapters.template import Page  # Mako brings Pygments along: 20 ms of every start

        return Page(dist, lambda name: find(folders, name))

    page = kernel.memo("web.page", make)
    nonce = secrets.token_urlsafe(16)
    site = kernel.config[WebsiteConfig]
    body = page.render(
        website_title=site.title, website_description=settings.description, cache_token=cache_token(kernel),
        csp_nonce=nonce if settings.policy_enabled else "", colors=as_colours(colours(kernel)),
        website__welcome_page=settings.welcome_page, website__welcome_page_style=settings.welcome_page_style,
        excluded_notifications=",".join(settings.excluded_notifications), applications=_scripts(kernel, dist),
        custom_toolbox_files=_toolbox(settings.custom_toolbox_folder),
        glob=lambda pattern: sorted(str(found.relative_to(dist)) for found in dist.glob(pattern)),
    )  # fmt: skip
    editors = [entry.name for entry in sorted((dist / "assets").glob("*")) if entry.name.startswith(EDITORS)]
    policy = policy_header(settings, base_url(kernel.config), nonce, editors)
    return body, [policy] if policy else []


def _scripts(kernel: Kernel, dist: Path) -> list[Script]:
    wanted = [fact["script"] for fact in applications(kernel) if fact["script"]]
    return [Script(name) for name in wanted if (dist / "app" / f"{name}.app.optimized.js").is_file()]


def _toolbox(folder: Path | None) -> list[Named]:
    found = sorted(folder.glob("*.js")) if folder is not None else []
    return [Named(path.name) for path in found if not path.name.startswith(".")]


def cache_token(kernel: Kernel) -> str:
    """Return the mark of this build in addresses: the configured one, or one made from its files."""
    settings = kernel.config[WebConfig]

    def make() -> str:
        mark = sha256()
        for folder in (settings.dist_folder, settings.custom_toolbox_folder):
            for path in sorted((folder or Path("/nowhere")).glob("*")) + sorted(
                (folder or Path("/nowhere")).glob("a*/*")
            ):
                if path.is_file():
                    facts = path.stat()
                    mark.update(f"{path.name}:{facts.st_size}:{facts.st_mtime_ns}\n".encode())
        return mark.hexdigest()[:16]

    return settings.cache_token or kernel.memo("web.cache token", make)


def start_page(kernel: Kernel) -> Rendered:
    """Return a plain page that says which instance this is, for one without a front end.

    Its link is relative, so it leads right behind a proxy that knows the server under a prefix, too.
    """
    site = kernel.config[WebsiteConfig]
    nonce = secrets.token_urlsafe(16)
    documented = any(route.path == DOCUMENTATION for _, route in kernel.router.routes)
    values: dict[str, Any] = {
        "title": escape(site.title), "description": escape(kernel.config[WebConfig].description), "nonce": nonce,
        "documentation": DOCUMENTATION.lstrip("/"),
    }  # fmt: skip
    template = (Path(__file__).parent / "templates" / "start.html").read_text("utf-8")
    for name, shown in (("documented", documented), ("described", bool(values["description"]))):
        before, _, rest = template.partition(f"<!-- {name} -->")
        inside, _, after = rest.partition(f"<!-- end {name} -->")
        template = before + (inside if shown else "") + after
    page = PLACE.sub(lambda found: values[found.group(1)], template)
    return page.encode(), [("content-security-policy", START_POLICY.format(nonce=nonce))]
