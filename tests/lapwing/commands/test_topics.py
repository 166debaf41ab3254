from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from lapwing.cli import sink, topics
from lapwing.settings.settings import load_settings
from lapwing.terminal.output import OutputError
from lapwing.topic_plan import planned
from streams.contract.schemas import TOPIC_NAMES
from streams.errors import StoreError


def test_the_contract_is_printed_with_the_topics_names_and_needs_no_broker() -> None:
    args = ["--asyncapi", "--app", "shop", "--broker", "127.0.0.1:1"]
    result = CliRunner(env={"LAPWING_ORDERS": "shop-orders"}).invoke(
        topics.command, args, catch_exceptions=False
    )
    document = json.loads(result.stdout)
    assert document["asyncapi"] == "3.0.0"
    addresses = {label: channel["address"] for label, channel in document["channels"].items()}
    assert addresses == TOPIC_NAMES | {
        "orders": "shop-orders",
        "rejected": "shop.rejected",
        "customer-days": "shop.customer-days",
        "samples": "shop-samples",
        "models": "shop-models",
    }


def test_the_schemas_are_written_one_a_file(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "schemas"
    result = CliRunner().invoke(topics.command, ["--schemas", str(folder)], catch_exceptions=False)
    assert (result.exit_code, result.stdout) == (0, "")
    names = {path.name for path in folder.iterdir()}
    assert {"orders.schema.json", "warnings.schema.json", "file.schema.json"} < names
    assert json.loads((folder / "orders.schema.json").read_text())["$schema"].startswith(
        "https://json-schema"
    )


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = CliRunner().invoke(topics.command, ["--schemas", str(tmp_path / "file" / "x")])
    assert isinstance(result.exception, OutputError)
    assert "file/x: cannot be made: Not a directory" in str(result.exception)


def test_the_topics_of_the_settings_are_planned() -> None:
    settings = load_settings(environ={"LAPWING_APP": "shop", "LAPWING_PROFILES": "people"})
    found = {topic.name: topic for topic in planned(settings)}
    assert [name for name, topic in found.items() if topic.required] == [
        "complaints",
        "logins",
        "orders",
        "churn-warnings",
        "lapwing-control",
        "lapwing-audit",
        "shop.rejected",
    ]
    assert found["people"].config == {"cleanup.policy": "compact"}
    assert not found["shop.rejected"].co_partitioned
    assert found["lapwing-silences"].partitions == 1


def test_a_database_that_cannot_be_opened_ends_the_sink_before_it_reads(tmp_path: Path) -> None:
    args = ["--database", f"sqlite:///{tmp_path}/nowhere/w.db", "--broker", "127.0.0.1:1"]
    with pytest.raises(StoreError, match="unable to open database file"):
        CliRunner().invoke(sink.command, args, catch_exceptions=False)
