"""Custom properties: the schemas of the instance, their translations, and validation by jsonschema."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from atrio.kernel.context import Context
from atrio.kernel.html import clean_html

from ..config import AccountsConfig
from ..errors import PropertiesInvalid

BUNDLED = Path(__file__).parent.parent / "properties"
WORDS = frozenset({"title", "description", "help", "placeholder", "enumNames"})


@dataclass(frozen=True)
class Files:
    """What the instance says of custom properties; `fault` is why it cannot be used."""

    schema: Mapping[str, Any] = field(default_factory=dict)
    ui: Mapping[str, Any] = field(default_factory=dict)
    translations: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    fault: str | None = None


def read_files(config: AccountsConfig) -> Files:
    """Read the schemas and their translations; a file that is none gives a `fault`, not an exception."""
    try:
        schema = _object(config.custom_properties_schema or BUNDLED / "schema.json")
        ui = _object(config.custom_properties_ui_schema or BUNDLED / "ui.json")
        folder = config.custom_properties_translations
        paths = sorted(Path(folder).glob("*.json")) if folder else []
        translations = {path.stem: _object(path) for path in paths}
        if folder and not Path(folder).is_dir():
            return Files(fault=f"accounts.custom_properties_translations: {folder} is no folder")
    except (OSError, ValueError) as error:
        return Files(fault=f"custom properties: {error}")
    return Files(schema, ui, translations, _fault(schema) if config.custom_properties_schema else None)


def _object(path: Path | str) -> dict[str, Any]:
    try:
        value = json.loads(Path(path).read_text("utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is no JSON: {error}") from None
    if not isinstance(value, dict):
        raise ValueError(f"{path} holds no JSON object")
    return value


def _fault(schema: Mapping[str, Any]) -> str | None:
    from jsonschema import Draft7Validator
    from jsonschema.exceptions import SchemaError

    try:
        Draft7Validator.check_schema(schema)
    except SchemaError as error:
        return f"accounts.custom_properties_schema is no JSON schema (draft 7): {error.message}"
    return None


def files(ctx: Context) -> Files:
    """Return what was read, once for an instance."""
    return ctx.kernel.memo("accounts.properties", lambda: read_files(ctx.config[AccountsConfig]))


# -- for forms -------------------------------------------------------------------------------------------------


def translated(ctx: Context, part: Mapping[str, Any], lang: str | None) -> Any:
    """Return a schema with its words in this language, as far as they are translated."""
    words = files(ctx).translations.get(lang or "", {})
    return _translate(part, words, word=False) if words else part


def _translate(value: Any, words: Mapping[str, str], *, word: bool) -> Any:
    if isinstance(value, Mapping):
        return {
            k: _translate(v, words, word=not isinstance(v, Mapping) and k.removeprefix("ui:") in WORDS)
            for k, v in value.items()
        }
    if isinstance(value, list):
        return [_translate(v, words, word=word) for v in value]
    if word and isinstance(value, str):
        found = words.get(value)
        return found if isinstance(found, str) and found else value
    return value


# -- documents -------------------------------------------------------------------------------------------------


def checked(ctx: Context, document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a document fit to be stored: valid and clean; PropertiesInvalid (2002) says where it is not."""
    validate = ctx.kernel.memo("accounts.properties_validator", lambda: _validator(files(ctx).schema))
    validate(document)
    cleaned: dict[str, Any] = _clean(document, files(ctx).schema)
    return cleaned


def _validator(schema: Mapping[str, Any]) -> Callable[[Any], None]:
    from jsonschema import Draft7Validator
    from referencing import Registry
    from referencing.exceptions import Unresolvable

    registry: Registry[Any] = Registry()  # nothing is ever fetched
    validator = Draft7Validator(schema, registry=registry, format_checker=Draft7Validator.FORMAT_CHECKER)

    def validate(document: Any) -> None:
        try:
            error = next(iter(validator.iter_errors(document)), None)
        except (RecursionError, Unresolvable) as fault:
            raise PropertiesInvalid(f"the document cannot be checked: {type(fault).__name__}") from None
        if error is not None:
            place = ".".join(str(p) for p in error.absolute_path)
            message = f"{place}: {error.message}" if place else error.message
            raise PropertiesInvalid(message[:500])

    return validate


def _clean(value: Any, schema: Any) -> Any:
    """Clean the HTML of texts that are declared as such, and of texts that nobody declared."""
    known = isinstance(schema, Mapping) and bool(schema)
    if isinstance(value, Mapping):
        inner = schema.get("properties", {}) if known else {}
        return {k: _clean(v, inner.get(k) if isinstance(inner, Mapping) else None) for k, v in value.items()}
    if isinstance(value, list):
        item = schema.get("items") if known else None
        return [_clean(v, item) for v in value]
    if isinstance(value, str) and (not known or schema.get("contentMediaType") == "text/html"):
        return clean_html(value)
    return value
