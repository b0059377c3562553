"""The Content-Security-Policy of the page."""

from __future__ import annotations

from collections.abc import Iterable

from .config import WebConfig


def policy_header(
    settings: WebConfig, base_url: str, nonce: str, editors: Iterable[str]
) -> tuple[str, str] | None:
    """Return the header's name and value, None when the policy is off.

    `editors` are folders of `assets` that load scripts of their own (the rich-text editor). Scripts that the page
    loads later come from the public address, so a page under another name has none of them.
    """
    if not settings.policy_enabled:
        return None
    scripts = [f"'nonce-{nonce}'", *(f"{base_url}/assets/{name}/" for name in editors), f"{base_url}/app/"]
    directives: dict[str, list[str]] = {
        "default-src": ["'self'"],
        "script-src": [*scripts, "'unsafe-eval'", "'wasm-unsafe-eval'"],
        "style-src": ["'unsafe-inline'", "'self'"],
        "connect-src": ["'self'"],
        "font-src": ["data:", "blob:", "*"],
        "img-src": ["data:", "blob:", "*"],
        "media-src": ["data:", "blob:", "*"],
        "frame-src": ["*"],
        "object-src": ["'none'"],
        "base-uri": ["'self'"],
        "frame-ancestors": ["'self'"],
    }
    for extra in settings.policy_directives.split(";"):
        name, *values = extra.split() or [""]
        if name:
            known = [v for v in directives.get(name, []) if v != "'none'"]
            directives[name] = [*known, *(v for v in values if v not in known)]
    if settings.policy_report_uri:
        directives["report-uri"] = [settings.policy_report_uri]
    value = "; ".join(" ".join((name, *values)) for name, values in directives.items())
    verb = "content-security-policy"
    return (f"{verb}-report-only" if settings.policy_report_only else verb), value
