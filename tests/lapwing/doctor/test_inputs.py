from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from consumers.broker.records import Record
from lapwing.doctor.check import made
from lapwing.doctor.inputs import inputs
from lapwing.doctor.installation import Installation
from lapwing.settings.settings import load_settings
from streams.contract.warnings import encode_notice
from streams.core.steps import OperationsNotice

FILE = """\
version: 1
sources:
  shop:
    topic: web.orders
    key: %s
    events:
      - to: orders
        fields: {event_id: id, customer_id: who, occurred_at: at, order_id: id, amount: sum, currency: cur}
"""


def record(number: int, partition: int = 0, key: str | None = None, **more: Any) -> Record:
    fields: dict[str, Any] = {
        "id": f"o{number}",
        "who": f"k{number}",
        "at": "2024-03-01T10:00:00Z",
        "sum": 5,
        "cur": "EUR",
    } | more
    value = json.dumps(fields).encode()
    return Record("web.orders", partition, number, 0, (key or fields["who"]).encode(), value)


class Shop(Installation):
    """An installation with a made-up broker."""

    def __init__(
        self,
        folder: Path,
        text: str | None,
        records: Sequence[Record] = (),
        topics: Mapping[str, int] | None = None,
        notices: Sequence[OperationsNotice] = (),
    ) -> None:
        (folder / "rules").mkdir(parents=True)
        if text is not None:
            (folder / "rules" / "inputs.yaml").write_text(text)
        super().__init__(load_settings(overrides={"rules": folder / "rules"}, environ={}))
        self._records = records
        self._topics = topics
        self._notices = notices

    def ask_topics(self) -> Mapping[str, int]:
        usual = {"complaints": 2, "logins": 2, "web.orders": 2, "lapwing-control": 1}
        return usual if self._topics is None else self._topics

    def read(self, topic: str, newest: int | None = None) -> Sequence[Record]:
        if topic == self.settings.control_topic:
            return [
                Record(topic, 0, i, 0, None, encode_notice(n, "lapwing")) for i, n in enumerate(self._notices)
            ]
        return [each for each in self._records if each.topic == topic]


def found(shop: Installation) -> tuple[str, str]:
    result = made("inputs", lambda: inputs(shop))
    return result.outcome.value, result.detail


def test_without_a_file_there_is_nothing_to_check(tmp_path: Path) -> None:
    assert found(Shop(tmp_path, None))[0] == "skipped"


def test_a_file_whose_records_are_as_it_says_is_right(tmp_path: Path) -> None:
    outcome, detail = found(Shop(tmp_path, FILE % "checked", [record(1), record(2, 1)]))
    assert (outcome, "maps 1 topics" in detail, "newest 2 records" in detail) == ("ok", True, True)


def test_a_bad_file_is_broken_and_its_lines_are_said(tmp_path: Path) -> None:
    outcome, detail = found(Shop(tmp_path, (FILE % "checked").replace("customer_id: who, ", "")))
    assert outcome == "failed"
    assert "inputs.yaml:" in detail


def test_a_topic_that_is_missing_or_of_another_size_is_named(tmp_path: Path) -> None:
    shop = Shop(tmp_path, FILE % "checked", topics={"complaints": 2, "logins": 2})
    assert found(shop) == (
        "failed",
        "the broker has no topic web.orders: name the right one, or let its writer make it",
    )
    shop._topics = {"complaints": 2, "logins": 2, "web.orders": 3}
    del shop.answer
    outcome, detail = found(shop)
    assert outcome == "failed"
    assert "web.orders has 3 partitions and the other topics have 2" in detail
    assert "import --follow" in detail


def test_keys_that_are_not_the_customer_are_found(tmp_path: Path) -> None:
    outcome, detail = found(Shop(tmp_path, FILE % "checked", [record(1), record(2, key="o2")]))
    assert outcome == "warning"
    assert "web.orders: 1 of the newest 2 records have another key than their customer" in detail


def test_trusted_keys_that_tear_a_customer_apart_are_found(tmp_path: Path) -> None:
    apart = [record(1, 0, key="x", who="k"), record(2, 1, key="y", who="k"), record(3, key="z")]
    outcome, detail = found(Shop(tmp_path, FILE % "trusted", apart))
    assert outcome == "warning"
    assert (
        "1 of 2 customers have records in several partitions, such as web.orders[0], web.orders[1]" in detail
    )


def test_records_that_are_refused_are_counted_without_their_values(tmp_path: Path) -> None:
    outcome, detail = found(Shop(tmp_path, FILE % "checked", [record(1), record(2, sum="much")]))
    assert outcome == "warning"
    assert "1 of the newest 2 records are refused: shop: amount" in detail
    assert "much" not in detail


def test_a_worker_that_refuses_its_file_is_named(tmp_path: Path) -> None:
    notice = OperationsNotice(
        "inputs.refused",
        0,
        None,
        {"worker": "w1", "inputs": "abc", "errors": "inputs.yaml:3: no", "mistakes": 1},
    )
    outcome, detail = found(Shop(tmp_path, FILE % "checked", [record(1)], notices=[notice]))
    assert outcome == "warning"
    assert "w1 has refused its file since 1970-01-01 00:00 UTC and maps by abc: inputs.yaml:3: no" in detail


def test_keys_without_the_prefix_of_the_ids_are_found(tmp_path: Path) -> None:
    text = (FILE % "checked").replace("customer_id: who", "customer_id: {path: who, prefix: shop-}")
    outcome, detail = found(Shop(tmp_path, text, [record(1)]))
    assert outcome == "warning"
    assert "key" in detail
    assert found(Shop(tmp_path / "one", text.replace("checked", "trusted"), [record(1)]))[0] == "ok"
