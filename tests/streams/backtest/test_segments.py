"""Rules of segments over a history: openings, and who of the segment left, against a history made by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from lapwing.cli.backtest import command as backtest
from lapwing.cli.rules import command as of_rules
from streams.backtest.history import History
from streams.backtest.segments import SegmentFigures, judge_segments, segment_effects
from streams.backtest.trial import run
from streams.contract.decode import decode_lines
from streams.contract.instants import format_instant
from streams.core.engine_io import EngineSettings
from streams.core.events.calendar import DAY, HOUR
from streams.core.segments.rules import SegmentRules
from streams.rulebook.load import parse_rulebook

BEGIN = 1_704_067_200_000_000
"""2024-01-01."""
RULES = """\
version: 1
segments:
  - {id: many, by: region, status: shadow, when: complaints_7d >= 10, tier: high, reason: complaints}
  - {id: kind, by: category, when: complaints_7d >= 10, tier: low, reason: complaints}
  - {id: old, by: region, status: retired, when: complaints_7d >= 1, tier: low, reason: complaints}
"""
SETTINGS = EngineSettings(horizon_us=30 * DAY)


def lines() -> list[bytes]:
    """Thirty customers in the north who stop ordering after day 49, and forty in the south who go on."""
    made: list[dict[str, Any]] = []

    def add(kind: str, at: int, customer: str, **fields: Any) -> None:
        event = {"type": kind, "event_id": f"e{len(made)}", "customer_id": customer, **fields}
        made.append(event | {"occurred_at": format_instant(BEGIN + at)})

    for region, count, last in (("north", 30, 49), ("south", 40, 119)):
        for number in range(count):
            customer = f"{region}-{number}"
            add("profile", HOUR, customer, region=region)
            for day in range(0, last + 1, 7):
                add("order", day * DAY + 2 * HOUR, customer, order_id="o", amount=10)
    for number in range(12):
        add("complaint", 50 * DAY + HOUR, f"north-{number}", complaint_id="k", category="delivery")
    return [json.dumps(event).encode() for event in sorted(made, key=lambda each: str(each["occurred_at"]))]


def history() -> History:
    batch = decode_lines(lines(), latest_us=None).batch
    return History.of(batch.take(batch.order()), SETTINGS.repeat_window_us or 0)


def rules(text: str = RULES) -> SegmentRules:
    return parse_rulebook({"rules.yaml": text}).segment_rules


def judged(
    sets: list[SegmentRules], settings: EngineSettings = SETTINGS, since: int | None = None
) -> list[dict[str, SegmentFigures]]:
    past = history()
    days = run(past, (), replace(settings, segments=True), None).day_sums
    return judge_segments(past, days, sets, settings, since=since)


def test_openings_and_who_left_are_those_of_the_history() -> None:
    [figures] = judged([rules()])
    assert set(figures) == {"many", "kind"}  # a retired rule takes no part
    many, kind = figures["many"].as_dict(), figures["kind"].as_dict()
    assert many["openings"] == [
        {
            "segment": "region=north",
            "opened_at": format_instant(BEGIN + 51 * DAY),
            "ended_at": format_instant(BEGIN + 58 * DAY),
        }
    ]
    assert (many["warnings"], many["open_at_end"], many["days_open_median"]) == (1, 0, 7.0)
    assert (many["left"]["part"], many["left"]["whole"]) == (30, 30)
    assert (many["left_elsewhere"]["part"], many["left_elsewhere"]["whole"]) == (0, 40)
    assert [each["segment"] for each in kind["openings"]] == ["category=delivery"]
    assert kind["left"] is None
    late = judged([rules()], since=BEGIN + 52 * DAY)[0]["many"]
    assert late.openings == ()


def test_a_warning_of_which_the_outcome_is_not_known_yet_is_not_judged() -> None:
    [figures] = judged([rules()], EngineSettings(horizon_us=90 * DAY))
    left = figures["many"].left
    assert left is not None
    assert (left.part, left.whole) == (0, 0)


def test_what_is_different_has_its_figures_under_both_sets() -> None:
    changed = RULES.replace("complaints_7d >= 10, tier: high", "complaints_7d >= 20, tier: high")
    changed = changed.replace("id: kind, by: category", "id: kind, by: region")
    old, new = rules(), rules(changed)
    effects = segment_effects(old, new, judged([old, new]))
    found = {each.change.rule: each.as_dict() for each in effects}
    assert set(found) == {"many", "kind"}
    assert (found["many"]["old"]["warnings"], found["many"]["new"]["warnings"]) == (1, 0)
    assert found["kind"]["fields"] == {"by": {"old": "category", "new": "region"}}


def test_the_commands_show_them(tmp_path: Path) -> None:
    (tmp_path / "events.jsonl").write_bytes(b"\n".join(lines()))
    customers = "rules: [{id: a, when: days_since_order > 20, tier: low, reason: silence}]\n"
    for name, text in (
        ("old.yaml", RULES),
        ("new.yaml", RULES.replace(">= 10, tier: high", ">= 13, tier: high")),
    ):
        (tmp_path / name).write_text(text + customers)
    events, old, new = (str(tmp_path / name) for name in ("events.jsonl", "old.yaml", "new.yaml"))
    shown = CliRunner().invoke(backtest, [events, "--rules", old, "--horizon", "30d"])
    assert shown.exit_code == 0, shown.output
    assert "Rules of segments" in shown.output
    plain = CliRunner().invoke(backtest, [events, "--rules", old, "--horizon", "30d", "--json"])
    assert [each["rule"] for each in json.loads(plain.output)["segment_rules"]] == ["kind", "many"]
    diff = CliRunner().invoke(of_rules, ["diff", old, new, "--events", events, "--horizon", "30d"])
    assert diff.exit_code == 0, diff.output
    assert "Rules of segments: 1 differ" in diff.output
    assert "warns 1 -> 0 times" in diff.output
