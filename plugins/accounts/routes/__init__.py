"""Routes of accounts."""

from __future__ import annotations

from . import devices, personal, pictures, sign_in, users

ROUTES = (*sign_in.ROUTES, *users.ROUTES, *personal.ROUTES, *pictures.ROUTES, *devices.ROUTES)
