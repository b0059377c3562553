"""Declarations of the plugin mail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from atrio import Manifest, hookimpl

if TYPE_CHECKING:
    from atrio import ConfigSection, Subscription, Task
    from atrio.kernel.background import Background
    from atrio.kernel.config import Config
    from atrio.kernel.db.migrate import Lineage
    from atrio.kernel.host import Kernel

MANIFEST = Manifest(
    name="mail",
    summary="Notifications, digests and replies by mail",
    requires=(
        "accounts",
        "spaces",
        "core_content",
    ),
)


@hookimpl
def register_config() -> list[ConfigSection]:
    """Declare [mail]."""
    from .config import SECTION

    return [SECTION]


@hookimpl
def check_environment(config: Config) -> str | None:
    """Refuse to run without the libraries, or with addresses that are none."""
    from importlib.util import find_spec

    from .config import faults

    wanted = ("aiosmtplib", "imapclient", "jinja2", "css_inline", "babel")
    missing = [name for name in wanted if find_spec(name) is None]
    if missing:
        return f"{', '.join(missing)} not installed; type: pip install 'atrio[mail]'"
    return faults(config)


@hookimpl
def register_hookspecs() -> list[Any]:
    """Offer hooks to those who tell something, have templates, or take replies."""
    from . import hookspecs

    return [hookspecs]


@hookimpl
def register_models() -> list[Any]:
    """Declare the tables."""
    from .models import Incoming, OpenSpace, Outgoing, SigningKey

    return [SigningKey, Outgoing, Incoming, OpenSpace]


@hookimpl
def register_migrations() -> Lineage:
    """Declare the lineage."""
    from atrio.kernel.db.migrate import Lineage

    return Lineage("mail", "atrio.plugins.mail.migrations")


@hookimpl
def register_subscriptions() -> list[Subscription]:
    """Hear what happens."""
    from .subscribers import SUBSCRIPTIONS

    return list(SUBSCRIPTIONS)


@hookimpl
def register_tasks() -> list[Task]:
    """Declare the jobs."""
    from .tasks import TASKS

    return list(TASKS)


@hookimpl
def register_background() -> list[Background]:
    """Fetch replies, in one process of all."""
    from atrio.kernel.background import Background

    from .incoming.service import start, stop, wanted

    return [Background("mail.fetcher", start, stop, single=True, wanted=wanted)]


@hookimpl
def register_commands(cli: Any) -> None:
    """Add `atrio mail`."""
    from .cli import mail

    cli.add_command(mail)


@hookimpl
def register_capabilities(config: Config) -> dict[str, Any]:
    """Tell clients whether mail leaves."""
    from .config import MailConfig

    return {"email_notification_activated": config[MailConfig].transport != "off"}


@hookimpl
def register_health(kernel: Kernel) -> dict[str, Any]:
    """Say how many mails wait, and how many were given up."""
    from .queries import waiting

    with kernel.unit(writes=False) as ctx:
        return {"mails": waiting(ctx)}
