from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from consumers.database.database import Database
from consumers.database.migrations.runner import newest_version
from consumers.desk.installation import ProcessState
from consumers.desk.metrics import desk_snapshots
from lapwing.doctor.check import made
from lapwing.doctor.installation import Installation
from lapwing.doctor.versions import versions
from lapwing.settings.settings import load_settings
from streams import __version__
from streams.checkpoints.store import CheckpointManifest, CheckpointStore
from streams.core.engine import Engine
from streams.core.engine_io import EngineSettings
from streams.core.features.catalogue import DTYPES
from streams.core.rules.rule_set import compile_rules
from streams.core.state_tables import FORMAT, READABLE, tables
from streams.errors import BrokerError
from streams.telemetry.endpoint import Endpoint

WORKER = ProcessState("a:9464", process="worker", version=__version__)
SINK = ProcessState("b:9466", process="sink", version=__version__)


class Around(Installation):
    """An installation whose broker and processes are made up."""

    def __init__(
        self, kafka: str | None = "4.1", shown: Sequence[ProcessState] = (), **settings: str
    ) -> None:
        environ = {f"LAPWING_{name.upper()}": value for name, value in settings.items()}
        if shown:
            environ["LAPWING_METRICS_TARGETS"] = ",".join(each.place for each in shown)
        super().__init__(load_settings(environ=environ))
        self._kafka = kafka
        self._shown = shown

    def ask_topics(self) -> Mapping[str, int]:
        if self._kafka is None:
            msg = "no broker answers"
            raise BrokerError(msg)
        return {"orders": 1}

    def ask_version(self) -> str:
        assert self._kafka is not None
        return self._kafka

    def ask_processes(self) -> Sequence[ProcessState]:
        return self._shown


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def found(installation: Installation) -> tuple[str, str]:
    result = made("versions", lambda: versions(installation))
    return result.outcome.value, result.detail


def test_it_names_what_there_is() -> None:
    outcome, text = found(Around())
    assert outcome == "ok"
    assert text.startswith(f"Lapwing {__version__}, Python 3.")
    assert text.endswith("; a broker that knows the requests of Kafka 4.1")
    assert "Kafka" not in found(Around(kafka=None))[1]


def test_a_broker_that_is_too_old() -> None:
    assert found(Around(kafka="2.5"))[0] == "ok"
    assert found(Around(kafka="2.4.1")) == (
        "warning",
        "the broker knows the requests of Kafka 2.4.1: upgrade it to 2.5 or newer",
    )


def test_processes_of_another_version() -> None:
    _, text = found(Around(shown=[WORKER, replace(WORKER, place="c:9464"), SINK]))
    assert "of that version run: 1 sink, 2 worker" in text
    gone = ProcessState("d:9467", error="Connection refused")
    outcome, text = found(Around(shown=[WORKER, gone]))
    assert (outcome, "nothing answers at d:9467 of metrics_targets" in text) == ("ok", True)
    outcome, text = found(Around(shown=[WORKER, replace(SINK, version="0.0.9"), gone]))
    assert outcome == "warning"
    assert text == (
        f"the sink at b:9466 runs Lapwing 0.0.9, and this command is {__version__}: finish the upgrade, in "
        "the order of docs/upgrading.md"
    )


def test_a_process_that_runs_is_asked() -> None:
    with Endpoint(desk_snapshots().probes(), "127.0.0.1:0", "desk") as served:
        place = served.url.removeprefix("http://")

        class Real(Around):
            def ask_processes(self) -> Sequence[ProcessState]:
                return Installation.ask_processes(self)

        _, text = found(Real(metrics_targets=place))
    assert "of that version run: 1 desk" in text


def save(number: int, form: int) -> None:
    """Save the state of a new engine, with a format that may be of another version."""
    state = tables(Engine(EngineSettings(), compile_rules([], DTYPES), partition=number))
    once = state["engine"]["json"][0].replace(f'"format": {FORMAT}', f'"format": {form}')
    assert f'"format": {form}' in once
    CheckpointStore("var/checkpoints", "lapwing").save(
        number, {**state, "engine": pl.DataFrame({"json": [once]})}, CheckpointManifest({}, {0: 0}, "rules")
    )


def test_checkpoints_of_another_format() -> None:
    save(0, FORMAT)
    assert f"checkpoints of format {FORMAT}" in found(Around())[1].split("; ")
    save(1, READABLE[0])
    outcome, text = found(Around())
    assert outcome == "ok"
    assert f"checkpoints of format {READABLE[0]}, which the next ones of format {FORMAT} replace" in text
    save(1, FORMAT + 1)
    assert found(Around()) == (
        "warning",
        f"the checkpoints of partition 1 have format {FORMAT + 1}, and this version reads up to {FORMAT}: "
        "start workers of the version that wrote them, or a newer one",
    )
    assert "format" not in found(Around(checkpoints="none"))[1]


def test_the_version_of_the_database() -> None:
    store = Database("sqlite:///lapwing.db")
    store.prepare()
    store.close()
    assert f"a database of version {newest_version()}" in found(Around())[1].split("; ")
    with closing(sqlite3.connect("lapwing.db", isolation_level=None)) as database:
        database.execute("UPDATE alembic_version SET version_num = '0007'")
        assert (
            f"a database of version 7, which the next sink brings to {newest_version()}" in found(Around())[1]
        )
        # One of a newer version is what the check of the database is about.
        database.execute("UPDATE alembic_version SET version_num = '9999'")
        assert "a database" not in found(Around())[1]


def test_a_server_that_is_too_old(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Database(postgres_url)
    store.prepare()
    store.close()
    outcome, text = found(Around(database=postgres_url))
    assert (outcome, "PostgreSQL 1" in text) == ("ok", True)
    monkeypatch.setattr("lapwing.doctor.versions.OLDEST_POSTGRESQL", 1_000)
    outcome, text = found(Around(database=postgres_url))
    assert outcome == "warning"
    assert text.endswith("upgrade it, Lapwing is tested from 1000 on")
