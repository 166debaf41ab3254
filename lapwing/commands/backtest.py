"""`lapwing backtest`: what rules would have done over a history, and how good it would have been."""

from __future__ import annotations

import json
from pathlib import Path

import click

from consumers.collector import collector_paused
from lapwing.backtest.inputs import BacktestInputs
from lapwing.backtest.page import backtest_page
from lapwing.backtest.reading import read_history
from lapwing.backtest.segments_text import print_segments
from lapwing.backtest.text import print_backtest
from lapwing.settings.settings import Settings
from lapwing.terminal.output import check_outputs, whole_file
from lapwing.terminal.progress import progress_bar
from lapwing.wiring import engine_settings, learner
from streams.backtest.report import backtest
from streams.backtest.segments import judge_segments
from streams.rulebook.load import load_rulebook


def run(
    judged: BacktestInputs,
    settings: Settings,
    since: int | None,
    missed_most: int,
    as_json: bool,
    page: Path | None,
) -> None:
    """Run rules over a history and judge what they warn of."""
    check_outputs([page], judged.events)
    rulebook = load_rulebook(settings.rules)
    with collector_paused():
        history, refused = read_history(judged, settings)
        with progress_bar("judging") as bar:
            result = backtest(
                history,
                rulebook.rules,
                engine_settings(settings, segments=bool(rulebook.segment_rules)),
                learner(settings),
                judged.team,
                since=since,
                progress=bar,
            )
        [segments] = judge_segments(
            history, result.trial.day_sums, [rulebook.segment_rules], engine_settings(settings), since=since
        )
    if page is not None:
        with whole_file(page) as part:
            part.write_text(backtest_page(result, missed_most, list(segments.values())), encoding="utf-8")
    if as_json:
        of_segments = [figures.as_dict() for figures in segments.values()]
        more = {"segment_rules": of_segments, "refused": refused}
        click.echo(json.dumps({**result.as_dict(missed_most), **more}))
    else:
        print_backtest(result, missed_most)
        print_segments(list(segments.values()), result.horizon_us)
