"""Words: every sentence is translated, and templates can be replaced by a folder or a plugin."""

from __future__ import annotations

from pathlib import Path

import pytest

from atrio.plugins.mail.config import MailConfig, faults
from atrio.plugins.mail.rendering import HERE, language_of, languages, read_catalogue, render

pytestmark = pytest.mark.any_engine


def sentences():
    """Return every sentence of the templates; plural forms by their first."""
    from jinja2 import Environment

    env = Environment(extensions=["jinja2.ext.i18n"], trim_blocks=True, lstrip_blocks=True)
    env.policies["ext.i18n.trimmed"] = True
    env.newstyle_gettext = True
    for path in sorted((HERE / "templates").iterdir()):
        for _, _, found in env.extract_translations(path.read_text("utf-8")):
            yield found if isinstance(found, str) else next(f for f in found if f)


def test_every_sentence_is_in_the_french_catalogue_and_no_other():
    catalogue = read_catalogue(HERE / "locale" / "fr.po")
    known = {key[0] if isinstance(key, tuple) else key for key in catalogue._catalog if key}
    assert known == set(sentences())


def test_placeholders_are_the_same_in_both_languages():
    import re

    catalogue = read_catalogue(HERE / "locale" / "fr.po")
    for key, text in catalogue._catalog.items():
        source = key[0] if isinstance(key, tuple) else key
        if not source or "%(count)" in text or "%(count)" in source:
            continue
        assert set(re.findall(r"%\(\w+\)s", source)) == set(re.findall(r"%\(\w+\)s", text)), source


def test_a_language_without_catalogue_falls_back(kernel):
    assert languages(kernel) == ["en", "fr"]
    assert [language_of(kernel, w) for w in ("fr", "fr_CA", "fr-BE", "xx", None, "../fr")] == ["fr"] * 3 + [
        "en"
    ] * 3


def test_a_folder_replaces_a_template_and_adds_a_language(kernel, tmp_path: Path):
    (tmp_path / "locale").mkdir()
    (tmp_path / "reset.txt").write_text("{% block subject %}Own {{ title }}{% endblock %} {{ url }}", "utf-8")
    (tmp_path / "locale" / "pt.po").write_text(
        'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\nmsgid "Mail works"\nmsgstr "O correio funciona"\n',
        "utf-8",
    )
    kernel.config.replace(MailConfig, template_folder=str(tmp_path), color="#ff0000", footer="Our <street>")
    words = render(kernel, "reset", {"url": "https://x/", "login": "a"}, "en")
    assert words.subject == "Own Atrio"
    assert "#ff0000" in words.html
    assert "Our &lt;street&gt;" in words.html
    assert render(kernel, "trial", {}, "pt").subject == "[Atrio] O correio funciona"
    assert render(kernel, "trial", {}, "fr").subject == "[Atrio] Le courrier fonctionne"


def test_a_template_that_is_wrong_loses_no_mail(kernel, client, mailbox, tmp_path: Path, caplog):
    (tmp_path / "welcome.txt").write_text("{{ nothing }}", "utf-8")
    kernel.config.replace(MailConfig, template_folder=str(tmp_path))
    assert client.post("/api/users", {"email": "a@example.org", "email_notification": True}).status == 200
    assert mailbox.news() == []
    with kernel.unit(writes=False) as ctx:
        from atrio.plugins.mail.queries import listed

        (row,) = listed(ctx, ("pending",), 10)
    assert "cannot be made" in row.error


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("reply_address", "reply@example.org"), ("reply_address", "reply+{tag}"), ("from_address", "nobody"),
        ("reply_address", "reply+{tag}{x}@example.org"), ("color", "red; x"), ("space_address", "a@{tag}"),
    ],
)  # fmt: skip
def test_settings_that_are_wrong_are_named(kernel, key, value):
    assert faults(kernel.config) is None
    kernel.config.replace(MailConfig, **{key: value})
    said = faults(kernel.config)
    assert said is not None
    assert f"mail.{key}" in said
