"""What we use of aiokafka and Faust beyond their documented interfaces is still there.

A new version of either is tried by raising its bound in `pyproject.toml`: what is gone fails here by name,
before it fails at a broker.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from typing import Any

import aiokafka  # type: ignore[import-untyped]  # ships no types
import faust
import pytest
from aiokafka.consumer import fetcher, group_coordinator, subscription_state  # type: ignore[import-untyped]  # none
from aiokafka.record import default_records  # type: ignore[import-untyped]  # none
from faust.streams import Stream
from faust.transport.drivers import aiokafka as driver

from streams.intake import record_batches, transport
from streams.worker import app, run, segment_judge

USED: dict[type[Any], tuple[str, ...]] = {
    aiokafka.AIOKafkaConsumer: (
        *("_fetch_max_wait_ms", "_fetcher", "_subscription", "_coordinator"),
        *("_isolation_level", "beginning_offsets", "seek", "partitions_for_topic"),
    ),
    fetcher.Fetcher: ("_records",),
    fetcher.FetchResult: (
        *("has_more", "check_assignment", "getall"),
        *("_topic_partition", "_partition_records", "_update_position"),
    ),
    fetcher.PartitionRecords: (
        *("_records", "_records_iterator", "_check_crcs", "_isolation_level"),
        *("_consume_aborted_up_to", "_contains_abort_marker", "_aborted_producers", "next_fetch_offset"),
    ),
    default_records.DefaultRecordBatch: (
        *("producer_id", "base_offset", "next_offset", "is_control_batch", "is_transactional"),
        "validate_crc",
    ),
    group_coordinator.GroupCoordinator: (
        *("_commit_lock", "_do_commit_offsets"),
        *("generation", "ensure_coordinator_known", "fetch_committed_offsets"),
    ),
    subscription_state.SubscriptionState: ("subscription",),
    subscription_state.Subscription: ("assignment",),
    subscription_state.Assignment: ("tps", "active", "state_value"),
    subscription_state.TopicPartitionState: (
        "has_valid_position",
        "position",
        "highwater",
        "lso",
        "timestamp",
    ),
    driver.AIOKafkaConsumerThread: (
        *("__post_init__", "_create_consumer", "_fetch_records", "_ensure_consumer"),
        *("call_thread", "earliest_offsets", "consumer"),
    ),
    driver.Consumer: (
        *("_new_consumer_thread", "_to_message", "_read_offset", "_thread", "_commit"),
        *("on_partitions_assigned", "on_partitions_revoked", "perform_seek", "commit", "on_buffer_full"),
        *("flow_active", "scheduler", "app", "loop", "beacon"),
    ),
    driver.Producer: ("_ensure_producer",),
    driver.Transport: ("Consumer", "driver_version"),
    faust.App: (
        *("_create_directories", "consumer", "consumer_generation_id", "producer"),
        *("crashed", "crash_reason", "should_stop", "rebalancing", "sleep"),
    ),
    Stream: ("noack",),
}

OURS = (transport, record_batches, app, run, segment_judge)
"""The modules that may use what is private to these two."""


def attributes_of(kind: type[Any]) -> set[str]:
    """Return what instances of a class have: what it and its bases define, and what their methods assign."""
    found = set(dir(kind))
    for base in kind.__mro__:
        found |= set(getattr(base, "__annotations__", ()))
        try:
            tree = ast.parse(textwrap.dedent(inspect.getsource(base)))
        except (OSError, TypeError):  # a class of an extension module
            continue
        found |= {
            node.attr
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute)
            and isinstance(node.ctx, ast.Store)
            and isinstance(node.value, ast.Name)
            and node.value.id == "self"
        }
    return found


@pytest.mark.parametrize("kind", USED, ids=lambda kind: f"{kind.__module__}.{kind.__name__}")
def test_what_we_use_is_there(kind: type[Any]) -> None:
    gone = sorted(set(USED[kind]) - attributes_of(kind))
    assert gone == [], f"{kind.__module__}.{kind.__name__} has no {', '.join(gone)} any more"


@pytest.mark.parametrize("module", OURS, ids=lambda module: module.__name__)
def test_every_private_name_that_we_use_is_listed(module: Any) -> None:
    tree = ast.parse(inspect.getsource(module))
    own = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    own |= {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and is_assignment_to_self(node)
    }
    used = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr.startswith("_") and not node.attr.startswith("__")
    }
    listed = {name for names in USED.values() for name in names}
    assert sorted(used - own - listed) == []


@pytest.mark.parametrize("ours", [transport.ConsumerThread, transport.Consumer, app.WorkerApp])
def test_every_method_that_we_override_is_listed(ours: type[Any]) -> None:
    theirs = ours.__mro__[1]
    listed = {name for kind, names in USED.items() if issubclass(theirs, kind) for name in names}
    overridden = {
        name for name, value in vars(ours).items() if inspect.isfunction(value) and hasattr(theirs, name)
    }
    assert sorted(overridden - listed) == []


def test_a_name_that_is_gone_is_found() -> None:
    class Newer(fetcher.Fetcher):  # type: ignore[misc]  # aiokafka ships no types
        pass

    assert "_records" in attributes_of(Newer)
    assert "_buffered" not in attributes_of(Newer)


def is_assignment_to_self(node: ast.Attribute) -> bool:
    return isinstance(node.ctx, ast.Store) and isinstance(node.value, ast.Name) and node.value.id == "self"
