"""`lapwing rules diff`: the same history under two rule sets."""

from __future__ import annotations

import json
from pathlib import Path

import click

from consumers.collector import collector_paused
from lapwing.backtest.comparison_page import comparison_page
from lapwing.backtest.comparison_text import print_comparison
from lapwing.backtest.decisions_text import print_decisions
from lapwing.backtest.inputs import BacktestInputs
from lapwing.backtest.reading import read_history
from lapwing.backtest.revisions import rulebook_of
from lapwing.backtest.segments_text import print_segment_effects
from lapwing.settings.settings import Settings
from lapwing.terminal.output import check_outputs, whole_file
from lapwing.terminal.progress import progress_bar
from lapwing.wiring import engine_settings, learner
from streams.backtest.comparison import compare
from streams.backtest.decisions import compare_decisions
from streams.backtest.segments import judge_segments, segment_effects


def run(
    old: str,
    new: str,
    judged: BacktestInputs,
    settings: Settings,
    since: int | None,
    most: int,
    as_json: bool,
    page: Path | None,
) -> None:
    """Run the rules OLD and NEW over the same history and print what differs."""
    check_outputs([page], judged.events)
    before, after = rulebook_of(old, settings.rules), rulebook_of(new, settings.rules)
    sets = [before.segment_rules, after.segment_rules]
    with collector_paused():
        history, refused = read_history(judged, settings)
        with progress_bar("comparing") as bar:
            result = compare(
                history,
                before.rules,
                after.rules,
                engine_settings(settings, segments=any(sets)),
                learner(settings),
                judged.team,
                since=since,
                progress=bar,
            )
        days = result.trial.day_sums
        figures = judge_segments(history, days, sets, engine_settings(settings), since=since)
        effects = segment_effects(before.segment_rules, after.segment_rules, figures)
        decisions = compare_decisions(
            history,
            before.rules,
            after.rules,
            engine_settings(settings),
            lambda: learner(settings),
            since=since,
        )
    if page is not None:
        with whole_file(page) as part:
            part.write_text(comparison_page(result, old, new, most, effects), encoding="utf-8")
    if as_json:
        more = {
            "decisions": None if decisions is None else decisions.as_dict(),
            "segment_rules": [effect.as_dict() for effect in effects],
            "refused": refused,
        }
        click.echo(json.dumps({"compared": [old, new], **result.as_dict(most), **more}))
    else:
        print_comparison(result, old, new, most)
        print_decisions(decisions, most)
        print_segment_effects(effects)
