"""`lapwing notify routes`: what it prints, and when it fails."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from lapwing.cli import notify
from tests.command_lines import refusal
from tests.lapwing.test_routes import RULES, TEXT
from tests.paths import ROOT

GOOD = TEXT.replace("overdue", "overdue-now").replace("servise", "service")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "rules.yaml").write_text(RULES)
    (tmp_path / "routes.yaml").write_text(GOOD)
    (tmp_path / "templates" / "short" / "zh").mkdir(parents=True)
    return tmp_path


def called(folder: Path, *words: str, **environ: str) -> Result:
    environ = {"LAPWING_NOTIFY_TEMPLATES": str(folder / "templates")} | environ
    return CliRunner(env=environ).invoke(notify.command, ["routes", *words, "--rules", str(folder)])


def test_the_tree_is_shown_with_what_each_route_does(folder: Path) -> None:
    result = called(folder)
    assert result.exit_code == 0, result.output
    assert result.output.splitlines() == [
        "all: everything -> team (en; digest 08:00; quiet 20:00-07:00 sat,sun; then lead)",
        "  key: class=key rule=overdue-now -> lead (zh, template short; digest 08:00; quiet 20:00-07:00 sat,"
        "sun; then lead; at most 3 in 1:00:00)",
        "    1: tier=high -> lead (zh; at most 3 in 1:00:00)",
        "  2: reason=silence|service -> team (en; digest 08:00; quiet 20:00-07:00 sat,sun; then lead; "
        "continue)",
    ]
    listed = json.loads(called(folder, "--json").output)
    assert listed["ok"] is True
    assert [each["route"] for each in listed["routes"]] == ["all", "all/key", "all/key/1", "all/2"]


def test_a_test_prints_the_routes_the_receivers_and_the_times(folder: Path) -> None:
    # A Saturday evening in Berlin.
    words = ["--test", "tier=high", "reason=service", "--at", "2026-03-07T20:30:00Z"]
    result = called(folder, *words, "--acknowledge-within", "high=12h")
    assert result.exit_code == 0, result.output
    assert result.output.splitlines() == [
        "route all/2 (en)",
        "  notice at Sun 2026-03-08 07:00 Europe/Berlin: to team (all)",
        "  deadline at Sun 2026-03-08 09:30 Europe/Berlin: to team (all)",
        "  escalation at Sun 2026-03-08 08:30 UTC: to lead (mail, desk)",
    ]


def test_a_medium_one_waits_for_the_digest(folder: Path) -> None:
    result = called(folder, "--test", "tier=medium", "--at", "2026-03-04T12:00:00Z", "--json")
    assert json.loads(result.output) == [
        {
            "route": "all",
            "receiver": "team",
            "channels": ["all"],
            "language": "en",
            "template": None,
            "what": "digest",
            "at": "2026-03-05T07:00:00+00:00",
            "local": "Thu 2026-03-05 08:00 Europe/Berlin",
        }
    ]


def test_a_segments_warning_goes_at_once_and_has_no_deadline(folder: Path) -> None:
    words = ["--test", "kind=segment", "tier=medium", "dimension=region", "value=north"]
    result = called(folder, *words, "--at", "2026-03-04T12:00:00Z", "--acknowledge-within", "1h")
    assert result.output.splitlines()[1:] == ["  notice at Wed 2026-03-04 13:00 Europe/Berlin: to team (all)"]


def test_a_mistake_is_exit_code_1_with_its_line(folder: Path) -> None:
    (folder / "routes.yaml").write_text(TEXT)
    result = called(folder)
    assert result.exit_code == 1
    assert "routes.yaml:12: `rule`: there is no rule 'overdue'; did you mean 'overdue-now'?" in result.output
    (folder / "routes.yaml").write_text(TEXT.replace("language: zh", "language: fr"))
    result = called(folder)
    assert result.exit_code == 1
    assert result.output.splitlines() == [f"{folder}/routes.yaml:14: `language` must be en or zh, not 'fr'"]
    assert json.loads(called(folder, "--json").output)["mistakes"][0]["line"] == 14


def test_a_mistake_in_a_template_is_shown_with_its_file_and_line(folder: Path) -> None:
    own = folder / "templates" / "short" / "zh" / "notice.txt"
    own.write_text("{{ customer }}\n\n{{ custommer }}")
    result = called(folder)
    assert result.exit_code == 1
    assert f"{own}:3: 'custommer' is undefined" in result.output
    assert json.loads(called(folder, "--json").output)["ok"] is False


def test_channels_are_checked_where_the_settings_have_some(folder: Path) -> None:
    result = called(folder, LAPWING_NOTIFY_URLS="desk=json://127.0.0.1")
    assert result.exit_code == 1
    assert "the settings name no channel 'mail'" in result.output


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--test", "tier=hihg"], "tier=hihg: must be low, medium or high; did you mean high?"),
        (["--test", "tire=high"], "there is no label 'tire': labels are tier, class"),
        (["--test", "tier"], "'tier' is no label with its value, such as tier=high"),
        (["tier=high"], "to see which routes take a warning: --test tier=high"),
    ],
)
def test_a_wrong_label_is_a_usage_error(words: list[str], says: str) -> None:
    code, text = refusal(notify.command, ["routes", *words])
    assert code == 2
    assert says in text


def test_the_shipped_routes_are_right() -> None:
    result = called(ROOT / "warning_rules")
    assert (result.exit_code, result.output) == (0, "all: everything -> team (en)\n")
