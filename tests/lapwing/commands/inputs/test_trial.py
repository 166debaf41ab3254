"""`lapwing inputs try`: records before and after."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from lapwing.cli import lapwing

INPUTS = """\
version: 1
sources:
  shop:
    topic: shop.orders
    events:
      - to: orders
        where: {state: [paid, late]}
        fields:
          event_id: {hash: [id, state]}
          customer_id: {path: customer.id, prefix: shop-}
          occurred_at: {path: created, time: epoch_s}
          order_id: id
          amount: {path: cents, minor_units: EUR}
          status: {path: state, map: {paid: placed}}
  retail:
    files: retail-*.csv
    csv: {delimiter: ";"}
    events:
      - to: logins
        fields: {event_id: Id, customer_id: Customer, occurred_at: {path: At, time: "%d.%m.%Y", zone: UTC}}
"""
RECORD = {"id": 1, "state": "paid", "customer": {"id": 5}, "created": 1709287200, "cents": 1250}


def tried(*words: str) -> Result:
    return CliRunner().invoke(lapwing, ["inputs", "try", *words, "--inputs", "inputs.yaml"])


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "inputs.yaml").write_text(INPUTS)
    records = [RECORD, RECORD | {"state": "open"}, RECORD | {"state": "late"}, RECORD | {"cents": -1}]
    lines = [json.dumps(each) for each in records]
    (tmp_path / "orders.jsonl").write_text("\n".join([*lines, "{", *lines * 5]) + "\n")
    (tmp_path / "retail-1.csv").write_text("Id;Customer;At\n1;c\x1b[31m1;01.03.2024\n2;c2;yesterday\n")


def test_records_of_a_file_before_and_after() -> None:
    done = tried("shop", "orders.jsonl", "--limit", "5")
    assert done.exit_code == 0
    lines = done.output.splitlines()
    assert lines[0] == "orders.jsonl:1"
    assert lines[1] == f"  before   {json.dumps(RECORD)}"
    assert lines[2].startswith('  orders   {"event_id": "')
    assert '"amount": 12.5' in lines[2]
    assert "  passed   no filter takes it" in lines
    assert "  refused  shop: status from state is a word that `map` does not name (unmapped)" in lines
    assert (
        "  refused  shop: amount from cents: Input should be greater than or equal to 0 (out_of_range)"
        in lines
    )
    assert lines[-1] == (
        "5 records: 1 orders; refused: 1 unmapped, 1 out_of_range, 1 not_json; 1 passed over"
    )


def test_ten_records_by_default_and_json() -> None:
    lines = [json.loads(line) for line in tried("shop", "orders.jsonl", "--json").output.splitlines()]
    assert len(lines) == 11
    assert lines[0]["after"][0]["to"] == "orders"
    assert lines[0]["after"][0]["event"]["customer_id"] == "shop-5"
    assert lines[2]["refused"]["reason"] == "unmapped"
    assert lines[-1]["records"] == 10


def test_rows_of_a_table() -> None:
    done = tried("retail", "retail-1.csv")
    assert '"occurred_at": "2024-03-01T00:00:00Z"' in done.output
    assert "retail-1.csv:3" in done.output
    assert "occurred_at from At does not have the form" in done.output
    assert "\x1b" not in done.output
    (Path("retail-2.csv")).write_text("Id;At\n1;01.03.2024\n")
    assert "has no column 'Customer'" in tried("retail", "retail-2.csv").output


def test_what_cannot_be_tried_says_why() -> None:
    missing = tried("shp", "orders.jsonl")
    assert "there is no source 'shp'; did you mean 'shop'?" in str(missing.exception)
    assert "has no topic to read from" in str(tried("retail").exception)
