"""Rule files: strict, all mistakes at once, nothing half loaded."""

from __future__ import annotations

import json
import re
import tracemalloc
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner

from lapwing.cli.rules import command
from streams.core.features.catalogue import DTYPES
from streams.core.rules.rule import Rule, RuleStatus
from streams.core.rules.rule_set import RuleSet
from streams.core.steps import Tier
from streams.errors import RuleFilesError
from streams.rulebook.files import rule_files
from streams.rulebook.load import load_rulebook, parse_rulebook
from streams.rulebook.reader import RulebookRefused
from tests.paths import ROOT

BAD_RULES = Path(__file__).parent / "bad_rules"
SHIPPED = ROOT / "warning_rules"
DAY = 86_400_000_000

GOOD = """\
version: 1
rules:
  - id: order-collapse
    title: Orders fell
    status: shadow
    owner: retention-east
    when: >
      orders_prev_30d >= 3
      AND order_trend < 0.33
    clear: order_trend > 0.6
    for: 2d
    keep_open_for: 12h
    cooldown: 1w
    tier: high
    reason: activity_decline
    only: customer_class IN ('key', 'ordinary')
    play: care-call
    message: "{orders_30d} orders in 30 days"
    rationale: Most leavers fade.
    false_alarms: Holidays.
"""
LEAST = "version: 1\nrules:\n  - {id: least, when: orders_30d > 3, tier: low, reason: silence, for: 0}\n"


def mistakes(*paths: Path) -> list[str]:
    with pytest.raises(RulebookRefused) as refused:
        load_rulebook(paths)
    return [str(mistake) for mistake in refused.value.mistakes]


def written(folder: Path, **texts: str) -> Path:
    for name, text in texts.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize("path", sorted(BAD_RULES.glob("*.yaml")), ids=lambda path: path.stem)
def test_the_mistake_in_a_bad_file_is_told_with_its_place(path: Path) -> None:
    first = path.read_text(encoding="utf-8").splitlines()[0]
    expected = (
        first.removeprefix("# expect: ").replace("{path}", str(path)).replace("{{", "{").replace("}}", "}")
    )
    assert mistakes(path) == [f"{path}:{expected}"]


def test_a_good_file_gives_its_rules(tmp_path: Path) -> None:
    rules = load_rulebook(written(tmp_path, good=GOOD, least=LEAST)).rules
    assert [rule.id for rule in rules.rules] == ["least", "order-collapse"]
    least, rule = rules.rules
    assert rule == Rule(
        id="order-collapse",
        title="Orders fell",
        status=RuleStatus.SHADOW,
        owner="retention-east",
        when="orders_prev_30d >= 3 AND order_trend < 0.33",
        clear="order_trend > 0.6",
        for_us=2 * DAY,
        keep_open_for_us=DAY // 2,
        cooldown_us=7 * DAY,
        tier=Tier.HIGH,
        reason="activity_decline",
        only="customer_class IN ('key', 'ordinary')",
        play="care-call",
        message="{orders_30d} orders in 30 days",
        rationale="Most leavers fade.",
        false_alarms="Holidays.",
    )
    assert least == Rule(id="least", when="orders_30d > 3", tier=Tier.LOW, reason="silence")


def test_how_rules_are_spread_over_files_does_not_matter(tmp_path: Path) -> None:
    apart, together = tmp_path / "apart", tmp_path / "together"
    apart.mkdir()
    together.mkdir()
    written(apart, a=GOOD, b=LEAST)
    written(together, z=LEAST + GOOD.partition("rules:\n")[2])
    assert load_rulebook(apart).rules.hash == load_rulebook(together).rules.hash


def test_every_mistake_of_every_file_is_told_at_once(tmp_path: Path) -> None:
    bad = (
        GOOD.replace("tier: high", "tier: hgh").replace("for: 2d", "for: 2").replace("_30d >= 3", "_3d >= 3")
    )
    written(tmp_path, a=bad, b="version: 1\nrules: [\n", c=bad)
    told = mistakes(tmp_path)
    assert len(told) == 3 + 1 + 4  # the id of c's rule is that of a's
    assert told == sorted(told, key=lambda line: (line.split(":")[0], int(line.split(":")[1])))


def test_an_id_is_taken_across_files(tmp_path: Path) -> None:
    written(tmp_path, a=LEAST, b=LEAST)
    assert mistakes(tmp_path) == [
        f"{tmp_path}/b.yaml:3: rule 'least': the id is taken by the rule at {tmp_path}/a.yaml:3"
    ]


def test_test_cases_and_hidden_files_are_no_rule_files(tmp_path: Path) -> None:
    for name in (
        "b.yml",
        "a.yaml",
        "east/c.yaml",
        "cases/d.yaml",
        "east/cases/e.yaml",
        ".f.yaml",
        "..g/h.yaml",
        "i.txt",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(LEAST)
    assert [str(path.relative_to(tmp_path)) for path in rule_files(tmp_path)] == [
        "a.yaml",
        "b.yml",
        "east/c.yaml",
    ]


def test_what_cannot_be_read_is_a_mistake_too(tmp_path: Path) -> None:
    (tmp_path / "latin.yaml").write_bytes(b"version: 1\n# gr\xfc\xdfe\n")
    (tmp_path / "large.yaml").write_text("#" * 1_000_001)
    (tmp_path / "many.yaml").write_text("version: 1\nrules: [" + "a," * 20_000 + "]\n")
    (tmp_path / "zero.yaml").write_text("version: 1\n\0\n")
    (tmp_path / "empty").mkdir()
    assert mistakes(*sorted(tmp_path.glob("*")), tmp_path / "absent.yaml") == [
        f"{tmp_path}/absent.yaml: there is no such file or folder",
        f"{tmp_path}/empty: there is no rule file (*.yaml, *.yml) in this folder",
        f"{tmp_path}/large.yaml:1: is larger than 1 MB",
        f"{tmp_path}/latin.yaml:2: is not UTF-8 text",
        f"{tmp_path}/many.yaml:2: holds more than 20000 values",
        f"{tmp_path}/zero.yaml:2: holds a character that YAML does not allow",
    ]


def test_a_file_without_end_is_read_no_further_than_it_may_be_long(tmp_path: Path) -> None:
    with (tmp_path / "endless.yaml").open("wb") as file:
        file.truncate(3_000_000_000)
    tracemalloc.start()
    try:
        assert mistakes(tmp_path) == [f"{tmp_path}/endless.yaml:1: is larger than 1 MB"]
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


def test_a_rulebook_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        (tmp_path / f"{number}.yaml").write_text(LEAST.replace("least", f"least-{number}"))
    assert len(load_rulebook(tmp_path).rules) == 5
    monkeypatch.setattr("streams.rulebook.load.MAX_RULES", 4)
    assert mistakes(tmp_path) == [
        f"{tmp_path}/4.yaml:3: rule 'least-4': a rulebook holds at most 4 rules: this is one too many"
    ]
    monkeypatch.setattr("streams.rulebook.files.MAX_FILES", 3)
    assert mistakes(tmp_path) == [f"{tmp_path}/3.yaml: a rulebook holds at most 3 files; this is more"]
    monkeypatch.setattr("streams.rulebook.files.MAX_TOTAL", 150)
    assert mistakes(tmp_path)[0].endswith("a rulebook holds at most 0 MB; this is more")


def test_files_without_a_home_are_parsed_as_well() -> None:
    """A checkpoint carries the texts of its rule files."""
    assert [rule.id for rule in parse_rulebook({"a.yaml": LEAST}).rules.rules] == ["least"]
    with pytest.raises(RulebookRefused, match=r"^a\.yaml:3: rule 'least': `tier` must be low"):
        parse_rulebook({"a.yaml": LEAST.replace("low", "lowest")})


def test_the_error_is_one_that_callers_know(tmp_path: Path) -> None:
    with pytest.raises(RuleFilesError, match=r"absent\.yaml: there is no such file or folder"):
        load_rulebook(tmp_path / "absent.yaml")


def shipped() -> RuleSet:
    return load_rulebook(SHIPPED).rules


def test_the_shipped_rules_hold() -> None:
    rules = shipped()
    assert len(rules) >= 12
    for rule in (*rules.rules, *rules.idle):
        assert rule.title
        assert rule.message
        assert rule.rationale
        assert rule.false_alarms
        assert rule.owner
        assert rule.play


def test_a_customer_who_comes_back_after_a_long_time_is_cleared_by_every_shipped_rule() -> None:
    """With nothing in the month before, trends are missing; a `clear` that depends on them is never true."""
    rules = shipped()
    back: dict[str, object] = {
        **dict.fromkeys(rules.columns),  # missing, unless given
        **dict.fromkeys([name for name in rules.columns if "complaint" in name or "return" in name], 0),
        "orders_30d": 4, "orders_prev_30d": 0, "orders_90d": 4, "orders_total": 9, "days_since_order": 1.0,
        "order_gap_mean": 20.0, "overdue": 0.05, "spend_30d": 800.0, "spend_prev_30d": 0.0,
        "spend_total": 9000.0, "logins_30d": 9, "logins_prev_30d": 0, "tenure_days": 600.0,
        "days_since_complaint": 200.0,
        "oldest_open_complaint_days": None, "handling_satisfaction_90d": None,
        "customer_class": "key", "days_to_contract_end": 300.0, "churn_probability": 0.1,
        "churn_lift": 0.4, "churn_rank": 0.8, "silence": 0.01,
    }  # fmt: skip
    frame = pl.DataFrame([back], schema={name: DTYPES[name] for name in rules.columns}, strict=False)
    verdicts = rules.verdicts(frame)
    assert {rule.id: int(clear) for rule, clear in zip(rules.rules, verdicts.clear[:, 0], strict=True)} == (
        dict.fromkeys((rule.id for rule in rules.rules), 1)
    )
    assert not (verdicts.when == 1).any()


@pytest.mark.parametrize(
    "block",
    re.findall(r"^```yaml\n(.*?)^```", (SHIPPED / "README.md").read_text(encoding="utf-8"), re.M | re.S),
)
def test_the_examples_in_the_readme_hold(block: str, tmp_path: Path) -> None:
    assert len(load_rulebook(written(tmp_path, example=block)).rules) >= 1


def test_the_readme_names_every_field() -> None:
    text = (SHIPPED / "README.md").read_text(encoding="utf-8")
    fields = re.findall(r"^    (?:- )?(\w+):", GOOD.replace("  - id", "    id"), re.M)
    assert len(fields) == 16
    assert [field for field in fields if f"| `{field}` |" not in text] == []


def test_check_prints_every_mistake_and_fails(tmp_path: Path) -> None:
    path = written(tmp_path, a=LEAST.replace("orders_30d", "order_30d").replace("low", "lowest")) / "a.yaml"
    result = CliRunner().invoke(command, ["check", str(path)])
    assert result.exit_code == 1
    assert result.output.splitlines() == [
        f"{path}:3: rule 'least': `when`: unknown feature 'order_30d' (column 1); did you mean 'orders_30d'?",
        f"{path}:3: rule 'least': `tier` must be low, medium or high, not 'lowest'; did you mean 'low'?",
        "2 mistakes",
    ]


def test_check_counts_what_it_found_good(tmp_path: Path) -> None:
    folder = written(tmp_path, a=GOOD, b=LEAST)
    result = CliRunner().invoke(command, ["check", str(folder / "a.yaml"), str(folder / "b.yaml")])
    assert result.exit_code == 0
    assert result.output == f"2 rules: 1 shadow, 1 active; rule set {load_rulebook(folder).rules.hash}\n"


def test_check_speaks_json(tmp_path: Path) -> None:
    path = written(tmp_path, a=LEAST) / "a.yaml"
    good = CliRunner().invoke(command, ["check", "--json", str(path)])
    assert json.loads(good.output)["rules"] == {"draft": 0, "shadow": 0, "active": 1, "retired": 0}
    path.write_text(LEAST.replace("orders_30d", "order_30d"))
    bad = CliRunner().invoke(command, ["check", "--json", str(path)])
    assert bad.exit_code == 1
    assert json.loads(bad.output) == {
        "ok": False,
        "mistakes": [
            {
                "path": str(path),
                "line": 3,
                "column": 23,
                "rule": "least",
                "message": "`when`: unknown feature 'order_30d' (column 1)",
                "value": "order_30d > 3",
                "hint": "orders_30d",
            }
        ],
    }


def test_check_needs_a_path() -> None:
    assert CliRunner().invoke(command, ["check"]).exit_code == 2


def test_what_is_paused_is_in_shadow_and_says_why(tmp_path: Path) -> None:
    pause = "version: 1\npause:\n  rules: [least]\n  reason: prices were wrong\n  by: on-call\n"
    rules = load_rulebook(written(tmp_path, least=LEAST, pause=pause)).rules
    (rule,) = rules.rules
    assert (rule.status, rule.paused) == (RuleStatus.SHADOW, "prices were wrong, by on-call")
    (tmp_path / "pause.yaml").unlink()
    assert load_rulebook(tmp_path).rules.rules[0].paused is None


def test_a_pause_of_all_leaves_what_warned_nobody_as_it_was(tmp_path: Path) -> None:
    draft = LEAST.replace("id: least", "id: draft, status: draft")
    written(tmp_path, least=LEAST, good=GOOD, draft=draft, pause="version: 1\npause: {rules: all}\n")
    rules = load_rulebook(tmp_path).rules
    assert {rule.id: rule.paused for rule in (*rules.rules, *rules.idle)} == {
        "least": "no reason given",
        "order-collapse": None,
        "draft": None,
    }
    done = CliRunner().invoke(command, ["check", str(tmp_path)])
    assert "rule 'least' is paused and warns nobody: no reason given" in done.output
