from datetime import UTC, datetime, timedelta

from consumers.desk.clock import ASKED_EVERY, HISTORY_AFTER, DeskClock

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def test_the_time_is_that_of_the_machine_unless_a_history_is_played() -> None:
    for newest in (None, NOW, NOW - HISTORY_AFTER, NOW + timedelta(hours=1)):
        assert DeskClock(lambda newest=newest: newest, lambda: NOW).now() == NOW  # type: ignore[misc]  # its default
    played = NOW - HISTORY_AFTER - timedelta(seconds=1)
    clock = DeskClock(lambda: played, lambda: NOW)
    assert (clock.now(), clock.wall()) == (played, NOW)


def test_the_newest_event_is_asked_for_once_a_second() -> None:
    asked: list[datetime] = []
    wall = [NOW]

    def newest() -> datetime:
        asked.append(wall[0])
        return NOW - 2 * HISTORY_AFTER + len(asked) * timedelta(hours=1)

    clock = DeskClock(newest, lambda: wall[0])
    first = clock.now()
    wall[0] += ASKED_EVERY - timedelta(microseconds=1)
    assert clock.now() == first
    wall[0] += timedelta(microseconds=1)
    assert clock.now() == first + timedelta(hours=1)
    assert asked == [NOW, NOW + ASKED_EVERY]
