"""`lapwing notify`: send notices of warnings to teams and services; check who gets which."""

from __future__ import annotations

from typing import Any

import click

from lapwing.settings.options import DurationParam, InstantParam, settings_options


@click.group("notify", invoke_without_command=True)
@settings_options("database", "rules", "routes", "metrics_listen")
@click.option(
    "--follow/--no-follow", default=True, help="Keep running, or stop when all that is due was tried."
)
@click.option("--from-now", is_flag=True, help="Send a new channel nothing of what is stored already.")
@click.option(
    "--give-up-after",
    type=DurationParam(),
    default="3d",
    show_default=True,
    help="How long a message is tried.",
)
@click.option("--retry-given-up", is_flag=True, help="Try again what was given up.")
@click.option(
    "--enable",
    multiple=True,
    metavar="CHANNEL",
    help="Send again to a channel whose receiver wanted no more (HTTP 410); may be given several times.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the final counts as JSON.")
def command(**given: Any) -> None:
    """Send opened and escalated warnings from the database to the team's channels.

    The channels are Apprise URLs in LAPWING_NOTIFY_URLS (or `notify_urls` of the settings file), with spaces
    between them; `NAME=URL` gives one a name. Signed webhooks are in LAPWING_WEBHOOK_URLS. routes.yaml beside
    the rules says who gets what and when; without it each step goes to every channel. It is sent once to
    each channel, and tried again while a receiver is down. Several notifiers may run side by side. What
    silences, quiet hours, flapping or too many notices of one customer mute is recorded in the table
    `notices`. Without --follow the exit code is 1 where something is left unsent.
    """
    context = click.get_current_context(silent=True)
    if context is not None and context.invoked_subcommand is not None:
        return
    from lapwing.commands.notify import run

    run(**given)


@command.command("routes")
@click.argument("labels", metavar="[LABEL=VALUE]...", nargs=-1)
@settings_options("rules", "routes", "notify_templates", "time_zone", "acknowledge_within")
@click.option("--test", is_flag=True, help="Print which routes take a warning with these labels, and when.")
@click.option("--at", type=InstantParam(), help="When the warning comes, RFC 3339; default: now.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def routes(**given: Any) -> None:
    """Check routes.yaml and show the tree; with --test, what becomes of one warning.

    `lapwing notify routes --test tier=high reason=service` prints the routes that take such a warning, their
    receivers, and when each is sent something: now or after quiet hours, with the daily digest, and at the
    deadline. Labels are tier, class, segment, region, owner, rule, reason and decision; of a segment's
    warning also kind=segment, dimension and value. A label may be given several times. The exit code is 1
    where the file has a mistake or names a rule or reason that there is not.
    """
    from lapwing.commands.routes import run

    run(**given)
