"""Mapped records beside records of the contract: how many are decoded in a second of each, in one run.

python -m benchmarks.inputs [--events 200000] [--poll 5000]

The plain alternative is what somebody would write first: a loop over the records, each mapped by itself and
written as JSON for the same decoder.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from ruamel.yaml import YAML

from streams.contract.decode import decode_poll
from streams.core.events.topics import Topic
from streams.inputs.load import parse_inputs
from tests.oracle import inputs as one_by_one

MAPPING: Final = """
version: 1
sources:
  shop:
    topic: shop.orders
    events:
      - to: orders
        where: {state: [paid, refunded]}
        fields:
          event_id: {hash: [id, state]}
          customer_id: {path: customer.id, prefix: "shop-"}
          occurred_at: {path: created, time: epoch_ms}
          order_id: id
          amount: {path: total_cents, minor_units: EUR}
          status: {path: state, map: {paid: placed, refunded: returned}}
          currency: {constant: EUR}
          channel: {path: source.name, default: web, lower: true}
"""
SKEW_US: Final = 0
LATER_MS: Final = 4_000_000_000_000


def foreign(number: int, customers: int) -> dict[str, Any]:
    """Return an order as a shop writes it, with much that nobody reads."""
    return {
        "id": 1_000_000 + number,
        "state": "refunded" if number % 30 == 0 else "paid",
        "customer": {"id": number % customers, "name": "Ada Lovelace", "email": "ada@example.org"},
        "created": 1_700_000_000_000 + number * 1_000,
        "total_cents": number % 20_000,
        "source": {"name": "App" if number % 3 else None, "version": "4.2"},
        "items": [{"sku": f"sku-{number % 97}", "count": 2}, {"sku": "b", "count": 1}],
    }


def rates(
    decode: Callable[[Sequence[bytes]], int], records: Sequence[bytes], poll: int
) -> tuple[float, float]:
    """Return how many records are decoded in a second, and in a second of processor time, poll by poll.

    Each has to become one event. On a machine that does much else the second figure is the steadier one.
    """
    begun, used = time.perf_counter(), time.process_time()
    made = sum(decode(records[i : i + poll]) for i in range(0, len(records), poll))
    took, cost = time.perf_counter() - begun, time.process_time() - used
    assert made == len(records), (made, len(records))
    return len(records) / took, len(records) / cost


def main() -> None:
    """Measure each way in turn, three times, and print the best of each."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--poll", type=int, default=5_000)
    arguments = parser.parse_args()
    source = parse_inputs("inputs.yaml", MAPPING.encode()).sources["shop"]
    entry = _plain_mapping()
    records = [json.dumps(foreign(number, arguments.poll)).encode() for number in range(arguments.events)]
    native = source.map(records).parts[0].values
    keys = [str(number).encode() for number in range(arguments.poll)]
    own_keys = [b"shop-" + key for key in keys]
    stamps = [LATER_MS] * arguments.poll

    def contract(values: Sequence[bytes]) -> int:
        n = len(values)
        return len(decode_poll(Topic.ORDERS, values, own_keys[:n], stamps[:n], max_skew_us=SKEW_US).batch)

    def mapped(values: Sequence[bytes]) -> int:
        n = len(values)
        return len(source.decode(values, keys[:n], stamps[:n], max_skew_us=SKEW_US).batch)

    def loop(values: Sequence[bytes]) -> int:
        events = [one_by_one.judge("shop", entry, value).events[0] for value in values]
        return contract([json.dumps(event).encode() for event in events])

    few = records[: max(arguments.poll, arguments.events // 20)]
    ways: list[tuple[str, Callable[[Sequence[bytes]], int], Sequence[bytes]]] = [
        ("records of the contract", contract, native),
        ("mapped records", mapped, records),
        ("mapped one by one, in a Python loop", loop, few),
    ]
    best = dict.fromkeys((name for name, _, _ in ways), (0.0, 0.0))
    for _ in range(3):
        for name, decode, given in ways:
            wall, processor = rates(decode, given, arguments.poll)
            best[name] = max(best[name][0], wall), max(best[name][1], processor)
    print(f"{arguments.events} records of {len(records[0])} bytes, {arguments.poll} a poll, one thread")
    print(f"{'':<40}{'a second':>12}{'a second of processor time':>30}")
    for name, (wall, processor) in best.items():
        print(f"{name:<40}{wall:>12,.0f}{processor:>30,.0f}")


def _plain_mapping() -> dict[str, Any]:
    """Return the mapping's source as the loop reads it: plain values."""
    found: dict[str, Any] = YAML(typ="safe", pure=True).load(MAPPING)["sources"]["shop"]
    return found


if __name__ == "__main__":
    main()
