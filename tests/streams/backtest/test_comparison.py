"""`rules diff` on a planted change of a threshold."""

import pytest

from streams.backtest.comparison import Comparison, compare
from streams.backtest.history import History
from streams.backtest.load import Team
from streams.core.engine_io import EngineSettings
from streams.core.rules.rule import Rule, RuleStatus
from streams.core.steps import Tier
from streams.rulebook.diff import FieldChange
from tests.oracle.days import DAY
from tests.streams.backtest.histories import compiled
from tests.streams.backtest.planted import HORIZON, LATE, LEAVERS, PAUSERS, batch, silent

SETTINGS = EngineSettings(horizon_us=HORIZON)


def compared(old: list[Rule], new: list[Rule]) -> Comparison:
    history = History.of(batch(), 2 * DAY)
    return compare(history, compiled(old), compiled(new), SETTINGS, None, Team(5))


def test_a_lower_threshold_gains_whom_it_was_planted_to_gain() -> None:
    found = compared([silent(8)], [silent(5)])
    assert [c.customer_id for c in found.gained] == list(PAUSERS)
    assert (found.lost, found.changed, found.kept) == ((), (), len(LEAVERS))
    # Leavers are warned of either way; pausers are false alarms.
    assert (found.old.precision.part, found.old.precision.whole) == (6, 6)
    assert (found.new.precision.part, found.new.precision.whole) == (6, 16)
    assert (found.old.recall.part, found.new.recall.part, found.new.recall.whole) == (6, 6, 6)
    assert found.precision.value == pytest.approx(6 / 16 - 1)
    assert found.precision.high is not None
    assert found.precision.high < 0
    assert found.recall.value == 0
    # Each rule at the first midnight after the threshold: three days and a half sooner or later.
    assert found.old.lead_days.median == 20 - 8.5
    assert found.new.lead_days.median == 20 - 5.5
    assert found.new.alarms - found.old.alarms == len(PAUSERS)
    assert found.new.load.over == 1  # the pausers and the leavers come on the same day
    (change,) = found.rules
    assert change.change.change == "changed"
    assert [each.field for each in change.change.fields] == ["when"]


def test_a_higher_threshold_loses_them_again() -> None:
    found = compared([silent(2.25)], [silent(8)])
    assert [c.customer_id for c in found.lost] == sorted((*PAUSERS, *LATE))
    assert found.gained == ()


def test_another_tier_changes_nothing_but_the_tier() -> None:
    found = compared([silent(5)], [silent(5, Tier.LOW)])
    assert {c.customer_id for c in found.changed} == {*PAUSERS, *LEAVERS}
    assert {(c.old, c.new) for c in found.changed} == {(Tier.HIGH, Tier.LOW)}
    assert found.old.as_dict() == found.new.as_dict()


def test_shadow_draft_and_removed_rules_warn_nobody() -> None:
    rule = silent(5)
    shadow = Rule("silent", rule.when, rule.tier, rule.reason, status=RuleStatus.SHADOW)
    found = compared([rule], [shadow])
    assert len(found.lost) == 16
    (change,) = found.rules
    assert change.change.fields == (FieldChange("status", "active", "shadow"),)
    assert change.change.version_before == change.change.version_after
    assert change.new is not None
    assert change.new.alarms == 16
    gone = compared([rule], [Rule("other", "orders_total < 0", Tier.LOW, "none")])
    changes = [effect.change for effect in gone.rules]
    assert {(c.rule, c.change) for c in changes} == {
        ("silent", "removed"),
        ("other", "added"),
    }
    assert len(gone.lost) == 16


def test_the_same_rules_do_not_differ() -> None:
    found = compared([silent(5)], [silent(5)])
    assert (found.rules, found.gained, found.lost, found.changed) == ((), (), (), ())
