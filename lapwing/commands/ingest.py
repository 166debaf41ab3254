"""`lapwing ingest`: take in signed webhooks."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial

import click

from consumers.ingest.admission import Limits
from consumers.ingest.app import create_app
from consumers.ingest.hooks import Hooks
from consumers.ingest.intake import Intake
from consumers.ingest.metrics import figures, ingest_snapshots
from consumers.loop import Stop
from consumers.web.server import serve
from lapwing.ingest import HookInputs, event_sender
from lapwing.monitoring import endpoint
from lapwing.settings.settings import Settings
from lapwing.terminal.status import StatusLine


def run(settings: Settings) -> None:
    """Take in signed webhooks of shops and payment services, and write their events to the topics."""
    inputs = HookInputs(settings)
    limits = Limits(largest=settings.ingest_largest, waiting=settings.ingest_waiting)
    intake = Intake(partial(event_sender, settings), f"{settings.app}.rejected", most=settings.ingest_waiting)
    hooks = Hooks(inputs, intake, limits)
    snapshots = ingest_snapshots([intake.heartbeat.reasons])

    def on_turn() -> None:
        inputs.look()
        hooks.look()
        snapshots.take(figures(hooks))

    with ExitStack() as stack:
        stop = stack.enter_context(Stop())
        status = stack.enter_context(StatusLine("intake"))
        stack.enter_context(endpoint(settings, snapshots))
        intake.start()
        stack.callback(intake.stop)
        host, _, port = settings.ingest_listen.rpartition(":")

        def on_ready(address: str) -> None:
            click.echo(f"webhooks are taken at {address}hooks/ of {', '.join(inputs.current())}")
            status.show("waiting for webhooks")

        serve(create_app(hooks), host.strip("[]"), int(port), stop, on_ready, on_turn=on_turn, name="intake")
