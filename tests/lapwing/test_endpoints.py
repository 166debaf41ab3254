"""What the desk shows of processes: from endpoints as processes serve them."""

from __future__ import annotations

import socket
from contextlib import ExitStack, closing

from consumers.database.database import Database
from consumers.desk.installation import ProcessState
from consumers.notify.metrics import notifier_snapshots
from consumers.sink.metrics import SinkFigures, sink_snapshots
from lapwing.endpoints import MOST_FIGURES, processes
from streams.telemetry.endpoint import Endpoint


def test_each_endpoint_is_asked_and_one_that_is_silent_says_why() -> None:
    database = Database("sqlite://")
    figures = SinkFigures(
        records={"warnings": {"stored": 3}},
        stored_at=2e9,
        lag={"churn-warnings/0": 4, "churn-warnings/1": 5},
        member=True,
        broker_silent_s=0.5,
        database=database.timing.figures(),
    )
    with ExitStack() as stack:
        sink, starting = sink_snapshots(), notifier_snapshots()
        places = [
            stack.enter_context(Endpoint(each.probes(), "127.0.0.1:0", each.process)).url[len("http://") :]
            for each in (sink, starting)
        ]
        sink.take(figures)
        with closing(socket.create_server(("127.0.0.1", 0))) as free:
            absent = f"127.0.0.1:{free.getsockname()[1]}"
        found = processes([*places, absent])
    assert [(each.place, each.process, each.healthy, each.ready) for each in found] == [
        (places[0], "sink", True, True),
        (places[1], "notifier", True, False),
        (absent, None, False, False),
    ]
    assert found[0].sum("lapwing_lag_records") == 9
    assert found[0].most("lapwing_lag_records") == 5
    assert found[0].least("lapwing_lag_records") == 4
    assert found[0].sum("lapwing_outbox_waiting") is None
    assert found[2] == ProcessState(absent, error="Connection refused")
    assert {each.name for each in found[0].figures} >= {"lapwing_sink_records_total", "lapwing_lag_records"}
    assert all(each.meaning for each in found[0].figures)
    database.close()


def test_what_is_not_lapwings_is_named_and_an_answer_has_a_bound() -> None:
    rows = "".join(f'lapwing_lag_records{{partition="{n}"}} 1\n' for n in range(3_000))
    answers = {
        "http://a:1/metrics": "# HELP up no\n# TYPE up gauge\nup 1\n",
        "http://b:1/metrics": "<html>",
        "http://c:1/metrics": f'lapwing_build_info{{process="worker",version="1"}} 1\n{rows}',
    }
    strange, other, large = processes(["a:1", "b:1", "c:1"], answers.__getitem__)
    assert strange.error == "this is no process of Lapwing"
    assert other.error
    assert len(large.figures) == MOST_FIGURES
    assert processes([]) == ()
