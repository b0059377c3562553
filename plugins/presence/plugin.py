"""Declarations of the plugin presence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from atrio import Manifest, hookimpl

if TYPE_CHECKING:
    from atrio import ConfigSection, KernelError, Route, Subscription
    from atrio.kernel.background import Background
    from atrio.kernel.config import Config
    from atrio.kernel.context import Context
    from atrio.kernel.db.migrate import Lineage
    from atrio.kernel.host import Kernel

MANIFEST = Manifest(
    name="presence",
    summary="Who is online, how many may be, and who sees it",
    requires=("accounts", "spaces", "live"),
)


@hookimpl
def register_config() -> list[ConfigSection]:
    """Declare [presence]."""
    from .config import SECTION

    return [SECTION]


@hookimpl
def register_models() -> list[Any]:
    """Declare the tables."""
    from .models import Gate, Online, Preference

    return [Online, Gate, Preference]


@hookimpl
def register_migrations() -> Lineage:
    """Declare the lineage."""
    from atrio.kernel.db.migrate import Lineage

    return Lineage("presence", "atrio.plugins.presence.migrations")


@hookimpl
def register_errors() -> list[type[KernelError]]:
    """Declare the errors."""
    from .errors import ERRORS

    return list(ERRORS)


@hookimpl
def register_subscriptions() -> list[Subscription]:
    """Hear which accounts are gone."""
    from .subscribers import SUBSCRIPTIONS

    return list(SUBSCRIPTIONS)


@hookimpl
def register_routes() -> list[Route]:
    """Declare the routes."""
    from .routes import ROUTES

    return list(ROUTES)


@hookimpl
def register_capabilities(config: Config) -> dict[str, Any]:
    """Tell clients what to show to whom the limit kept out."""
    from .config import PresenceConfig

    return {
        "limitation__maximum_online_users_message": config[PresenceConfig].maximum_online_users_message,
    }


@hookimpl
def register_background() -> list[Background]:
    """Keep the rows of each process."""
    from atrio.kernel.background import Background

    from .keeper import start, stop

    return [Background("presence", start, stop)]


@hookimpl
def register_health(kernel: Kernel) -> dict[str, Any]:
    """Say how many users are online in all processes."""
    from .queries import count_online

    return {"online": kernel.run(count_online, writes=False)}


@hookimpl
def refuse_stream(ctx: Context, user_id: int) -> KernelError | None:
    """Keep the limit on users who are online."""
    from .services import admit

    return admit(ctx, user_id)


@hookimpl
def stream_opened(kernel: Kernel, user_id: int) -> None:
    """Note a stream."""
    from .roll import roll_of

    roll_of(kernel).opened(user_id)


@hookimpl
def stream_closed(kernel: Kernel, user_id: int) -> None:
    """Note that a stream is over."""
    from .roll import roll_of

    roll_of(kernel).closed(user_id)
