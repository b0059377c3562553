"""Log lines, as text or JSON."""

from __future__ import annotations

import logging

from .config import Config, LogConfig


def configure_logging(config: Config) -> None:
    """Send log lines to standard error, as text or JSON."""
    import sys
    import time

    import msgspec

    settings = config[LogConfig]
    handler = logging.StreamHandler(sys.stderr)
    if settings.json:

        class JsonLine(logging.Formatter):
            """One JSON object a line."""

            def format(self, record: logging.LogRecord) -> str:
                line = {
                    "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created)),
                    "level": record.levelname.lower(), "logger": record.name, "message": record.getMessage(),
                }  # fmt: skip
                if record.exc_info:
                    line["traceback"] = self.formatException(record.exc_info)
                return msgspec.json.encode(line).decode()

        handler.setFormatter(JsonLine())
    else:
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname).1s %(name)s: %(message)s", "%H:%M:%S"))
    root = logging.getLogger("atrio")
    root.handlers[:] = [handler]
    root.setLevel(settings.level.upper())
    root.propagate = False
