"""The branding folder: where its files are found, and the links for menus that lie in it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from atrio.plugins.system.api import ACTION_PLACES

from .config import WebConfig
from .files import find, inside

NEEDED = ("icon_text", "icon_image", "label", "link")


def branding_folders(settings: WebConfig) -> Sequence[Path]:
    """Return the folders in which a file of the branding is looked for, in this order."""
    found = [settings.branding_folder] if settings.branding_folder is not None else []
    if settings.serve and settings.dist_folder is not None:
        dist = settings.dist_folder
        inner = (dist / "assets" / "branding", dist / "assets" / "branding.sample")
        found += [
            folder for folder in inner if inside(dist, folder)
        ]  # a link to elsewhere is set as branding_folder
    return tuple(found)


def custom_actions(settings: WebConfig) -> dict[str, list[Any]]:
    """Return the links for menus by place; none without the file. ValueError says what is wrong with it."""
    places: dict[str, list[Any]] = {place: [] for place in ACTION_PLACES}
    path = find(branding_folders(settings), settings.custom_actions_file) if settings.custom_actions_file else None
    if path is None:
        return places
    given = json.loads(path.read_text("utf-8"))
    if not isinstance(given, dict):
        raise ValueError(f"{path} holds no JSON object")
    for place, links in given.items():
        if place not in places:
            raise ValueError(f"{path}: no menu is called {place!r}; there are {', '.join(places)}")
        if not isinstance(links, list) or not all(isinstance(link, dict) for link in links):
            raise ValueError(f"{path}: {place} is no list of links")
        for link in links:
            missing = [key for key in NEEDED if key not in link]
            if missing:
                raise ValueError(f"{path}: a link of {place} lacks {', '.join(missing)}")
        places[place] = links
    return places
