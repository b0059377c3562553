"""Settings of hello."""

from __future__ import annotations

from dataclasses import dataclass

from atrio.kernel.config import ConfigSection, option


@dataclass(frozen=True)
class HelloConfig:
    """Greetings between users."""

    word: str = option("Hello", help="Word that the automatic greetings begin with.")
    max_length: int = option(
        200, minimum=1, maximum=10_000, help="Longest text that a user may send, in characters."
    )
    keep_days: int = option(365, minimum=1, help="Days after which greetings are deleted.")


SECTION = ConfigSection("hello", HelloConfig)
