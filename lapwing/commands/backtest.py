"""`lapwing backtest`: what rules would have done over a history, and how good it would have been."""

from __future__ import annotations

import json
from pathlib import Path

import click

from lapwing.backtest.page import backtest_page
from lapwing.backtest.reading import BacktestInputs, judging_options, no_collector, page_options, read_history
from lapwing.backtest.text import print_backtest
from lapwing.settings.options import InstantParam
from lapwing.settings.settings import Settings
from lapwing.terminal.output import whole_file
from lapwing.terminal.progress import progress_bar
from lapwing.wiring import engine_settings, learner
from streams.backtest.report import backtest
from streams.core.features.catalogue import DTYPES
from streams.rulebook.files import load_rules


@click.command(name="backtest")
@click.argument("events", nargs=-1, type=click.Path(path_type=Path))
@judging_options
@click.option(
    "--since",
    type=InstantParam(),
    help="Judge what began at this instant or later, RFC 3339; by default all. Events before it count "
    "all the same in what the rules see.",
)
@click.option(
    "--missed",
    "missed_most",
    type=click.IntRange(0),
    default=10,
    show_default=True,
    help="How many of the unwarned to list, those first that came nearest to a warning.",
)
@page_options
def command(
    judged: BacktestInputs,
    settings: Settings,
    since: int | None,
    missed_most: int,
    as_json: bool,
    page: Path | None,
) -> None:
    """Run rules over a history and judge what they warn of.

    The history is EVENTS (.jsonl, .jsonl.gz, .jsonl.zst or .parquet) or, with --broker, what its topics hold.

    Tells warnings a day and a working day, precision, recall and lead time of all active rules together and
    of each rule, shadow rules too, and who left unwarned. docs/backtest.md defines every figure.
    """
    rules = load_rules([settings.rules], DTYPES)
    with no_collector():
        history, refused = read_history(judged, settings)
        with progress_bar("judging") as bar:
            result = backtest(
                history,
                rules,
                engine_settings(settings),
                learner(settings),
                judged.team,
                since=since,
                progress=bar,
            )
    if page is not None:
        with whole_file(page) as part:
            part.write_text(backtest_page(result, missed_most), encoding="utf-8")
    if as_json:
        click.echo(json.dumps({**result.as_dict(missed_most), "refused": refused}))
    else:
        print_backtest(result, missed_most)
