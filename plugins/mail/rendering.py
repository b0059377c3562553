"""From facts to subject, text and HTML, in a receiver's language."""

from __future__ import annotations

import io
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from gettext import GNUTranslations, NullTranslations
from pathlib import Path
from typing import Any

from atrio.kernel.config import WebsiteConfig, base_url
from atrio.kernel.host import Kernel

from .config import MailConfig
from .text import to_text

log = logging.getLogger("atrio.mail")
HERE = Path(__file__).parent
SOURCE_LANGUAGE = "en"


@dataclass(frozen=True)
class Rendered:
    """A mail in words."""

    subject: str
    text: str
    html: str


def folders(kernel: Kernel) -> list[Path]:
    """Return where templates and catalogues are looked for, first come first: config, plugins, built in."""

    def collect() -> list[Path]:
        chosen = kernel.config[MailConfig].template_folder
        found = [Path(chosen)] if chosen else []
        for record in kernel.records:
            if not record.enabled:
                continue
            try:
                found += kernel.ask(record, "register_mail_templates") or ()
            except Exception:
                log.exception("the mail templates of %s are left out", record.name)
                kernel.note_fault(record)
        return [*found, HERE / "templates"]

    return kernel.memo("mail.folders", collect)


def languages(kernel: Kernel) -> list[str]:
    """Return the languages that have a catalogue, English first; looked for once."""

    def look() -> list[str]:
        found = {p.stem for folder in _catalogue_folders(kernel) for p in folder.glob("*.po")}
        return [SOURCE_LANGUAGE, *sorted(found - {SOURCE_LANGUAGE})]

    return kernel.memo("mail.languages", look)


def _catalogue_folders(kernel: Kernel) -> list[Path]:
    return [*(folder / "locale" for folder in folders(kernel)), HERE / "locale"]


def language_of(kernel: Kernel, wanted: str | None) -> str:
    """Return the language of a receiver's mails: his own, that without its region, the instance's, English."""
    known = languages(kernel)
    for candidate in (wanted, kernel.config[WebsiteConfig].default_lang):
        name = (candidate or "").replace("-", "_")
        for form in (name, name.partition("_")[0]):
            if form in known:
                return form
    return SOURCE_LANGUAGE


def _translations(kernel: Kernel, language: str) -> NullTranslations:
    """Return a language's texts: each folder's catalogue over those behind it; English where none knows one."""
    chain = NullTranslations()
    for folder in reversed(_catalogue_folders(kernel)):
        path = folder / f"{language}.po"
        if path.is_file():
            found = read_catalogue(path)
            found.add_fallback(chain)
            chain = found
    return chain


def read_catalogue(path: Path) -> GNUTranslations:
    """Return a .po file as it is, without a compiled copy beside it."""
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    with path.open("rb") as file:
        catalogue = read_po(file)
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return GNUTranslations(compiled)


def environment(kernel: Kernel, language: str) -> Any:
    """Return the template engine of a language; made once. Templates are the administrator's, values are not."""

    def make() -> Any:
        from jinja2 import ChoiceLoader, Environment, FileSystemLoader, FunctionLoader, StrictUndefined

        files = FileSystemLoader([str(p) for p in folders(kernel)])

        def phrases(name: str) -> Any:
            """Give the shared sentences to HTML under a name of its own: the name decides about escaping."""
            return files.get_source(made, "phrases.txt") if name == "phrases.html" else None

        made = Environment(
            loader=ChoiceLoader([files, FunctionLoader(phrases)]), undefined=StrictUndefined,
            autoescape=lambda name: bool(name and name.endswith(".html")),  # noqa: S701 - only text stays as it is trim_blocks=True, lstrip_blocks=True,
            extensions=["jinja2.ext.i18n"],
        )  # fmt: skip
        made.policies["ext.i18n.trimmed"] = True
        made.install_gettext_translations(_translations(kernel, language), newstyle=True)  # type: ignore[attr-defined]
        return made

    return kernel.memo(("mail.environment", language), make)


@lru_cache(maxsize=1)
def _inliner() -> Any:
    import css_inline

    return css_inline.CSSInliner(keep_style_tags=False, load_remote_stylesheets=False)


def render(kernel: Kernel, kind: str, values: Mapping[str, Any], language: str) -> Rendered:
    """Return a mail of a kind; the subject is the block `subject` of its text template.

    Raises what the template engine raises for a template that is missing or wrong.
    """
    env = environment(kernel, language)
    context = {**_frame(kernel, language), **values, "to_text": to_text}
    template = env.get_template(f"{kind}.txt")
    subject = "".join(template.blocks["subject"](template.new_context(context)))
    text = template.render(context)
    html = _inliner().inline(
        env.get_template(f"{kind}.html").render({**context, "subject": " ".join(subject.split())})
    )
    return Rendered(" ".join(subject.split()), text.strip() + "\n", html)


def _frame(kernel: Kernel, language: str) -> dict[str, Any]:
    settings = kernel.config[MailConfig]
    return {
        "title": kernel.config[WebsiteConfig].title, "site": base_url(kernel.config), "language": language,
        "logo_url": settings.logo_url, "color": settings.color, "footer": settings.footer,
        "replies": bool(settings.reply_address) and settings.incoming != "off",
    }  # fmt: skip
