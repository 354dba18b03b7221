"""The log says what happened and never what was in it."""

from __future__ import annotations

import io
import json
import logging
from typing import TYPE_CHECKING, Any

import pytest
import structlog

from app.logs import configure_logging, node_log

if TYPE_CHECKING:
    from collections.abc import Iterator

SECRET = "Erika Mustermann, 203.0.113.77"


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """A log of this process into memory; afterwards everything is as before."""
    root = logging.getLogger()
    configured, before, level = structlog.get_config(), root.handlers[:], root.level
    stream = io.StringIO()
    configure_logging("info", stream=stream)
    yield stream
    structlog.configure(**configured)
    root.handlers[:] = before
    root.setLevel(level)


def lines(log: io.StringIO) -> list[dict[str, Any]]:
    """What was written, one object per line."""
    return [json.loads(line) for line in log.getvalue().splitlines()]


def test_line_is_one_object(log: io.StringIO) -> None:
    """A line is one JSON object with time, level, node, event and the members given."""
    node_log("XA").info("envelope_sent", peer="XT", lane="urgent", count=3)
    (line,) = lines(log)
    assert line.pop("timestamp").endswith("Z")
    assert line == {"event": "envelope_sent", "level": "info", "node": "XA", "peer": "XT", "lane": "urgent", "count": 3}


def test_unknown_member_is_dropped(log: io.StringIO) -> None:
    """A member that is not on the list is not written; that there was one is."""
    node_log("XA").info("request_filed", state="INTAKE", target=SECRET, body={"name": SECRET})
    (line,) = lines(log)
    assert line["state"] == "INTAKE"
    assert line["dropped"] == 2
    assert SECRET not in log.getvalue()


def test_values_are_short(log: io.StringIO) -> None:
    """A value that is longer than a value should be is cut."""
    node_log("XA").info("odd", reason="x" * 10_000, state={"a": "b" * 10_000})
    assert len(log.getvalue()) < 1_000


def test_exception_text_is_not_written(log: io.StringIO) -> None:
    """Of an exception its type and its places are written, not its text: that may quote a row."""
    try:
        int(SECRET)
    except ValueError:
        node_log("XA").exception("loop_failed", loop="relay")
    (line,) = lines(log)
    assert (line["error"], line["loop"]) == ("ValueError", "relay")
    assert line["frames"][0].startswith("test_logs.py:")
    assert SECRET not in log.getvalue()


def test_library_keeps_its_fixed_words(log: io.StringIO) -> None:
    """Of a library's message the template is written, and none of the values put into it."""
    logging.getLogger("some.library").warning("could not store %s", SECRET)
    (line,) = lines(log)
    assert (line["event"], line["logger"]) == ("could not store %s", "some.library")
    assert SECRET not in log.getvalue()


def test_library_without_fixed_words(log: io.StringIO) -> None:
    """A library's message that was put together before it was logged is written as its place only."""
    logging.getLogger("some.library").error(f"could not store {SECRET}")  # noqa: G004 - the habit that this is about
    (line,) = lines(log)
    assert line["event"].startswith("test_logs:")
    assert SECRET not in log.getvalue()


def test_library_exception(log: io.StringIO) -> None:
    """The traceback of a library is written without the exception's text."""
    try:
        int(SECRET)
    except ValueError:
        logging.getLogger("uvicorn.error").exception("Exception in ASGI application\n")
    (line,) = lines(log)
    assert line["error"] == "ValueError"
    assert SECRET not in log.getvalue()


def test_access_log_is_silent(log: io.StringIO) -> None:
    """The server's own access log, which would hold paths and queries, writes nothing."""
    logging.getLogger("uvicorn.access").info('%s - "%s %s HTTP/%s" %d', "127.0.0.1", "GET", "/v1/x?q=1", "1.1", 200)
    assert log.getvalue() == ""


def test_without_the_list_it_would_be_written() -> None:
    """The usual set-up writes what ours drops: the checks above can fail."""
    stream = io.StringIO()
    usual = structlog.wrap_logger(structlog.PrintLogger(stream), processors=[structlog.processors.JSONRenderer()])
    usual.info("request_filed", target=SECRET)
    assert SECRET in stream.getvalue()


def test_level(log: io.StringIO) -> None:
    """Lines below the level are not written."""
    node_log("XA").debug("detail")
    logging.getLogger("some.library").debug("detail %s", 1)
    assert log.getvalue() == ""
