"""`lapwing silence`: mute notices of warnings, list silences, end them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from lapwing.settings.options import DurationParam, InstantParam, class_option, settings_options


@click.group("silence")
def command() -> None:
    """Mute notices of warnings.

    The warnings themselves continue and are stored; what is muted is recorded with its reason.
    """


def _words(flag: str, text: str, **more: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    words = more or {"metavar": "WORD"}
    return click.option(flag, multiple=True, help=f"{text}; may be given several times.", **words)


@command.command()
@settings_options("broker", "silences_topic", "time_zone", "rules")
@click.option("--everything", is_flag=True, help="All warnings: the kill switch of notices.")
@_words("--customer", "Only warnings of this customer")
@class_option("Only of this customer class")
@_words("--segment", "Only of this segment")
@_words("--region", "Only of this region")
@_words("--owner", "Only of customers whom this account owner looks after")
@_words("--tier", "Only of this tier", type=click.Choice(["high", "medium", "low"]))
@_words("--rule", "Only causes of this rule: a warning with another cause is sent")
@_words("--group", "Only causes of this group, the rules' `reason`")
@click.option("--from", "begins", type=InstantParam(), help="When it begins, RFC 3339; default: now.")
@click.option("--until", type=InstantParam(), help="When it ends, RFC 3339.")
@click.option("--for", "lasting", type=DurationParam(), help="How long it lasts, instead of --until: 2h, 3d.")
@click.option("--no-end", is_flag=True, help="A recurring silence continues until it is expired.")
@click.option("--every", metavar="DAYS", help="Recurring: weekdays with commas (mon,tue), or `day`.")
@_words("--on", "Recurring: a date, YYYY-MM-DD, such as a holiday")
@click.option("--between", metavar="HH:MM-HH:MM", help="Recurring: the local hours; default: whole days.")
@click.option("--by", "--author", "author", required=True, help="Who asks for it.")
@click.option("--reason", required=True, help="Why.")
@click.option("--json", "as_json", is_flag=True, help="Print the silence as JSON.")
def add(**given: Any) -> None:
    """Add a silence.

    `lapwing silence add --rule login-drop --for 3d --by me --reason "app outage"` mutes a rule. With
    `--everything`, `--every day --between 20:00-08:00 --no-end` sets quiet hours and `--on 2026-12-25` a
    holiday, in the setting `time_zone`. A warning that is still open when a silence ends is sent then. Rules
    and groups must be those of the rule files.
    """
    from lapwing.commands.silence import add

    add(**given)


@command.command("list")
@settings_options("broker", "silences_topic", "database")
@click.option(
    "--state", type=click.Choice(["active", "pending", "expired"]), help="Only those; default: all there are."
)
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def list_(**given: Any) -> None:
    """List silences, expired ones too, with how many steps each has muted so far."""
    from lapwing.commands.silence import list_silences

    list_silences(**given)


@command.command()
@settings_options("broker", "silences_topic")
@click.argument("ids", metavar="ID...", nargs=-1, required=True)
@click.option("--by", "--author", "author", help="Who ends it.")
@click.option("--json", "as_json", is_flag=True, help="Print the silences as JSON.")
def expire(**given: Any) -> None:
    """End silences now; their records stay. Notices that they deferred are sent where still due."""
    from lapwing.commands.silence import expire

    expire(**given)
