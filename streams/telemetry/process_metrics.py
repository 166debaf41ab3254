"""Metrics that processes of several kinds have."""

from __future__ import annotations

from typing import Final

from streams.telemetry.metric import gauge

PLACE: Final = ("topic", "partition")

LAG: Final = gauge("lag_records", "Records that the broker has and this process has not taken.", *PLACE)
ASSIGNED: Final = gauge("partitions_assigned", "Partitions that the group has given this process.")
SILENCE: Final = gauge(
    "broker_silent_seconds",
    "For how long the broker has answered nothing; absent where nothing is asked.",
)
OUTBOX: Final = gauge("outbox_waiting", "What is on its way out and has not arrived.")
OUTBOX_SINCE: Final = gauge(
    "outbox_oldest_timestamp_seconds", "Since when the oldest of it is due; absent where nothing is."
)
