"""Probabilities against what became of the samples, counted one by one."""

from __future__ import annotations

from sqlalchemy import select

from consumers.database.database import Database
from consumers.database.learning import SampleRow
from consumers.desk.reports.calibration import calibration
from tests.consumers.desk.stored_shop import by_topic
from tests.consumers.shop_records import KINDS, NOW
from tests.consumers.stored import store_records


def test_each_band_has_its_samples(database: Database) -> None:
    topic = "shop-samples"
    store_records(database, by_topic()[topic], NOW, KINDS[topic])
    with database.reading() as connection:
        rows = connection.execute(select(SampleRow.p, SampleRow.churned, SampleRow.at)).all()
    found = calibration(database)
    known = [(p, churned) for p, churned, _ in rows if p is not None]
    assert known
    assert (found.scored, found.not_scored) == (len(known), len(rows) - len(known))
    assert found.churned == sum(churned for _, churned in known)
    assert abs(found.expected - sum(p for p, _ in known)) < 1e-9
    for band in found.bands:
        inside = [(p, churned) for p, churned in known if band.low <= p < band.high or p == band.high == 1]
        assert (band.churned.whole, band.churned.part) == (len(inside), sum(c for _, c in inside))
        assert abs(band.mean_probability - sum(p for p, _ in inside) / len(inside)) < 1e-9
    assert sum(band.churned.whole for band in found.bands) == len(known)
    assert (found.since, found.until) == (min(at for *_, at in rows), max(at for *_, at in rows))


def test_without_samples_nothing_is_known(database: Database) -> None:
    found = calibration(database)
    assert (found.bands, found.scored, found.since) == ((), 0, None)
