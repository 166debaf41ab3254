"""`lapwing desk`: the page on which a retention team works."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import datetime

import click

from consumers.broker.client import Cluster, Producer
from consumers.broker.late_sender import LateSender
from consumers.database.database import Database, StoreBusy
from consumers.desk.acting.sending import ActionSender
from consumers.desk.app import create_app
from consumers.desk.clock import DeskClock
from consumers.desk.desk import Desk
from consumers.desk.live.follower import Follower
from consumers.desk.metrics import desk_snapshots
from consumers.desk.people.access import Access
from consumers.desk.people.oidc import OidcProvider
from consumers.loop import Backoff, Stop, Stopped, log_wait, persist
from consumers.stored_warnings import newest_update
from consumers.web.server import serve
from lapwing.commands.sink import kinds_by_topic
from lapwing.desk import RuleFolder, desk_config
from lapwing.monitoring import endpoint
from lapwing.operations import Operations
from lapwing.people import PeopleFolder, access_terms, oidc_terms
from lapwing.settings.settings import Settings
from lapwing.terminal.status import StatusLine, log


def run(settings: Settings) -> None:
    """Serve the page on which a retention team works."""
    terms = access_terms(settings)
    oidc = oidc_terms(settings)
    provider = OidcProvider(oidc) if oidc is not None else None
    people = PeopleFolder(settings.desk_people) if settings.desk_people is not None else None
    with ExitStack() as stack:
        database = Database(settings.database)
        stack.callback(database.close)
        stop = stack.enter_context(Stop())
        stack.enter_context(StatusLine(f"desk of {database.place}"))
        try:
            persist(database.prepare, stop=stop, backoff=Backoff(), on_wait=log_wait, only=StoreBusy)
        except Stopped:
            log.info("stopped while waiting for the database")
            return
        cluster = Cluster(settings.broker, settings.kafka_security)
        # Each waits for its own records only; without a broker pages are served all the same.
        of_actions, of_silences = (LateSender(lambda: Producer(cluster)) for _ in range(2))
        stack.callback(of_actions.close)
        stack.callback(of_silences.close)

        def newest_event() -> datetime | None:
            with database.reading() as connection:
                return newest_update(connection)

        clock = DeskClock(newest_event)
        desk = Desk(
            config=desk_config(settings),
            database=database,
            clock=clock,
            rulebook=RuleFolder(settings.rules),
            sender=of_silences,
            installation=Operations(settings, kinds_by_topic(settings)),
            access=Access(database, clock.wall, terms, people, oidc=provider),
        )
        actions = ActionSender(database, desk.clock, of_actions, settings.actions, writes=desk.actions.writes)
        desk.actions.on_change.append(actions.wake)
        actions.start()
        stack.callback(actions.stop)
        follower = Follower(desk.board, desk.live, desk.presence, desk.clock)
        follower.start()
        stack.callback(follower.stop)
        snapshots = desk_snapshots([follower.heartbeat.reasons])
        stack.enter_context(endpoint(settings, snapshots))
        host, _, port = settings.desk_listen.rpartition(":")
        serve(
            create_app(desk),
            host.strip("[]"),
            int(port),
            stop,
            on_ready=_say_where,
            on_stop=desk.live.close,
            on_turn=lambda: snapshots.take(desk.figures()),
        )


def _say_where(address: str) -> None:
    click.echo(f"the desk is at {address}")
