from __future__ import annotations

from streams.telemetry.health import Heartbeat, always


def test_a_loop_that_turns_is_well_and_one_that_does_not_is_named() -> None:
    now = 0.0
    heartbeat = Heartbeat("the loop", 10, lambda: now)
    now = 10.0
    assert heartbeat.reasons() == ()
    now = 10.5
    (reason,) = heartbeat.reasons()
    assert reason.startswith("the loop has not turned for 10 s; ")
    heartbeat.beat()
    assert heartbeat.reasons() == ()


def test_what_is_always_well_has_no_reasons() -> None:
    assert always() == ()
