from datetime import UTC, datetime, timedelta

from consumers.desk.clock import HISTORY_AFTER, DeskClock

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def test_the_time_is_that_of_the_machine_unless_a_history_is_played() -> None:
    for newest in (None, NOW, NOW - HISTORY_AFTER, NOW + timedelta(hours=1)):
        assert DeskClock(lambda newest=newest: newest, lambda: NOW).now() == NOW  # type: ignore[misc]  # its default
    played = NOW - HISTORY_AFTER - timedelta(seconds=1)
    clock = DeskClock(lambda: played, lambda: NOW)
    assert (clock.now(), clock.wall()) == (played, NOW)
