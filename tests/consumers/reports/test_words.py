"""Numbers, amounts and dates as each language writes them."""

from datetime import UTC, date, datetime

import pytest

from consumers.reports.words import NOTHING, Words
from streams.share import Share, ShareDifference

EN, ZH = Words(zone="Europe/Berlin", currency="EUR"), Words("zh", "Asia/Shanghai", "CNY")


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (EN.percent(0.5), "50.0%"),
        (EN.percent(0.0004, 2), "0.04%"),
        (EN.points(0.05), "+5.0 points"),
        (ZH.points(-0.0512), "-5.1 个百分点"),
        (EN.money(999.5), "€999.50"),
        (EN.money(-1234567.8), "-€1,234,568"),
        (ZH.money(12), "¥12.00"),
        (EN.share(Share(100, 1000)), "10.0% (100 of 1,000)"),
        (ZH.share(Share(100, 1000)), "10.0% (100 / 1,000)"),
        (EN.interval(Share(50, 100)), "40.4% to 59.6%"),
        (EN.interval(ShareDifference(0.1, -0.02, 0.2)), "-2.0 to +20.0"),
        (EN.day(date(2026, 12, 31)), "31 Dec 2026"),
        (ZH.month(date(2026, 12, 1)), "2026年12月"),
        (EN.instant(datetime(2026, 6, 30, 22, 30, tzinfo=UTC)), "1 Jul 2026, 00:30"),
        (ZH.instant(datetime(2026, 6, 30, 22, 30, tzinfo=UTC)), "2026年7月1日 06:30"),
        (EN.days(12.4), "12 days"),
        (ZH.listing(["a", "b"]), "a、b"),
        (EN.ngettext("{count} day", "{count} days", 1), "1 day"),
    ],
)
def test_each_language_writes_figures_its_way(found: str, expected: str) -> None:
    assert found == expected


def test_what_is_not_known_is_a_dash_and_never_zero() -> None:
    assert {
        EN.percent(None), EN.points(None), EN.money(None), EN.number(None), EN.days(None),
        EN.interval(Share(0, 0)), EN.percent(Share(0, 0).value),
    } == {NOTHING}  # fmt: skip


def test_a_text_without_values_may_have_braces_and_per_cent() -> None:
    assert EN.gettext("95 % {x}") == "95 % {x}"
