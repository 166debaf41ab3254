"""What `lapwing erase` does where something cannot be done; tests/integration/test_erase.py has the whole."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from click.testing import CliRunner

from consumers.database.database import Database
from lapwing.cli import lapwing
from lapwing.commands import erase
from lapwing.erasure import now_utc
from lapwing.settings.settings import Settings, load_settings
from streams.checkpoints.store import CheckpointManifest, CheckpointStore
from streams.contract.erasures import ErasureKey
from streams.core.engine import Engine
from streams.core.engine_io import EngineSettings
from streams.core.features.catalogue import DTYPES
from streams.core.rules.rule_set import compile_rules
from streams.core.state_tables import tables
from streams.errors import SettingsError
from tests.consumers.test_erasure import Topic

KEY = ErasureKey(b"a key for these tests")


def settings_in(folder: Path) -> Settings:
    return load_settings(environ={"LAPWING_DATABASE": f"sqlite:///{folder / 'w.db'}"})


def places(folder: Path, **other: Any) -> erase._Places:
    """Return places of which none is there unless it is given."""
    nowhere: dict[str, Any] = {"silences": None, "topics": {}, "database": None, "checkpoints": None}
    given = nowhere | {"settings": settings_in(folder), "key": KEY, "producer": Topic()} | other
    return cast(erase._Places, SimpleNamespace(**given))


def test_without_a_key_nothing_is_erased(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LAPWING_ERASURE_KEY", raising=False)
    with pytest.raises(SettingsError, match="LAPWING_ERASURE_KEY is not set: choose a secret"):
        CliRunner().invoke(lapwing, ["erase", "c"], catch_exceptions=False)
    monkeypatch.setenv("LAPWING_ERASURE_KEY", "short")
    with pytest.raises(SettingsError, match=r"LAPWING_ERASURE_KEY: .*16 characters") as refused:
        CliRunner().invoke(lapwing, ["erase", "c"], catch_exceptions=False)
    assert "short" not in str(refused.value).replace("too short", "")
    monkeypatch.setenv("LAPWING_ERASURE_KEY", "long enough for a key")
    done = CliRunner().invoke(lapwing, ["erase", "c" * 129])
    assert done.exit_code == 2
    assert "1 to 128 characters" in done.stderr


def test_a_topic_that_may_not_be_written_is_named_and_the_rest_goes_on(tmp_path: Path) -> None:
    compact = {"cleanup.policy": "compact"}
    topics = {"profiles": compact, "churn-scores": compact, "orders": {"cleanup.policy": "delete"}}
    sender = Topic(denied="profiles")
    given = places(tmp_path, topics=topics, producer=sender, settings=load_settings(environ={}))
    report = erase._erased(given, ["c"], wait=False, within_s=1.0)
    assert report.failures == ["profiles: not permitted to write to profiles"]
    assert report.tombstones == ["churn-scores"]
    assert [record.topic for record in sender.records] == ["lapwing.erasures", "churn-scores"]
    assert report.unknown == [KEY.hash("c")]
    assert [each.topic for each in report.expiring] == ["orders"]
    assert "there is no database" in report.notes[0]
    assert "workers keep no checkpoints" in report.notes[1]


def test_topics_of_others_that_are_mapped_are_named(tmp_path: Path) -> None:
    file = tmp_path / "inputs.yaml"
    file.write_text(
        "version: 1\nsources:\n  web:\n    topic: web.orders\n    events: [{to: logins, fields: "
        "{event_id: id, customer_id: who, occurred_at: at}}]\n"
    )
    settings = load_settings(None, {"inputs": str(file)}, environ={})
    report = erase._erased(places(tmp_path, settings=settings), ["c"], wait=False, within_s=1.0)
    assert any(note.startswith(f"web.orders: your own topics, mapped by {file}") for note in report.notes)
    file.write_text("version: 2")
    report = erase._erased(places(tmp_path, settings=settings), ["c"], wait=False, within_s=1.0)
    assert any("cannot be read" in note and "inputs.yaml" in note for note in report.notes)


def test_a_database_that_is_away_is_named_and_the_rest_goes_on(tmp_path: Path) -> None:
    (tmp_path / "w.db").write_bytes(b"no database at all, but a file of some length" * 100)
    sender = Topic()
    broken = Database(f"sqlite:///{tmp_path / 'w.db'}")
    topics = {"profiles": {"cleanup.policy": "compact"}}
    report = erase._erased(
        places(tmp_path, database=broken, topics=topics, producer=sender), ["c"], wait=False, within_s=1.0
    )
    broken.close()
    assert len(report.failures) == 1
    assert "w.db" in report.failures[0]
    assert report.tombstones == ["profiles"]


def test_it_waits_no_longer_than_it_may(tmp_path: Path) -> None:
    store = CheckpointStore(str(tmp_path), "lapwing")
    engine = Engine(EngineSettings(), compile_rules([], DTYPES))
    store.save(0, tables(engine), CheckpointManifest({}, {}, engine.rules.hash))
    slept: list[float] = []
    found = erase._waited(
        places(tmp_path, checkpoints=store), ["c"], now_utc(), 3.0, lambda: sum(slept), slept.append
    )
    assert [each.stage for each in found] == ["waiting"]
    assert sum(slept) == 4.0
    given = places(tmp_path, checkpoints=store, settings=load_settings(environ={}))
    report = erase._erased(given, ["c"], wait=True, within_s=-1.0)
    assert report.failures == ["no worker has erased the customers yet in the partitions 0"]


def test_where_no_checkpoints_are_found_waiting_is_no_proof(tmp_path: Path) -> None:
    store = CheckpointStore(str(tmp_path / "elsewhere"), "lapwing")
    report = erase._erased(places(tmp_path, checkpoints=store), ["c"], wait=True, within_s=1.0)
    assert "has no checkpoints that could be looked at" in report.failures[-1]


def test_a_place_that_was_named_and_is_not_there_is_no_proof(tmp_path: Path) -> None:
    named = load_settings(
        environ={
            "LAPWING_DATABASE": f"sqlite:///{tmp_path / 'typo.db'}",
            "LAPWING_CHECKPOINTS": str(tmp_path / "typo"),
        }
    )
    store = CheckpointStore(named.checkpoints, "lapwing")
    missing = [
        f"there is no database sqlite:///{tmp_path / 'typo.db'}",
        f"{store.place} has no checkpoints of lapwing",
    ]
    checked = erase._looked(places(tmp_path, settings=named, checkpoints=store), ["c"])
    assert checked.failures == missing
    # Where nobody waits for them, checkpoints may be out of reach from here.
    erased = erase._erased(
        places(tmp_path, settings=named, checkpoints=store), ["c"], wait=False, within_s=1.0
    )
    assert (erased.failures, erased.notes) == (missing[:1], missing[1:])
    nowhere = load_settings(environ={})
    unnamed = erase._looked(places(tmp_path, settings=nowhere, checkpoints=store), ["c"])
    assert (unnamed.failures, len(unnamed.notes)) == ([], 2)
