"""Declarations of the plugin web."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from atrio import Manifest, hookimpl

if TYPE_CHECKING:
    from atrio import ConfigSection, Route
    from atrio.kernel.config import Config

MANIFEST = Manifest(
    name="web",
    summary="Serves a front end and its branding",
    requires=("system",),
    after=("spaces",),
    offers={"spaces": ["register_sidebar_entries"]},
)
GALLERY = {"slug": "gallery", "label": "Gallery", "fa_icon": "far fa-image", "hexcolor": "#999999"}


@hookimpl
def register_config() -> list[ConfigSection]:
    """Declare [web]."""
    from .config import SECTION

    return [SECTION]


@hookimpl
def check_environment(config: Config) -> str | None:
    """Tell why the front end cannot be served: a folder that is not there, a file that cannot be used."""
    from .config import faults

    return faults(config)


@hookimpl
def register_capabilities(config: Config) -> dict[str, Any]:
    """Tell clients the links that the instance adds to menus."""
    from .branding import custom_actions
    from .config import WebConfig

    return {"app_custom_actions": custom_actions(config[WebConfig])}


@hookimpl
def register_applications(kernel: Any) -> list[dict[str, Any]]:
    """Declare the gallery, which is made of files and has no server side of its own."""
    return [{"order": 110, "script": "gallery", **GALLERY}]


@hookimpl(optionalhook=True)
def register_sidebar_entries() -> list[dict[str, Any]]:
    """Put the gallery into the side bar of every space."""
    return [{"order": 50, "route": "/ui/workspaces/{id}/gallery", "setting": None, **GALLERY}]


@hookimpl
def register_routes(config: Config) -> list[Route]:
    """Declare the routes: the start page, or those of the front-end build."""
    from .routes import routes

    return routes(config)
