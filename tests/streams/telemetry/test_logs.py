from __future__ import annotations

import asyncio
import json
import logging
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import pytest

from streams import __version__
from streams.errors import BrokerError
from streams.telemetry.logs import JsonFormatter, Seldom, TextFormatter, log_context

AT = datetime(2026, 3, 1, 12, 30, 15, 250_000, UTC).timestamp()


def record(name: str, message: str, *args: Any, error: BaseException | None = None) -> logging.LogRecord:
    info = None if error is None else (type(error), error, error.__traceback__)
    made = logging.LogRecord(name, logging.ERROR, __file__, 1, message, args, info)
    made.created = AT
    return made


def raised(error: BaseException) -> BaseException:
    try:
        raise error
    except type(error) as caught:
        return caught


def as_json(made: logging.LogRecord) -> dict[str, Any]:
    line = JsonFormatter(process="worker", version=__version__, worker=1).format(made)
    assert "\n" not in line
    found: dict[str, Any] = json.loads(line)
    return found


def test_named_arguments_are_fields_in_json_and_words_in_text() -> None:
    made = record("streams.checkpoints.save", "checkpoint partition=%(partition)d", {"partition": 3})
    assert as_json(made) == {
        "time": "2026-03-01T12:30:15.250Z",
        "level": "error",
        "logger": "streams.checkpoints.save",
        "message": "checkpoint partition=3",
        "process": "worker",
        "version": __version__,
        "worker": 1,
        "partition": 3,
    }
    assert TextFormatter(process="worker", version=__version__).format(made) == (
        "2026-03-01T12:30:15.250Z ERROR streams.checkpoints.save checkpoint partition=3"
    )


def test_the_context_reaches_libraries_and_threads_and_ends_with_its_block() -> None:
    async def inside() -> tuple[dict[str, Any], str]:
        with log_context(partition=2):
            made = record("s3fs", "slow")
            return await asyncio.to_thread(as_json, made), TextFormatter(worker=1).format(made)

    fields, text = asyncio.run(inside())
    assert fields["partition"] == 2
    assert text.endswith("slow worker=1 partition=2")
    assert "partition" not in as_json(record("s3fs", "slow"))


def test_what_a_record_is_about_replaces_no_field_of_its_own() -> None:
    made = record("streams", "%(level)s %(time)s", {"level": "deep", "time": 5})
    assert (as_json(made)["level"], as_json(made)["time"]) == ("error", "2026-03-01T12:30:15.250Z")


def test_a_field_that_json_does_not_know_is_its_text() -> None:
    made = record("streams", "%(error)s", {"error": BrokerError("away")})
    assert as_json(made)["error"] == "away"


def test_a_record_is_one_line_whatever_it_holds() -> None:
    made = record("streams.worker.run", "two\nlines \x1b[31m 你好", error=raised(BrokerError("no\nbroker")))
    line = TextFormatter().format(made)
    assert line.isprintable()
    assert "two\\nlines \\x1b[31m 你好" in line
    assert "test_logs.py" in line
    assert line.endswith("BrokerError: no\\nbroker")


def test_a_traceback_has_the_text_of_our_own_errors_only() -> None:
    def fails() -> None:
        try:
            dict[str, int]()["C-4711"]
        except KeyError as error:
            msg = "C-4712"
            raise ValueError(msg) from error

    with pytest.raises(ValueError, match="C-4712") as caught:
        fails()
    group = raised(ExceptionGroup("C-4713", [caught.value, OSError(28, "No space left", "/C-4714")]))
    for formatter in (TextFormatter(), JsonFormatter()):
        line = formatter.format(record("lapwing", "a defect", error=group))
        assert "C-47" not in line.replace('dict[str, int]()["C-4711"]', "").replace('"C-4712"', "").replace(
            'dict[str, int]()[\\"C-4711\\"]', ""
        ).replace('\\"C-4712\\"', "").replace('\\"C-4713\\"', "").replace('\\"/C-4714\\"', "")
        assert line.index("KeyError") < line.index("the cause of") < line.index("ValueError")
        assert "No space left" in line


def test_of_a_library_only_the_first_line_without_secrets_is_written() -> None:
    made = record("asyncio", "Task exception was never retrieved\nfuture: <Task KeyError('C-4711')>")
    assert as_json(made)["message"] == "Task exception was never retrieved"
    made = record("fsspec", "no answer from s3://user:hunter2@host")
    assert as_json(made)["message"] == "no answer from s3://user:****@host"


def test_a_library_logs_the_same_thing_once_in_a_while_only() -> None:
    seldom = Seldom("aiokafka", every_s=10)

    def passes(name: str, message: str, at: float) -> bool:
        made = record(name, message)
        made.created = at
        return bool(seldom.filter(made))

    times = (100.0, 101.0, 109.9, 110.1, 111.0)
    assert [passes("aiokafka.conn", "lost", at) for at in times] == [True, False, False, True, False]
    assert passes("aiokafka.conn", "another thing", 111.0)
    assert all(passes("streams.worker.pipeline", "again", 100.0) for _ in range(3))


PROGRAM = """
import logging, sys, threading, warnings
from streams.telemetry import logs
logs.install()
logs.configure("sink", {log_format!r}, {level!r}, runs_on=True)
own, library = logging.getLogger("streams.sink"), logging.getLogger("library")
for log in (own, library):
    log.debug("fine"); log.info("known"); log.warning("odd"); log.error("wrong")
own.error("%d", "C-4711")
warnings.warn("old")
def fail(): raise ValueError("C-" + "4711")
thread = threading.Thread(target=fail); thread.start(); thread.join()
fail()
"""


@pytest.mark.parametrize("log_format", ["text", "json"])
@pytest.mark.parametrize(("level", "count"), [("debug", 4), ("info", 3), ("warning", 2), ("error", 1)])
def test_levels_are_of_our_own_loggers_and_crashes_are_records(
    log_format: str, level: str, count: int
) -> None:
    program = PROGRAM.format(log_format=log_format, level=level)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "4711" not in done.stderr.replace('"C-" + "4711"', "").replace('\\"C-\\" + \\"4711\\"', "")
    lines = done.stderr.splitlines()
    if log_format == "json":
        found = [json.loads(line) for line in lines]
        names, messages = [each["logger"] for each in found], [each["message"] for each in found]
        assert {each["process"] for each in found} == {"sink"}
        assert "ValueError" in found[-1]["traceback"]
    else:
        names, messages = [line.split()[2] for line in lines], [line.split(" ", 3)[3] for line in lines]
    assert names == ["streams.sink"] * count + ["library"] * 2 + ["py.warnings"] + ["lapwing"] * 2
    assert messages[:count] == ["fine", "known", "odd", "wrong"][-count:]
    assert messages[-2].startswith("a thread ended")
    assert messages[-1].startswith("a defect of Lapwing")
