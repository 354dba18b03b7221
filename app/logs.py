"""What may be written to the log: one JSON object per line, of members on a list, with values that are short and plain.

Requests hold personal data, and a log is read by people and copied to places that may not have them. So nothing gets in
because nobody thought of it: unknown members are dropped, an exception is written as its type and the places it came
through, and a line of somebody else's library keeps its fixed words only.
"""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import structlog

if TYPE_CHECKING:
    from collections.abc import MutableMapping
    from types import TracebackType

    from structlog.typing import ExcInfo, FilteringBoundLogger

Log = structlog.typing.FilteringBoundLogger

ALLOWED = frozenset(
    {
        "action", "age_seconds", "at", "attempt", "check", "code", "copy", "count", "direction", "duration_ms",
        "epoch", "error", "event", "exchange_id", "fate", "frames", "http_status", "jti", "kid", "lane", "level",
        "logger", "loop", "method", "name", "node", "operation", "origin", "outcome", "peer", "pid", "port", "reason",
        "request_id", "revision", "seq", "setting", "size", "state", "thread", "tier", "timestamp", "type", "version",
    }
)  # fmt: skip
"""Members of a line. Ids of cases and messages are random; none of these names a person, a target or a file number."""

MAX_VALUE_LENGTH = 200
MAX_FRAMES = 12

FIXED_WORDS = frozenset({"uvicorn", "uvicorn.error"})
"""Loggers of libraries whose messages quote nothing of a request."""


def configure_logging(level: str, *, stream: TextIO | None = None) -> None:
    """Set up the log of this process, for us and for every library. Called once, by the command that starts."""
    structlog.configure(
        processors=[
            structlog.stdlib.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _without_exception_text,
            keep_allowed,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(stream or sys.stderr),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(_LineOfLibrary())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(logging.getLevelNamesMapping()[level.upper()], logging.INFO))
    # The bus reports a lost link itself; its library writes an error with every attempt, and frames when it debugs.
    for name in ("aiormq", "aio_pika"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = name != "uvicorn.access"


def node_log(code: str) -> FilteringBoundLogger:
    """The log of one contact point."""
    log: FilteringBoundLogger = structlog.get_logger().bind(node=code)
    return log


def keep_allowed(_logger: object, _method: str, members: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The members on the list, shortened; what is dropped leaves only its number."""
    kept = {name: _plain(value) for name, value in members.items() if name in ALLOWED}
    if dropped := len(members) - len(kept):
        kept["dropped"] = dropped
    return kept


def frames_of(traceback: TracebackType | None) -> list[str]:
    """The innermost places of a traceback, as `file:line`, without what stood there."""
    places = []
    while traceback is not None:
        places.append(f"{Path(traceback.tb_frame.f_code.co_filename).name}:{traceback.tb_lineno}")
        traceback = traceback.tb_next
    return places[-MAX_FRAMES:]


def _plain(value: object) -> object:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, list):
        return [_plain(inner) for inner in value[:MAX_FRAMES]]
    return str(value)[:MAX_VALUE_LENGTH]


def _without_exception_text(
    _logger: object, _method: str, members: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """An exception's text may quote a row or a body; its type and its places do not."""
    told: ExcInfo | bool | BaseException | None = members.pop("exc_info", None)
    members.pop("exception", None)
    if told is True:
        told = sys.exc_info()  # type: ignore[assignment] # inside an except block, where structlog documents True
    fault = told[1] if isinstance(told, tuple) else told
    if isinstance(fault, BaseException):
        members.setdefault("error", type(fault).__name__)
        members["frames"] = frames_of(fault.__traceback__)
    return members


class _LineOfLibrary(logging.Formatter):
    """Of a library's message the part that is the same each time: its template, if it has one, else its place."""

    def format(self, record: logging.LogRecord) -> str:
        fixed = isinstance(record.msg, str) and (bool(record.args) or record.name in FIXED_WORDS)
        members: MutableMapping[str, Any] = {
            "event": record.msg if fixed else f"{record.module}:{record.lineno}",
            "logger": record.name,
            "level": record.levelname.lower(),
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat().replace("+00:00", "Z"),
            "exc_info": record.exc_info,
        }
        return json.dumps(keep_allowed(None, "", _without_exception_text(None, "", members)))
