"""`lapwing rules diff`: the same history under two rule sets."""

from __future__ import annotations

import json
from pathlib import Path

import click

from lapwing.backtest.comparison_page import comparison_page
from lapwing.backtest.comparison_text import print_comparison
from lapwing.backtest.reading import (
    BacktestInputs,
    events_option,
    judging_options,
    no_collector,
    page_options,
    read_history,
)
from lapwing.backtest.revisions import rules_of
from lapwing.settings.options import InstantParam
from lapwing.settings.settings import Settings
from lapwing.terminal.output import whole_file
from lapwing.terminal.progress import progress_bar
from lapwing.wiring import engine_settings, learner
from streams.backtest.comparison import compare


@click.command("diff")
@click.argument("old")
@click.argument("new")
@events_option
@judging_options
@click.option(
    "--since",
    type=InstantParam(),
    help="Judge what began at this instant or later, RFC 3339; by default all.",
)
@click.option(
    "--customers",
    "most",
    type=click.IntRange(0),
    default=10,
    show_default=True,
    help="How many customers of each list to name.",
)
@page_options
def diff(
    old: str,
    new: str,
    judged: BacktestInputs,
    settings: Settings,
    since: int | None,
    most: int,
    as_json: bool,
    page: Path | None,
) -> None:
    """Run the rules OLD and NEW over the same history and tell what differs.

    OLD and NEW are files, folders or git revisions: `HEAD~1` (with the folder of --rules in it) or
    `HEAD~1:warning_rules`. Told are the rules that changed, the customers gained, lost and changed in tier,
    and what becomes of load, precision and recall. docs/backtest.md defines every figure.
    """
    before, after = rules_of(old, settings.rules), rules_of(new, settings.rules)
    with no_collector():
        history, refused = read_history(judged, settings)
        with progress_bar("comparing") as bar:
            result = compare(
                history,
                before,
                after,
                engine_settings(settings),
                learner(settings),
                judged.team,
                since=since,
                progress=bar,
            )
    if page is not None:
        with whole_file(page) as part:
            part.write_text(comparison_page(result, old, new, most), encoding="utf-8")
    if as_json:
        click.echo(json.dumps({"compared": [old, new], **result.as_dict(most), "refused": refused}))
    else:
        print_comparison(result, old, new, most)
