"""How the hub writes its own log: one line an event, text for people or JSON for machines.

Texts of strangers reach the log: paths, session ids, names. None of them can begin a line of its
own or steer a terminal: what is not printable is written as an escape, in JSON by itself.
"""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog


def configure(level: str, form: str) -> None:
    """Set the process's logging up; ``form`` is ``text`` or ``json``."""
    render: list[Any] = [structlog.processors.JSONRenderer()]
    if form == "text":
        console = structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
        render = [printable, console]
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            *render,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    logging.basicConfig(level=logging.WARNING, handlers=[Bridge()], force=True)
    # aiohttp writes a traceback for each malformed request; a flood of them is an attack's aim.
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)


class Bridge(logging.Handler):
    """Writes what libraries log in the form of our own lines."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record; a library's level below ours is none of ours."""
        log = structlog.get_logger(record.name)
        log.log(record.levelno, record.getMessage(), logger=record.name, exc_info=record.exc_info)


def printable(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Escape what could forge a line: a processor of structlog. A traceback keeps its lines, moved
    in, so that none of them looks like an event.
    """
    for name, value in event.items():
        if name == "exception":
            lines = str(value).splitlines()
            event[name] = "\n".join(f"  {_escaped(line)}" for line in lines)
        elif isinstance(value, str):
            event[name] = _escaped(value)
    return event


def _escaped(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape", "replace").decode() for c in text
    )
