"""The alert rules: Prometheus reads them, each has cases in which it fires and does not, and a runbook."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from scripts.amtool import fetch
from scripts.debian import Missing
from tests.deploy.alerts import FOLDER, Alert, read_yaml, shipped
from tests.paths import ROOT

ALERTS = shipped()
CASES = ("alerts_test.yaml", "alerts_days_test.yaml")
RUNBOOKS = ROOT / "docs" / "runbooks"
LABELS = {"channel", "instance", "job", "kind", "operation", "partition", "reason", "result", "rule"} | {
    "source",
    "topic",
}
"""What an alert may name. All have few values, and none is a customer."""
SECTIONS = ["How to see it", "What to do", "When it is normal", "Why this threshold"]


def promtool_accepts(promtool: Path, *arguments: str) -> None:
    done = subprocess.run(
        [promtool, *arguments], cwd=FOLDER, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_prometheus_reads_the_rules_and_its_configuration(promtool: Path) -> None:
    promtool_accepts(promtool, "check", "rules", "alerts.yaml")
    promtool_accepts(promtool, "check", "config", "prometheus.yaml")


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", CASES)
def test_alerts_fire_when_they_should_and_not_otherwise(promtool: Path, name: str) -> None:
    promtool_accepts(promtool, "test", "rules", name)


def test_a_wrong_expectation_would_be_found(promtool: Path, tmp_path: Path) -> None:
    text = (FOLDER / CASES[0]).read_text()
    cases = tmp_path / "alerts_test.yaml"
    cases.write_text(text.replace("1x4 0x10", "1x14", 1))  # the loop of LapwingStuck turns after all
    (tmp_path / "alerts.yaml").write_text((FOLDER / "alerts.yaml").read_text())
    with pytest.raises(AssertionError, match="LapwingStuck"):
        promtool_accepts(promtool, "test", "rules", str(cases))


def test_each_alert_has_a_case_in_which_it_fires_and_one_in_which_it_does_not() -> None:
    fires: set[str] = set()
    silent: set[str] = set()
    for test in (test for name in CASES for test in read_yaml(name)["tests"]):
        for check in test["promql_expr_test"]:
            (alert,) = re.findall(r'alertname="(\w+)"', check["expr"])
            (fires if check["exp_samples"] else silent).add(alert)
    names = {alert.name for alert in ALERTS}
    assert (fires, silent) == (names, names)


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)
def test_an_alert_says_what_is_wrong_whom_it_is_for_and_where_to_read_on(alert: Alert) -> None:
    assert alert.labels["severity"] in ("critical", "warning")
    assert alert.labels["audience"] in ("operations", "rules", "security", "sources")
    assert set(alert.annotations) == {"summary", "description", "runbook_url"}
    assert alert.annotations["runbook_url"] == f"{{{{ $externalLabels.runbooks }}}}/{alert.name}/"
    named = set(re.findall(r"\$labels\.(\w+)", " ".join(alert.annotations.values())))
    assert named <= LABELS
    grouped = {label for by in re.findall(r"\bby \(([^)]*)\)", alert.expression) for label in by.split(", ")}
    assert grouped <= LABELS | {"le", "rule_set", "version"}


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)
def test_an_alert_has_its_runbook(alert: Alert) -> None:
    text = (RUNBOOKS / f"{alert.name}.md").read_text()
    assert text.startswith(f"# {alert.name}\n")
    assert "**What it costs:**" in text
    assert re.findall(r"^## (.*)", text, re.MULTILINE) == SECTIONS
    seen = text[text.index("## How to see it") : text.index("## What to do")]
    assert "```sh\n" in seen
    contents = (RUNBOOKS / "README.md").read_text()
    assert (
        f"| [{alert.name}]({alert.name}.md) | {alert.labels['severity']} | {alert.labels['audience']} |"
        in (contents)
    )


def test_no_runbook_is_left_of_an_alert_that_is_gone() -> None:
    assert {page.stem for page in RUNBOOKS.glob("*.md")} == {alert.name for alert in ALERTS} | {"README"}


@pytest.fixture(scope="module")
def amtool() -> Path:
    try:
        return fetch()
    except Missing as reason:
        pytest.skip(str(reason))


ROUTES: dict[str, Any] = {
    "LapwingNoWorker": "on-call,operations",
    "LapwingNoEvents": "on-call,sources",
    "LapwingSourceQuiet": "sources",
    "LapwingRuleFilesRefused": "retention",
    "LapwingSignInsRefused": "security",
    "LapwingMemoryGrows": "operations",
}


@pytest.mark.parametrize("name", ROUTES)
def test_alertmanager_wakes_for_what_is_critical_and_sends_the_rest_to_whom_it_is_for(
    amtool: Path, name: str
) -> None:
    (alert,) = [alert for alert in ALERTS if alert.name == name]
    labels = [f"{label}={value}" for label, value in alert.labels.items()]
    command: list[str | Path] = [
        amtool,
        "config",
        "routes",
        "test",
        f"--config.file={FOLDER / 'alertmanager.yaml'}",
        *labels,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, ROUTES[name]), done.stderr
