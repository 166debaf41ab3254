"""`lapwing act`: what the team does about a warning, or to win a customer back."""

from __future__ import annotations

from typing import Any

import click

from lapwing.settings.options import DurationParam, InstantParam, ItemParam, settings_options
from streams.core.events.action_words import RECORD_KINDS, RESULTS, TREATMENT_KINDS, WARNING_KINDS


@click.command()
@click.argument("warning_id")
@click.argument("kind", type=click.Choice((*WARNING_KINDS, *TREATMENT_KINDS, *RECORD_KINDS)))
@settings_options("broker", "actions", "database")
@click.option("--by", required=True, help="Who does it; shown with the warning.")
@click.option(
    "--for",
    "lasts",
    type=DurationParam(),
    help="How long it lasts, such as 3d; default: as in the worker's settings.",
)
@click.option("--play", help="The play that was followed.")
@click.option("--result", type=click.Choice(RESULTS), help="What came of it.")
@click.option(
    "--reason",
    "reasons",
    multiple=True,
    help="Why the customer leaves, a code such as price; may be repeated.",
)
@click.option(
    "--cost", multiple=True, type=ItemParam(), help="What it cost, such as gift=20; may be repeated."
)
@click.option(
    "--corrects", help="The event id of an earlier action of yours, which this one takes back or replaces."
)
@click.option("--to", help="To whom `assign` gives the warning; default: whoever acts, --by.")
@click.option(
    "--customer", help="The warning's customer; default: as the database that `lapwing sink` fills has it."
)
@click.option(
    "--at",
    type=InstantParam(),
    help="When it was done, RFC 3339; default: now, or where the newest warning stands, if a week ago.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the event that was sent.")
def command(**given: Any) -> None:
    """Say what was done about the warning WARNING_ID; the beginning of its id will do.

    An acknowledgement means that somebody takes care of it; after a while it lapses, and the team is
    reminded. A snooze puts the warning off. `expire` ends it. The other kinds say what was done: `contact`
    and `offer` treat the customer, `assign`, `unassign` and `confirm` are on record, `correct` takes back
    what --corrects names. With - instead of WARNING_ID, and --customer, it is about winning back somebody
    who has left. The action is an event on the topic of actions; the worker that reads it changes the
    warning, if that is still open.
    """
    from lapwing.commands.act import run

    run(**given)
