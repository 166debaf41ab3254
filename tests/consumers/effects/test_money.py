"""Spent and gained against a recount of the lines."""

from __future__ import annotations

import pytest

from consumers.actions import Action, cost_by_warning, standing
from consumers.effects.cohort import cohorts
from consumers.effects.effect import effects_of
from consumers.effects.matured import matured_frame
from consumers.effects.money import Money, money_of
from lapwing.cloud_events import actions_of
from streams.contract.decode import decode_lines
from tests.consumers.effects.helped import Ran, data_of, helped
from tests.oracle import effects as twin

pytestmark = pytest.mark.timeout(400)  # a whole shop, on a machine that does much else


def actions(ran: Ran) -> list[Action]:
    return list(actions_of(decode_lines(ran.events, latest_us=None).batch))


def moneys(ran: Ran, taken: list[Action]) -> dict[tuple[str, str | None], Money]:
    spent, found = cost_by_warning(standing(taken)), {}
    for cohort in cohorts(matured_frame(data_of(ran))):
        for effect in effects_of(cohort.play, cohort.warnings, 20):
            found[cohort.play, effect.tier] = money_of(effect, cohort.warnings, spent)
    return found


@pytest.mark.parametrize("play", ["call", "letter"])
def test_what_was_spent_and_gained_is_what_a_recount_gives(play: str) -> None:
    ran = helped()
    # Every third action has no cost on record, and of every seventh the cost was taken back.
    events, number = [], 0
    for event in ran.event_lines:
        if event["type"] != "action":
            events.append(event)
            continue
        number += 1
        events.append(event | ({"cost": None} if number % 3 == 0 else {}))
        if number % 7 == 0:
            own = {"event_id": f"x{number}", "kind": "correct", "corrects": event["event_id"], "cost": None}
            events.append(event | own)
    costless = {e["event_id"] for e in events if e["type"] == "action" and e["cost"] is None}
    taken = [a._replace(cost={}) if a.event_id in costless else a for a in actions(ran)]
    names = {e["event_id"] for e in events if e.get("kind") == "correct"}
    taken += [
        a._replace(event_id=f"x{n}", at=a.at + 1, kind="correct", corrects=a.event_id, cost={})
        for n, a in enumerate(taken, start=1)
        if f"x{n}" in names
    ]
    assert len(taken) == len([e for e in events if e["type"] == "action"])
    lines = twin.firsts(ran.outcome_lines, play)
    shown, held_out = twin.side(lines, "shown"), twin.side(lines, "held_out")
    for tier in (None, {"call": "high", "letter": "medium"}[play]):
        money = moneys(ran, taken)[play, tier]
        recorded, planned = twin.spent(shown, events)
        assert (money.recorded, money.planned) == pytest.approx((recorded, planned))
        assert min(recorded, planned) > 0
        assert money.unknown_n == 0
        assert money.gained == pytest.approx(twin.gained(held_out, shown))
        assert money.net == pytest.approx(twin.gained(held_out, shown) - recorded - planned)
        assert money.gained is not None
        assert money.gained_interval is not None
        assert money.gained_interval[0] < money.gained < money.gained_interval[1]


def test_a_contacted_warning_whose_cost_nobody_knows_is_counted() -> None:
    data = [d | {"decision": d["decision"] | {"cost": {"labour": None}}} for d in data_of(helped())]
    (cohort, _) = cohorts(matured_frame(data))
    (effect, _) = effects_of(cohort.play, cohort.warnings, 20)
    money = money_of(effect, cohort.warnings, {})
    assert (money.recorded_n, money.planned_n, money.unknown_n) == (0, 0, effect.shown.contacted)
    assert money.spent == 0
