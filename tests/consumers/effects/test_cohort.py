"""Which warnings count, against a recount of the lines."""

from __future__ import annotations

from typing import Any

import pytest

from consumers.effects.cohort import Cohort, cohorts
from consumers.effects.matured import matured_frame
from tests.consumers.effects.helped import data_of, helped
from tests.oracle import effects as twin

pytestmark = pytest.mark.timeout(400)  # a whole shop, on a machine that does much else


def of_play(found: list[dict[str, Any]], play: str = "call", **period: int) -> Cohort:
    return next(each for each in cohorts(matured_frame(found), **period) if each.play == play)


@pytest.mark.parametrize("play", ["call", "letter"])
def test_a_cohort_is_what_a_recount_of_the_lines_gives(play: str) -> None:
    ran = helped()
    cohort = of_play(data_of(ran), play)
    expected = twin.firsts(ran.outcome_lines, play)
    assert set(cohort.warnings["warning_id"]) == {data["warning_id"] for data in expected}
    for lot in ("held_out", "shown", "not_drawn"):
        ids = {data["warning_id"] for data in twin.side(expected, lot)}
        assert set(cohort.warnings.filter(side=lot)["warning_id"]) == ids
        assert ids
    all_of_play = [d for d in data_of(ran) if d["decision"]["play"] == play]
    assert cohort.excluded.other_verdict == sum(d["decision"]["verdict"] != "rescue" for d in all_of_play) > 0
    rescue = len(all_of_play) - cohort.excluded.other_verdict
    assert cohort.excluded.not_first == rescue - len(expected) > 0
    assert cohort.excluded.other_experiment == cohort.excluded.outside == cohort.excluded.without_lot == 0


def made(customer: str, day: int, **more: Any) -> dict[str, Any]:
    """Return a matured warning of a customer, as the first of the shop's was, with what is given."""
    data = data_of(helped())[0]
    decision = data["decision"] | {"play": "call", "verdict": "rescue"}
    own = {
        "customer_id": customer,
        "warning_id": f"{customer}-{day}",
        "opened_at": f"2024-05-{day:02}T00:00:00Z",
    }
    return data | own | {"decision": decision, "lot": "shown", "experiment": "b"} | more


def test_another_salt_or_play_begins_anew_and_an_earlier_warning_does_not_take_the_place() -> None:
    found = [made("a", 1, experiment="a"), made("a", 8), made("a", 9), made("b", 7, experiment="a")]
    cohort = of_play(found)
    assert cohort.experiment == "b"
    assert cohort.warnings["warning_id"].to_list() == ["a-8"]
    assert (cohort.excluded.other_experiment, cohort.excluded.not_first) == (2, 1)


def test_only_warnings_opened_in_the_period_count_and_the_first_of_these() -> None:
    found = [made("a", day) for day in (3, 5, 7)]
    second, third = (matured_frame([each])["opened_at"][0] for each in found[1:])
    cohort = of_play(found, since=second, until=third)
    assert cohort.warnings["warning_id"].to_list() == ["a-5"]
    assert cohort.begun_at == second
    assert (cohort.excluded.outside, cohort.excluded.not_first) == (2, 0)


def test_where_no_lot_was_noted_the_customers_holdout_stands_for_it() -> None:
    found = [made(f"c{n}", 3, lot=None, experiment=None, holdout=n % 3 == 0) for n in range(6)]
    cohort = of_play(found)
    assert cohort.experiment is None
    assert cohort.excluded.without_lot == 6
    assert cohort.warnings["side"].to_list() == [*["held_out", "shown", "shown"] * 2]


def test_warnings_without_a_play_or_to_rescue_are_in_no_cohort() -> None:
    none = made("a", 3)
    none["decision"] = none["decision"] | {"play": None}
    assert cohorts(matured_frame([none])) == []
    dont = made("b", 3)
    dont["decision"] = dont["decision"] | {"verdict": "dont"}
    cohort = of_play([dont])
    assert (cohort.warnings.height, cohort.excluded.other_verdict, cohort.begun_at) == (0, 1, None)
