from datetime import UTC, datetime, timedelta

from consumers.database.database import Database
from consumers.desk.live.presence import LASTS_FOR, RENEWED_EVERY, Presence

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def test_who_looks_is_known_in_every_process_until_they_leave(database: Database) -> None:
    one, other = Presence(database), Presence(database)
    number = one.enter("ann", "c1")
    one.enter("ann", "c1")
    other.enter("bob", "c1")
    assert one.exchange(NOW)
    assert other.exchange(NOW)
    assert one.exchange(NOW)
    assert one.looking() == other.looking() == {"c1": ("ann", "bob")}
    assert not one.exchange(NOW)
    one.leave(number)
    assert not one.exchange(NOW)  # she has it open twice
    one.leave(number + 1)
    assert one.exchange(NOW)
    assert other.exchange(NOW)
    assert one.looking() == other.looking() == {"c1": ("bob",)}


def test_who_was_in_a_process_that_died_is_forgotten(database: Database) -> None:
    one, other = Presence(database), Presence(database)
    one.enter("ann", "c1")
    one.exchange(NOW)
    assert other.exchange(NOW + LASTS_FOR)
    assert other.exchange(NOW + LASTS_FOR + timedelta(seconds=1))
    assert other.looking() == {}


def test_who_stays_is_renewed(database: Database) -> None:
    one, other = Presence(database), Presence(database)
    one.enter("ann", "c1")
    for number in range(6):
        one.exchange(NOW + number * RENEWED_EVERY)
    other.exchange(NOW + 5 * RENEWED_EVERY)
    assert other.looking() == {"c1": ("ann",)}
