"""The log of a process: one line per record on stderr, as text or as JSON.

A record of Lapwing's own names what it is about by named arguments, which are fields in JSON:

    log.info("checkpoint partition=%(partition)d", {"partition": 3})

`log_context` adds fields to all records of a piece of work, those of libraries included. No record holds
customers' ids or contents of events. Libraries may put both into their lines at `debug` and `info` and into
the texts of their errors, so they are kept to warnings, and a traceback has the text of our own errors only.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from types import MappingProxyType, TracebackType
from typing import Any, Final, Literal, get_args

from streams import __version__
from streams.errors import LapwingError
from streams.redact import masked

LogFormat = Literal["text", "json"]
LogLevel = Literal["debug", "info", "warning", "error"]
LEVELS: Final[tuple[LogLevel, ...]] = get_args(LogLevel)

OWN: Final = ("streams", "consumers", "lapwing")
"""The roots of our own loggers."""
REPEATING: Final = "aiokafka"
"""The library that logs each of its attempts to connect."""
EVERY_S: Final = 10.0
_CAUSE: Final = "the cause of"
_CONTEXT: Final = "while it was handled came"

_fields: ContextVar[Mapping[str, object]] = ContextVar("log_fields", default=MappingProxyType({}))


@contextmanager
def log_context(**fields: object) -> Iterator[None]:
    """Add fields to what is logged within, in threads and tasks that are begun there too."""
    token = _fields.set({**_fields.get(), **fields})
    try:
        yield
    finally:
        _fields.reset(token)


def fields_of(record: logging.LogRecord) -> dict[str, object]:
    """Return what a record is about: its named arguments, and the context that it was logged in."""
    own = record.args if isinstance(record.args, Mapping) else {}
    return {**_fields.get(), **own}


def traceback_text(error: BaseException) -> str:
    """Return where an error came from, with the text of Lapwing's own errors; others may quote their data."""
    parts = [*traceback.format_tb(error.__traceback__), f"{_name(error)}\n"]
    before, link = error.__cause__, _CAUSE
    if before is None and not error.__suppress_context__:
        before, link = error.__context__, _CONTEXT
    text = "".join(parts).rstrip("\n")
    for inner in error.exceptions if isinstance(error, BaseExceptionGroup) else ():
        text += f"\nwith {traceback_text(inner)}"
    return text if before is None else f"{traceback_text(before)}\n{link}\n{text}"


def _name(error: BaseException) -> str:
    kind = type(error)
    if isinstance(error, LapwingError):
        return f"{kind.__name__}: {masked(str(error))}"
    if isinstance(error, OSError) and error.strerror:
        return f"{kind.__name__}: {error.strerror}"
    return kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"


def _message(record: logging.LogRecord) -> str:
    """Return a record's text; of a library's the first line, as asyncio's second holds an error's text."""
    text = record.getMessage()
    if record.name.partition(".")[0] in OWN:
        return text
    return masked(text.partition("\n")[0])


def _time(record: logging.LogRecord) -> str:
    at = datetime.fromtimestamp(record.created, UTC)
    return at.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def _traceback(record: logging.LogRecord) -> str | None:
    error = record.exc_info[1] if record.exc_info else None
    return None if error is None else traceback_text(error)


class TextFormatter(logging.Formatter):
    """A line of text: time, level, logger, message, and the fields of the context that it does not name."""

    def __init__(self, **process: object) -> None:
        super().__init__()
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as a line."""
        fields = {name: value for name, value in self._process.items() if name == "worker"}
        fields |= {n: v for n, v in _fields.get().items() if n not in (record.args or ())}
        parts = [_time(record), record.levelname, record.name, _message(record)]
        parts += [f"{name}={value}" for name, value in fields.items()]
        if (where := _traceback(record)) is not None:
            parts.append(where)
        text = " ".join(parts)
        return text if text.isprintable() else "".join(map(_visible, text))


def _visible(letter: str) -> str:
    return letter if letter.isprintable() else repr(letter)[1:-1]


class JsonFormatter(logging.Formatter):
    """One JSON object per line: the fields of the record beside what each record has."""

    def __init__(self, **process: object) -> None:
        super().__init__()
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as a line."""
        line: dict[str, Any] = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _message(record),
            **self._process,
        }
        if (where := _traceback(record)) is not None:
            line["traceback"] = where
        fields = {name: value for name, value in fields_of(record).items() if name not in line}
        return json.dumps({**line, **fields}, default=str)


class Seldom(logging.Filter):
    """Lets a library log the same message once in a while only: aiokafka logs every attempt to connect."""

    def __init__(self, name: str = REPEATING, every_s: float = EVERY_S) -> None:
        super().__init__(name)
        self._every_s = every_s
        self._logged_at: dict[tuple[str, str], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether `record` is to be written."""
        if not super().filter(record):
            return True
        what = (record.name, str(record.msg))
        if record.created - self._logged_at.get(what, -self._every_s) < self._every_s:
            return False
        self._logged_at[what] = record.created
        return True


class ProcessLog(logging.Handler):
    """Writes all records of a process to stderr, as it is at that moment."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(TextFormatter())
        self.addFilter(Seldom())
        self.is_json = False

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record."""
        try:
            sys.stderr.write(self.format(record) + "\n")
            sys.stderr.flush()
        except Exception:  # as logging's own handlers do: a log that cannot be written stops nothing
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:  # logging's name
        """Pass over a record that cannot be written: logging would print it with all its arguments."""

    def configure(
        self, process: str, log_format: LogFormat, level: LogLevel, fields: Mapping[str, object]
    ) -> None:
        """Write in this format from this level on; libraries only what is wrong."""
        made = JsonFormatter if log_format == "json" else TextFormatter
        self.setFormatter(made(process=process, version=__version__, **fields))
        self.is_json = log_format == "json"
        for name in OWN:
            logging.getLogger(name).setLevel(level.upper())


def install() -> None:
    """Send the log of this process to stderr: as text and only what is wrong, until it is configured."""
    if _installed() is None:
        logging.getLogger().addHandler(ProcessLog())
        logging.captureWarnings(capture=True)


def configure(
    process: str, log_format: LogFormat, level: LogLevel, *, runs_on: bool = False, **fields: object
) -> None:
    """Configure the log where `install` was called; `runs_on`: of a process that runs until it is stopped."""
    handler = _installed()
    if handler is None:
        return
    handler.configure(process, log_format, level, fields)
    if runs_on or handler.is_json:
        sys.excepthook = _log_crash
        threading.excepthook = _log_thread


def report_failure(text: str) -> bool:
    """Log why the process ends where its log is JSON; return whether that is so."""
    handler = _installed()
    if handler is None or not handler.is_json:
        return False
    logging.getLogger("lapwing").error("%s", text)
    return True


def writes_json() -> bool:
    """Return whether the log of this process is JSON."""
    handler = _installed()
    return handler is not None and handler.is_json


def _installed() -> ProcessLog | None:
    return next((each for each in logging.getLogger().handlers if isinstance(each, ProcessLog)), None)


def _log_crash(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    logging.getLogger("lapwing").critical("a defect of Lapwing: please report it", exc_info=error)


def _log_thread(given: threading.ExceptHookArgs) -> None:
    logging.getLogger("lapwing").error("a thread ended", exc_info=given.exc_value)
