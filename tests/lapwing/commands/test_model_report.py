"""`lapwing model report` as a user gives it."""

import json
import re
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner, Result

from lapwing.cli import lapwing
from lapwing.cli.simulate import command as simulate
from lapwing.commands.model_report import GroupsError, read_groups
from streams.files.events import read_events

RULES = """version: 1
rules:
  - {id: silent, when: days_since_order >= 20, tier: high, reason: silence, for: 1d}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("report")
    arguments = ["--customers", "150", "--days", "160", "--out", str(made / "events.parquet")]
    assert CliRunner().invoke(simulate, arguments).exit_code == 0
    (made / "rules").mkdir()
    (made / "rules" / "all.yaml").write_text(RULES)
    (made / "lapwing.toml").write_text("min_positives = 10\n")
    batch = read_events([made / "events.parquet"], now_us=2**62, max_skew_us=0, on_refused=print)
    ids = sorted(set(batch.customer_id.tolist()))
    ages = ["young" if place % 2 else "" for place in range(len(ids))]
    (made / "ages.csv").write_text(
        "customer_id,age\n" + "".join(f"{c},{a}\n" for c, a in zip(ids, ages, strict=True))
    )
    return made


@pytest.fixture(autouse=True)
def _in_the_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)


def run(*arguments: str) -> Result:
    words = ["model", "report", "--horizon", "30d", "--rules", "rules", "--config", "lapwing.toml"]
    result = CliRunner().invoke(lapwing, [*words, *arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def figures(*arguments: str) -> Any:
    return json.loads(run(*arguments, "--json").stdout)


def test_it_prints_tables_json_and_a_page(folder: Path) -> None:
    out = run("events.parquet", "--html", "page.html").stdout
    for part in ("of these judged", "Reliability by tenth", "What the model goes by", "Drift", "By region"):
        assert part in out
    page = (folder / "page.html").read_text(encoding="utf-8")
    assert re.findall(r"(?:src|href)=|url\(|@import|<script|<link|https?://", page) == []
    assert page.count("<svg") == page.count("</svg>") >= 2 * 4  # each for a phone too
    found = figures("events.parquet")
    assert found["all"]["n"] == found["funnel"]["judged"] > 300
    assert f"{found['all']['n']:,}" in out
    assert f"{found['all']['auc']:.3f}" in out
    assert f"{found['all']['auc']:.3f}" in page
    assert sum(each["n"] for each in found["reliability"]) == found["all"]["n"]
    assert found["all"]["auc"] > 0.6


def test_groups_of_a_file_are_in_the_report_and_change_nothing_else() -> None:
    without, found = figures("events.parquet"), figures("events.parquet", "--groups", "ages.csv")
    ages = found["groups"].pop("age")
    assert found == without
    assert {each["group"] for each in ages["groups"]} == {"young", None}
    assert sum(each["n"] for each in ages["groups"]) == found["all"]["n"]


def test_a_file_of_ages_and_sexes_is_read_as_text(tmp_path: Path) -> None:
    path = tmp_path / "more.parquet"
    pl.DataFrame({"customer_id": ["a", "b"], "sex": ["f", None], "age": [30, 41]}).write_parquet(path)
    assert read_groups(path) == {"sex": {"a": "f"}, "age": {"a": "30", "b": "41"}}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("customer,age\na,3\n", "it needs the column `customer_id`"),
        ("customer_id\na\n", "at least one to group by"),
        ("customer_id,region\na,n\n", "`region` comes from profiles"),
        ("customer_id,age\na,1\na,2\n", "'a' is in it twice"),
        ("", "cannot be read"),
    ],
)
def test_a_file_of_groups_that_is_wrong_is_refused(text: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "more.csv"
    path.write_text(text)
    with pytest.raises(GroupsError, match=re.escape(says)):
        read_groups(path)


def test_without_a_model_there_is_nothing_to_report(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAPWING_MODEL_ENABLED", "false")
    result = run("events.parquet")
    assert result.exit_code == 2
    assert "there is no model to report on" in result.stderr


def test_too_short_a_history_says_that_nothing_is_known() -> None:
    out = run("events.parquet", "--horizon", "360d").stdout
    assert "No decision is 360 days old yet: there is nothing to judge." in out


def test_the_name_of_before_still_works() -> None:
    for words in (["models", "list", "--help"], ["model", "list", "--help"]):
        result = CliRunner().invoke(lapwing, words)
        assert result.exit_code == 0
        assert "List the models" in result.stdout
