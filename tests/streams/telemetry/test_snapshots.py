from __future__ import annotations

import json
from dataclasses import dataclass

from streams.telemetry.endpoint import Probes
from streams.telemetry.metric import Kind, Metric
from streams.telemetry.snapshots import Snapshots

SENT = Metric("lapwing_sent_total", Kind.COUNTER, "What was sent.")


@dataclass(frozen=True)
class Figures:
    sent: int


def test_the_newest_figures_are_shown_and_taking_them_is_the_sign_of_life() -> None:
    now = 0.0
    snapshots: Snapshots[Figures] = Snapshots(
        "sink",
        (SENT,),
        lambda figures: {SENT: {(): figures.sent}},
        lambda figures: () if figures.sent else ("nothing was sent",),
        stuck_s=5,
        also=(lambda: ("a thread has ended",) if now > 9 else (),),
        clock=lambda: now,
    )
    probes = snapshots.probes()
    now = 100.0
    assert probes.answer("/healthz")[0] == 200  # what comes before the work may take long
    now = 0.0
    begun: list[bool] = []
    snapshots.on_first = lambda: begun.append(True)
    assert probes.answer("/healthz")[0] == 200
    assert probes.answer("/readyz")[2] == b"not ready\nthe sink is starting\n"
    assert b"\nlapwing_sent_total " not in probes.answer("/metrics")[2]
    assert json.loads(probes.answer("/status")[2]) == {}
    assert verdicts(probes) == (1, 0)
    now = 4.0
    snapshots.take(Figures(0))
    assert probes.answer("/readyz") == (503, "text/plain; charset=utf-8", b"not ready\nnothing was sent\n")
    snapshots.take(Figures(7))
    assert begun == [True]
    assert probes.answer("/readyz")[2] == b"ready\n"
    assert verdicts(probes) == (1, 1)
    assert b"\nlapwing_sent_total 7.0\n" in probes.answer("/metrics")[2]
    assert json.loads(probes.answer("/status")[2])["sent"] == 7
    now = 9.5
    status, _, content = probes.answer("/healthz")
    assert (status, content.splitlines()[0]) == (503, b"not healthy")
    assert b"the loop of the sink has not turned for 6 s" in content
    assert content.endswith(b"a thread has ended\n")
    assert b"has not turned" in probes.answer("/readyz")[2]
    assert verdicts(probes) == (0, 0)


def verdicts(probes: Probes) -> tuple[float | None, float | None]:
    """Return what the metrics say of /healthz and /readyz."""
    value = probes.registry.get_sample_value
    return value("lapwing_healthy"), value("lapwing_ready")
