"""Text of customers that must not reach a terminal as it is."""

import json
import sys
import unicodedata
from pathlib import Path

import pytest
from click.testing import CliRunner

from lapwing.cli import lapwing
from lapwing.terminal.text import printable

NASTY = "c\x1b[31m\r\n\x9b2J\u202e[bold] [/x]9"

RULES = """version: 1
rules:
  - {id: silent, when: days_since_order >= 20, tier: high, reason: silence, for: 1d}
"""


def test_nothing_that_a_terminal_obeys_is_left() -> None:
    text = printable("".join(map(chr, range(sys.maxunicode + 1))))
    assert len(text) == sys.maxunicode + 1
    assert not {each for each in text if unicodedata.category(each) in ("Cc", "Cf", "Cs", "Zl", "Zp")}


def test_what_is_text_stays() -> None:
    assert printable("Łódź 東京 [x] 50 %") == "Łódź 東京 [x] 50 %"


def test_a_customers_text_is_text_on_every_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The two hundred days of two customers, one of whom leaves; names that would paint the screen."""
    monkeypatch.chdir(tmp_path)
    Path("rules.yaml").write_text(RULES)
    Path("none.yaml").write_text(RULES.replace(">= 20", ">= 199"))
    profile: dict[str, object] = {
        "type": "profile",
        "event_id": "p",
        "occurred_at": "2024-01-01T00:00:00Z",
        "region": NASTY,
    }
    events = [profile | {"customer_id": NASTY, "segment": NASTY}]
    events += [
        {
            "type": "order", "event_id": f"o{who}{day}", "customer_id": who, "order_id": "o", "amount": 1,
            "currency": "EUR", "occurred_at": f"2024-{1 + day // 28:02}-{1 + day % 28:02}T08:00:00Z",
        }
        for day in range(0, 196, 4)
        for who in (NASTY, "quiet")
        if who == "quiet" or day < 60
    ]  # fmt: skip
    Path("events.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events))
    for words in (
        ["backtest", "events.jsonl", "--rules", "none.yaml", "--horizon", "30d"],
        ["rules", "diff", "none.yaml", "rules.yaml", "--events", "events.jsonl", "--horizon", "30d"],
        ["explain", NASTY, "events.jsonl", "--rules", "rules.yaml", "--at", "2024-04-01"],
    ):
        output = CliRunner().invoke(lapwing, words, catch_exceptions=False).output
        assert all(each.isprintable() for line in output.splitlines() for each in line), words
        assert "[bold]" in output, output
