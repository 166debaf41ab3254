"""What a notifier's endpoint shows while it cannot write to the database."""

from __future__ import annotations

from pathlib import Path

from consumers.database.database import Database, StoreBusy
from consumers.loop import Stop
from consumers.notify.channels import Channel
from consumers.notify.notifier import Notifier
from consumers.notify.outbox import Outbox
from consumers.notify.senders import ChannelSender
from lapwing.commands.notify import NotifierWatch
from tests.consumers.stored import store_records
from tests.consumers.stubs import NOW
from tests.consumers.warning_events import life, records


def test_while_it_waits_for_the_database_its_lag_can_be_seen(tmp_path: Path) -> None:
    store = Database(f"sqlite:///{tmp_path / 'w.db'}")
    store.prepare()
    outbox = Outbox(store, "me")
    outbox.add_channels(["desk"], NOW, from_now=False)
    steps = life("c1")
    store_records(store, records([*steps]))
    watch = NotifierWatch(store, outbox, ["desk"])
    with Stop() as stop:
        channel = Channel("desk", "json://127.0.0.1:1")
        watch.notifier = Notifier(outbox, [channel], ChannelSender(stop), stop)
        watch.wait(StoreBusy("the database is locked"), 1.0)
    lines = watch.snapshots.probes().answer("/metrics")[2].decode().splitlines()
    shown = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    assert float(shown["lapwing_lag_steps"]) == len(steps)
    assert float(shown["lapwing_lag_oldest_timestamp_seconds"]) == NOW.timestamp()
    assert float(shown['lapwing_deliveries_total{channel="desk",result="given_up"}']) == 0
    store.close()
