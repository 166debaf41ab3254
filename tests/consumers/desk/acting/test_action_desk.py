from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select, update

from consumers.database.database import Database
from consumers.database.desk import DeskActionRow, DeskAuditRow
from consumers.database.warnings import WarningRow
from consumers.desk.acting.action_desk import UNDO_FOR, Undone
from consumers.desk.people.person import Person, Role
from consumers.drafts import Draft
from streams.contract.instants import to_us
from streams.errors import ActError
from tests.consumers import engine_warnings
from tests.consumers.desk.desks import NOW, desk_over
from tests.consumers.stored import store_records
from tests.consumers.warning_events import life, records, value, warning_id

ANN, BOB = Person("ann", Role.AGENT), Person("bob", Role.AGENT)
OPEN, ENDED = warning_id("c1"), warning_id("c2")


@pytest.fixture
def stored(database: Database) -> Database:
    store_records(database, records([*life("c1")[:3], *life("c2"), value(customer="c3")]))
    return database


def draft(kind: str = "acknowledge", customer: str = "c1", **more: object) -> Draft:
    return Draft(customer, kind, warning_id(customer), **more)  # type: ignore[arg-type]  # as the class has them


def states(database: Database) -> list[tuple[str, str]]:
    with database.reading() as connection:
        query = select(DeskActionRow.kind, DeskActionRow.state).order_by(DeskActionRow.seq)
        return [(kind, state) for kind, state in connection.execute(query)]


def test_what_cannot_be_taken_back_is_held_and_the_rest_is_due_at_once(stored: Database) -> None:
    actions = desk_over(stored).actions
    for kind in ("acknowledge", "snooze", "assign", "confirm", "expire", "contact", "offer"):
        group = actions.submit(ANN, [draft(kind)])
        (row,) = actions.group(group)
        held = kind in ("expire", "contact", "offer")
        assert (row.send_at, row.created_at) == (NOW + UNDO_FOR if held else NOW, NOW), kind
        assert row.content["occurred_at"] == "2011-03-20T09:00:00Z"
        assert (row.content["actor"], row.actor, row.customer_id) == ("ann", "ann", "c1")
    pending = actions.pending()
    assert pending.keys() == {OPEN}
    ids = [each.event_id for each in pending[OPEN]]
    assert ids == sorted(ids)
    assert len(set(ids)) == 7
    assert actions.pending([OPEN]) == pending
    assert actions.pending([ENDED]) == {}
    assert actions.of_customer("c1") == pending[OPEN]


def test_a_click_that_comes_again_writes_nothing_from_several_threads_too(stored: Database) -> None:
    actions = desk_over(stored).actions
    with ThreadPoolExecutor(8) as pool:
        groups = list(
            pool.map(lambda n: actions.submit(ANN, [draft("contact")], group_id="click"), range(16))
        )
    assert len(set(groups)) == 1
    assert states(stored) == [("contact", "held")]
    assert actions.submit(BOB, [draft("contact")], group_id="click") != groups[0]


def test_of_several_those_are_left_out_whose_warning_has_ended(stored: Database) -> None:
    actions = desk_over(stored).actions
    group = actions.submit(ANN, [draft(), draft(customer="c2"), draft(customer="c3")])
    assert [each.customer_id for each in actions.group(group)] == ["c1", "c3"]
    with pytest.raises(ActError, match="has ended"):
        actions.submit(ANN, [draft(customer="c2")])
    # What was done about it may be noted all the same.
    assert actions.submit(ANN, [draft("contact", "c2")])


@pytest.mark.parametrize(
    ("person", "wrong", "says"),
    [
        (Person("vic", Role.VIEWER), draft(), "may look and not act"),
        (ANN, Draft("c1", "contact", "no-such"), "there is no warning no-such"),
        (ANN, Draft("c3", "contact", OPEN), "there is no warning"),
        (ANN, draft(until=to_us(NOW)), "until: has passed"),
        (ANN, draft("contact", reasons=("too dear",)), "reasons.0"),
        (ANN, draft("contact", assignee="bob"), "assignee: belongs to assign"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_written(
    stored: Database, person: Person, wrong: Draft, says: str
) -> None:
    with pytest.raises(ActError, match=says):
        desk_over(stored).actions.submit(person, [draft(customer="c3"), wrong])
    assert states(stored) == []


def test_a_customer_in_the_holdout_is_there_for_operators_only(stored: Database) -> None:
    with stored.writing() as connection:
        connection.execute(update(WarningRow).where(WarningRow.id == OPEN).values(holdout=True))
    actions = desk_over(stored).actions
    with pytest.raises(ActError, match="there is no warning"):
        actions.submit(ANN, [draft()])
    assert actions.submit(Person("olga", Role.OPERATOR), [draft()])


def test_what_was_not_sent_is_undone_and_never_goes_out(stored: Database) -> None:
    actions = desk_over(stored).actions
    group = actions.submit(ANN, [draft("contact"), draft("expire", "c3")])
    assert actions.undo(ANN, group) == Undone(undone=2)
    assert actions.undo(ANN, group) == Undone(undone=2)
    assert states(stored) == [("contact", "undone"), ("expire", "undone")]
    assert actions.pending() == {}


def test_what_was_tried_is_taken_back_by_a_correction_that_comes_after_it(stored: Database) -> None:
    actions = desk_over(stored).actions
    group = actions.submit(ANN, [draft(), draft("expire", "c3")])
    with stored.writing() as connection:
        connection.execute(update(DeskActionRow).values(state="sent", claimed_by="x"))
    assert actions.undo(ANN, group) == Undone(corrected=1, too_late=1)
    assert actions.undo(ANN, group) == Undone(corrected=1, too_late=1)
    assert states(stored) == [("acknowledge", "sent"), ("expire", "sent"), ("correct", "held")]
    first, correction = actions.pending()[OPEN]
    assert correction.content["corrects"] == first.event_id
    assert correction.event_id > first.event_id
    assert correction.send_at == NOW


def test_nobody_undoes_what_another_did(stored: Database) -> None:
    actions = desk_over(stored).actions
    group = actions.submit(ANN, [draft("contact")])
    for person, name in ((BOB, group), (ANN, "no-such")):
        with pytest.raises(ActError, match="no such action of yours"):
            actions.undo(person, name)
    assert states(stored) == [("contact", "held")]


def test_every_action_and_correction_is_in_the_audit_log(stored: Database) -> None:
    actions = desk_over(stored).actions
    actions.submit(ANN, [draft("assign", assignee="bob")])
    with stored.reading() as connection:
        (row,) = connection.execute(select(DeskAuditRow.__table__)).mappings()
    assert (row["person"], row["what"], row["customer_id"]) == ("ann", "action.assign", "c1")
    assert (row["detail"]["assignee"], row["detail"]["warning_id"]) == ("bob", OPEN)


def test_whoever_listens_is_called_after_each_change(stored: Database) -> None:
    actions = desk_over(stored).actions
    calls: list[int] = []
    actions.on_change.append(lambda: calls.append(1))
    actions.undo(ANN, actions.submit(ANN, [draft("contact")]))
    assert len(calls) == 2


def test_thousands_are_one_request(database: Database) -> None:
    customers = [f"c{n}" for n in range(1_200)]
    store_records(database, records([value(customer=customer) for customer in customers]))
    actions = desk_over(database).actions
    actions.submit(ANN, [draft("snooze", each, until=to_us(NOW) + 1) for each in customers])
    pending = actions.pending([warning_id(each) for each in customers])
    assert pending.keys() == {warning_id(each) for each in customers}
    with database.reading() as connection:
        assert connection.scalar(select(func.count()).select_from(DeskAuditRow)) == 1_200


def test_the_engine_takes_an_acknowledgement_and_its_correction_of_the_same_instant(
    database: Database,
) -> None:
    opening = json.loads(engine_warnings.warned()[0])
    at = datetime.fromisoformat(opening["time"]).astimezone(UTC)
    warning, customer = opening["data"]["warning_id"], engine_warnings.CUSTOMER
    store_records(database, records([engine_warnings.warned()[0]]))
    actions = desk_over(database, at).actions
    group = actions.submit(ANN, [Draft(customer, "acknowledge", warning)])
    with database.writing() as connection:
        connection.execute(update(DeskActionRow).values(state="sent", claimed_by="x"))
    actions.undo(ANN, group)
    sent = [{"type": "action", **each.content} for each in actions.pending()[warning]]
    lines = engine_warnings.replayed([*engine_warnings.events(), *reversed(sent)])
    steps = [json.loads(line) for line in lines]
    attention = [
        (step["type"].rpartition(".")[2], (step["data"]["attention"] or {}).get("state")) for step in steps
    ]
    taken = attention.index(("acknowledged", "acknowledged"))
    assert attention[taken + 1][0] == "updated"
    assert attention[taken + 1][1] in (None, "waiting")
    assert steps[taken]["time"] == steps[taken + 1]["time"]
