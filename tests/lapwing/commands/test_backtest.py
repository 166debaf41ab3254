"""The three commands as a user gives them."""

import json
import re
import subprocess
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner

from lapwing.cli import lapwing
from lapwing.cli.simulate import command as simulate
from streams.contract.erasures import ErasureKey, ErasureRequest, encode_erasure
from streams.errors import BacktestError, ErasureError, LapwingError
from streams.rulebook.reader import RulebookRefused

RULES = """version: 1
rules:
  - {id: silent, when: days_since_order >= 20, tier: high, reason: silence, for: 1d}
  - {id: slow, when: days_since_order >= 15, tier: low, reason: silence, status: shadow}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("backtest")
    arguments = ["--customers", "60", "--days", "120", "--out", str(made / "events.parquet")]
    assert CliRunner().invoke(simulate, arguments).exit_code == 0
    (made / "rules").mkdir()
    (made / "rules" / "all.yaml").write_text(RULES)
    return made


@pytest.fixture(autouse=True)
def _in_the_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)


def run(*arguments: str) -> Any:
    result = CliRunner().invoke(lapwing, [*arguments, "--horizon", "30d", "--rules", "rules"])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result


def self_contained(page: Path) -> str:
    text = page.read_text(encoding="utf-8")
    assert re.findall(r"(?:src|href)=|url\(|@import|<script|<link|https?://", text) == []
    assert text.count("<svg") == text.count("</svg>")
    return text


def test_backtest_prints_tables_json_and_a_page(folder: Path) -> None:
    out = run("backtest", "events.parquet", "--capacity", "2", "--html", "page.html").stdout
    for part in ("all active rules", "slow (shadow)", "Left unwarned", "look like false alarms"):
        assert part in out
    page = self_contained(folder / "page.html")
    assert page.count("<svg") == 2 * 5  # each for a phone too
    found = json.loads(run("backtest", "events.parquet", "--capacity", "2", "--json").stdout)
    assert [rule["rule"] for rule in found["rules"]] == ["silent", "slow"]
    assert found["rules"][1]["status"] == "shadow"
    whole = found["all"]
    assert whole["precision"]["whole"] + whole["not_matured"] == whole["warnings"] > 0
    assert found["missed"]["count"] == whole["recall"]["whole"] - whole["recall"]["part"]
    assert whole["capacity"] == 2
    assert f"{whole['precision']['part']:,} of {whole['precision']['whole']:,}" in page
    tier = whole["precision_by_tier"]["high"]
    assert tier["whole"] > 0
    assert f">high ({tier['part']:,} of {tier['whole']:,})</text>" in page
    not_lost = whole["precision_by_tier_not_lost"]["high"]
    assert 0 < not_lost["whole"] <= tier["whole"]
    assert f"({not_lost['part']:,} of {not_lost['whole']:,}; " in page
    assert "without those already lost" in out


def segment_rules(folder: Path, when: str) -> str:
    """Write rules of customers and of segments, and return their folder."""
    text = (
        RULES + "segments:\n"
        f"  - {{id: busy, by: segment, when: {when}, tier: low, reason: test}}\n"
        "  - {id: calm, by: region, when: orders_7d < 1, tier: low, reason: test, status: shadow}\n"
    )
    place = folder / f"segments{when[-1]}"
    place.mkdir(exist_ok=True)
    (place / "all.yaml").write_text(text)
    return place.name


def test_the_pages_show_rules_of_segments(folder: Path) -> None:
    first, second = segment_rules(folder, "orders_7d >= 1"), segment_rules(folder, "orders_7d >= 3")
    common = ("events.parquet", "--horizon", "30d", "--rules", first)

    def invoke(*arguments: str) -> Any:
        result = CliRunner().invoke(lapwing, [*arguments], catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result

    invoke("backtest", *common, "--html", "segments.html")
    page = self_contained(folder / "segments.html")
    found = json.loads(invoke("backtest", *common, "--json").stdout)["segment_rules"]
    busy = next(rule for rule in found if rule["rule"] == "busy")
    assert busy["warnings"] > 0
    section = page.split("<h2>Rules of segments</h2>")[1].split("</section>")[0]
    rows = re.findall(r"<tr[^>]*>(.*?)</tr>", section, re.S)
    for rule in found:
        (row,) = [row for row in rows if f">{rule['rule']}<" in row or rule["rule"] + "<span" in row]
        assert ("shadow" in row) == (rule["status"] == "shadow")
        cells = re.findall(r"<td[^>]*>(.*?)</td>", row, re.S)
        assert [int(re.sub(r"\D", "", cell)) for cell in cells[2:5]] == [
            rule["warnings"],
            rule["segments"],
            rule["open_at_end"],
        ]
        if rule["left"]["whole"]:
            assert f"{rule['left']['part']:,} of {rule['left']['whole']:,}" in row
    for opening in busy["openings"][-3:]:
        assert opening["segment"] in page.split("<h2>Warnings of segments</h2>")[1]
    invoke(
        "rules",
        "diff",
        first,
        second,
        "--events",
        "events.parquet",
        "--horizon",
        "30d",
        "--html",
        "sdiff.html",
    )
    section = self_contained(folder / "sdiff.html").split("<h2>Rules of segments</h2>")[1]
    section = section.split("</section>")[0]
    assert "orders_7d &gt;= 3" in section
    assert section.count("busy") >= 3
    assert "calm" not in section  # it is the same in both
    invoke("backtest", "events.parquet", "--horizon", "30d", "--rules", "rules", "--html", "none.html")
    assert "Rules of segments" not in (folder / "none.html").read_text()


def test_an_empty_history_and_a_wrong_file_are_one_line_each(folder: Path) -> None:
    (folder / "empty.jsonl").write_text("")
    with pytest.raises(BacktestError, match="no event"):
        run("backtest", "empty.jsonl")
    with pytest.raises(LapwingError, match=r"none\.jsonl"):
        run("backtest", "none.jsonl")
    with pytest.raises(BacktestError, match="begins after the history's end"):
        run("backtest", "events.parquet", "--since", "2033-01-01T00:00:00Z")
    refused = CliRunner().invoke(lapwing, ["backtest", "events.parquet", "--working-days", "mon,frei"])
    assert refused.exit_code == 2
    assert "'frei' is no weekday" in refused.stderr


def test_shadow_rules_alone_warn_nobody_and_are_judged(folder: Path) -> None:
    (folder / "shadow.yaml").write_text(RULES.replace("for: 1d", "status: shadow"))
    arguments = ["backtest", "events.parquet", "--rules", "shadow.yaml", "--horizon", "30d", "--json"]
    found = json.loads(CliRunner().invoke(lapwing, arguments).stdout)
    assert found["all"]["warnings"] == 0
    assert all(rule["warnings"] > 0 for rule in found["rules"])
    assert found["missed"]["count"] == found["all"]["recall"]["whole"] > 0
    assert found["missed"]["churns"][0]["nearest_rule"] is None


def git(*arguments: str) -> None:
    subprocess.run(
        ["git", "-c", "user.name=t", "-c", "user.email=t@t", *arguments], check=True, capture_output=True
    )


def test_diff_takes_paths_and_revisions(folder: Path) -> None:
    git("init", "-q")
    git("add", "rules")
    git("commit", "-qm", "one")
    (folder / "rules" / "all.yaml").write_text(RULES.replace(">= 20", ">= 10"))
    (folder / "old.yaml").write_text(RULES)
    found = []
    for old in ("HEAD", "HEAD:rules", "HEAD:rules/all.yaml", "old.yaml"):
        arguments = ("rules", "diff", old, "rules", "--events", "events.parquet")
        found.append(json.loads(run(*arguments, "--json").stdout))
        assert found[-1].pop("compared") == [old, "rules"]
    assert all(each == found[0] for each in found)
    assert found[0]["customers_gained"]["count"] > 0
    assert found[0]["rules"][0]["fields"]["when"] == {
        "old": "days_since_order >= 20",
        "new": "days_since_order >= 10",
    }
    out = run("rules", "diff", "HEAD", "rules", "--events", "events.parquet", "--html", "diff.html").stdout
    assert "silent: changed" in out
    page = self_contained(folder / "diff.html")
    plots = [part.split("</section>")[0] for part in page.split("warnings each working day</h2>")[1:]]
    scales = [re.findall(r'class="axis" text-anchor="end">(\d+)<', plot) for plot in plots]
    assert len(scales) == 2
    assert scales[0] == scales[1] != []
    for wrong, said in (
        ("nowhere", "knows no revision 'nowhere'"),
        ("HEAD:none", "has no 'none'"),
    ):
        with pytest.raises(BacktestError, match=said):
            run("rules", "diff", "--events", "events.parquet", "./rules", wrong)
    (folder / "rules" / "all.yaml").write_text("version: 2")
    git("commit", "-qam", "broken")
    with pytest.raises(RulebookRefused, match=r"HEAD:rules/all.yaml:1: "):
        run("rules", "diff", "HEAD", "old.yaml", "--events", "events.parquet")
    (folder / "rules" / "all.yaml").write_text(RULES)


def test_tune_prints_curves_json_and_a_page(folder: Path) -> None:
    common = ("rules", "tune", "silent", "--events", "events.parquet", "--param", "days_since_order")
    out = run(*common, "--values", "10:40:10", "--capacity", "1", "--html", "tune.html").stdout
    assert "20 (now" in out
    assert "days_since_order>=" in out
    self_contained(folder / "tune.html")
    found = json.loads(run(*common, "--candidates", "3", "--json").stdout)["thresholds"][0]
    values = [point["value"] for point in found["curve"]["points"]]
    assert 20 in values
    assert len(values) > 2
    for arguments, said in (
        (
            ("rules", "tune", "loud", "--events", "events.parquet", "--param", "x"),
            "no rule 'loud'.*silent, slow",
        ),
        ((*common[:-1], "orders_30d"), "days_since_order>=20"),
        ((*common, "--split", "2031-01-01T00:00:00Z"), "--split lies outside"),
    ):
        with pytest.raises(BacktestError, match=said):
            run(*arguments)
    wrong = CliRunner().invoke(lapwing, [*common, "--values", "1:2"])
    assert wrong.exit_code == 2
    assert "'1:2' is no list" in wrong.stderr


PLAYS = """version: 1
plays:
  - id: call
    cost: {communication: 8}
    success: {chance: CHANCE, source: prior}
"""


def test_diff_counts_the_decisions_that_replay_makes(folder: Path) -> None:
    for name, chance in (("low", "0.01"), ("high", "0.5")):
        (folder / name).mkdir()
        (folder / name / "all.yaml").write_text(RULES)
        (folder / name / "plays.yaml").write_text(PLAYS.replace("CHANCE", chance))
    arguments = ("rules", "diff", "low", "high", "--events", "events.parquet")
    found = json.loads(run(*arguments, "--json").stdout)["decisions"]
    totals = {"old": Counter[str](), "new": Counter[str]()}
    nets = {"old": Counter[str](), "new": Counter[str]()}
    for side, name in (("old", "low"), ("new", "high")):
        out = folder / f"{name}.jsonl"
        given = ["replay", "events.parquet", "--rules", name, "--horizon", "30d", "--out", str(out)]
        assert CliRunner().invoke(lapwing, given).exit_code == 0
        for step in map(json.loads, out.read_text().splitlines()):
            if step["type"] == "churn.warning.opened":
                decision = step["data"]["decision"]
                totals[side][decision["verdict"]] += 1
                nets[side][decision["verdict"]] += decision["net"] or 0
        rows = {row["verdict"]: row[side] for row in found["by_verdict_and_play"]}
        assert {v: row["warnings"] for v, row in rows.items() if row["warnings"]} == totals[side]
        assert {v: row["net"] for v, row in rows.items()} == pytest.approx({v: nets[side][v] for v in rows})
    assert totals["new"]["rescue"] > totals["old"]["rescue"]
    turned = [m for m in found["moved"] if (m["from"], m["to"]) == (["dont", "call"], ["rescue", "call"])]
    assert turned[0]["warnings"] == totals["new"]["rescue"] - totals["old"]["rescue"]
    text = run(*arguments).stdout
    assert "Decisions at the opening" in text
    assert f"{turned[0]['warnings']:,}: do not rescue, call -> rescue, call" in text
    assert (
        json.loads(run("rules", "diff", "rules", "rules", *arguments[4:], "--json").stdout)["decisions"]
        is None
    )


KEY = "a key for these tests"


def without(folder: Path, erased: set[str], until: datetime) -> Path:
    """Write the events that count when customers were erased, as a person would filter them."""
    events = pl.read_parquet(folder / "events.parquet")
    older = pl.col("customer_id").is_in(sorted(erased)) & (pl.col("occurred_at") <= until)
    path = folder / "without.parquet"
    events.filter(~older).write_parquet(path)
    assert 0 < events.filter(older).height < events.height
    return path


@pytest.mark.parametrize(
    "command",
    [
        ("backtest",),
        ("rules", "diff", "rules", "others"),
        ("rules", "tune", "silent", "--param", "days_since_order", "--values", "10,20"),
    ],
    ids=lambda command: command[-1] if len(command) == 1 else command[1],
)
def test_who_was_erased_does_not_count(
    folder: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    monkeypatch.setenv("LAPWING_ERASURE_KEY", KEY)
    (folder / "others").mkdir(exist_ok=True)
    (folder / "others" / "all.yaml").write_text(RULES.replace(">= 20", ">= 25"))
    events = pl.read_parquet(folder / "events.parquet")
    erased = set(events["customer_id"].unique().sort().to_list()[::3])
    until = events["occurred_at"].median()
    assert isinstance(until, datetime)
    key = ErasureKey(KEY.encode())
    requests = [
        encode_erasure(ErasureRequest(hash=key.hash(name), erased_at=until, key_id=key.id))
        for name in sorted(erased)
    ]
    (folder / "erased.jsonl").write_bytes(b"\n".join(requests))
    found = run(*command, "events.parquet", "--erasures", "erased.jsonl", "--json").stdout
    without(folder, erased, until)
    assert json.loads(found) == json.loads(run(*command, "without.parquet", "--json").stdout)
    assert json.loads(found) != json.loads(run(*command, "events.parquet", "--json").stdout)
    monkeypatch.setenv("LAPWING_ERASURE_KEY", f"another than {KEY}")
    with pytest.raises(ErasureError, match="set LAPWING_ERASURE_KEY"):
        run(*command, "events.parquet", "--erasures", "erased.jsonl")
