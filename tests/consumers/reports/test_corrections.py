from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from consumers.database.database import Database
from consumers.erasure import erase_from_store
from consumers.reports.complaints import Limits
from consumers.reports.corrections import SETTLED, Correction, differences, since_when
from consumers.reports.document import Section
from consumers.reports.pages.corrections import section
from consumers.reports.period import Period
from consumers.reports.report import MAKERS, Report, Terms, corrected, make_report
from consumers.reports.words import Words
from streams.contract.erasures import ErasureKey
from streams.core.outcomes.outcome import CensusCell, CensusSummary
from tests.consumers.reports.lost_shop import LostShop, Recount, lost_shop, store_shop


@functools.cache
def shop() -> LostShop:
    """Return the shop; made when it is first asked for, not when tests are collected."""
    return lost_shop(0)


@functools.cache
def period() -> Period:
    return shop().period("2024-03")


TERMS = Terms({}, {}, {}, 20, Limits(timedelta(days=1), timedelta(days=7)))
SINCE = since_when(period())
IN_TIME, LATER = SINCE - timedelta(hours=1), SINCE + timedelta(days=30)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with closing(Database(database_url)) as made:
        made.prepare()
        yield made


def is_of_partition(each: Any, number: int) -> bool:
    return isinstance(each, CensusCell | CensusSummary) and each.partition == number


def made(database: Database) -> Report:
    report = make_report(database, period(), shop().knowledge, TERMS, wanted=SETTLED)
    return corrected(database, report, TERMS, SINCE)


def changed(report: Report) -> dict[str, tuple[Any, Any]]:
    assert report.corrections is not None
    return {"/".join(each.path): (each.then, each.now) for each in report.corrections.corrections}


def test_what_was_stored_later_is_a_correction_and_as_of_it_is_the_same_bytes(database: Database) -> None:
    """A partition's census came a month late: the month had no rate then."""
    end = period().end_us

    def late(each: Any) -> bool:
        return is_of_partition(each, 1) and each.at == end

    store_shop(database, shop(), IN_TIME, lambda each: not late(each) and each.at <= end)
    known = make_report(database, period(), shop().knowledge, TERMS, wanted=SETTLED)
    before = msgspec.json.encode({name: part.as_dict() for name, part in known.parts.items()})
    store_shop(database, shop(), LATER, lambda each: late(each) or each.at > end)
    report = made(database)
    assert report.corrections is not None
    assert report.corrections.was_known
    found = changed(report)
    twin = Recount(shop())
    begin, now = twin.active(period().begin_us), twin.active(period().end_us)
    assert found["retention/original"] == (None, len(begin))
    assert found["retention/lost"] == (None, len(begin - now))
    assert found["retention/absolute_churn"] == (None, {"part": len(begin - now), "whole": len(begin)})
    assert found["trend/months/2024-03/marks/1"] == ("incomplete", None)
    assert not [path for path in found if path.startswith("trend/months/2024-02/")]
    again = make_report(database, period(), replace(shop().knowledge, as_of=IN_TIME), TERMS, wanted=SETTLED)
    assert msgspec.json.encode({name: part.as_dict() for name, part in again.parts.items()}) == before


def test_what_happened_later_is_no_correction(database: Database) -> None:
    store_shop(database, shop(), IN_TIME, lambda each: each.at <= period().end_us)
    store_shop(database, shop(), LATER, lambda each: each.at > period().end_us)
    report = made(database)
    assert report.corrections is not None
    assert (report.corrections.was_known, report.corrections.corrections) == (True, ())
    assert report.as_dict()["corrections"]["corrections"] == []


def test_a_period_that_was_not_known_then_has_nothing_to_compare_with(database: Database) -> None:
    store_shop(database, shop(), LATER)
    report = made(database)
    assert report.corrections is not None
    assert (report.corrections.was_known, report.corrections.corrections) == (False, ())


def test_customers_erased_since_are_counted(database: Database) -> None:
    store_shop(database, shop(), IN_TIME)
    key = ErasureKey(b"a key of sixteen characters")
    for customer in ("c001", "c002"):
        erase_from_store(database, key, customer, datetime.now(UTC))
    report = made(database)
    assert report.corrections is not None
    assert report.corrections.erased == 2
    [remark] = [each for each in written(report).remarks if "erased" in each]
    assert remark.startswith("2 customers were erased since")


def written(report: Report, language: str = "en") -> Section:
    assert report.corrections is not None
    return section(report.corrections, Words(language, shop().zone.key))


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_section_lists_what_changed(database: Database, language: str) -> None:
    store_shop(
        database, shop(), IN_TIME, lambda each: not is_of_partition(each, 1) or each.at < period().end_us
    )
    store_shop(database, shop(), LATER, lambda each: is_of_partition(each, 1) and each.at >= period().end_us)
    found = written(made(database), language)
    [table] = found.tables
    rows = {row[0]: row[1:] for row in table.rows}
    lost = len(Recount(shop()).active(period().begin_us) - Recount(shop()).active(period().end_us))
    assert rows["retention / lost"] == ["–", str(lost)]


def test_items_are_known_by_their_names_and_rates_are_one_figure() -> None:
    def groups(*given: tuple[str | None, int, int]) -> dict[str, Any]:
        return {
            "groups": [
                {"name": name, "rate": {"part": part, "whole": whole, "value": part / whole, "low": 0.0}}
                for name, part, whole in given
            ],
            "identities": [{"what": "x", "left": len(given)}],
        }

    then = groups(("a", 1, 10), ("b", 2, 10), (None, 1, 4))
    now = groups(("b", 2, 10), ("a", 3, 10), ("c", 1, 5), (None, 1, 4))
    assert differences(then, now) == (
        Correction(("groups", "a", "rate"), {"part": 1, "whole": 10}, {"part": 3, "whole": 10}),
        Correction(("groups", "c", "name"), None, "c"),
        Correction(("groups", "c", "rate"), None, {"part": 1, "whole": 5}),
    )
    assert differences(then, then) == ()
    assert [each.path for each in differences({"x": [1, 2]}, {"x": [1]})] == [("x", "2")]


def test_only_what_is_known_when_a_period_is_over_is_compared() -> None:
    assert set(SETTLED) < set(MAKERS)
