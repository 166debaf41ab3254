"""The edge to Kafka: the only file here that imports `kafka`; its errors leave as `BrokerError`.

Every consumer reads committed records only: those of an aborted transaction are never seen.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from kafka import (  # type: ignore[import-untyped]  # kafka-python ships no types
    KafkaAdminClient,
    KafkaConsumer,
    KafkaProducer,
    TopicPartition,
)
from kafka import errors as kafka_errors
from kafka.admin import ConfigResource, ConfigResourceType  # type: ignore[import-untyped]
from kafka.net.compat import KafkaNetClient  # type: ignore[import-untyped]
from kafka.net.sasl.oauth import AbstractTokenProvider  # type: ignore[import-untyped]
from kafka.structs import MemberState, OffsetAndMetadata  # type: ignore[import-untyped]

from consumers.broker.errors import BrokerAway, GroupChanged, broker_error
from consumers.broker.records import Record
from consumers.broker.topics import TopicState
from streams.errors import BrokerError
from streams.kafka.diagnosis import diagnose
from streams.kafka.errors import BrokerTrouble, no_topic, trouble_of
from streams.kafka.security import SECURITY_KEYS, Security, tls_context, without_files
from streams.kafka.tokens import TokenSource, token_source

BOOTSTRAP_MS: Final = (2_000, 6_000)
"""How long each attempt to connect lasts; after each the broker is asked for the cause."""
BLOCK_MS: Final = 8_000
CLOSE_MS: Final = 3_000
LINGER_MS: Final = 5
COMMIT_MS: Final = 10_000

_COORDINATOR_WITHIN_S: Final = 10.0
_NO_COORDINATOR_YET: Final = (
    kafka_errors.CoordinatorNotAvailableError,
    kafka_errors.CoordinatorLoadInProgressError,
    kafka_errors.NotCoordinatorError,
)

PLACES_POLL_MS: Final = 100

ENDS_S: Final = 5.0
"""How long a reader of what comes next waits to learn where a topic ends."""

TRANSACTION_S: Final = 3.0
"""After so long without a record, what is left may lie behind an open transaction."""

LOG_EVERY_S: Final = 30.0

log = logging.getLogger(__name__)
_client_log = logging.getLogger("kafka")


Place = tuple[str, int]
"""A partition of a topic."""


class _RateLimited(logging.Handler):
    """Passes on one of the client's errors each half minute: it logs several at each of many attempts."""

    _logged_at = -LOG_EVERY_S

    def emit(self, record: logging.LogRecord) -> None:
        now = time.monotonic()
        if now - self._logged_at >= LOG_EVERY_S:
            self._logged_at = now
            log.warning("Kafka: %s; it is tried again", record.getMessage())


_client_log.addHandler(_RateLimited(logging.ERROR))
_client_log.setLevel(logging.WARNING)
_client_log.propagate = False


@contextmanager
def _mapped(servers: str) -> Iterator[None]:
    """Let the client's errors leave as `BrokerError`."""
    try:
        yield
    except (kafka_errors.KafkaError, OSError, ValueError, TypeError, RuntimeError, AssertionError) as error:
        raise broker_error(error, servers) from error


@contextmanager
def _unlogged() -> Iterator[None]:
    """Keep the client from logging attempts at the start and cancelled requests at the end."""
    level = _client_log.level
    _client_log.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        _client_log.setLevel(level)


class _TokenProvider(AbstractTokenProvider):  # type: ignore[misc]  # kafka-python ships no types
    """Gives the client its tokens; without one the connection fails, and is tried again."""

    def __init__(self, source: TokenSource) -> None:
        self._source = source

    def token(self) -> str:
        try:
            return self._source.token()
        except BrokerError as error:
            raise kafka_errors.KafkaConnectionError(str(error)) from error


def _security_options(security: Security) -> dict[str, Any]:
    options: dict[str, Any] = {**without_files(security), "ssl_context": tls_context(security)}
    if source := token_source(security):
        options["sasl_oauth_token_provider"] = _TokenProvider(source)
    return options


@dataclass(frozen=True, slots=True)
class Cluster:
    """Where the broker is and how to get in."""

    servers: str
    security: Security = field(default_factory=dict, repr=False)

    def connect(self, client: Callable[..., Any], **options: Any) -> Any:
        """Return a connected client of `kafka`, or raise `BrokerError` with the cause."""
        unknown = sorted(set(self.security) - SECURITY_KEYS)
        if unknown:
            msg = (
                f"unknown Kafka security setting {unknown[0]!r}; there are {', '.join(sorted(SECURITY_KEYS))}"
            )
            raise BrokerError(msg)
        options |= _security_options(self.security)
        for patience_ms in BOOTSTRAP_MS[:-1]:
            try:
                return self._meet(client, patience_ms, options)
            except BrokerAway as error:
                # The client sees only that connections end; an absent broker is given more time.
                found = diagnose(self.servers, self.security)
                if found is not None and found.trouble is not BrokerTrouble.ABSENT:
                    raise BrokerError(found.text) from error
        try:
            return self._meet(client, BOOTSTRAP_MS[-1], options)
        except BrokerAway as error:
            found = diagnose(self.servers, self.security)
            raise BrokerAway(found.text if found else str(error)) from error

    def _meet(self, client: Callable[..., Any], patience_ms: int, options: Mapping[str, Any]) -> Any:
        begun: list[Any] = []

        def net_client(**config: Any) -> Any:
            begun.append(KafkaNetClient(**config))
            return begun[-1]

        # The client logs each failed attempt as an error; one error is raised for all.
        with _mapped(self.servers), _unlogged():
            try:
                return client(
                    bootstrap_servers=[server.strip() for server in self.servers.split(",")],
                    bootstrap_timeout_ms=patience_ms,
                    kafka_client=net_client,
                    **options,
                )
            except BaseException:
                for half in begun:
                    half.close()
                raise


class Subscription:
    """The records of a topic: a member of a group's share, or all of them where `group` is `None`."""

    def __init__(
        self,
        cluster: Cluster,
        topic: str,
        *,
        group: str | None,
        from_beginning: bool = True,
        max_records: int = 5_000,
        session_timeout_ms: int = 45_000,
        partitions: Collection[int] | None = None,
    ) -> None:
        """Take what to read; without a group `partitions` may name some of the topic's.

        Who has no group and reads not `from_beginning` gets what is sent from now on.
        """
        self._cluster = cluster
        self._polled_at = time.monotonic()
        self._consumer = cluster.connect(
            KafkaConsumer,
            group_id=group,
            enable_auto_commit=False,
            auto_offset_reset="earliest" if from_beginning else "latest",
            allow_auto_create_topics=False,
            isolation_level="read_committed",
            max_poll_records=max_records,
            session_timeout_ms=session_timeout_ms,
            heartbeat_interval_ms=min(3_000, session_timeout_ms // 3),
        )
        try:
            with _mapped(cluster.servers):
                found = sorted(self._consumer.partitions_for_topic(topic))
                if not found:
                    raise BrokerError(no_topic(f"Kafka at {cluster.servers}", topic))
                if group is None:
                    chosen = [p for p in found if partitions is None or p in partitions]
                    self._consumer.assign([TopicPartition(topic, p) for p in chosen])
                else:
                    self._consumer.subscribe([topic])
            if group is None and not from_beginning:
                # Not left to `latest`: where the embedded broker puts the end, the last batch is yet to come.
                for number, end in self.ends(ENDS_S).items():
                    self._consumer.seek(TopicPartition(topic, number), end)
        except BaseException:
            self.close()
            raise

    def there(self, topics: Collection[str]) -> set[str]:
        """Return which of the topics exist, as far as the broker shows them to this user."""
        with _mapped(self._cluster.servers):
            return set(topics) & set(self._consumer.topics())

    def take_up(self, topics: Collection[str]) -> set[str]:
        """Let the group read these topics too, each from its beginning, if they exist; return which do."""
        found = self.there(topics)
        if found:
            with _mapped(self._cluster.servers):
                self._consumer.subscribe(sorted(found | set(self._consumer.subscription())))
        return found

    def topics(self) -> set[str]:
        """Return the topics that the group is asked to read."""
        return set(self._consumer.subscription() or ())

    def let_go(self, topics: Collection[str]) -> None:
        """Let the group read these topics no more; one at least must stay."""
        with _mapped(self._cluster.servers):
            self._consumer.subscribe(sorted(self.topics() - set(topics)))

    def seek(self, offset: int) -> None:
        """Read on from an offset of every assigned partition."""
        with _mapped(self._cluster.servers):
            for tp in self._consumer.assignment():
                self._consumer.seek(tp, offset)

    def seek_each(self, offsets: Mapping[int, int]) -> None:
        """Read on from these offsets of assigned partitions."""
        with _mapped(self._cluster.servers):
            for tp in self._consumer.assignment():
                self._consumer.seek(tp, offsets[tp.partition])

    def assigned(self) -> frozenset[int]:
        """Return the partitions that are assigned to this reader."""
        with _mapped(self._cluster.servers):
            return frozenset(tp.partition for tp in self._consumer.assignment())

    def positions(self) -> dict[int, int]:
        """Return the offset of the next record of each assigned partition, where it is known."""
        with _mapped(self._cluster.servers):
            found = {
                tp.partition: self._consumer.position(tp, timeout_ms=1_000)
                for tp in self._consumer.assignment()
            }
        return {partition: offset for partition, offset in found.items() if offset is not None}

    def seek_back(self, count: int, timeout_s: float) -> None:
        """Read on from the newest `count` records of each assigned partition."""
        ends = self.ends(timeout_s)
        with _mapped(self._cluster.servers):
            for tp in self._consumer.assignment():
                self._consumer.seek(tp, max(0, ends.get(tp.partition, 0) - count))

    def poll(self, timeout_s: float, most: int | None = None) -> list[Record]:
        """Return the new records, in each partition's order; wait up to `timeout_s` for the first.

        There are `most` at the most, by default as many as the subscription was made with.
        """
        with _mapped(self._cluster.servers):
            polled = self._consumer.poll(timeout_ms=int(timeout_s * 1000), max_records=most)
        if polled:
            self._polled_at = time.monotonic()
        return [_record_of(r) for records in polled.values() for r in records]

    def commit(self, offsets: Mapping[tuple[str, int], int]) -> None:
        """Commit the offset of the next record to read of each (topic, partition) that is assigned.

        Raises `GroupChanged` where none of them is, or the group takes nothing now.
        """
        with _mapped(self._cluster.servers):
            # Kafka takes a member's commit of any partition: one that has moved away might be turned back.
            assigned = self._consumer.assignment()
            if not assigned & offsets.keys():
                msg = f"Kafka at {self._cluster.servers}: the partitions are another member's now"
                raise GroupChanged(msg)
            self._consumer.commit(
                {
                    TopicPartition(*at): OffsetAndMetadata(offset, "", -1)
                    for at, offset in offsets.items()
                    if at in assigned
                },
                timeout_ms=COMMIT_MS,
            )

    def _behind(self) -> dict[tuple[str, int], int | None]:
        """Return how many records are yet to be read of each assigned partition, `None` where unknown."""
        # The fetch response's high-water mark, not ListOffsets: the embedded broker answers the latter short.
        with _mapped(self._cluster.servers):
            marks = [(tp, self._consumer.highwater(tp)) for tp in self._consumer.assignment()]
            return {
                (tp.topic, tp.partition): None
                if mark is None
                else max(0, mark - (self._consumer.position(tp, timeout_ms=1_000) or 0))
                for tp, mark in marks
            }

    def lag_by_partition(self) -> dict[str, int]:
        """Return by `topic/partition` how many records are yet to be read, where known."""
        behind = sorted(self._behind().items())
        return {f"{topic}/{number}": n for (topic, number), n in behind if n is not None}

    def is_member(self) -> bool:
        """Return whether it is a member of its group that has been given its share."""
        return bool(self._consumer.group_metadata().state == MemberState.STABLE)

    def silent_s(self) -> float | None:
        """Return for how long the broker has answered no heartbeat; `None` before the first."""
        # The client has no other sign: it polls an absent broker as it does an idle one.
        heartbeat = self._consumer._coordinator.heartbeat
        answered = max(heartbeat.last_receive, heartbeat.last_reset)
        return None if answered == -math.inf else max(0.0, time.monotonic() - answered)

    def lags(self) -> dict[str, int]:
        """Return by topic how many records are yet to be read of the assigned partitions, where known."""
        lags: dict[str, int] = {}
        for (topic, _), behind in self._behind().items():
            if behind is not None:
                lags[topic] = lags.get(topic, 0) + behind
        return lags

    def lag(self) -> int | None:
        """Return how many records are yet to be read of all assigned partitions, `None` where unknown."""
        lags = self.lags()
        return sum(lags.values()) if lags else None

    def at_end(self) -> bool:
        """Return whether every record that was there at the last fetch, and was committed, has been read."""
        behind = self._behind().values()
        if not behind:  # a member for whom the group had no partition left
            return bool(self._consumer.group_metadata().state == MemberState.STABLE)
        if None in behind:
            return False
        return all(b == 0 for b in behind) or self._waits_for_a_transaction()

    def _waits_for_a_transaction(self) -> bool:
        """Return whether what is left lies behind a transaction that is neither committed nor aborted."""
        # The embedded broker answers any end: only where nothing has come for a while is it asked at all.
        if time.monotonic() - self._polled_at < TRANSACTION_S:
            return False
        with _mapped(self._cluster.servers):
            # A client that reads committed records gets the last stable offset as the end.
            ends = self._consumer.end_offsets(list(self._consumer.assignment()))
            return all(self._consumer.position(at, timeout_ms=1_000) >= end for at, end in ends.items())

    def begins(self) -> dict[int, int]:
        """Return where each assigned partition begins now."""
        with _mapped(self._cluster.servers):
            begins = self._consumer.beginning_offsets(list(self._consumer.assignment()))
        return {at.partition: begin for at, begin in begins.items()}

    def ends(self, timeout_s: float) -> dict[int, int]:
        """Return each assigned partition's end where the broker gives it in time; records are read."""
        deadline = time.monotonic() + timeout_s
        while None in self._behind().values() and time.monotonic() < deadline:
            self.poll(0.1)
        with _mapped(self._cluster.servers):
            marks = {at.partition: self._consumer.highwater(at) for at in self._consumer.assignment()}
        return {number: mark for number, mark in marks.items() if mark is not None}

    def close(self) -> None:
        """Leave the group and close; nothing is committed."""
        with _mapped(self._cluster.servers), _unlogged():
            self._consumer.close(autocommit=False, timeout_ms=CLOSE_MS)


class Places:
    """The partitions of some topics that are there, read in one pass and as no group's member."""

    def __init__(self, cluster: Cluster, topics: Collection[str]) -> None:
        self._cluster = cluster
        self._consumer = cluster.connect(
            KafkaConsumer,
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="latest",
            allow_auto_create_topics=False,
            isolation_level="read_committed",
        )
        try:
            with _mapped(cluster.servers):
                self._all = [
                    TopicPartition(topic, number)
                    for topic in sorted(topics)
                    for number in sorted(self._consumer.partitions_for_topic(topic) or ())
                ]
                self._consumer.assign(self._all)
        except BaseException:
            self.close()
            raise

    def ends(self, timeout_s: float) -> dict[Place, int]:
        """Return the high-water marks that the broker gives in time."""
        # From answers to fetches, not ListOffsets: the embedded broker answers the latter short.
        deadline = time.monotonic() + timeout_s
        with _mapped(self._cluster.servers):
            while True:
                marks = {(at.topic, at.partition): self._consumer.highwater(at) for at in self._all}
                if None not in marks.values() or time.monotonic() > deadline:
                    return {place: mark for place, mark in marks.items() if mark is not None}
                self._consumer.poll(timeout_ms=PLACES_POLL_MS)

    def stable_ends(self) -> dict[Place, int]:
        """Return where the first open transaction of each place begins, else its end."""
        with _mapped(self._cluster.servers):
            # A client that reads committed records gets the last stable offset as the end.
            ends = self._consumer.end_offsets(self._all)
        return {(at.topic, at.partition): end for at, end in ends.items()}

    def begins(self) -> dict[Place, int]:
        """Return the oldest offset that is kept of each place."""
        with _mapped(self._cluster.servers):
            begins = self._consumer.beginning_offsets(self._all)
        return {(at.topic, at.partition): begin for at, begin in begins.items()}

    def first_from(self, offsets: Mapping[Place, int], timeout_s: float) -> dict[Place, Record]:
        """Return the first record from an offset on of each of these places, where there is one in time."""
        found: dict[Place, Record] = {}
        deadline = time.monotonic() + timeout_s
        with _mapped(self._cluster.servers):
            waited = {TopicPartition(*place) for place in offsets}
            self._consumer.assign(sorted(waited))
            self._consumer.resume(*waited)
            for at in waited:
                self._consumer.seek(at, offsets[at.topic, at.partition])
            while waited and time.monotonic() < deadline:
                for at, records in self._consumer.poll(timeout_ms=PLACES_POLL_MS).items():
                    found.setdefault((at.topic, at.partition), _record_of(records[0]))
                waited = {
                    at for at in waited if (at.topic, at.partition) not in found and not self._is_at_end(at)
                }
                self._consumer.pause(*(at for at in self._consumer.assignment() if at not in waited))
            self._consumer.assign(self._all)
        return found

    def newest(self, timeout_s: float) -> dict[Place, Record]:
        """Return the newest record of each place; none where the newest is a transaction's mark."""
        last = {place: end - 1 for place, end in self.ends(timeout_s).items() if end > 0}
        return self.first_from(last, timeout_s)

    def _is_at_end(self, at: TopicPartition) -> bool:
        mark = self._consumer.highwater(at)
        return mark is not None and (self._consumer.position(at, timeout_ms=1_000) or 0) >= mark

    def close(self) -> None:
        """Close; nothing is committed."""
        with _mapped(self._cluster.servers), _unlogged():
            self._consumer.close(autocommit=False, timeout_ms=CLOSE_MS)


def _record_of(r: Any) -> Record:
    return Record(r.topic, r.partition, r.offset, r.timestamp, r.key, r.value, tuple(r.headers or ()))


class Producer:
    """Sends records; an error in the background is raised by the next `flush`."""

    def __init__(
        self,
        cluster: Cluster,
        *,
        compression: str | None = None,
        max_bytes: int = 4 * 1024 * 1024,
        block_ms: int = BLOCK_MS,
        within_ms: int | None = None,
    ) -> None:
        """Connect; a record that is not acknowledged `within_ms` has failed, by default after two minutes."""
        self._cluster = cluster
        self._failed: Exception | None = None
        patience = (
            {}
            if within_ms is None
            else {"delivery_timeout_ms": within_ms, "request_timeout_ms": within_ms // 2}
        )
        self._producer = cluster.connect(
            KafkaProducer,
            compression_type=compression,
            linger_ms=LINGER_MS,
            batch_size=256 * 1024,
            max_request_size=max_bytes,
            max_block_ms=block_ms,
            allow_auto_create_topics=False,
            **patience,
        )

    def send(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        timestamp_ms: int | None = None,
        headers: Sequence[tuple[str, bytes]] = (),
        partition: int | None = None,
    ) -> None:
        """Send a record soon."""
        with _mapped(self._cluster.servers):
            sent = self._producer.send(
                topic,
                value=value,
                key=key,
                headers=list(headers),
                partition=partition,
                timestamp_ms=timestamp_ms,
            )
        sent.add_errback(self._on_error)

    def _on_error(self, error: Exception) -> None:
        self._failed = self._failed or error

    def deliver(
        self,
        topic: str,
        key: bytes | None,
        value: bytes,
        headers: Sequence[tuple[str, bytes]],
        on_done: Callable[[BrokerError | None], None],
    ) -> None:
        """Send a record; `on_done` is called in another thread, once it is acknowledged or has failed.

        Raises `BrokerError`, and then `on_done` is not called.
        """
        servers = self._cluster.servers
        with _mapped(servers):
            sent = self._producer.send(topic, value=value, key=key, headers=list(headers))

        def failed(error: Exception) -> None:
            found = broker_error(error, servers)
            found.__cause__ = error
            on_done(found)

        sent.add_callback(lambda _: on_done(None))
        sent.add_errback(failed)

    def flush(self, timeout_s: float = 30.0) -> None:
        """Wait until all that was sent is acknowledged, or raise the first error since the last flush."""
        with _mapped(self._cluster.servers):
            self._producer.flush(timeout=timeout_s)
            if self._failed is not None:
                failed, self._failed = self._failed, None
                raise failed

    def close(self) -> None:
        """Close; what was not flushed is sent if it can be within a few seconds."""
        with _mapped(self._cluster.servers), _unlogged():
            self._producer.close(timeout=CLOSE_MS / 1000)


class Admin:
    """Lists and creates topics."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._admin = cluster.connect(KafkaAdminClient)

    def partitions(self) -> dict[str, int]:
        """Return the number of partitions of each topic there is."""
        return {name: topic.partitions for name, topic in self.describe().items()}

    def describe(self) -> dict[str, TopicState]:
        """Return what the broker says of each topic there is."""
        with _mapped(self._cluster.servers):
            return {
                topic["name"]: _state_of(topic)
                for topic in self._admin.describe_topics()
                if topic["error_code"] == 0
            }

    def version(self) -> str:
        """Return the version of Kafka whose requests the broker knows, such as `4.1`."""
        with _mapped(self._cluster.servers):
            found: tuple[int, ...] = self._admin._manager.broker_version
        return ".".join(map(str, found))

    def create(self, topic: str, partitions: int, replication: int, config: Mapping[str, str]) -> bool:
        """Create a topic and wait until it can be used; return `False` where it is there already."""
        try:
            with _mapped(self._cluster.servers):
                self._admin.create_topics(
                    {
                        topic: {
                            "num_partitions": partitions,
                            "replication_factor": replication,
                            "configs": dict(config),
                        }
                    },
                    wait_for_metadata=True,
                )
        except BrokerError as error:
            if isinstance(error.__cause__, kafka_errors.TopicAlreadyExistsError):
                return False
            raise
        return True

    def configs(self, names: Collection[str]) -> dict[str, dict[str, str]]:
        """Return the settings of these topics, as far as the broker reports them."""
        if not names:
            return {}
        asked = [ConfigResource(ConfigResourceType.TOPIC, name, None) for name in sorted(names)]
        try:
            with _mapped(self._cluster.servers):
                found = self._admin.describe_configs(asked, config_filter="all").get("topic", {})
        except BrokerError as error:
            if trouble_of(error.__cause__ or error) is BrokerTrouble.DENIED:
                return {}  # who may not ask may still read and write
            raise
        return {
            topic: {name: str(each["value"]) for name, each in values.items() if each["value"] is not None}
            for topic, values in found.items()
        }

    def committed(self, group: str) -> dict[tuple[str, int], int]:
        """Return the offsets that a group has committed.

        A cluster that no group has used yet makes the topic of offsets when it is asked for the first time,
        and one whose brokers change over has no coordinator for a moment: it is asked again.
        """
        until = time.monotonic() + _COORDINATOR_WITHIN_S
        with _mapped(self._cluster.servers):
            while True:
                try:
                    offsets = self._admin.list_group_offsets(group)[group]
                except _NO_COORDINATOR_YET:
                    if time.monotonic() > until:
                        raise
                    time.sleep(0.2)
                else:
                    return {(at.topic, at.partition): offset.offset for at, offset in offsets.items()}

    def close(self) -> None:
        """Close."""
        with _mapped(self._cluster.servers), _unlogged():
            self._admin.close()


def _state_of(topic: Mapping[str, Any]) -> TopicState:
    partitions = topic["partitions"]
    allowed = topic.get("authorized_operations")
    return TopicState(
        len(partitions),
        min((len(each["replica_nodes"]) for each in partitions), default=0),
        tuple(each["partition_index"] for each in partitions if each["leader_id"] < 0),
        tuple(
            each["partition_index"]
            for each in partitions
            if len(each["isr_nodes"]) < len(each["replica_nodes"])
        ),
        None if allowed is None else frozenset(allowed),
    )
