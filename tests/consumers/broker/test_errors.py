from __future__ import annotations

import inspect

import pytest
from kafka import errors as kafka_errors  # type: ignore[import-untyped]

from consumers.broker.client import Cluster, _mapped
from consumers.broker.errors import BrokerAway, GroupChanged, broker_error
from streams.errors import BrokerError

CLASSES = [
    kind
    for _, kind in inspect.getmembers(kafka_errors, inspect.isclass)
    if issubclass(kind, Exception) and kind.__module__ == kafka_errors.__name__
]


def make(kind: type[Exception]) -> Exception:
    return kind({}) if kind is kafka_errors.LogTruncationError else kind("a message\nin two lines")


def test_the_client_has_errors_at_all() -> None:
    assert len(CLASSES) > 100


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_every_error_of_the_client_leaves_as_ours_in_one_line(kind: type[Exception]) -> None:
    with pytest.raises(BrokerError) as caught, _mapped("somewhere:9092"):
        raise make(kind)
    text = str(caught.value)
    assert "\n" not in text
    assert text.startswith("Kafka at somewhere:9092 ")
    assert kind.__name__ in text


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (kafka_errors.KafkaTimeoutError("late"), BrokerAway),
        (ConnectionRefusedError(111, "refused"), BrokerAway),
        (kafka_errors.RebalanceInProgressError(), GroupChanged),
        (kafka_errors.IllegalGenerationError(), GroupChanged),
        (kafka_errors.TopicAuthorizationFailedError("t"), BrokerError),
        (kafka_errors.SaslAuthenticationFailedError("t"), BrokerError),
        (ValueError("invalid literal for int()"), BrokerError),
        (RuntimeError("Libraries for lz4 compression codec not found"), BrokerError),
    ],
)
def test_what_is_tried_again_and_what_is_not(error: Exception, kind: type[BrokerError]) -> None:
    assert type(broker_error(error, "somewhere")) is kind


def test_an_unknown_security_setting_is_named() -> None:
    with pytest.raises(BrokerError, match="unknown Kafka security setting 'sasl_pasword'"):
        Cluster("127.0.0.1:1", {"sasl_pasword": "x"}).connect(lambda **_: None)


def test_what_is_printed_of_a_cluster_holds_no_secret() -> None:
    assert "hunter2" not in repr(Cluster("127.0.0.1:1", {"sasl_plain_password": "hunter2"}))
