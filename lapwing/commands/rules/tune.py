"""`lapwing rules tune`: what another threshold would do to precision, recall and load."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import click

from consumers.collector import collector_paused
from lapwing.backtest.inputs import BacktestInputs
from lapwing.backtest.reading import read_history
from lapwing.backtest.tuning_page import tuning_page
from lapwing.backtest.tuning_text import print_tuning
from lapwing.settings.settings import Settings
from lapwing.terminal.output import check_outputs, whole_file
from lapwing.terminal.progress import progress_bar
from lapwing.wiring import engine_settings, learner
from streams.backtest.history import History
from streams.backtest.thresholds import Threshold, threshold
from streams.backtest.tuning import candidates, tune
from streams.core.features.catalogue import DTYPES
from streams.core.rules.rule import Rule, RuleStatus
from streams.core.rules.rule_set import RuleSet
from streams.errors import BacktestError
from streams.rulebook.load import load_rulebook


def run(
    rule_id: str,
    judged: BacktestInputs,
    settings: Settings,
    addresses: tuple[str, ...],
    values: tuple[float, ...] | None,
    count: int,
    capacity_of: str,
    min_precision: float | None,
    split: int | None,
    as_json: bool,
    page: Path | None,
) -> None:
    """Move a threshold of RULE through its range and print precision, recall and load at each value."""
    check_outputs([page], judged.events)
    rules = load_rulebook(settings.rules).rules
    rule = _rule(rules, rule_id, settings.rules)
    moved = [threshold(rule, address, DTYPES) for address in addresses]
    others = [each for each in rules.rules if each.status is RuleStatus.ACTIVE and each.id != rule.id]
    with collector_paused():
        history, refused = read_history(judged, settings)
        if split is not None and not history.begin < split < history.end:
            msg = "--split lies outside the history"
            raise BacktestError(msg)
        results = []
        for each in moved:
            tried = values if values is not None else _candidates(history, rule, each, count, settings)
            with progress_bar(f"tuning {each.address}") as bar:
                results.append(
                    tune(
                        history,
                        rule,
                        others,
                        each,
                        tried,
                        engine_settings(settings),
                        learner(settings),
                        judged.team,
                        capacity_of=capacity_of,
                        min_precision=min_precision,
                        split=split,
                        progress=bar,
                    )
                )
    if page is not None:
        with whole_file(page) as part:
            part.write_text(tuning_page(results), encoding="utf-8")
    if as_json:
        click.echo(json.dumps({"refused": refused, "thresholds": [each.as_dict() for each in results]}))
    else:
        print_tuning(results)


def _rule(rules: RuleSet, name: str, path: Path) -> Rule:
    found = [rule for rule in (*rules.rules, *rules.idle) if rule.id == name]
    if not found:
        known = ", ".join(sorted(rule.id for rule in (*rules.rules, *rules.idle)))
        msg = f"{path}: there is no rule {name!r}; there are: {known}"
        raise BacktestError(msg)
    return found[0]


def _candidates(
    history: History, rule: Rule, moved: Threshold, count: int, settings: Settings
) -> Sequence[float]:
    if moved.formula:
        msg = f"rule {rule.id!r}: {moved.address!r} is compared with a formula; give --values"
        raise BacktestError(msg)
    found = candidates(history, rule, moved, count, engine_settings(settings), learner(settings))
    if not found:
        msg = f"rule {rule.id!r}: no customer of this history is one for whom {moved.address!r} decides"
        raise BacktestError(msg)
    return found
