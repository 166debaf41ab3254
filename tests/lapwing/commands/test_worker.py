from __future__ import annotations

import logging

from lapwing.commands.worker import OneLine, Seldom


def record(name: str, message: str, created: float) -> logging.LogRecord:
    made = logging.LogRecord(name, logging.ERROR, __file__, 1, message, (), None)
    made.created = created
    return made


def test_a_library_says_the_same_thing_once_in_a_while_only() -> None:
    seldom = Seldom("aiokafka", every_s=10)
    said = [("aiokafka.conn", "lost", at) for at in (100.0, 101.0, 109.9, 110.1, 111.0)]
    assert [seldom.filter(record(*one)) for one in said] == [True, False, False, True, False]
    assert seldom.filter(record("aiokafka.conn", "another thing", 111.0))


def test_the_worker_itself_says_all_it_has_to_say() -> None:
    seldom = Seldom("aiokafka")
    assert all(seldom.filter(record("streams.worker.pipeline", "again", 100.0)) for _ in range(3))


def test_a_record_is_one_line_whatever_it_holds() -> None:
    made = record("streams.worker.run", "two\nlines", 0.0)
    try:
        1 / 0  # noqa: B018  # for its traceback
    except ZeroDivisionError as error:
        made.exc_info = (type(error), error, error.__traceback__)
    line = OneLine("%(message)s").format(made)
    assert "\n" not in line
    assert "two\\nlines" in line
    assert "ZeroDivisionError" in line
