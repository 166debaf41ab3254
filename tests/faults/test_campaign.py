"""A seed or two of the campaign, small: `make campaign` plays as many as one likes, and larger."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from streams.errors import DemoError
from tests.faults.history import Size
from tests.faults.hosts import EmbeddedHost, Host, KafkaHost
from tests.faults.run import Outcome, Plan, Run
from tests.faults.schedule import Kind
from tests.servers import ServerAbsent

SMALL = Size(customers=(100, 150), backlog_days=35, live_days=12)


LONG = Size(customers=(100, 150), backlog_days=190, live_days=12)
"""Long enough for customers to be forgotten."""
FORGETFUL = {"horizon": "7d", "forget_after": "104d"}


def play(seed: int, host: Host, folder: Path, *kinds: Kind) -> Outcome:
    """Play a small seed with two faults."""
    return Run(seed, host, folder / str(seed), Plan(SMALL, frozenset(kinds), (2, 2), mapped=False)).play()


def test_workers_and_sink_that_die_and_a_damaged_checkpoint_change_nothing(tmp_path: Path) -> None:
    try:
        host = EmbeddedHost()
    except DemoError as reason:
        pytest.skip(str(reason))
    try:
        outcome = play(3, host, tmp_path, Kind.KILL, Kind.DAMAGE, Kind.SINK_KILL, Kind.DISK_FULL)
    finally:
        host.close()
    assert outcome.differences == []
    assert outcome.ended == []
    assert outcome.steps > 200


def test_customers_who_are_forgotten_while_workers_die_change_nothing(tmp_path: Path) -> None:
    try:
        host = EmbeddedHost()
    except DemoError as reason:
        pytest.skip(str(reason))
    kinds = frozenset({Kind.KILL, Kind.DAMAGE, Kind.DISK_FULL})
    try:
        outcome = Run(4, host, tmp_path / "4", Plan(LONG, kinds, (3, 3), FORGETFUL)).play()
    finally:
        host.close()
    assert outcome.differences == []
    assert outcome.ended == []
    replayed = json.loads((tmp_path / "4" / "replay.log").read_text().splitlines()[-1])
    assert replayed["forgotten"] > 5


def test_a_shops_own_records_whose_mapping_changes_while_workers_die_change_nothing(tmp_path: Path) -> None:
    try:
        host = EmbeddedHost()
    except DemoError as reason:
        pytest.skip(str(reason))
    kinds = frozenset({Kind.REMAP, Kind.KILL, Kind.DAMAGE})
    try:
        outcome = Run(8, host, tmp_path / "8", Plan(SMALL, kinds, (3, 3), mapped=True)).play()
    finally:
        host.close()
    assert outcome.differences == []
    assert outcome.ended == []
    assert outcome.steps > 200
    assert Kind.REMAP in {fault.kind for fault in outcome.schedule}


@pytest.mark.kafka
@pytest.mark.parametrize("seed", [2, 5])
def test_a_broker_that_dies_and_a_worker_that_sleeps_long_change_nothing(seed: int, tmp_path: Path) -> None:
    try:
        host = KafkaHost(tmp_path / "kafka")
    except ServerAbsent as reason:
        pytest.skip(f"no Apache Kafka: {reason}")
    try:
        outcome = play(seed, host, tmp_path, Kind.BROKER_RESTART, Kind.LONG_FREEZE, Kind.JOIN)
    finally:
        host.close()
    assert outcome.differences == []
    assert outcome.steps > 200
