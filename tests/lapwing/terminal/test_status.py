"""Where stderr is no terminal the status is a line in the log, now and then."""

import logging

import pytest

from lapwing.terminal.status import LOG_EVERY_S, StatusLine


def test_the_log_has_the_newest_status_at_most_once_in_each_period(caplog: pytest.LogCaptureFixture) -> None:
    now = 0.0
    with caplog.at_level(logging.INFO, logger="lapwing"), StatusLine("sink", clock=lambda: now) as status:
        for second in range(int(2 * LOG_EVERY_S) + 1):
            now = float(second)
            status.show(f"{second} records")
    shown = [f"sink: {int(n * LOG_EVERY_S)} records" for n in (1, 2)]
    assert [record.message for record in caplog.records] == shown
