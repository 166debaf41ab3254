"""The map is complete over the error classes of both clients, and one error means the same in both."""

from __future__ import annotations

import ssl
from types import ModuleType

import pytest
from aiokafka import errors as aiokafka_errors  # type: ignore[import-untyped]  # ships no types
from kafka import errors as kafka_errors  # type: ignore[import-untyped]  # ships no types

from streams.kafka.errors import TROUBLES, BrokerTrouble, broker_error, trouble_of


def classes(module: ModuleType) -> list[type[Exception]]:
    return [
        kind
        for kind in vars(module).values()
        if isinstance(kind, type)
        and issubclass(kind, module.KafkaError)
        and kind.__module__ == module.__name__
        and kind is not aiokafka_errors.BrokerResponseError  # without a code it cannot be shown
    ]


CLASSES = [*classes(kafka_errors), *classes(aiokafka_errors)]


def make(kind: type[Exception]) -> Exception:
    return kind({}) if kind.__name__ == "LogTruncationError" else kind("a message\nin two lines")


def name(kind: type[Exception]) -> str:
    return f"{kind.__module__}.{kind.__name__}"


def test_the_clients_have_errors_at_all() -> None:
    assert len(CLASSES) > 200


@pytest.mark.parametrize("kind", CLASSES, ids=name)
def test_every_error_of_both_clients_has_its_trouble_and_leaves_in_one_line(kind: type[Exception]) -> None:
    error = make(kind)
    text = str(broker_error(error, "somewhere:9092"))
    assert text.startswith(f"Kafka at somewhere:9092 {trouble_of(error)}: ")
    assert kind.__name__ in text
    assert "\n" not in text
    if issubclass(kind, kafka_errors.RetriableError) or getattr(kind, "retriable", False):
        assert trouble_of(error) in {BrokerTrouble.ABSENT, BrokerTrouble.TOPIC, BrokerTrouble.GROUP}
    if "Authoriz" in kind.__name__ or "Authentic" in kind.__name__:
        assert trouble_of(error) is BrokerTrouble.DENIED


def test_one_code_of_the_protocol_is_one_trouble_in_both_clients() -> None:
    def by_code(module: ModuleType) -> dict[int, type[Exception]]:
        return {
            kind.errno: kind  # type: ignore[attr-defined]  # these have one
            for kind in classes(module)
            if issubclass(kind, module.BrokerResponseError) and getattr(kind, "errno", None) is not None
        }

    ours, theirs = by_code(kafka_errors), by_code(aiokafka_errors)
    both = sorted(ours.keys() & theirs.keys())
    assert len(both) > 60
    different = {
        code: (trouble_of(make(ours[code])), trouble_of(make(theirs[code])))
        for code in both
        if trouble_of(make(ours[code])) is not trouble_of(make(theirs[code]))
    }
    assert different == {}


def test_every_name_in_the_map_is_a_class_of_a_client_or_of_python() -> None:
    known = {kind.__name__ for kind in CLASSES} | {f"{kind.__name__}Error" for kind in CLASSES}
    assert set(TROUBLES) - known == {"OSError", "TimeoutError", "SSLError", "SSLCertVerificationError"}


@pytest.mark.parametrize(
    ("error", "trouble"),
    [
        (ConnectionRefusedError(111, "refused"), BrokerTrouble.ABSENT),
        (TimeoutError(), BrokerTrouble.ABSENT),
        (ssl.SSLCertVerificationError(1, "self-signed"), BrokerTrouble.CERTIFICATE),
        (ssl.SSLError(1, "wrong version number"), BrokerTrouble.PROTOCOL),
        (ValueError("invalid literal for int()"), BrokerTrouble.REQUEST),
    ],
)
def test_errors_of_python_have_their_trouble(error: Exception, trouble: BrokerTrouble) -> None:
    assert trouble_of(error) is trouble
