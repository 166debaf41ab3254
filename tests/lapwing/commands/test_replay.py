"""`lapwing replay`: what it writes, what it leaves alone and what it reports."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from lapwing.cli import lapwing
from tests.paths import ROOT

RULES = ROOT / "warning_rules"


def order(number: int, **more: Any) -> dict[str, Any]:
    at = f"2024-03-{number % 28 + 1:02}T10:00:00Z"
    return {
        "type": "order",
        "event_id": f"o-{number}",
        "customer_id": "c-1",
        "occurred_at": at,
        "order_id": f"o-{number}",
        "amount": 5,
        **more,
    }


def replay(tmp_path: Path, *events: dict[str, Any], options: tuple[str, ...] = ()) -> Result:
    path = tmp_path / "events.jsonl"
    path.write_text("".join(json.dumps(event) + "\n" for event in events))
    return CliRunner().invoke(lapwing, ["replay", str(path), "--rules", str(RULES), "--json", *options])


def test_a_csv_that_is_named_jsonl_leaves_an_older_result_alone(tmp_path: Path) -> None:
    out, path = tmp_path / "warnings.jsonl", tmp_path / "events.jsonl"
    out.write_text("an older result\n")
    path.write_text("customer,amount\n" + "c-1,5\n" * 5_000)
    result = CliRunner().invoke(lapwing, ["replay", str(path), "--rules", str(RULES), "--out", str(out)])
    assert result.exit_code == 1
    assert out.read_text() == "an older result\n"
    assert sorted(child.name for child in tmp_path.iterdir()) == ["events.jsonl", "warnings.jsonl"]
    lines = result.stderr.splitlines()
    assert [line.split(": ")[0] for line in lines] == [f"refused {path}:{n}" for n in range(1, 6)]
    assert str(result.exception) == f"{path}: none of its 5,001 lines can be accepted: 5,001 not_json"


def test_the_events_are_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    for option in ("--out", "--features", "--outcomes", "--census"):
        result = replay(tmp_path, order(1), options=(option, str(path)))
        assert (result.exit_code, path.read_text()) == (2, json.dumps(order(1)) + "\n")


def test_refusals_are_counted_by_reason_whoever_refused_them(tmp_path: Path) -> None:
    result = replay(
        tmp_path,
        order(1, currency="EUR"),
        order(2, currency="usd"),
        order(3, currency=" eur "),
        order(1, currency="EUR", amount=6, occurred_at="2024-03-02T11:00:00Z"),
        *(order(n, amount=-1) for n in range(4, 8)),
    )
    summary = json.loads(result.stdout)
    assert summary["refused"] == {"id_reused": 1, "other_currency": 1, "out_of_range": 4}
    assert (summary["events"], summary["repeats"]) == (2, 1)
    lines = result.stderr.splitlines()
    assert len(lines) == 6
    assert "refused event o-1 of customer c-1 at 2024-03-02T11:00:00Z: event_id: " in result.stderr
    assert lines[-1] == "refused 6 in all: 4 out_of_range, 1 id_reused, 1 other_currency"


@pytest.mark.parametrize("partitions", ["1", "3"])
def test_the_setting_is_the_currency_of_all(
    tmp_path: Path, partitions: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAPWING_CURRENCY", "usd")
    events = [order(1, currency="EUR"), order(2, currency="USD"), order(3)]
    result = replay(tmp_path, *events, options=("--partitions", partitions))
    summary = json.loads(result.stdout)
    assert (summary["events"], summary["refused"]) == (2, {"other_currency": 1})
