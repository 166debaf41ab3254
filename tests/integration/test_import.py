"""Files of sources on a broker: `lapwing import --to kafka`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from lapwing.cli import lapwing
from streams.errors import BrokerError
from tests.integration.workers import consume, make_topics
from tests.paths import ROOT

FOLDER = ROOT / "examples/your_data"


def test_events_are_on_their_topics_under_their_customers(
    broker: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    files = [str(FOLDER / name) for name in ("orders.csv", "tickets.jsonl")]
    words = ["import", *files, "--map", str(FOLDER / "inputs.yaml"), "--to", "kafka", "--broker", broker]
    names = ["--orders", "imported-orders", "--complaints", "imported-complaints"]
    missing = CliRunner().invoke(lapwing, [*words, *names])
    assert isinstance(missing.exception, BrokerError)
    assert "imported-orders" in str(missing.exception)
    make_topics(broker, ["imported-orders", "imported-complaints"], 2)
    result = CliRunner().invoke(lapwing, [*words, *names, "--json"])
    assert result.exit_code == 0, result.output
    counts = json.loads(result.stdout)["events"]
    for label, count in counts.items():
        records = consume(broker, f"imported-{label}", count)
        assert len(records) == count
        for record in records:
            assert record.key == json.loads(record.value)["customer_id"].encode()
        of_partition = [record.timestamp for record in records if record.partition == 0]
        assert of_partition == sorted(of_partition)
    assert counts == {"complaints": 151, "orders": 4_355}
    assert list(tmp_path.iterdir()) == []
