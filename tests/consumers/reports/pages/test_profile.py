from __future__ import annotations

import pytest

from consumers.reports.document import NOT_ENOUGH, Estimate
from consumers.reports.pages.profile import section
from consumers.reports.profile import profile
from consumers.reports.words import Words
from tests.consumers.reports.pages.shown import is_shown, rows
from tests.consumers.reports.test_profile import WHOLE, drawn


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_tables_have_the_figures_of_the_profile(language: str) -> None:
    part = profile(drawn(1, 600, weights=True), WHOLE)
    found = section(part, Words(language))
    first, shown = part.contrasts[0], rows(found, "profile")
    assert first.g is not None
    assert first.g_low is not None
    assert first.g_high is not None
    assert first.churned is not None
    assert shown[0][:4] == [
        "orders_30d",
        Estimate(first.g, first.g_low, first.g_high),
        first.delta,
        first.churned.median,
    ]
    assert [row[0] for row in shown] == [each.feature for each in part.contrasts]
    unknown = rows(found, "profile_missing")
    assert [row[0] for row in unknown] == ["orders_30d", "overdue"]
    assert unknown[0][1:] == [first.churned_missing, first.kept_missing, first.missing_difference]
    assert len(found.plots) == 1
    is_shown(found, language)


def test_a_feature_of_few_samples_has_n_and_nothing_else() -> None:
    found = section(profile(drawn(1, 30, weights=False), WHOLE), Words())
    for row in rows(found, "profile"):
        assert row[1] is row[2] is row[3] is row[6] is NOT_ENOUGH
        assert isinstance(row[5], int)
    assert found.plots == []
    assert any("not enough to say" in remark for remark in found.remarks)
    is_shown(found, "en")
