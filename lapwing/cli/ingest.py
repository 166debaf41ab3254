"""`lapwing ingest`: take in signed webhooks."""

from __future__ import annotations

from typing import Any

import click

from lapwing.settings.options import settings_options


@click.command()
@settings_options(
    "broker",
    "app",
    "rules",
    "inputs",
    "max_skew",
    "ingest_listen",
    "ingest_largest",
    "ingest_waiting",
    "metrics_listen",
)
def command(**given: Any) -> None:
    """Take in signed webhooks of shops and payment services, and write their events to the topics.

    A source of inputs.yaml with `webhook: shopify`, `woocommerce`, `stripe` or `signed` is answered under
    /hooks/SOURCE. A delivery is answered with 200 when the broker has acknowledged its events. Runs until
    Ctrl-C or SIGTERM.
    """
    from lapwing.commands.ingest import run

    run(**given)
