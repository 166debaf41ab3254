from __future__ import annotations

import pytest

from consumers.scorecard.facts import LOSS_SCHEMA, facts_of
from consumers.scorecard.missed import band_names, missed_of, value_bounds
from tests.consumers.scorecard.made import Made, events, made
from tests.consumers.scorecard.twin import Line, Twin
from tests.streams.backtest.histories import HORIZON


@pytest.fixture(scope="module", params=range(3))
def given(request: pytest.FixtureRequest) -> Made:
    return made(request.param)


def test_groups_are_what_the_twin_counts(given: Made) -> None:
    losses = facts_of(events(given.outcomes)).losses.filter("first_loss")
    found = missed_of(losses)
    twin = Twin(given.outcomes, given.steps, (), HORIZON, None, None)
    [(missed, lost)] = twin.missed(lambda loss: "all").values()
    assert (found.all.missed, found.all.lost) == (missed, lost)
    assert 0 < missed < lost
    for name in ("customer_class", "segment"):
        groups = {group.value: (group.missed, group.lost) for group in found.groups[name]}
        assert groups == twin.missed(lambda loss, name=name: loss[name])  # type: ignore[misc]  # bound now
        assert sum(group.missed for group in found.groups[name]) == missed
        assert {group.missed_in_all for group in found.groups[name]} == {missed}
    bounds = value_bounds([loss["value"] for loss in twin.losses() if loss.get("value") is not None])
    names = band_names(bounds)

    def band(loss: Line) -> str | None:
        value = loss.get("value")
        return None if value is None else names[sum(value >= bound for bound in bounds)]

    assert {g.value: (g.missed, g.lost) for g in found.groups["value"] if g.lost} == twin.missed(band)
    assert len(found.customers) + found.not_listed == missed
    values = [each.value for each in found.customers]
    known = [value for value in values if value is not None]
    assert values == [*sorted(known, reverse=True), *[None] * (len(values) - len(known))]
    assert found.all.value_missed == pytest.approx(sum(known))


def test_a_band_holds_a_quarter_of_the_values() -> None:
    assert value_bounds([float(n) for n in range(101)]) == [25, 50, 75]
    assert value_bounds([0.0] * 60 + [5.0] * 40) == [5]
    assert (value_bounds([]), value_bounds([3.0, 3.0]), band_names([])) == ([], [], ["all"])


def test_who_is_held_out_is_counted_and_not_listed() -> None:
    import polars as pl

    rows = [
        ("a", 1, "churn.customer.lapsed", None, None, None, None, 5.0, False, None, None, None, True),
        ("b", 1, "churn.customer.lapsed", None, None, None, None, 9.0, True, None, None, None, True),
    ]
    found = missed_of(pl.DataFrame(rows, schema=LOSS_SCHEMA, orient="row"))
    assert [each.customer_id for each in found.customers] == ["a"]
    assert (found.not_listed, found.all.missed, found.all.value_missed) == (1, 2, 14.0)
