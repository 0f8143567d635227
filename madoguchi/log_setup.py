"""How the hub writes its own log: one line an event, text for people or JSON for machines."""

import logging
import sys
from typing import Any

import structlog


def configure(level: str, form: str) -> None:
    """Set the process's logging up; ``form`` is ``text`` or ``json``."""
    render: Any = structlog.processors.JSONRenderer()
    if form == "text":
        render = structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            render,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    # aiohttp writes a traceback for each malformed request; a flood of them is an attack's aim.
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)
