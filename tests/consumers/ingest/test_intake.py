from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from consumers.broker.errors import BrokerAway, TopicMissing
from consumers.ingest.intake import LARGEST_REJECTED, Delivery, Intake, Offer, Outcome
from streams.contract.rejected import RefusalReason, read_rejected_headers
from streams.errors import BrokerError
from tests.consumers.ingest.brokers import REJECTED, WITHIN_S, StubBroker, source_of, until

ORDER = b'{"customer": "c1"}'


class RecordTooLargeError(Exception):
    """Named as the client's."""


@contextmanager
def running(broker: StubBroker, most: int = 1_000) -> Iterator[Intake]:
    intake = Intake(broker.connect, REJECTED, most=most)
    intake.start()
    if broker.away is None:
        assert broker.connected.wait(WITHIN_S)
        until(lambda: intake.trouble is None)
    try:
        yield intake
    finally:
        intake.stop()


def delivery(body: bytes = ORDER) -> Delivery:
    return Delivery(source_of("signed"), body, body)


def outcome(intake: Intake, one: Delivery) -> Outcome:
    assert intake.offer(one) is Offer.ACCEPTED
    return one.outcome.result(WITHIN_S)


def test_events_are_written_and_a_delivery_is_taken_when_they_are_acknowledged() -> None:
    broker = StubBroker(holds=True)
    with running(broker) as intake:
        one = delivery()
        assert intake.offer(one) is Offer.ACCEPTED
        until(lambda: broker.held)
        assert not one.outcome.done()
        assert intake.under_way == 1
        broker.held.pop()(None)
        assert one.outcome.result(WITHIN_S) is Outcome.TAKEN
        assert intake.under_way == 0
        assert intake.records == {"orders": 1}


def test_what_is_refused_goes_to_the_rejected_topic_with_its_own_bytes(
    caplog: pytest.LogCaptureFixture,
) -> None:
    broker = StubBroker()
    original = b' {"customer": "secret-c", "bad": 1}'
    one = Delivery(source_of("signed", "shop"), original.strip(), original)
    with caplog.at_level(logging.INFO), running(broker) as intake:
        assert outcome(intake, one) is Outcome.REFUSED
        assert intake.refusals == {("shop", "missing_field"): 1}
    ((topic, key, value, headers),) = broker.records
    assert (topic, key, value) == (REJECTED, None, original)
    rejection = read_rejected_headers(headers.items())
    assert rejection.reason is RefusalReason.MISSING_FIELD
    assert (rejection.topic, rejection.partition, rejection.offset) == ("hooks/shop", -1, -1)
    assert "source=shop, reason=missing_field, first: amount: there is none" in caplog.text
    assert "secret-c" not in caplog.text


def test_a_refused_body_is_cut_where_a_broker_would_not_take_it() -> None:
    broker = StubBroker()
    body = json.dumps({"bad": 1, "x": "y" * LARGEST_REJECTED}).encode()
    with running(broker) as intake:
        assert outcome(intake, delivery(body)) is Outcome.REFUSED
    ((_, _, value, headers),) = broker.records
    assert value == body[:LARGEST_REJECTED]
    assert read_rejected_headers(headers.items()).truncated


def test_what_no_filter_takes_is_passed() -> None:
    broker = StubBroker()
    with running(broker) as intake:
        assert outcome(intake, delivery(b'{"skip": 1}')) is Outcome.PASSED
    assert broker.records == []


def test_a_defect_of_one_mapping_fails_that_delivery_alone() -> None:
    broker = StubBroker(holds=True)
    with running(broker) as intake:
        first, *rest = some = [delivery() for _ in range(3)] + [delivery(b'{"crash": 1}')]
        assert intake.offer(first) is Offer.ACCEPTED
        until(lambda: broker.held)
        broker.holds = False
        assert [intake.offer(each) for each in rest] == [Offer.ACCEPTED] * 3
        broker.held.pop()(None)
        found = [each.outcome.result(WITHIN_S) for each in some]
        assert found == [Outcome.TAKEN, Outcome.TAKEN, Outcome.TAKEN, Outcome.FAILED]
        assert outcome(intake, delivery()) is Outcome.TAKEN


def test_without_a_broker_nothing_is_taken_on_and_it_says_why() -> None:
    broker = StubBroker(away=BrokerAway("Kafka at x cannot be reached"))
    with running(broker) as intake:
        assert intake.offer(delivery()) is Offer.AWAY
        until(lambda: intake.broker_errors)
        assert intake.trouble == "Kafka at x cannot be reached"


def test_a_broker_that_goes_fails_what_is_under_way_and_is_connected_to_again() -> None:
    broker = StubBroker(refuses=BrokerAway("Kafka at x cannot be reached"))
    with running(broker) as intake:
        assert outcome(intake, delivery()) is Outcome.AWAY
        broker.refuses = None
        until(lambda: intake.trouble is None and broker.connections > 1)
        assert outcome(intake, delivery()) is Outcome.TAKEN
        assert intake.broker_errors == 1


def test_a_record_that_the_broker_refuses_costs_the_others_nothing() -> None:
    error = BrokerError("Kafka at x refuses the record")
    error.__cause__ = RecordTooLargeError()
    broker = StubBroker(refuses=error)
    with running(broker) as intake:
        assert outcome(intake, delivery()) is Outcome.FAILED
        broker.refuses = None
        assert outcome(intake, delivery()) is Outcome.TAKEN
    assert broker.connections == 1


def test_a_topic_that_is_missing_costs_the_others_nothing() -> None:
    broker = StubBroker(refuses=TopicMissing("Kafka at x has no topic feedback"))
    with running(broker) as intake:
        assert outcome(intake, delivery()) is Outcome.AWAY
        broker.refuses = None
        assert outcome(intake, delivery()) is Outcome.TAKEN
    assert broker.connections == 1


def test_so_many_are_taken_on_and_no_more() -> None:
    broker = StubBroker(holds=True)
    with running(broker, most=2) as intake:
        some = [delivery(), delivery()]
        assert [intake.offer(each) for each in (*some, delivery())] == [
            Offer.ACCEPTED,
            Offer.ACCEPTED,
            Offer.FULL,
        ]
        until(lambda: len(broker.held) >= 2)
        for on_done in broker.held:
            on_done(None)
        assert [each.outcome.result(WITHIN_S) for each in some] == [Outcome.TAKEN] * 2
        broker.holds = False
        assert outcome(intake, delivery()) is Outcome.TAKEN


def test_what_nobody_waits_for_any_more_is_not_begun() -> None:
    broker = StubBroker()
    one = delivery()
    one.given_up = True
    with running(broker) as intake:
        assert outcome(intake, one) is Outcome.AWAY
    assert broker.records == []


def test_after_the_stop_nothing_is_taken_on() -> None:
    broker = StubBroker()
    with running(broker) as intake:
        pass
    assert intake.offer(delivery()) is Offer.AWAY
