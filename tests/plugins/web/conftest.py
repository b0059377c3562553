"""A small front-end build with the structure of a real one."""

from __future__ import annotations

from pathlib import Path

import pytest

INDEX = """<!doctype html>
<html><head><meta charset="utf-8"><title>${website_title}</title><link rel="icon" href="/assets/images/a.svg">
% if website_description:
<meta name="description" content="${website_description}">
% endif
<link rel="stylesheet" href="/assets/branding/${website__welcome_page_style}?token=${cache_token}" nonce="${csp_nonce}">
<style nonce="${csp_nonce}">:root {
% for name in ("primary", "sidebar", "sidebar/logo", "sidebar/font"):
--${name.replace("/", "-")}: ${colors[name].web}; --${name.replace("/", "-")}-dark: ${colors[name].darken.web};
--${name.replace("/", "-")}-light: ${colors[name].lighten.web}; --${name.replace("/", "-")}-text: "${colors[name]}";
% endfor
}</style></head>
<body><div id="welcome"><%include file="assets/branding/${website__welcome_page}"/></div><div id="content"></div>
<script nonce="${csp_nonce}">
GLOBAL_primaryColor = "${colors["primary"].web}"; GLOBAL_excludedNotifications = "${excluded_notifications}";
</script>
% for toolbox in custom_toolbox_files:
<script src="/custom_toolbox-assets/${toolbox.name}?token=${cache_token}" nonce="${csp_nonce}"></script>
% endfor
<script src="/assets/main.js?token=${cache_token}" nonce="${csp_nonce}"></script>
% for app in applications:
<script src="/app/${app.minislug}.app.optimized.js?token=${cache_token}" nonce="${csp_nonce}"></script>
% endfor
<!-- ${",".join(glob("app/*.wasm"))} -->
</body></html>
"""
MAIN = """
const say = (name, text) => { const p = document.createElement("p"); p.id = name; p.textContent = text;
  document.getElementById("content").append(p) }
say("path", location.pathname)
say("colour", GLOBAL_primaryColor)
window.loadChunk = () => new Promise((done, failed) => { const s = document.createElement("script");
  s.src = "/app/7.file.app.optimized.js"; s.onload = done; s.onerror = failed; document.body.append(s) })
window.loadEditor = () => new Promise((done, failed) => { const s = document.createElement("script");
  s.src = "/assets/hugerte-dist-1.0.7/plugin.js"; s.onload = done; s.onerror = failed; document.body.append(s) })
window.loadWasm = () => WebAssembly.instantiateStreaming(fetch("/app/1a2b.module.wasm"))
fetch("/api/system/config").then(r => r.json()).then(c => say("instance", c.instance_name))
"""
FILES: dict[str, str | bytes] = {
    "index.mak": INDEX,
    "index.html": "<!doctype html><title>for developers</title>",
    "app/file.app.optimized.js": "document.body.dataset.file = 'loaded'",
    "app/gallery.app.optimized.js": "document.body.dataset.gallery = 'loaded'",
    "app/7.file.app.optimized.js": "document.body.dataset.chunk = 'loaded'",
    "app/1a2b.module.wasm": b"\0asm\1\0\0\0",
    "assets/main.js": MAIN,
    "assets/data.json": "{}",
    "assets/styles/a.css": "body { margin: 0 }",
    "assets/fonts/a.woff2": b"font",
    "assets/images/a.svg": "<svg xmlns='http://www.w3.org/2000/svg'/>",
    "assets/hugerte-dist-1.0.7/plugin.js": "document.body.dataset.editor = 'loaded'",
    "assets/branding.sample/welcome-simple.html": "<h1>Welcome to ${website_title}</h1>",
    "assets/branding.sample/welcome-simple.css": "#welcome { color: rgb(1, 2, 3) }",
    "assets/branding.sample/incoming-call.ogg": bytes(range(256)),
    "assets/branding.sample/manifest.json": "{}",
    "help/en/page.html": "<!doctype html><p>Help</p>",
    "robots.txt": "User-agent: *\n",
    ".env": "SECRET=1",
    "assets/.git/config": "secret",
    "api/stolen.json": "{}",
}


@pytest.fixture
def build(tmp_path: Path) -> Path:
    """The folder of a fresh build."""
    dist = tmp_path / "dist"
    for name, content in FILES.items():
        path = dist / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return dist
