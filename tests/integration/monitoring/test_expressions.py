"""Every expression of the dashboard, of the alerts and of their runbooks, on a real Prometheus that scrapes a
worker, a learner, a sink, a notifier and a desk at work."""

from __future__ import annotations

import json
import math
import re
import shlex
import time
from typing import Final

import pytest

from scripts.dashboard import PLACE, RESTARTS
from tests.deploy.alerts import shipped
from tests.integration.monitoring.monitored import Monitored
from tests.paths import ROOT
from tests.prometheus import Prometheus

pytestmark = [pytest.mark.any_broker, pytest.mark.timeout(400)]

WITHIN_S: Final = 120.0
NOT_FIRING: Final = "no alert is evaluated by this Prometheus"
SUPERVISED: Final = "only the supervisor of `lapwing worker --processes N` has it"
WAITS: Final = "it is there only while something waits"
HEALTHY: Final = "there is none while all is well"
NO_IMPORTER: Final = "no importer runs here: tests/integration/test_import_follow.py has its metrics"
EMPTY: Final[dict[str, str]] = {
    'count(ALERTS{alertname=~"Lapwing.+", alertstate="firing"})': NOT_FIRING,
    'ALERTS{alertname=~"Lapwing.+", alertstate="firing"}': NOT_FIRING,
    'count(up{job=~"lapwing-.+"} == 0)': HEALTHY,
    "count(lapwing_ready == 0)": HEALTHY,
    RESTARTS: HEALTHY,
    "lapwing_worker_up": SUPERVISED,
    "lapwing_worker_restarts_total": SUPERVISED,
    "60 * sum by (topic, reason) (rate(lapwing_events_refused_total[10m])) > 0": HEALTHY,
    'time() - min(lapwing_outbox_oldest_timestamp_seconds{job="lapwing-notifier"})': WAITS,
    'lapwing_outbox_oldest_timestamp_seconds{job="lapwing-notifier"}': WAITS,
    'lapwing_lag_oldest_timestamp_seconds{job="lapwing-notifier"}': WAITS,
    'time() - lapwing_outbox_oldest_timestamp_seconds{job="lapwing-worker"}': WAITS,
    'lapwing_outbox_oldest_timestamp_seconds{job="lapwing-worker"}': WAITS,
    'lapwing_broker_silent_seconds{job="lapwing-importer"}': NO_IMPORTER,
    "lapwing_import_inputs_broken": NO_IMPORTER,
    "lapwing_import_records_total": NO_IMPORTER,
    "lapwing_import_refused_total": NO_IMPORTER,
    "lapwing_import_waiting": NO_IMPORTER,
    "lapwing_import_written_timestamp_seconds": NO_IMPORTER,
    'lapwing_lag_records{job="lapwing-importer"}': NO_IMPORTER,
    'sum by (topic) (lapwing_lag_records{job="lapwing-importer"})': NO_IMPORTER,
    "sum by (topic) (rate(lapwing_import_records_total[10m]))": NO_IMPORTER,
    "sum by (topic, reason) (increase(lapwing_import_refused_total[1h]))": NO_IMPORTER,
}
"""Expressions and selectors that give nothing here, with the reason."""


def values(prometheus: Prometheus, expression: str) -> list[float]:
    """Return what is a number; the quantile of nothing is none."""
    return [series.value for series in prometheus.query(expression) if not math.isnan(series.value)]


def without_data(prometheus: Prometheus, expressions: set[str]) -> set[str]:
    """Return those that still give nothing after a while."""
    deadline = time.monotonic() + WITHIN_S
    left = set(expressions)
    while True:
        left = {each for each in left if not values(prometheus, each)}
        if not left - EMPTY.keys() or time.monotonic() > deadline:
            return left
        time.sleep(1)


def of_dashboard() -> set[str]:
    panels = json.loads(PLACE.read_text())["panels"]
    found = {target["expr"] for panel in panels for target in panel.get("targets", ())}
    return {each.replace("$__rate_interval", "10m") for each in found} | {RESTARTS}


def of_runbooks() -> set[str]:
    pages = (page.read_text() for page in (ROOT / "docs" / "runbooks").glob("*.md"))
    lines = (line for page in pages for line in re.findall(r"^promtool query instant .*$", page, re.M))
    return {shlex.split(line)[-1] for line in lines}


def selectors(expression: str) -> set[str]:
    """Return the series that an expression reads.

    >>> sorted(selectors('sum(rate(lapwing_a_total{b="c"}[5m])) > 2 * up'))
    ['lapwing_a_total{b="c"}', 'up']
    """
    return {
        name + labels
        for name, labels in re.findall(r"\b((?:lapwing|process)_\w+|up\b|ALERTS\b)(\{[^}]*\})?", expression)
    }


def test_every_expression_of_the_dashboard_gives_data(installation: Monitored) -> None:
    assert without_data(installation.prometheus, of_dashboard()) <= EMPTY.keys()


def test_every_alert_reads_series_that_are_there(installation: Monitored) -> None:
    read = {each for alert in shipped() for each in selectors(alert.expression)}
    assert len(read) > 40
    assert without_data(installation.prometheus, read) <= EMPTY.keys()


def test_every_query_of_a_runbook_reads_series_that_are_there(installation: Monitored) -> None:
    queries = of_runbooks()
    assert len(queries) > 50
    for each in queries:
        installation.prometheus.query(each)
    read = {selector for each in queries for selector in selectors(each)}
    assert without_data(installation.prometheus, read) <= EMPTY.keys()


BUSY: Final = "eight days a second, on a machine that runs other tests too"
HERE: Final = {
    "LapwingSweepsOverdue": "the simulated days are long past",
    "LapwingOpeningsBurst": "all rules are new",
    "LapwingWarningsLate": BUSY,
    "LapwingDatabaseSlow": BUSY,
    "LapwingDeskSlow": BUSY,
}
"""Alerts that may fire although all is well, as their runbooks say."""


def test_an_installation_that_is_well_sets_off_no_alert(installation: Monitored) -> None:
    idle = 'sum(lapwing_lag_records{job="lapwing-worker"})'
    installation.prometheus.wait_for(idle, until=lambda found: bool(found) and found[0].value == 0)
    firing = {alert.name for alert in shipped() if installation.prometheus.query(alert.expression)}
    assert firing <= HERE.keys()


def test_what_is_said_to_be_empty_is_asked_somewhere() -> None:
    asked = of_dashboard() | of_runbooks() | {alert.expression for alert in shipped()}
    read = {selector for each in asked for selector in selectors(each)}
    assert EMPTY.keys() <= asked | read


def test_an_expression_with_a_wrong_name_would_be_found(
    installation: Monitored, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.integration.monitoring.test_expressions.WITHIN_S", 0)
    assert without_data(installation.prometheus, {"lapwing_events"}) == {"lapwing_events"}
