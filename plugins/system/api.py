"""What other plugins may use of system."""

from __future__ import annotations

from .config import SystemConfig
from .facts import ACTION_PLACES, applications, colours

__all__ = ["ACTION_PLACES", "SystemConfig", "applications", "colours"]
